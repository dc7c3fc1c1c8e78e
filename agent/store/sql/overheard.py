"""What is overheard, in the tables of the store."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from agent.conversation.overheard import (
    Account,
    Amend,
    Channel,
    Held,
    Page,
    Remark,
    Standing,
    Walk,
    erased,
    news,
    turned,
)
from agent.store.codec import channel_of, channel_text
from agent.store.sql.database import Database
from agent.store.sql.prepared import Prepared, plain
from agent.store.sql.schema import accounts, channels, remarks

_SIGNATURE = select(func.count(), func.sum(channels.c.revision), func.sum(channels.c.changes))
# Asked for whoever speaks, before they are acknowledged.
ACCOUNT = Prepared(select(accounts).where(accounts.c.id == bindparam("of")))


class SqlOverheard:
    """Implements `agent.conversation.overheard.Overheard`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def channels(self) -> Sequence[Channel]:
        """All that are followed or were once."""
        query = select(channels).order_by(channels.c.id)
        return await self._database.read(lambda db: [_channel(row) for row in db.execute(query)])

    async def channel(self, id_: str) -> Channel | None:
        return await self._database.read(lambda db: _found(db, id_))

    async def amend(self, id_: str, amend: Amend) -> Channel:
        """Changes a channel, or a new one, while nobody else does. What is not heard any more is erased with that."""

        def work(db: Connection) -> Channel:
            known = _found(db, id_)
            before = known or Channel(id_)
            after = replace(amend(before), revision=before.revision)
            if after == known:
                return after
            if known is None:
                db.execute(insert(channels).values(id=id_, revision=0, changes=0, heard=0, body=""))
            _write(db, before, after)
            if before.heard and not after.heard:
                left = erased(one.remark for one in _held(db, id_).values())
                db.execute(delete(remarks).where(remarks.c.channel == id_))
                _keep(db, id_, left)
            return _found(db, id_) or after

        return await self._database.safe(work)

    async def note(self, channel: str, remark: Remark) -> bool:
        """Keeps a message that was said or edited, where the channel is heard; False where there was nothing new."""

        def work(db: Connection) -> bool:
            if not _locked(db, channel):
                return False
            row = db.execute(select(remarks).where(*_same(channel, remark.ts))).one_or_none()
            if not news(None if row is None else _remark(row), remark):
                return False
            _keep(db, channel, [remark])
            return True

        if not await self._database.read(lambda db: _is_heard(db, channel)):
            return False  # most of what is said is said in channels that are not followed
        return await self._database.fast(work)

    async def strike(self, channel: str, ts: str) -> bool:
        """Keeps that a message was deleted, also one that was never heard; its words are erased."""
        return await self.note(channel, Remark(ts, edited="~", standing=Standing.DELETED))

    async def turn(self, channel: str, page: Page, walks: Sequence[Walk]) -> bool:
        """Keeps a page, if `walks` are still the walks of the channel: what stood there and is not on it, is gone."""

        def work(db: Connection) -> bool:
            known = _found(db, channel) if _locked(db, channel) else None
            if known is None or known.walks != tuple(walks):
                return False
            if changed := turned(page, _held(db, channel, page)):
                _keep(db, channel, changed)
            _write(db, known, replace(known, walks=page.walks, covered=page.covered))
            return True

        return await self._database.safe(work)

    async def remarks(self, channel: str) -> Sequence[Remark]:
        """All messages of a channel, also those that do not stand any more, oldest first."""
        query = select(remarks).where(remarks.c.channel == channel).order_by(remarks.c.ts)
        return await self._database.read(lambda db: [_remark(row) for row in db.execute(query)])

    async def gone(self, channel: str, messages: Collection[str]) -> frozenset[str]:
        """Those of these messages, by `ts`, that are known not to stand any more."""
        named, fallen = remarks.c.ts.in_(messages), remarks.c.standing != int(Standing.STANDS)
        query = select(remarks.c.ts).where(remarks.c.channel == channel, named, fallen)
        return await self._database.read(lambda db: frozenset(db.execute(query).scalars()))

    async def count(self, channel: str) -> int:
        """How many messages stand."""
        stands = remarks.c.standing == int(Standing.STANDS)
        query = select(func.count()).select_from(remarks).where(remarks.c.channel == channel, stands)
        return await self._database.read(lambda db: db.execute(query).scalar_one())

    async def signature(self) -> str:
        """Another one whenever something was said, or the rights of a channel changed."""
        found = await self._database.read(lambda db: db.execute(_SIGNATURE).one())
        return "/".join(str(number or 0) for number in found)

    async def account(self, id_: str) -> Account | None:
        row = await self._database.read(lambda db: ACCOUNT.run(db, {"of": id_}).one_or_none())
        return None if row is None else _account(row)

    async def put_account(self, account: Account) -> None:
        """Keeps it, unless a later reading is there."""
        values = {
            "body": plain(account.body),
            "read_at": account.read_at.timestamp(),
            "outsider": int(account.outsider),
        }

        def work(db: Connection) -> None:
            known = db.execute(select(accounts).where(accounts.c.id == account.id)).one_or_none()
            if known is None:
                db.execute(insert(accounts).values(id=account.id, **values))
            elif known.read_at <= account.read_at.timestamp():
                db.execute(update(accounts).where(accounts.c.id == account.id).values(**values))

        await self._database.safe(work)

    async def accounts(self) -> Sequence[Account]:
        query = select(accounts).order_by(accounts.c.id)
        return await self._database.read(lambda db: [_account(row) for row in db.execute(query)])


