"""The store in memory: for tests and throw-away runs; it keeps the same contract as the one in SQL."""

import itertools
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from agent.approvals.action import Action, ActionId, Draft, State
from agent.approvals.ports import Judge, Room, Ruling
from agent.approvals.refusal import Refusal
from agent.audit import chain
from agent.audit.event import Event, Fact, FactKind, Pruning
from agent.conversation.answer import called
from agent.conversation.asked import Closed, InVain, Mark
from agent.conversation.messages import Reply
from agent.conversation.outbox import Kind
from agent.conversation.thread import Line, Said, ThreadId, TurnId
from agent.store.facts import GUARDED, answered, proposed, pruned
from agent.store.memory_overheard import MemoryOverheard
from agent.store.memory_waiting import MemoryWaiting
from agent.store.port import TurnRecord
from agent.store.scribe import Scribe
from tools.contract import Json


class MemoryStore(MemoryWaiting):
    """Implements `agent.store.port.Store`; everything is gone with the process."""

    def __init__(self, scribe: Scribe | None = None) -> None:
        super().__init__()
        self._scribe = scribe or Scribe()
        self._id = uuid4().hex
        self._checkpoints: dict[int, str] = {}
        self._heard: dict[str, TurnId] = {}
        self._said: set[str] = set()
        self._replies: dict[tuple[TurnId, int], Reply] = {}
        self._actions: dict[ActionId, Action] = {}
        self._events: list[Event] = []
        self.asked = MemoryAsked()
        self.overheard = MemoryOverheard()

    async def close(self) -> None:
        """Nothing to close."""

    async def hear(self, said: Said) -> TurnId | None:
        if said.event_id in self._heard:
            return None
        turn = self._heard[said.event_id] = TurnId(f"T-{len(self._turns) + 1}")
        self._turns[turn] = TurnRecord(
            turn, said.thread, said.speaker, said.text, said.at, event_id=said.event_id
        )
        return turn

    async def history(self, thread: ThreadId, before: TurnId, limit: int) -> Sequence[Line]:
        lines = []
        for number, turn in enumerate(self._turns.values(), 1):
            if turn.turn == before:
                break
            if turn.thread == thread:
                lines.append(Line(turn.speaker, turn.question, turn.asked_at))
                if turn.finished_at is not None:
                    lines.append(Line("sayso", turn.answer, turn.finished_at))
                lines += [line for where, after, line in self._notices if (where, after) == (thread, number)]
        return lines[-limit:] if limit else []

    async def tools_used(self, thread: ThreadId, before: TurnId, turns: int) -> Sequence[str]:
        earlier = itertools.takewhile(lambda turn: turn.turn != before, self._turns.values())
        answered = [turn.record for turn in earlier if turn.thread == thread and turn.record is not None]
        return called(answered[::-1][:turns])

    async def keep_reply(self, turn: TurnId, position: int, reply: Reply) -> None:
        self._replies.setdefault((turn, position), reply)

    async def replies(self, turn: TurnId) -> Sequence[Reply]:
        return [reply for (owner, _), reply in sorted(self._replies.items()) if owner == turn]

    async def finish(self, turn: TurnId, answer: str, record: Mapping[str, Json]) -> None:
        kept = self._turns[turn]
        if kept.finished_at is None:
            at = datetime.fromisoformat(str(record["finished_at"]))
            self._turns[turn] = replace(kept, answer=answer, record=record, finished_at=at)
            for part in self._parts(turn):
                self._turns[part] = replace(self._turns[part], finished_at=at, answered_as=turn)
            self._note_due(Kind.ANSWER, turn, kept.thread, at)
            await self.record(answered(kept.speaker, turn, at, record))

    async def say(
        self,
        thread: ThreadId,
        text: str,
        at: datetime,
        *,
        key: str | None = None,
        card: ActionId | None = None,
    ) -> None:
        if key is not None and key in self._said:
            return
        if key is not None:
            self._said.add(key)
        turns = [number for number, turn in enumerate(self._turns.values(), 1) if turn.thread == thread]
        self._notices.append((thread, turns[-1] if turns else 0, Line("sayso", text, at)))
        self._note_due(Kind.NOTICE, f"N-{len(self._notices)}", thread, at)
        if card is not None:
            self._note_due(Kind.CARD, card, thread, at)

    async def heard_as(self, event_id: str) -> TurnRecord | None:
        turn = self._heard.get(event_id)
        return None if turn is None else await self.turn(turn)

    async def unfinished(self, most: int | None = None) -> Sequence[TurnRecord]:
        return [turn for turn in self._turns.values() if turn.finished_at is None][:most]

    async def propose(self, draft: Draft) -> Action:
        for action in self._actions.values():
            if action.key == draft.key:
                return action
        action = Action.from_draft(ActionId(f"A-{len(self._actions) + 1}"), draft)
        self._actions[action.id] = action
        old = self._actions.get(draft.supersedes) if draft.supersedes else None
        if old is not None and old.state is State.AWAITING_APPROVAL:
            at = draft.created_at
            self._actions[old.id] = old.moved(State.SUPERSEDED, detail=f"edited as {action.id}", at=at)
            ended = self._actions[old.id]
            self._add(Fact(FactKind.SUPERSEDED, draft.requester, old.id, at, {"by": action.id}), ended)
        self._add(proposed(action), action)
        return action

    async def action(self, id_: ActionId) -> Action | None:
        return self._actions.get(id_)

    async def actions(
        self, *, state: State | None = None, thread: str | None = None, limit: int = 50
    ) -> Sequence[Action]:
        found = [
            action
            for action in reversed(self._actions.values())
            if (state is None or action.state is state) and (thread is None or action.thread == thread)
        ]
        return found[:limit]

    async def apply(self, before: Action, after: Action, fact: Fact) -> bool:
        now = self._actions.get(before.id)
        if now is None or (now.revision, now.state) != (before.revision, before.state):
            return False
        if after.state in GUARDED and now.expires_at <= fact.at:
            return False
        self._actions[before.id] = after
        self._add(fact, after)
        return True

    async def judge(self, id_: ActionId, judge: Judge) -> Ruling | None:
        now = self._actions.get(id_)
        if now is None:
            return None
        ruling = judge(now)
        self._actions[id_] = ruling.action
        for fact in ruling.facts:
            self._add(fact, ruling.action)
        return ruling

    async def claim(self, before: Action, after: Action, fact: Fact, room: Room) -> bool | Refusal:
        no = room([action for action in self._actions.values() if action.state is State.RUNNING])
        return await self.apply(before, after, fact) if no is None else no

    async def record(self, fact: Fact) -> None:
        self._add(fact)

    def _add(self, fact: Fact, action: Action | None = None) -> None:
        if action is not None:
            self._note_due(Kind.CARD, action.id, ThreadId(action.thread), fact.at)
        last = self._events[-1] if self._events else None
        fact = self._scribe.pen().finished(fact, action)
        self._events.append(chain.seal(last.seq + 1 if last else 1, fact, last.hash if last else chain.ROOT))

    async def events(
        self,
        subject: str | None = None,
        *,
        after: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Event]:
        for event in list(self._events):
            at = event.fact.at
            in_time = (since is None or at >= since) and (until is None or at < until)
            if event.seq > after and in_time and subject in (None, event.fact.subject):
                yield event

    async def tip(self) -> Event | None:
        return self._events[-1] if self._events else None

    async def prune(self, until: datetime, by: str, at: datetime) -> Pruning:
        last = (
            next((event.seq for event in self._events if event.fact.at >= until), len(self._events) + 1) - 1
        )
        old = [event for event in self._events[:last] if not event.pruned]
        gone = [event for event in old if event.body_hash and event.fact.kind is not FactKind.PRUNED]
        kept = sum(event.body_hash is None for event in old)
        if not gone:
            return Pruning(0, 0, 0, kept)
        for event in gone:
            bare = replace(event, fact=replace(event.fact, data={}), pruned=True)
            self._events[event.seq - 1] = bare
        done = Pruning(len(gone), gone[0].seq, last, kept)
        await self.record(pruned(done, until, by, at))
        return done

    async def store_id(self) -> str:
        return self._id

    async def keep_checkpoint(self, seq: int, line: str) -> None:
        self._checkpoints.setdefault(seq, line)

    async def last_checkpoint(self) -> str | None:
        return self._checkpoints[max(self._checkpoints)] if self._checkpoints else None

    async def checkpoints(self) -> AsyncIterator[str]:
        for _, line in sorted(self._checkpoints.items()):
            yield line


