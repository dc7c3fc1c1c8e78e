"""Requests as they are heard, answered, followed by what comes next, stopped and found again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from agent.approvals.action import Action, State
from agent.approvals.sight import AUDITOR
from agent.conversation.closing import standing, stopped, story
from agent.conversation.inbox import Batch
from agent.conversation.ports import Audience, ChatModel, Clock
from agent.conversation.redact import Redactor
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.turn import Answer, Turns
from agent.feedback import Feedback
from agent.follow_ups import FollowUps
from agent.members import Members, asker_of
from agent.people.person import Person
from agent.runbooks.following import Notice, Runbooks
from agent.settings import ChannelSettings
from agent.store.port import Store, TurnRecord
from agent.telemetry.spans import Spans
from agent.words.catalogue import say
from tools.registry import Registry

ABANDONED = timedelta(
    minutes=5
)  # longer than any turn may take: its tools and its model have limits of their own


class Requests:
    """What people ask, from hearing it to its answer.

    `turns` makes what answers, at the first question and with `opening` held; `here` says what the settings say of
    a channel.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        *,
        members: Members,
        turns: Callable[[], Awaitable[Turns]],
        opening: asyncio.Lock,
        here: Callable[[str], ChannelSettings],
        follow_ups: FollowUps,
        runbooks: Runbooks,
        feedback: Feedback,
        redactor: Redactor,
        spans: Spans,
    ) -> None:
        self._store, self._registry, self._now = store, registry, clock
        self._members, self._here = members, here
        self._make_turns, self._opening = turns, opening
        self._follow_ups, self._runbooks, self._feedback = follow_ups, runbooks, feedback
        self._redactor, self._spans = redactor, spans
        self._turns: Turns | None = None

    async def close(self) -> None:
        """Lets go of the models that were opened."""
        if self._turns is not None:
            await self._turns.close()
        await self._follow_ups.close()

    async def prepare(self) -> None:
        """Loads now what the first question would wait for."""
        await (await self._answering()).prepare()

    async def _answering(self) -> Turns:
        async with self._opening:
            self._turns = self._turns or await self._make_turns()
        return self._turns

    async def ask(
        self,
        person: Person,
        text: str,
        audience: Audience,
        thread: ThreadId | None = None,
        room: Room = ALONE,
    ) -> Answer:
        """Hears what a person says and answers it. A new thread is opened where none is named."""
        thread = thread or ThreadId(f"terminal:{person.id}:{uuid4().hex[:8]}")
        said = Said(uuid4().hex, thread, person.id, text, self._now())
        turn = await self._store.hear(said)
        if turn is None:
            raise RuntimeError(f"a fresh event id was heard before: {said.event_id}")
        return await self.take_up(turn, said, audience, room)

    async def take_up(self, turn: TurnId, said: Said, audience: Audience, room: Room = ALONE) -> Answer:
        """Answers a turn that was accepted, now or before a crash."""
        person = self._members.directory.get(said.speaker)
        offered = frozenset(
            spec.name for spec in self._registry.specs() if self._members.may_use(person, spec.name)
        )
        here = self._here(room.channel)
        if here.tools is not None:
            offered &= here.tools
        known = await self._follow_ups.known(said.event_id)
        if known is not None:
            offered = self._follow_ups.offered(offered)
        asker = replace(asker_of(person), sources=here.knowledge)
        turns = await self._answering()
        attributes = {"gen_ai.conversation.id": said.thread, "enduser.id": person.id}
        with self._spans.request(turn, attributes):
            model = await self._answers(said.event_id, follows=known is not None)
            answer = await turns.answer(turn, said, asker, offered, audience, room, model, known)
        if known is None:
            await self._feedback.note(turn, said, answer.evidence, public=room.public)
        return answer

    async def _answers(self, event: str, *, follows: bool) -> ChatModel | None:
        """Who answers what was heard under this event id, where it is not the model of the turns."""
        return self._follow_ups.model if follows else await self._runbooks.model(event)

    async def next_step(self, ended: TurnId | TurnRecord | Action) -> tuple[TurnId, Said] | Notice | None:
        """What follows a turn or an action, heard: the next step of a runbook, or the question what came of a change.

        Or what was said of a runbook's end; None where nothing follows, or somebody else goes on with it.
        """
        now = self._now()
        if isinstance(ended, Action):
            locale = self._members.locale_of(ended.requester)
            follows = await self._runbooks.after_action(ended, now, locale)
            follows = follows or await self._follow_ups.after(ended, locale)
        else:
            record = ended if isinstance(ended, TurnRecord) else await self._store.turn(ended)
            locale = "" if record is None else self._members.locale_of(record.speaker)
            follows = None if record is None else await self._runbooks.after_turn(record, now, locale)
        if isinstance(follows, Notice):
            await self._store.say(follows.thread, follows.text, now, key=follows.key)
            return follows
        turn = None if follows is None else await self._store.hear(follows)
        return None if follows is None or turn is None else (turn, follows)

    async def stop(self, thread: ThreadId, person: Person) -> str:
        """Has the open turns of a thread ended, as far as they are this person's; says what came of it."""
        locale = self._members.locale(person)
        open_ = [turn for turn in await self._store.unfinished() if turn.thread == thread]
        others = [turn.speaker for turn in open_ if turn.speaker != person.id]
        if others and "admin" not in person.roles:
            return say("turn.not_yours_to_stop", locale, name=self._members.name(others[0]))
        stopped = await self._store.stop(thread, person.id)
        acting = [
            standing(action, locale)
            for action in await self._store.actions(thread=thread)
            if action.state in (State.RUNNING, State.APPROVED, State.AWAITING_APPROVAL)
        ]
        said = say("turn.stopped", locale, name=person.name) if stopped else ""
        return "\n".join([said, *acting]).strip() or say("turn.nothing_to_stop", locale)

    async def close_stopped(self, batch: Batch, by: str) -> None:
        """Ends a turn that somebody stopped, with the truth about what it had done."""
        locale = self._members.locale_of(batch.said.speaker)
        actions = await self._store.actions(thread=batch.said.thread)
        made = [action for action in actions if action.origin.turn == batch.turn]
        replies = await self._store.replies(batch.turn)
        text = stopped(self._members.name(by), replies, made, locale)
        await self._close(batch, text, f"stopped by {by}")

    async def close_unanswered(self, batch: Batch, key: str) -> None:
        """Ends a turn that cannot be answered, with these words of the catalogue."""
        await self._close(batch, say(key, self._members.locale_of(batch.said.speaker)), key)

    async def _close(self, batch: Batch, text: str, why: str) -> None:
        question = self._redactor.text(batch.said.text)
        locale = self._members.locale_of(batch.said.speaker)
        await self._store.finish(batch.turn, text, story(batch, text, question, locale, self._now(), why))

    async def left_unanswered(self, person: Person) -> tuple[TurnRecord, ...]:
        """What this person asked and a dead process never answered; young ones may still be at work elsewhere."""
        before = self._now() - ABANDONED
        open_ = await self._store.unfinished()
        return tuple(turn for turn in open_ if turn.speaker == person.id and turn.asked_at < before)

    async def record(self, id_: str, person: Person) -> TurnRecord | None:
        """A turn, for its speaker and for auditors: it may quote what others may not read."""
        record = await self._store.turn(TurnId(id_))
        allowed = record is not None and (record.speaker == person.id or AUDITOR in person.roles)
        return record if allowed else None
