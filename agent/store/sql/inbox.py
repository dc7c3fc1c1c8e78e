"""Messages that wait for an answer, in SQL: heard, begun by a worker, stopped by a person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, select, update

from agent.conversation.inbox import Batch, Waiting, is_alone, together
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.store.sql.database import Database
from agent.store.sql.operation import Promise
from agent.store.sql.prepared import Value, number, plain
from agent.store.sql.rows import Many
from agent.store.sql.schema import turns

HEAR = Many(
    lambda given: (
        given.into(turns, "event_id", "thread", "speaker", "question", "asked_at")
        .on_conflict_do_nothing(index_elements=["event_id"])
        .returning(turns.c.id, turns.c.event_id)
    ),
    event_id=str,
    thread=str,
    speaker=str,
    question=str,
    asked_at=float,
)
OPEN = Many(
    lambda given: (
        select(turns)
        .where(turns.c.finished_at.is_(None), turns.c.thread.in_(select(given.c.thread)))
        .order_by(turns.c.id)
        .with_for_update(of=turns)
    ),
    thread=str,
)
BEGIN = Many(
    lambda given: (
        update(turns)
        .where(turns.c.id == given.c.turn)
        .values(answered_as=given.c.last, worker=given.c.worker)
    ),
    turn=int,
    last=int,
    worker=str,
)


@dataclass(frozen=True, slots=True)
class Begin:
    """A worker that wants to answer what is next in a thread."""

    thread: ThreadId
    worker: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What a worker is to answer; `first` where nobody, in no process, began that before."""

    batch: Batch
    first: bool


class SqlInbox:
    """Implements `agent.conversation.inbox.Inbox`, and the way in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fresh: set[TurnId] = set()  # begun by this process before anybody, and no reply kept yet
        self._heard = database.operation(Promise.FAST, hear_all)
        self._begun = database.operation(Promise.FAST, begin_all)

    async def hear(self, said: Said) -> TurnId | None:
        """Accepts what was said, durably, and opens its turn; `None` when this event was heard before."""
        return await self._heard.do(said)

    async def begin(self, thread: ThreadId, worker: str) -> Batch | None:
        """What this worker is to answer next in a thread; None when all is answered or another one is at it."""
        begun = await self._begun.do(Begin(thread, worker))
        if begun is None:
            return None
        if begun.first:
            self._fresh.add(begun.batch.turn)
        else:
            self._fresh.discard(begun.batch.turn)
        return begun.batch

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


def hear_all(connection: Connection, heard: Sequence[Said]) -> list[TurnId | None]:
    """Opens a turn for each event that is new; of two with the same id, for the first."""
    rows: list[dict[str, Value]] = [
        {
            "event_id": said.event_id,
            "thread": said.thread,
            "speaker": said.speaker,
            "question": plain(said.text),
            "asked_at": said.at.timestamp(),
        }
        for said in heard
    ]
    new = {row.event_id: TurnId(f"T-{row.id}") for row in HEAR.run(connection, rows)}
    return [new.pop(said.event_id, None) for said in heard]


def begin_all(connection: Connection, wishes: Sequence[Begin]) -> list[Begun | None]:
    """Gives each thread to the first worker that wants it, unless another one has it already."""
    threads: list[dict[str, Value]] = [{"thread": one} for one in {wish.thread for wish in wishes}]
    waiting: dict[str, list[Row[tuple[object, ...]]]] = {}
    for row in OPEN.run(connection, threads):
        waiting.setdefault(row.thread, []).append(row)
    begun: list[dict[str, Value]] = []
    given: dict[Begin, Begun] = {}
    taken: set[str] = set()
    for one in wishes:
        rows = waiting.get(one.thread)
        if one.thread not in taken and rows and rows[0].worker in (None, one.worker):
            taken.add(one.thread)
            parts = _next(rows)
            if parts[0].answered_as is None or parts[0].worker is None:
                # One alone is begun as well: what comes later does not join it.
                begun += [{"turn": row.id, "last": parts[-1].id, "worker": one.worker} for row in parts]
            given[one] = Begun(_batch(parts), first=parts[0].answered_as is None)
    BEGIN.run(connection, begun)
    return [given.get(one) for one in wishes]


def _next(rows: Sequence[Row[tuple[object, ...]]]) -> list[Row[tuple[object, ...]]]:
    """The messages that are answered next, of those that wait in a thread."""
    chosen = {number(one) for one in together([_waiting(row) for row in rows])}
    return [row for row in rows if row.id in chosen]


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