def _is_heard(db: Connection, channel: str) -> bool:
    heard = db.execute(select(channels.c.heard).where(channels.c.id == channel)).scalar_one_or_none()
    return bool(heard)


def _locked(db: Connection, channel: str) -> bool:
    """Whether the channel is heard; nobody else changes what is said in it until this transaction ends."""
    same = update(channels).where(channels.c.id == channel, channels.c.heard == 1)
    held = db.execute(same.values(revision=channels.c.revision).returning(channels.c.id))
    return held.one_or_none() is not None


def _found(db: Connection, id_: str) -> Channel | None:
    row = db.execute(select(channels).where(channels.c.id == id_)).one_or_none()
    return None if row is None else _channel(row)


def _write(db: Connection, before: Channel, after: Channel) -> None:
    values = {
        "heard": int(after.heard),
        "changes": channels.c.changes + int(after.outward != before.outward),
        "body": plain(channel_text(replace(after, revision=0))),
    }
    db.execute(update(channels).where(channels.c.id == after.id).values(values))


def _keep(db: Connection, channel: str, changed: Iterable[Remark]) -> None:
    """Writes these down as the channel's next revision."""
    raised = update(channels).where(channels.c.id == channel).values(revision=channels.c.revision + 1)
    revision = db.execute(raised.returning(channels.c.revision)).scalar_one()
    rows = [
        {
            "channel": channel,
            "ts": remark.ts,
            "thread": remark.thread,
            "edited": remark.edited,
            "standing": int(remark.standing),
            "revision": revision,
            "body": plain(remark.body),
        }
        for remark in changed
    ]
    for row in rows:
        db.execute(delete(remarks).where(*_same(channel, str(row["ts"]))))
    if rows:
        db.execute(insert(remarks), rows)


def _held(db: Connection, channel: str, page: Page | None = None) -> Mapping[str, Held]:
    """What is held of a channel, or as much of it as a page may change."""
    query = select(remarks).where(remarks.c.channel == channel)
    if page is not None:
        stretch = and_(remarks.c.ts >= page.after, *([remarks.c.ts < page.before] if page.before else []))
        belongs = remarks.c.thread == page.thread if page.thread else stretch
        query = query.where(or_(belongs, remarks.c.ts.in_([one.ts for one in page.remarks])))
    return {row.ts: Held(_remark(row), row.revision) for row in db.execute(query)}


def _same(channel: str, ts: str) -> tuple[ColumnElement[bool], ...]:
    return (remarks.c.channel == channel, remarks.c.ts == ts)


def _channel(row: "Row[tuple[object, ...]]") -> Channel:
    return replace(channel_of(row.body), revision=row.revision)


def _remark(row: "Row[tuple[object, ...]]") -> Remark:
    return Remark(row.ts, row.thread, row.edited, row.body, Standing(row.standing))


def _account(row: "Row[tuple[object, ...]]") -> Account:
    return Account(row.id, row.body, datetime.fromtimestamp(row.read_at, UTC), bool(row.outsider))
