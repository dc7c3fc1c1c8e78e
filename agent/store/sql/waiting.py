"""What waits in SQL: messages without an answer, what is still to be told, and the beats of those at work."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    String,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSON

from agent.approvals.ports import Beat
from agent.conversation.inbox import Batch, Waiting, is_alone, together
from agent.conversation.outbox import Due, Kind
from agent.conversation.posted import Post
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.store.sql.database import Database
from agent.store.sql.prepared import Prepared, Value, number
from agent.store.sql.schema import notices, outbox, posts, turns, workers

BEAT = Prepared(
    {
        name: insert(workers)
        .values({column: bindparam(column) for column in ("id", "role", "beats")})
        .on_conflict_do_update(index_elements=["id"], set_={"beats": workers.c.beats + 1})
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)
OPEN = Prepared(
    select(turns)
    .where(turns.c.finished_at.is_(None), turns.c.thread == bindparam("in_thread"))
    .order_by(turns.c.id)
    .with_for_update()
)
BEGIN = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("turn"))
    .values(answered_as=bindparam("last"), worker=bindparam("by"))
)
NOTICE = Prepared(select(notices.c.text).where(notices.c.id == bindparam("of")))
TAKE = Prepared(
    update(outbox)
    .where(outbox.c.thread == bindparam("in_thread"), outbox.c.worker.is_(None))
    .values(worker=bindparam("by"))
    .returning(*outbox.c)
)
TOLD = Prepared(
    delete(outbox).where(
        outbox.c.kind == bindparam("of_kind"),
        outbox.c.subject == bindparam("about"),
        outbox.c.version == bindparam("seen"),
    )
)


POSTED = Prepared(
    select(posts)
    .where(posts.c.surface == bindparam("on_surface"), posts.c.subject == bindparam("about"))
    .order_by(posts.c.place)
)
NOTE_POST = Prepared(
    {
        name: insert(posts)
        .values({column.name: bindparam(column.name) for column in posts.columns})
        .on_conflict_do_update(
            index_elements=["surface", "subject", "place"], set_={"name": bindparam("name")}
        )
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)
_ROWS = (
    func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    .table_valued(column("kind", String), column("subject", String), column("version", Integer), name="rows")
    .render_derived(with_types=True)
)
ALL_TOLD = Prepared(
    delete(outbox)
    .where(
        outbox.c.kind == _ROWS.c.kind,
        outbox.c.subject == _ROWS.c.subject,
        outbox.c.version == _ROWS.c.version,
    )
    .returning(outbox.c.kind, outbox.c.subject)
)


class SqlWaiting:
    """Implements `Inbox`, `Outbox`, `Posted` and `Beats`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- messages ------------------------------------------------------------------------------------------------

    async def begin(self, thread: ThreadId, worker: str) -> Batch | None:
        """What this worker is to answer next in a thread; None when all is answered or another one is at it."""

        def work(connection: Connection) -> Batch | None:
            rows = OPEN.run(connection, {"in_thread": thread}).all()
            if not rows or rows[0].worker not in (None, worker):
                return None
            chosen = {number(one) for one in together([_waiting(row) for row in rows])}
            parts = [row for row in rows if row.id in chosen]
            last = parts[-1].id
            if parts[0].answered_as is None or parts[0].worker is None:
                # One alone is begun as well: what comes later does not join it.
                begun: list[dict[str, Value]] = [
                    {"turn": row.id, "last": last, "by": worker} for row in parts
                ]
                BEGIN.run_all(connection, begun)
            return _batch(parts)

        return await self._database.fast(work)

    async def stop(self, thread: ThreadId, by: str) -> tuple[TurnId, ...]:
        """Notes that somebody does not want the thread's open turns answered; says which ones are new to it."""
        statement = (
            update(turns)
            .where(turns.c.thread == thread, turns.c.finished_at.is_(None), turns.c.stopped_by.is_(None))
            .values(stopped_by=by)
            .returning(turns.c.id)
        )

        def work(connection: Connection) -> tuple[TurnId, ...]:
            return tuple(TurnId(f"T-{id_}") for id_ in sorted(connection.execute(statement).scalars()))

        return await self._database.fast(work)

    async def stopped(self, turns_: Collection[TurnId]) -> Mapping[TurnId, str]:
        """Which of these somebody stopped, and who."""
        asked = [number(turn) for turn in turns_]
        query = select(turns.c.id, turns.c.stopped_by).where(
            turns.c.id.in_(asked), turns.c.stopped_by.is_not(None)
        )
        return await self._database.read(
            lambda connection: {TurnId(f"T-{row.id}"): row.stopped_by for row in connection.execute(query)}
        )

    # --- what is still to be told --------------------------------------------------------------------------------

    async def due(self, before: datetime) -> Sequence[Due]:
        """What nobody has begun to tell and was written before this moment, oldest first."""
        query = (
            select(outbox)
            .where(outbox.c.worker.is_(None), outbox.c.at <= before.timestamp())
            .order_by(outbox.c.id)
            .limit(1000)
        )
        return await self._database.read(lambda connection: [_due(row) for row in connection.execute(query)])

    async def take(self, thread: ThreadId, worker: str) -> Sequence[Due]:
        """Everything due in this thread, for this worker to tell."""

        def work(connection: Connection) -> list[Due]:
            rows = TAKE.run(connection, {"in_thread": thread, "by": worker}).all()
            return [_due(row) for row in sorted(rows, key=lambda row: row.id)]

        return await self._database.fast(work)

    async def told(self, due: Sequence[Due]) -> None:
        """These were told: they go away, but where there is something newer to tell of the same, that is free then."""

        def work(connection: Connection) -> None:
            gone = set()
            if connection.dialect.name == "postgresql":
                rows = [{"kind": o.kind.value, "subject": o.subject, "version": o.version} for o in due]
                gone = {
                    (row.kind, row.subject) for row in ALL_TOLD.run(connection, {"rows": json.dumps(rows)})
                }
            else:
                for one in due:
                    row: dict[str, Value] = {
                        "of_kind": one.kind.value,
                        "about": one.subject,
                        "seen": one.version,
                    }
                    if TOLD.run(connection, row).rowcount:
                        gone.add((one.kind, one.subject))
            for one in due:
                if (one.kind, one.subject) not in gone:
                    _give_back(connection, one)

        if due:
            await self._database.fast(work)

    async def give_back(self, due: Due) -> None:
        """It could not be told now: it is free again."""
        await self._database.fast(lambda connection: _give_back(connection, due))

    async def let_go(self, worker: str) -> int:
        """Frees what a worker took and did not tell; says how much."""
        statement = update(outbox).where(outbox.c.worker == worker).values(worker=None)
        return await self._database.fast(lambda connection: connection.execute(statement).rowcount)

    async def notice(self, subject: str) -> str | None:
        """The text of a notice."""

        def work(connection: Connection) -> str | None:
            text = NOTICE.run(connection, {"of": number(subject)}).scalar_one_or_none()
            return None if text is None else str(text)

        return await self._database.read(work)

    # --- where it was told ---------------------------------------------------------------------------------------

    async def posted(self, surface: str, subject: str) -> Sequence[Post]:
        """All about this subject, by place."""
        values: dict[str, Value] = {"on_surface": surface, "about": subject}

        def work(connection: Connection) -> list[Post]:
            rows = POSTED.run(connection, values)
            return [Post(row.surface, row.subject, row.place, row.name) for row in rows]

        return await self._database.read(work)

    async def note_post(self, post: Post) -> None:
        """Notes an intention, or the name of what was posted; one for each subject and place."""
        row: dict[str, Value] = {
            "surface": post.surface,
            "subject": post.subject,
            "place": post.place,
            "name": post.name,
        }
        await self._database.fast(lambda connection: NOTE_POST.run(connection, row))

    # --- who is at work ------------------------------------------------------------------------------------------

    async def beat(self, worker: str, role: str) -> None:
        """One more."""
        row: dict[str, Value] = {"id": worker, "role": role, "beats": 1}
        await self._database.fast(lambda connection: BEAT.run(connection, row))

    async def beats(self) -> Mapping[str, Beat]:
        """All of them."""
        return await self._database.read(
            lambda connection: {
                row.id: Beat(row.role, row.beats) for row in connection.execute(select(workers))
            }
        )

    async def leave(self, worker: str) -> None:
        """It is no worker any more; what it had in its hands and did not end is free for others."""
        gone = delete(workers).where(workers.c.id == worker)
        untold = update(outbox).where(outbox.c.worker == worker).values(worker=None)
        mine = (turns.c.worker == worker) & turns.c.finished_at.is_(None)
        unanswered = update(turns).where(mine).values(worker=None)

        def work(connection: Connection) -> None:
            for statement in (unanswered, untold, gone):
                connection.execute(statement)

        await self._database.fast(work)


def _waiting(row: Row[tuple[object, ...]]) -> Waiting:
    begun = None if row.answered_as is None else TurnId(f"T-{row.answered_as}")
    return Waiting(TurnId(f"T-{row.id}"), row.speaker, row.question, begun, is_alone(row.event_id))


def _batch(parts: Sequence[Row[tuple[object, ...]]]) -> Batch:
    last = parts[-1]
    said = Said(
        last.event_id,
        ThreadId(last.thread),
        last.speaker,
        "\n".join(row.question for row in parts),
        datetime.fromtimestamp(parts[0].asked_at, UTC),
    )
    stopped = next((row.stopped_by for row in parts if row.stopped_by is not None), None)
    return Batch(TurnId(f"T-{last.id}"), said, tuple(TurnId(f"T-{row.id}") for row in parts), stopped)


def _give_back(connection: Connection, due: Due) -> None:
    same = (outbox.c.kind == due.kind.value) & (outbox.c.subject == due.subject)
    connection.execute(update(outbox).where(same).values(worker=None))


def _due(row: Row[tuple[object, ...]]) -> Due:
    at = datetime.fromtimestamp(row.at, UTC)
    return Due(Kind(row.kind), row.subject, ThreadId(row.thread), row.version, at)
