"""Threads and their turns in SQL: what was said before, a model's replies, the answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    select,
    update,
)

from agent.approvals.action import ActionId
from agent.audit.event import Fact
from agent.conversation.messages import Reply
from agent.conversation.outbox import Kind
from agent.conversation.thread import Line, ThreadId, TurnId
from agent.store.codec import reply_of, reply_text
from agent.store.facts import answered
from agent.store.port import TurnRecord
from agent.store.scribe import Scribe
from agent.store.sql import tail
from agent.store.sql.database import Database
from agent.store.sql.due import Thing, note_due
from agent.store.sql.inbox import SqlInbox
from agent.store.sql.lines import OwnLine, say_all
from agent.store.sql.operation import Promise
from agent.store.sql.past import Past, called_in, pasts_all
from agent.store.sql.prepared import Prepared, Value, number, plain
from agent.store.sql.rows import Many
from agent.store.sql.schema import replies, turns
from tools.contract import Json

KEEP_REPLY = Many(
    lambda given: given.into(replies, "turn", "position", "body").on_conflict_do_nothing(),
    turn=int,
    position=int,
    body=str,
)
FINISH = Many(
    lambda given: (
        update(turns)
        .where(turns.c.id == given.c.turn, turns.c.finished_at.is_(None))
        .values(answer=given.c.said, record=given.c.kept, finished_at=given.c.at)
        .returning(turns.c.id, turns.c.speaker, turns.c.thread, turns.c.answered_as)
    ),
    turn=int,
    said=str,
    kept=str,
    at=float,
)
# The messages that share an answer with the turn that has it.
FINISH_PARTS = Many(
    lambda given: (
        update(turns)
        .where(
            turns.c.thread == given.c.thread,
            turns.c.finished_at.is_(None),
            turns.c.answered_as == given.c.turn,
        )
        .values(finished_at=given.c.at)
    ),
    thread=str,
    turn=int,
    at=float,
)
TURNS = Many(lambda given: select(turns).where(turns.c.id.in_(select(given.c.turn))), turn=int)
HEARD_AS = Prepared(select(turns).where(turns.c.event_id == bindparam("event")))


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a turn; the actor of `fact` is found with the turn."""

    turn: TurnId
    answer: str
    record: str
    at: datetime
    fact: Fact