class MemoryAsked:
    """Implements `agent.conversation.asked.Asked`; everything is gone with the process."""

    def __init__(self) -> None:
        self._in_vain: dict[str, InVain] = {}
        self._closed: dict[str, Closed] = {}
        self._marks: dict[tuple[str, str, str], Mark] = {}

    async def in_vain(self, question: InVain) -> None:
        self._in_vain.setdefault(question.turn, question)

    async def unanswered(self) -> Sequence[InVain]:
        return [row for row in self._rows() if row.turn not in self._closed]

    async def in_vain_again(self, turns: Collection[str], among: str) -> None:
        for turn in turns:
            self._in_vain[turn] = replace(self._in_vain[turn], among=among)

    async def close_asked(self, turns: Collection[str], by: str, reason: str, at: datetime) -> None:
        for row in self._rows():
            if row.turn in turns:
                self._closed.setdefault(row.turn, Closed(row, by, reason, at))

    async def closed(self) -> Sequence[Closed]:
        return [self._closed[row.turn] for row in self._rows() if row.turn in self._closed]

    def _rows(self) -> list[InVain]:
        return sorted(self._in_vain.values(), key=lambda row: (row.at, row.turn))

    async def mark(self, mark: Mark) -> None:
        self._marks[mark.gist, mark.document, mark.person] = mark

    async def marks(self, gist: str | None = None) -> Sequence[Mark]:
        found = sorted(self._marks.values(), key=lambda mark: mark.at, reverse=True)
        return [mark for mark in found if gist is None or mark.gist == gist]
