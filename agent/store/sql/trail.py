"""The audit trail and its checkpoints in SQL: one row a fact, written in the transaction of the state it is about."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, desc, func, select, update

from agent.audit.event import Event, Fact, FactKind, Pruning
from agent.store.facts import pruned
from agent.store.scribe import Scribe
from agent.store.sql import tail
from agent.store.sql.database import Database
from agent.store.sql.prepared import Prepared, Value, once
from agent.store.sql.schema import audit, checkpoints, meta

PAGE = 1000  # rows read at a time

IDENTIFY = Prepared(once(meta, "name", "value"))
KEEP_CHECKPOINT = Prepared(once(checkpoints, "seq", "body"))


class SqlTrail:
    """Implements `agent.audit.ports.Trail` and `Checkpoints`."""

    def __init__(self, database: Database, scribe: Scribe | None = None) -> None:
        self._database, self._scribe = database, scribe or Scribe()

    async def events(
        self,
        subject: str | None = None,
        *,
        after: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Event]:
        """Events, oldest first: all, or those about one action or turn, behind a row, in a span of time; in pages."""
        query = select(audit).order_by(audit.c.seq).limit(PAGE)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        if since is not None:
            query = query.where(audit.c.at >= tail.stamp(since))
        if until is not None:
            query = query.where(audit.c.at < tail.stamp(until))
        while True:
            page = await self._page(query.where(audit.c.seq > after))
            for event in page:
                yield event
            if len(page) < PAGE:
                return
            after = page[-1].seq

    async def _page(self, query: Select[tuple[object, ...]]) -> list[Event]:
        return await self._database.read(
            lambda connection: [_event(row) for row in connection.execute(query)]
        )

    async def tip(self) -> Event | None:
        """The latest event."""
        latest = await self._page(select(audit).order_by(desc(audit.c.seq)).limit(1))
        return latest[0] if latest else None

    async def prune(self, until: datetime, by: str, at: datetime) -> Pruning:
        """Takes the bodies of all rows before the first one as young as `until`, and records that with it."""
        pen = self._scribe.pen()

        def work(connection: Connection) -> Pruning:
            young = select(func.min(audit.c.seq)).where(audit.c.at >= tail.stamp(until))
            first_young = connection.execute(young).scalar()
            latest = connection.execute(select(func.max(audit.c.seq))).scalar() or 0
            last = latest if first_young is None else first_young - 1
            with_body = (audit.c.seq <= last) & (audit.c.data != "")
            may_go = with_body & audit.c.body_hash.is_not(None) & (audit.c.kind != FactKind.PRUNED.value)
            old_format = with_body & audit.c.body_hash.is_(None)
            first = connection.execute(select(func.min(audit.c.seq)).where(may_go)).scalar()
            kept = connection.execute(select(func.count()).select_from(audit).where(old_format)).scalar() or 0
            if first is None:
                return Pruning(0, 0, 0, kept)
            rows = connection.execute(update(audit).where(may_go).values(data="")).rowcount
            done = Pruning(rows, first, last, kept)
            tail.add(connection, [pen.finished(pruned(done, until, by, at))])
            return done

        return await self._database.safe(work)

    async def store_id(self) -> str:
        """What tells this store from every other; made once."""
        row: dict[str, Value] = {"name": "store", "value": uuid4().hex}

        def work(connection: Connection) -> str:
            IDENTIFY.run(connection, row)
            return str(connection.execute(select(meta.c.value).where(meta.c.name == "store")).scalar_one())

        return await self._database.safe(work)

    async def keep_checkpoint(self, seq: int, line: str) -> None:
        """Keeps a checkpoint of row `seq`; one that is there already stays."""
        row: dict[str, Value] = {"seq": seq, "body": line}
        await self._database.safe(lambda connection: KEEP_CHECKPOINT.run(connection, row))

    async def last_checkpoint(self) -> str | None:
        query = select(checkpoints.c.body).order_by(desc(checkpoints.c.seq)).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())

    async def checkpoints(self) -> AsyncIterator[str]:
        """All of them, by row; read in pages."""
        query = select(checkpoints.c.seq, checkpoints.c.body).order_by(checkpoints.c.seq).limit(PAGE)
        last = 0
        while True:
            page = await self._lines(query.where(checkpoints.c.seq > last))
            for _, line in page:
                yield line
            if len(page) < PAGE:
                return
            last = page[-1][0]

    async def _lines(self, query: Select[tuple[int, str]]) -> list[tuple[int, str]]:
        return await self._database.read(
            lambda connection: [(row.seq, row.body) for row in connection.execute(query)]
        )


def _event(row: Row[tuple[object, ...]]) -> Event:
    try:
        fact = _fact(row)
    except (ValueError, TypeError):
        # Somebody wrote into the table: the verification names the row, and no hash will ever fit it.
        fact = Fact(FactKind.UNREADABLE, str(row.actor), str(row.subject), datetime.min.replace(tzinfo=UTC))
    return Event(row.seq, fact, row.previous, row.hash, row.body_hash, row.data == "")


def _fact(row: Row[tuple[object, ...]]) -> Fact:
    """The fact of a row exactly as it was written. Raises `ValueError`, `TypeError`."""
    at = datetime.fromisoformat(row.at)
    if row.at != tail.stamp(at):
        raise ValueError("the time was written otherwise")
    data = json.loads(row.data) if row.data != "" else {}
    if not isinstance(data, dict):
        raise TypeError("the body is no object")
    if row.body_hash and row.data and row.body_hash != hashlib.sha256(row.data.encode()).hexdigest():
        raise ValueError("the body was written otherwise")
    return Fact(FactKind(row.kind), row.actor, row.subject, at, data)
