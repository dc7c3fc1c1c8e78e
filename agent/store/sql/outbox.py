"""What is still to be told, in SQL: taken by a worker, told, or given back."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, delete, null, select, tuple_, update

from agent.conversation.outbox import Due, Kind
from agent.conversation.thread import ThreadId
from agent.store.sql.database import Database
from agent.store.sql.operation import Promise
from agent.store.sql.prepared import Value, number
from agent.store.sql.rows import Many
from agent.store.sql.schema import notices, outbox

TAKE = Many(
    lambda given: (
        update(outbox)
        .where(outbox.c.thread == given.c.thread, outbox.c.worker.is_(None))
        .values(worker=given.c.worker)
        .returning(*outbox.c)
    ),
    thread=str,
    worker=str,
)
TOLD = Many(
    lambda given: (
        delete(outbox)
        .where(
            tuple_(outbox.c.kind, outbox.c.subject, outbox.c.version).in_(
                select(given.c.kind, given.c.subject, given.c.version)
            )
        )
        .returning(outbox.c.kind, outbox.c.subject)
    ),
    kind=str,
    subject=str,
    version=int,
)
GIVE_BACK = Many(
    lambda given: (
        update(outbox)
        .where(outbox.c.kind == given.c.kind, outbox.c.subject == given.c.subject)
        .values(worker=null())
    ),
    kind=str,
    subject=str,
)
NOTICES = Many(
    lambda given: select(notices.c.id, notices.c.text).where(notices.c.id.in_(select(given.c.notice))),
    notice=int,
)
Take = tuple[ThreadId, str]  # a thread, and the worker that tells what is due in it


class SqlOutbox:
    """Implements `agent.conversation.outbox.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._taken = database.operation(Promise.FAST, take_all)
        self._told = database.operation(Promise.FAST, told_all)
        self._returned = database.operation(Promise.FAST, give_back_all)
        self._notices = database.operation(Promise.READ, notices_all)

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
        return await self._taken.do((thread, worker))

    async def told(self, due: Sequence[Due]) -> None:
        """These were told: they go away, but where there is something newer to tell of the same, that is free then."""
        if due:
            await self._told.do(due)

    async def give_back(self, due: Due) -> None:
        """It could not be told now: it is free again."""
        await self._returned.do(due)

    async def let_go(self, worker: str) -> int:
        """Frees what a worker took and did not tell; says how much."""
        statement = update(outbox).where(outbox.c.worker == worker).values(worker=None)
        return await self._database.fast(lambda connection: connection.execute(statement).rowcount)

    async def notice(self, subject: str) -> str | None:
        """The text of a notice."""
        return await self._notices.do(subject)


def take_all(connection: Connection, takes: Sequence[Take]) -> list[list[Due]]:
    """Gives what is due in each thread to the first worker that asks for it."""
    first = {thread: (thread, worker) for thread, worker in reversed(takes)}
    rows: list[dict[str, Value]] = [{"thread": thread, "worker": worker} for thread, worker in first.values()]
    found: dict[Take, list[Due]] = {}
    for row in sorted(TAKE.run(connection, rows), key=lambda row: int(row.id)):
        found.setdefault((ThreadId(row.thread), row.worker), []).append(_due(row))
    return [found.pop(take, []) for take in takes]


def told_all(connection: Connection, tellings: Sequence[Sequence[Due]]) -> list[None]:
    """Takes away what was told as it is; what is newer by now is free."""
    due = [one for telling in tellings for one in telling]
    rows: list[dict[str, Value]] = [{**_same(one), "version": one.version} for one in due]
    gone = {(row.kind, row.subject) for row in TOLD.run(connection, rows)}
    give_back_all(connection, [one for one in due if (one.kind.value, one.subject) not in gone])
    return [None] * len(tellings)


def give_back_all(connection: Connection, due: Sequence[Due]) -> list[None]:
    GIVE_BACK.run(connection, [_same(one) for one in due])
    return [None] * len(due)


def notices_all(connection: Connection, subjects: Sequence[str]) -> list[str | None]:
    found = {
        row.id: str(row.text)
        for row in NOTICES.run(connection, [{"notice": number(one)} for one in subjects])
    }
    return [found.get(number(one)) for one in subjects]


def _same(due: Due) -> dict[str, Value]:
    return {"kind": due.kind.value, "subject": due.subject}


def _due(row: Row[tuple[object, ...]]) -> Due:
    at = datetime.fromtimestamp(row.at, UTC)
    return Due(Kind(row.kind), row.subject, ThreadId(row.thread), row.version, at)
