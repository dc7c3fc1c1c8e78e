"""The store in SQL, on SQLite and PostgreSQL alike: every method is one short transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    desc,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)

from agent.approvals.action import Action, ActionId, Draft, State
from agent.approvals.ports import Judge, Room, Ruling
from agent.approvals.refusal import Refusal
from agent.audit.event import Fact, FactKind
from agent.conversation.answer import called
from agent.conversation.messages import Reply
from agent.conversation.outbox import Kind
from agent.conversation.thread import Line, Said, ThreadId, TurnId
from agent.store.codec import action_of, reply_of, reply_text
from agent.store.facts import answered, proposed
from agent.store.port import TurnRecord
from agent.store.scribe import Pen, Scribe
from agent.store.sql import tail
from agent.store.sql.asked import SqlAsked
from agent.store.sql.changes import Case, Change, apply_all, columns, find_all, judge_all
from agent.store.sql.database import Database, database
from agent.store.sql.due import note_due
from agent.store.sql.overheard import SqlOverheard
from agent.store.sql.prepared import Prepared, Value, number, once, plain
from agent.store.sql.schema import actions, notices, replies, turns
from agent.store.sql.trail import SqlTrail
from agent.store.sql.versions import Note, quiet
from agent.store.sql.waiting import SqlWaiting
from tools.contract import Json

# What every turn runs, compiled once.
HEAR = Prepared(once(turns, "event_id", "thread", "speaker", "question", "asked_at", on="event_id"))
KEEP_REPLY = Prepared(once(replies, "turn", "position", "body"))
FINISH = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("turn"), turns.c.finished_at.is_(None))
    .values(answer=bindparam("said"), record=bindparam("kept"), finished_at=bindparam("at"))
    .returning(turns.c.speaker, turns.c.thread, turns.c.answered_as)
)
# The messages that share this answer with the turn that has it.
FINISH_PARTS = Prepared(
    update(turns)
    .where(
        turns.c.thread == bindparam("in_thread"),
        turns.c.finished_at.is_(None),
        turns.c.answered_as == bindparam("turn"),
    )
    .values(finished_at=bindparam("at"))
)
# The action with this key, and the number of the last one.
KNOWN = Prepared(
    select(
        select(actions.c.body).where(actions.c.key == bindparam("the_key")).scalar_subquery().label("body"),
        select(func.max(actions.c.id)).scalar_subquery().label("last"),
    )
)
ADD_ACTION = Prepared(
    insert(actions).values({column.name: bindparam(column.name) for column in actions.columns})
)
HEARD_AS = Prepared(select(turns).where(turns.c.event_id == bindparam("event")))
LAST_TURN = Prepared(
    select(func.max(turns.c.id).label("turn")).where(turns.c.thread == bindparam("in_thread"))
)
RUNNING = Prepared(select(actions.c.body).where(actions.c.state == bindparam("now")))
TURN = Prepared(select(turns).where(turns.c.id == bindparam("turn")))
SAY = Prepared(once(notices, "thread", "after", "text", "at", "key", on="key"))
_EARLIER = (turns.c.thread == bindparam("in_thread")) & (turns.c.id < bindparam("before"))
_LINES = union_all(
    select(turns.c.id.label("turn"), literal_column("0").label("part"), literal_column("0").label("place"),
           turns.c.speaker.label("speaker"), turns.c.question.label("text"), turns.c.asked_at.label("at"))
    .where(_EARLIER),
    select(turns.c.id, literal_column("1"), literal_column("0"), literal_column("'sayso'"), turns.c.answer,
           turns.c.finished_at).where(_EARLIER, turns.c.answer.is_not(None)),
    select(notices.c.after, literal_column("2"), notices.c.id, literal_column("'sayso'"), notices.c.text, notices.c.at)
    .where(notices.c.thread == bindparam("in_thread"), notices.c.after < bindparam("before")),
).subquery()  # fmt: skip
HISTORY = Prepared(
    select(_LINES.c.speaker, _LINES.c.text, _LINES.c.at)
    .order_by(desc(_LINES.c.turn), desc(_LINES.c.part), desc(_LINES.c.place))
    .limit(bindparam("most"))
)
CALLED = Prepared(
    select(turns.c.record)
    .where(_EARLIER, turns.c.record.is_not(None))
    .order_by(desc(turns.c.id))
    .limit(bindparam("most"))
)


class SqlStore(SqlTrail, SqlWaiting):
    """Implements `agent.store.port.Store`."""

    def __init__(self, database: Database, scribe: Scribe | None = None) -> None:
        SqlTrail.__init__(self, database, scribe)
        SqlWaiting.__init__(self, database)
        self.asked = SqlAsked(database)
        self.overheard = SqlOverheard(database)
        self._changes = database.grouped(apply_all)
        self._cases = database.grouped(judge_all)
        self._looks = database.grouped_reads(find_all)
        self._fresh: set[TurnId] = set()  # heard by this process, and no reply kept yet

    @classmethod
    async def open(cls, place: Path | str, scribe: Scribe | None = None, *, note: Note = quiet) -> "SqlStore":
        """The store in this file, or at this URL of a PostgreSQL; made where there is none. Raises `StoreError`."""
        found = database(place)
        await found.open(note)
        return cls(found, scribe)

    async def close(self) -> None:
        await self._database.close()

    # --- threads -------------------------------------------------------------------------------------------------

    async def hear(self, said: Said) -> TurnId | None:
        """Accepts what was said, durably, and opens its turn; `None` when this event was heard before."""
        row: dict[str, Value] = {
            "event_id": said.event_id,
            "thread": said.thread,
            "speaker": said.speaker,
            "question": plain(said.text),
            "asked_at": said.at.timestamp(),
        }

        def work(connection: Connection) -> TurnId | None:
            number = HEAR.run(connection, row).scalar_one_or_none()
            return None if number is None else TurnId(f"T-{number}")

        turn = await self._database.fast(work)
        if turn is not None:
            self._fresh.add(turn)
        return turn

    async def history(self, thread: ThreadId, before: TurnId, limit: int) -> Sequence[Line]:
        """The thread's last `limit` lines before this turn, oldest first."""
        if not limit:
            return []
        values: dict[str, Value] = {"in_thread": thread, "before": number(before), "most": limit}

        def work(connection: Connection) -> list[Line]:
            rows = HISTORY.run(connection, values).all()
            return [Line(row.speaker, row.text, _moment(row.at)) for row in reversed(rows)]

        return await self._database.read(work)

    async def tools_used(self, thread: ThreadId, before: TurnId, turns: int) -> Sequence[str]:
        """The tools that the last `turns` answered turns before this one called, the latest first, each once."""
        values: dict[str, Value] = {"in_thread": thread, "before": number(before), "most": turns}

        def work(connection: Connection) -> tuple[str, ...]:
            return called([json.loads(row.record) for row in CALLED.run(connection, values).all()])

        return await self._database.read(work)

    async def keep_reply(self, turn: TurnId, position: int, reply: Reply) -> None:
        """Stores a model reply before it is acted on; one that is there already stays."""
        self._fresh.discard(turn)
        row: dict[str, Value] = {"turn": number(turn), "position": position, "body": reply_text(reply)}
        await self._database.fast(lambda connection: KEEP_REPLY.run(connection, row))

    async def replies(self, turn: TurnId) -> Sequence[Reply]:
        if turn in self._fresh:  # heard a moment ago by this process: there can be none
            return []
        query = select(replies.c.body).where(replies.c.turn == number(turn)).order_by(replies.c.position)
        return await self._database.read(
            lambda connection: [reply_of(body) for body in connection.execute(query).scalars()]
        )

    async def finish(self, turn: TurnId, answer: str, record: Mapping[str, Json]) -> None:
        """Closes the turn with its answer and its receipt, and writes the audit event in the same transaction."""
        self._fresh.discard(turn)
        at, text = datetime.fromisoformat(str(record["finished_at"])), _text(record)
        values: dict[str, Value] = {
            "turn": number(turn),
            "said": plain(answer),
            "kept": text,
            "at": at.timestamp(),
        }
        fact = self._scribe.pen().finished(answered("", turn, at, record))

        def work(connection: Connection) -> None:
            row = FINISH.run(connection, values).one_or_none()
            if row is None:
                return
            if row.answered_as is not None:
                FINISH_PARTS.run(
                    connection, {"in_thread": row.thread, "turn": number(turn), "at": at.timestamp()}
                )
            note_due(connection, Kind.ANSWER, [(turn, row.thread, at)])
            tail.add(connection, [replace(fact, actor=str(row.speaker))])

        await self._database.chained(work)

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

        def work(connection: Connection) -> None:
            last = LAST_TURN.run(connection, {"in_thread": thread}).one()
            row: dict[str, Value] = {
                "thread": thread,
                "after": last.turn or 0,
                "text": plain(text),
                "at": at.timestamp(),
                "key": key,
            }
            made = SAY.run(connection, row).scalar_one_or_none()
            if made is not None:
                note_due(connection, Kind.NOTICE, [(f"N-{made}", thread, at)])
                if card is not None:
                    note_due(connection, Kind.CARD, [(card, thread, at)])

        await self._database.fast(work)

    async def turn(self, id_: TurnId) -> TurnRecord | None:
        def work(connection: Connection) -> TurnRecord | None:
            row = TURN.run(connection, {"turn": number(id_)}).one_or_none()
            return None if row is None else _turn(row)

        return await self._database.read(work)

    async def heard_as(self, event_id: str) -> TurnRecord | None:
        """The turn that was opened for this event."""

        def work(connection: Connection) -> TurnRecord | None:
            row = HEARD_AS.run(connection, {"event": event_id}).one_or_none()
            return None if row is None else _turn(row)

        return await self._database.read(work)

    async def unfinished(self, most: int | None = None) -> Sequence[TurnRecord]:
        query = select(turns).where(turns.c.finished_at.is_(None)).order_by(turns.c.id).limit(most)
        return await self._database.read(lambda connection: [_turn(row) for row in connection.execute(query)])

    # --- actions -------------------------------------------------------------------------------------------------

    async def propose(self, draft: Draft) -> Action:
        """Gives the draft an id and keeps it; the action that is there already when its `key` was seen before."""
        pen = self._scribe.pen()

        def work(connection: Connection) -> Action:
            there = KNOWN.run(connection, {"the_key": draft.key}).one()
            if there.body is not None:
                return action_of(there.body)
            row = (there.last or 0) + 1
            action = Action.from_draft(ActionId(f"A-{row}"), draft)
            ADD_ACTION.run(connection, {"id": row, "key": draft.key, **columns(action)})
            if draft.supersedes is not None:
                _supersede(connection, draft.supersedes, action, pen)
            note_due(connection, Kind.CARD, [(action.id, action.thread, action.created_at)])
            tail.add(connection, [pen.finished(proposed(action), action)])
            return action

        return await self._database.safe(work)

    async def action(self, id_: ActionId) -> Action | None:
        return await self._looks.do(id_)

    async def actions(
        self, *, state: State | None = None, thread: str | None = None, limit: int = 50
    ) -> Sequence[Action]:
        """The latest actions first."""
        query = select(actions.c.body).order_by(desc(actions.c.id)).limit(limit)
        if state is not None:
            query = query.where(actions.c.state == state.value)
        if thread is not None:
            query = query.where(actions.c.thread == thread)
        return await self._database.read(
            lambda connection: [action_of(body) for body in connection.execute(query).scalars()]
        )

    async def apply(self, before: Action, after: Action, fact: Fact) -> bool:
        """Puts `after` in the place of `before`, if nobody else changed it; False when somebody did."""
        return await self._changes.do(Change(self._scribe.pen().finished(fact, after), before, after))

    async def claim(self, before: Action, after: Action, fact: Fact, room: Room) -> bool | Refusal:
        """As `apply`, into RUNNING, if there is room beside all that runs at this moment; else why there is none."""
        change = Change(self._scribe.pen().finished(fact, after), before, after)

        def work(connection: Connection) -> bool | Refusal:
            bodies = RUNNING.run(connection, {"now": State.RUNNING.value})
            no = room([action_of(str(body)) for body in bodies.scalars()])
            return apply_all(connection, [change])[0] if no is None else no

        return await self._database.safe(work)

    async def judge(self, id_: ActionId, judge: Judge) -> Ruling | None:
        """Has the action judged as it stands while nobody else can change it, and keeps what comes of it."""
        return await self._cases.do(Case(id_, judge, self._scribe.pen()))

    async def record(self, fact: Fact) -> None:
        """An audit row without a change: an attempt that was refused."""
        await self._changes.do(Change(self._scribe.pen().finished(fact)))


def _supersede(connection: Connection, old: ActionId, by: Action, pen: Pen) -> None:
    """Ends an edited action, if it still waits; otherwise the edit is only a new proposal."""
    body = connection.execute(select(actions.c.body).where(actions.c.id == number(old))).scalar_one_or_none()
    before = None if body is None else action_of(body)
    if before is None or before.state is not State.AWAITING_APPROVAL:
        return
    after = before.moved(State.SUPERSEDED, detail=f"edited as {by.id}", at=by.created_at)
    connection.execute(update(actions).where(actions.c.id == number(old)).values(**columns(after)))
    fact = Fact(FactKind.SUPERSEDED, by.requester, old, by.created_at, {"by": by.id})
    note_due(connection, Kind.CARD, [(old, after.thread, by.created_at)])
    tail.add(connection, [pen.finished(fact, after)])


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


def _text(value: Mapping[str, Json]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