class SqlThreads(SqlInbox):
    """Implements `agent.conversation.ports.Threads`, `agent.store.port.Turns` and `Inbox`."""

    def __init__(self, database: Database, scribe: Scribe) -> None:
        super().__init__(database)
        self._database, self._scribe = database, scribe
        self._pasts = database.operation(Promise.READ, pasts_all)
        self._records = database.operation(Promise.READ, turns_all)
        self._replies = database.operation(Promise.FAST, keep_all)
        self._ends = database.operation(Promise.CHAINED, finish_all)
        self._own_lines = database.operation(Promise.FAST, say_all)

    async def history(self, thread: ThreadId, before: TurnId, limit: int) -> Sequence[Line]:
        """The thread's last `limit` lines before this turn, oldest first."""
        return await self._pasts.do(Past(thread, before, limit)) if limit else []

    async def tools_used(self, thread: ThreadId, before: TurnId, turns: int) -> Sequence[str]:
        """The tools that the last `turns` answered turns before this one called, the latest first, each once."""
        past = Past(thread, before, turns)
        return await self._database.read(lambda connection: called_in(connection, past))

    async def keep_reply(self, turn: TurnId, position: int, reply: Reply) -> None:
        """Stores a model reply before it is acted on; one that is there already stays."""
        self._fresh.discard(turn)
        await self._replies.do({"turn": number(turn), "position": position, "body": reply_text(reply)})

    async def replies(self, turn: TurnId) -> Sequence[Reply]:
        """The replies stored for this turn, by position."""
        if turn in self._fresh:  # there can be none
            return []
        query = select(replies.c.body).where(replies.c.turn == number(turn)).order_by(replies.c.position)
        return await self._database.read(
            lambda connection: [reply_of(body) for body in connection.execute(query).scalars()]
        )

    async def finish(self, turn: TurnId, answer: str, record: Mapping[str, Json]) -> None:
        """Closes the turn with its answer and its receipt, and writes the audit event in the same transaction."""
        self._fresh.discard(turn)
        at = datetime.fromisoformat(str(record["finished_at"]))
        fact = self._scribe.pen().finished(answered("", turn, at, record))
        kept = plain(json.dumps(record, ensure_ascii=False, sort_keys=True))
        await self._ends.do(Finish(turn, plain(answer), kept, at, fact))

    async def say(
        self,
        thread: ThreadId,
        text: str,
        at: datetime,
        *,
        key: str | None = None,
        card: ActionId | None = None,
    ) -> None:
        """Adds a line that sayso says by itself, such as the outcome of an action; one with a key only once.

        With it, the card of an action is shown anew.
        """
        await self._own_lines.do(OwnLine(thread, plain(text), at, key, card))

    async def turn(self, id_: TurnId) -> TurnRecord | None:
        return await self._records.do(id_)

    async def heard_as(self, event_id: str) -> TurnRecord | None:
        """The turn that was opened for this event."""

        def work(connection: Connection) -> TurnRecord | None:
            row = HEARD_AS.run(connection, {"event": event_id}).one_or_none()
            return None if row is None else _turn(row)

        return await self._database.read(work)

    async def unfinished(self, most: int | None = None) -> Sequence[TurnRecord]:
        query = select(turns).where(turns.c.finished_at.is_(None)).order_by(turns.c.id).limit(most)
        return await self._database.read(lambda connection: [_turn(row) for row in connection.execute(query)])


def turns_all(connection: Connection, ids: Sequence[TurnId]) -> list[TurnRecord | None]:
    """These turns, with None for those that are not there."""
    found = {row.id: row for row in TURNS.run(connection, [{"turn": number(id_)} for id_ in ids])}
    rows = [found.get(number(id_)) for id_ in ids]
    return [None if row is None else _turn(row) for row in rows]


def keep_all(connection: Connection, rows: Sequence[Mapping[str, Value]]) -> list[None]:
    """Keeps each reply, unless one is there at its place."""
    KEEP_REPLY.run(connection, rows)
    return [None] * len(rows)


def finish_all(connection: Connection, ends: Sequence[Finish]) -> list[None]:
    """Closes each turn that is open, with all that it brings: its parts, its row to tell, its fact."""
    first = {end.turn: end for end in reversed(ends)}
    rows: list[dict[str, Value]] = [
        {"turn": number(end.turn), "said": end.answer, "kept": end.record, "at": end.at.timestamp()}
        for end in first.values()
    ]
    closed = sorted(FINISH.run(connection, rows), key=lambda row: int(row.id))
    parts: list[dict[str, Value]] = []
    things: list[Thing] = []
    facts: list[Fact] = []
    for row in closed:
        end = first[TurnId(f"T-{row.id}")]
        if row.answered_as is not None:
            parts.append({"thread": row.thread, "turn": row.id, "at": end.at.timestamp()})
        things.append((Kind.ANSWER, end.turn, row.thread, end.at))
        facts.append(replace(end.fact, actor=str(row.speaker)))
    FINISH_PARTS.run(connection, parts)
    note_due(connection, things)
    tail.add(connection, facts)
    return [None] * len(ends)


def _turn(row: Row[tuple[object, ...]]) -> TurnRecord:
    return TurnRecord(
        TurnId(f"T-{row.id}"),
        ThreadId(row.thread),
        row.speaker,
        row.question,
        _moment(row.asked_at),
        row.answer or "",
        json.loads(row.record) if row.record else None,
        _moment(row.finished_at) if row.finished_at is not None else None,
        None if row.answered_as in (None, row.id) else TurnId(f"T-{row.answered_as}"),
        row.worker,
        row.event_id,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
