"""sayso, put together: what a surface can ask of it, whoever the adapters are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from agent.approvals.action import Action, ActionId, Origin, State, Verdict, belongs
from agent.approvals.card import Card, card, drifted, sentence, title
from agent.approvals.decide import Answer as Decided
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.glass import Glasses
from agent.approvals.policy import Policy
from agent.approvals.propose import Proposer
from agent.approvals.refusal import ActionRefused, Refusal
from agent.approvals.reminding import Nudge, Occasion, nudges
from agent.approvals.sight import AUDITOR, Eyes, Reading, seen
from agent.audit.chain import Report
from agent.audit.event import Event
from agent.audit.notary import Notary
from agent.audit.verification import Witness, each, verify
from agent.conversation.closing import standing, stopped, story
from agent.conversation.inbox import Batch
from agent.conversation.outbox import channel_of
from agent.conversation.ports import Audience, ChatModel, Clock, Shelf
from agent.conversation.progress import Redacted
from agent.conversation.redact import Redactor
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.turn import Answer, Turns
from agent.feedback import Feedback
from agent.follow_ups import FollowUps
from agent.home import Home
from agent.people.person import Directory, Person
from agent.recall import reader_of
from agent.runbooks.following import Notice, Runbooks
from agent.runbooks.procedure import Procedure
from agent.schedules import Schedule, Timetable
from agent.settings import ChannelSettings, Settings
from agent.store.fleet import Fleet
from agent.store.keys import CheckpointFile, PublicKeys, Seal
from agent.store.outputs import Kept, named, outputs
from agent.store.port import Store, TurnRecord
from agent.telemetry.spans import NoSpans, Spans
from agent.words.catalogue import say
from knowledge.port import Library, LibraryOutdated, OnProgress, Reader, Source, SourceReport, Verified
from tools.contract import Asker, Connected, Json, Progress, ToolError
from tools.registry import Registry

ABANDONED = timedelta(
    minutes=5
)  # longer than any turn may take: its tools and its model have limits of their own
EVERY = 1_000_000  # actions: all of them
SHORT = 3  # lines of an output that need no word about where the whole is
FOLLOWED = {  # what is said of an action in its thread when it gets there
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.STALE: "stale",
    State.UNKNOWN: "unknown",
    State.EXPIRED: "expired",
}


def _eyes(reader: Person) -> Eyes:
    return Eyes(reader.id, reader.roles)


def _request_of(action: Action) -> str:
    """The turn an action was proposed in; the action itself where nobody's turn proposed it."""
    return action.origin.turn or action.id


def _way_back(undo: Action, locale: str) -> str:
    key = "card.undo_allowed" if undo.requirement.auto else "card.undo_proposed"
    return say(key, locale, action=undo.id, title=title(undo, locale))


def _where_read(action: Action, kept: Sequence[Kept], locale: str) -> str:
    """Where the whole of a longer output is read."""
    return "".join(
        "\n" + say("card.output", locale, action=action.id, number=place, lines=f"{one.lines:,}")
        for place, one in enumerate(kept, 1)
        if one.lines > SHORT
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an attempt on an action: the action now, a sentence for the person, and why not if refused."""

    action: Action
    said: str
    refusal: Refusal | None = None
    follow_up: Action | None = None


class App:
    """One opened sayso. `agent.bootstrap.build` makes it."""

    def __init__(
        self,
        *,
        settings: Settings,
        home: Home,
        clock: Clock,
        directory: Directory,
        policy: Policy,
        registry: Registry,
        store: Store,
        notary: Notary,
        seal: Seal,
        shelf: Shelf,
        proposer: Proposer,
        decisions: Decisions,
        executor: Executor,
        turns: Callable[[], Awaitable[Turns]],
        open_library: Callable[[bool], Awaitable[Library]],
        sources: Sequence[Source],
        redactor: Redactor,
        fleet: Fleet,
        spans: Spans | None = None,
        procedures: Mapping[str, Procedure] | None = None,
        teller: Callable[[], ChatModel] | None = None,
        connected: Sequence[Connected] = (),
    ) -> None:
        """`teller` makes the language model that is asked what came of an action."""
        self.settings, self.home, self.now = settings, home, clock
        self.directory, self.policy, self.registry = directory, policy, registry
        self.store, self.shelf = store, shelf
        self.notary, self.seal = notary, seal
        self._proposer, self._decisions, self._executor = proposer, decisions, executor
        self._glasses = Glasses(store, directory, clock)
        self._make_turns, self._open_library, self._sources = turns, open_library, sources
        self._redactor, self.fleet, self._spans = redactor, fleet, spans or NoSpans()
        self.timetable = Timetable(
            [
                Schedule(name, one.when, one.ask, one.person, one.place)
                for name, one in settings.schedules.items()
            ],
            ZoneInfo(settings.time_zone),
        )
        self.procedures = procedures or {}
        self.connected = connected
        self.runbooks = Runbooks(self.procedures, store)
        self._follow_ups = FollowUps(
            store,
            registry,
            clock,
            when=settings.model.follow_up,
            model=teller,
            quiet=lambda channel: self._here(channel).quiet,
            name=self.name,
        )
        self._turns: Turns | None = None
        self._library: Library | None = None
        self._opening = asyncio.Lock()
        self.feedback = Feedback(
            store.asked, self.library, directory, redactor, clock, sees_all=settings.knowledge.gaps
        )

    async def close(self) -> None:
        """Lets go of everything that was opened."""
        await self.fleet.leave()
        if self._turns is not None:
            await self._turns.close()
        await self._follow_ups.close()
        if self._library is not None:
            await self._library.close()
        for tool in self.connected:
            await tool.close()
        await self.notary.close()
        await self.store.close()
        self._spans.close()

    # --- people --------------------------------------------------------------------------------------------------

    def asker(self, person: Person) -> Asker:
        return Asker(person.id, person.roles, person.language or "")

    def reader(self, person: Person) -> Reader:
        return reader_of(person)

    def may_use(self, person: Person, tool: str) -> bool:
        return self.policy.may_use(tool, person.roles)

    def name(self, id_: str) -> str:
        """How a person is called; the id of somebody who is not in the settings any more."""
        return next((person.name for person in self.directory.everybody() if person.id == id_), id_)

    # --- conversation --------------------------------------------------------------------------------------------

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
        said = Said(uuid4().hex, thread, person.id, text, self.now())
        turn = await self.store.hear(said)
        if turn is None:
            raise RuntimeError(f"a fresh event id was heard before: {said.event_id}")
        return await self.take_up(turn, said, audience, room)

    async def take_up(self, turn: TurnId, said: Said, audience: Audience, room: Room = ALONE) -> Answer:
        """Answers a turn that was accepted, now or before a crash."""
        person = self.directory.get(said.speaker)
        offered = frozenset(spec.name for spec in self.registry.specs() if self.may_use(person, spec.name))
        here = self._here(room.channel)
        if here.tools is not None:
            offered &= here.tools
        known = await self._follow_ups.known(said.event_id)
        if known is not None:
            offered = self._follow_ups.offered(offered)
        asker = replace(self.asker(person), sources=here.knowledge)
        turns = await self._answering()
        attributes = {"gen_ai.conversation.id": said.thread, "enduser.id": person.id}
        with self._spans.request(turn, attributes):
            model = await self._answers(said.event_id, follows=known is not None)
            answer = await turns.answer(turn, said, asker, offered, audience, room, model, known)
        if known is None:
            await self.feedback.note(turn, said, answer.evidence, public=room.public)
        return answer

    async def _answers(self, event: str, *, follows: bool) -> ChatModel | None:
        """Who answers what was heard under this event id, where it is not the model of the turns."""
        return self._follow_ups.model if follows else await self.runbooks.model(event)

    async def next_step(self, ended: TurnId | TurnRecord | Action) -> tuple[TurnId, Said] | Notice | None:
        """What follows a turn or an action, heard: the next step of a runbook, or the question what came of a change.

        Or what was said of a runbook's end; None where nothing follows, or somebody else goes on with it.
        """
        now = self.now()
        if isinstance(ended, Action):
            locale = self.locale_of(ended.requester)
            follows = await self.runbooks.after_action(ended, now, locale)
            follows = follows or await self._follow_ups.after(ended, locale)
        else:
            record = ended if isinstance(ended, TurnRecord) else await self.store.turn(ended)
            locale = "" if record is None else self.locale_of(record.speaker)
            follows = None if record is None else await self.runbooks.after_turn(record, now, locale)
        if isinstance(follows, Notice):
            await self.store.say(follows.thread, follows.text, now, key=follows.key)
            return follows
        turn = None if follows is None else await self.store.hear(follows)
        return None if follows is None or turn is None else (turn, follows)

    def _here(self, channel: str) -> ChannelSettings:
        """What the settings say of the channel that somebody asks in; nothing where it is none."""
        slack = self.settings.slack
        return ChannelSettings() if slack is None or not channel else slack.here(channel)

    async def stop(self, thread: ThreadId, person: Person) -> str:
        """Has the open turns of a thread ended, as far as they are this person's; says what came of it."""
        locale = self._locale(person)
        open_ = [turn for turn in await self.store.unfinished() if turn.thread == thread]
        others = [turn.speaker for turn in open_ if turn.speaker != person.id]
        if others and "admin" not in person.roles:
            return say("turn.not_yours_to_stop", locale, name=self.name(others[0]))
        stopped = await self.store.stop(thread, person.id)
        acting = [
            standing(action, locale)
            for action in await self.store.actions(thread=thread)
            if action.state in (State.RUNNING, State.APPROVED, State.AWAITING_APPROVAL)
        ]
        said = say("turn.stopped", locale, name=person.name) if stopped else ""
        return "\n".join([said, *acting]).strip() or say("turn.nothing_to_stop", locale)

    async def close_stopped(self, batch: Batch, by: str) -> None:
        """Ends a turn that somebody stopped, with the truth about what it had done."""
        locale = self.locale_of(batch.said.speaker)
        actions = await self.store.actions(thread=batch.said.thread)
        made = [action for action in actions if action.origin.turn == batch.turn]
        replies = await self.store.replies(batch.turn)
        await self._close(batch, stopped(self.name(by), replies, made, locale), f"stopped by {by}")

    async def close_unanswered(self, batch: Batch, key: str) -> None:
        """Ends a turn that cannot be answered, with these words of the catalogue."""
        await self._close(batch, say(key, self.locale_of(batch.said.speaker)), key)

    async def _close(self, batch: Batch, text: str, why: str) -> None:
        question, locale = self._redactor.text(batch.said.text), self.locale_of(batch.said.speaker)
        await self.store.finish(batch.turn, text, story(batch, text, question, locale, self.now(), why))

    async def left_unanswered(self, person: Person) -> tuple[TurnRecord, ...]:
        """What this person asked and a dead process never answered; young ones may still be at work elsewhere."""
        before = self.now() - ABANDONED
        open_ = await self.store.unfinished()
        return tuple(turn for turn in open_ if turn.speaker == person.id and turn.asked_at < before)

    async def turn_record(self, id_: str, person: Person) -> TurnRecord | None:
        """A turn, for its speaker and for auditors: it may quote what others may not read."""
        record = await self.store.turn(TurnId(id_))
        allowed = record is not None and (record.speaker == person.id or AUDITOR in person.roles)
        return record if allowed else None

    # --- actions -------------------------------------------------------------------------------------------------

    async def actions(
        self, *, state: State | None = None, limit: int = 20, reader: Person | None = None
    ) -> Sequence[Action]:
        """The latest actions first; with a reader, those that they may know of, as they may be shown to them."""
        await self._decisions.expire()
        wanted = limit
        while True:
            found = await self.store.actions(state=state, limit=wanted)
            shown = [one for one in (self.shown(action, reader) for action in found) if one is not None]
            if len(shown) >= limit or len(found) < wanted:
                return shown[:limit]
            wanted *= 4

    async def action(self, id_: str, reader: Person | None = None) -> Action | None:
        """An action as it is kept; None where there is none that this reader may know of."""
        await self._decisions.expire()
        action = await self.store.action(ActionId(id_.upper()))
        return None if action is None or self.shown(action, reader) is None else action

    async def outputs(self, action: Action, person: Person) -> tuple[Kept, ...]:
        """What it wrote while it ran: for its asker, for who may ask or decide such things, and for auditors."""
        may = self.may_use(person, action.tool) or action.requirement.may_approve(person.id, person.roles)
        if not (may or person.id == action.requester or AUDITOR in person.roles):
            return ()
        return outputs([event async for event in self.store.events(action.id)])

    def shown(self, action: Action, reader: Person | None) -> Action | None:
        """An action as it may be shown to a reader, None where it may not; for nobody in particular as it is."""
        return action if reader is None else seen(action, _eyes(reader), self.policy.may_use)

    def card(self, action: Action, locale: str, reader: Person | None = None) -> Card:
        """The card of an action that this reader may know of."""
        return card(self.shown(action, reader) or action, locale, self.now(), self.name)

    async def decide(
        self, action: Action, person: Person, verdict: Verdict, *, reason: str = "", digest: str | None = None
    ) -> Told:
        """One person's yes or no, answered in their language."""
        attributes = {"sayso.action": action.id, "sayso.verdict": verdict.value, "enduser.id": person.id}
        with self._spans.later(_request_of(action), f"decide {action.tool}", attributes):
            decided = await self._decisions.decide(action, person.id, verdict, reason=reason, digest=digest)
        return self._told(decided, person)

    async def withdraw(self, action: Action, person: Person) -> Told:
        return self._told(await self._decisions.withdraw(action, person.id), person)

    async def settle(self, action: Action, person: Person, *, succeeded: bool, reason: str) -> Told:
        told = self._told(
            await self._executor.settle(action, person.id, succeeded=succeeded, reason=reason), person
        )
        if told.refusal is None:
            state = say(f"state.{told.action.state.value}", self._locale(person))
            text = say("card.settled", self._locale(person), action=action.id, state=state)
            undo = await self._undo(told.action) if not succeeded else None
            if undo is not None:
                text += "\n" + _way_back(undo, self._locale(person))
            return Told(told.action, text, follow_up=undo)
        return told

    async def break_glass(self, action: Action, person: Person, *, reason: str) -> Told:
        """Approves it by this person's word alone, where the policy allows that; a second signature is due."""
        return self._told(await self._glasses.break_(action, person.id, reason), person)

    async def countersign(self, action: Action, person: Person, *, reason: str = "") -> Told:
        """The second signature for an action that ran without approval."""
        signed = await self._glasses.countersign(action, person.id, reason)
        if signed.refusal is not None:
            return self._told(signed, person)
        return Told(signed.action, say("card.signed", self._locale(person), action=action.id))

    async def owed(self, reader: Person | None = None) -> tuple[Action, ...]:
        """Actions that ran without approval and whose second signature is missing, the latest first."""
        every = await self.actions(limit=EVERY, reader=reader)
        return tuple(action for action in every if action.owed)

    async def run_allowed(
        self, actions: Sequence[Action], progress: Progress, locale: str
    ) -> tuple[Told, ...]:
        """Runs those of a turn's actions that a rule allows without approval."""
        ready = [one for one in actions if one.requirement.auto and one.state is State.APPROVED]
        return tuple([await self.run(action, progress, locale) for action in ready])

    async def edit(self, action: Action, person: Person, changes: Mapping[str, Json]) -> Told:
        """Proposes it again with other arguments, as this person's request."""
        locale = self._locale(person)
        try:
            new = await self._proposer.edit(action, self.asker(person), changes)
        except ActionRefused as refused:
            return Told(action, sentence(refused.refusal, locale), refused.refusal)
        return Told(new, say("card.superseded", locale, action=new.id, old=action.id))

    async def run(self, action: Action, progress: Progress, locale: str) -> Told:
        """Runs an approved action here and now, tells its thread, and on failure proposes the way back."""
        await self.fleet.join("run")  # whoever runs something is seen to live by the others
        attributes = {"sayso.action": action.id}
        with self._spans.later(_request_of(action), f"run {action.tool}", attributes):
            done = await self._executor.run(action, Redacted(self._redactor, progress))
        if done.refusal is not None and done.action.state is not State.STALE:
            return Told(done.action, sentence(done.refusal, locale), done.refusal)
        return await self._follow_up(done.action, locale, done.refusal, named(done.output))

    async def recover(self, locale: str) -> tuple[Told, ...]:
        """Settles what dead workers left running."""
        await self.fleet.look()
        return tuple([await self._follow_up(action, locale) for action in await self._executor.recover()])

    async def abandoned(self) -> tuple[Action, ...]:
        """What runs in the hands of workers that are dead."""
        running = await self.store.actions(state=State.RUNNING, limit=EVERY)
        return tuple(action for action in running if self._executor.abandoned(action))

    async def look_after(self, action: Action, *, surely: bool = False) -> None:
        """Settles an abandoned action by looking at the world, and says so; nothing where its worker lives.

        `surely`: nobody runs it, whatever its worker does.
        """
        if surely or self._executor.abandoned(action):
            settled = await self._executor.look_after(action)
            if settled is not None:
                await self.follow_up(settled)

    async def expire(self) -> tuple[Action, ...]:
        """Ends what nobody decided in time."""
        return await self._decisions.expire()

    def target(self, action: Action) -> str:
        """What it changes: of those with the same target, one runs at a time."""
        return self._executor.target(action)

    async def say(self, action: Action, text: str, *, key: str, again: bool = False) -> None:
        """Says something about an action in its thread, once for each key; with its card, `again`."""
        card = action.id if again else None
        await self.store.say(ThreadId(action.thread), text, self.now(), key=key, card=card)

    def asked_as_well(self, action: Action) -> tuple[Person, ...]:
        """Those whom the policy has asked for a decision as well, since nobody decided for so long."""
        need = action.requirement
        waits = action.state is State.AWAITING_APPROVAL
        if need.escalate_after is None or not waits or self.now() < action.created_at + need.escalate_after:
            return ()
        return tuple(
            one for one in self.directory.everybody() if belongs(one.id, one.roles, (need.escalate_to,))
        )

    def may_decide(self, action: Action) -> tuple[Person, ...]:
        """Everybody whose yes would count."""
        need = action.requirement
        return tuple(
            one
            for one in self.directory.everybody()
            if need.may_approve(one.id, one.roles) and (one.id != action.requester or need.self_approval)
        )

    async def remind(self) -> None:
        """Says in their threads which proposals nobody decides, once each.

        When the policy's time to ask others has come, and when a quarter of their time is left. Their cards are
        shown anew, so that a surface can say it as well where else it shows them.
        """
        for action in await self.store.actions(state=State.AWAITING_APPROVAL, limit=1000):
            for nudge in self.nudges(action):
                await self.say(
                    action, nudge.text(self.locale_of(action.requester)), key=nudge.key, again=True
                )

    def nudges(self, action: Action) -> tuple[Nudge, ...]:
        """What is to be said by now of a proposal that nobody decides; in a quiet channel it is not reminded of."""
        quiet = self._here(channel_of(action.thread)).quiet
        due = nudges(action, self.now(), [one.name for one in self.asked_as_well(action)])
        return tuple(one for one in due if one.occasion is Occasion.ESCALATED or not quiet)

    async def follow_up(self, action: Action) -> None:
        """Says in its thread what became of an action, if that was not said yet."""
        if action.state in FOLLOWED:
            await self._follow_up(action, self.locale_of(action.requester))

    async def _follow_up(
        self,
        action: Action,
        locale: str,
        refusal: Refusal | None = None,
        kept: Sequence[Kept] | None = None,
    ) -> Told:
        """Says in the thread what became of an action; a failed one gets its undo proposed.

        `kept` is what it wrote; without it the trail is asked.
        """
        key = FOLLOWED[action.state]
        detail = drifted(action, locale)
        text = say(
            f"card.follow_up_{key}", locale, action=action.id, title=title(action, locale), detail=detail
        )
        undo = await self._undo(action) if action.state is State.FAILED else None
        if kept is None:
            kept = outputs([event async for event in self.store.events(action.id)])
        text += _where_read(action, kept, locale)
        if undo is not None:
            text += "\n" + _way_back(undo, locale)
        await self.say(action, text, key=f"{action.id}/{action.state.value}")
        return Told(action, text, refusal, undo)

    async def _undo(self, failed: Action) -> Action | None:
        """The way back from a failed action, as a proposal; None when there is none or it would change nothing."""
        if failed.plan.undo is None:
            return None
        person = self.directory.get(failed.requester)
        undo = failed.plan.undo
        try:
            return await self._proposer.propose(
                undo.tool,
                undo.arguments,
                self.asker(person),
                thread=failed.thread,
                key=f"{failed.key}/undo",
                why=f"{failed.id} failed",
                provenance=dict.fromkeys(undo.arguments, "settings"),
                origin=Origin(failed.origin.turn, undo_of=failed.id),
            )
        except (ActionRefused, ToolError):
            return None

    def _told(self, decided: Decided, person: Person) -> Told:
        locale, action = self._locale(person), decided.action
        if decided.refusal is not None:
            return Told(action, sentence(decided.refusal, locale), decided.refusal)
        if action.state is State.AWAITING_APPROVAL:
            text = say("terminal.need_more", locale, action=action.id, count=action.votes_missing)
        elif action.state in (State.APPROVED, State.REJECTED, State.WITHDRAWN):
            text = say(f"card.{action.state.value}", locale, action=action.id)
        else:
            text = f"{action.id}: {say(f'state.{action.state.value}', locale)}"
        return Told(action, text)

    def _locale(self, person: Person) -> str:
        return person.language or self.settings.language

    def locale_of(self, person: str) -> str:
        """The language of a person by id; that of the house for somebody who is not in the settings any more."""
        known = (one for one in self.directory.everybody() if one.id == person)
        return next((self._locale(one) for one in known), self.settings.language)

    # --- audit and knowledge -------------------------------------------------------------------------------------

    async def events(
        self,
        subject: str | None = None,
        *,
        reader: Person | None = None,
        after: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Event]:
        """The trail, oldest first, with what is not for this reader withheld; without one, nearly all of it is."""
        eyes = Eyes("", frozenset()) if reader is None else _eyes(reader)
        reading = Reading(self.store, eyes, self.policy.may_use)
        async for event in self.store.events(subject, after=after, since=since, until=until):
            yield await reading.row(event)

    @property
    def zone(self) -> tzinfo:
        """Where people are."""
        return ZoneInfo(self.settings.time_zone)

    async def undone_by(self, id_: str, reader: Person | None = None) -> tuple[Action, ...]:
        """The proposals that take back what this action did, as far as this reader may know of them."""
        action = await self.action(id_, reader)
        later = [] if action is None else await self.store.actions(thread=action.thread, limit=1000)
        back = [other for other in reversed(later) if other.origin.undo_of == id_]
        return tuple(other for other in back if self.shown(other, reader) is not None)

    async def latest_events(self, count: int, reader: Person) -> list[Event]:
        """The end of the trail."""
        tip = await self.store.tip()
        after = 0 if tip is None else max(0, tip.seq - count)
        return [event async for event in self.events(reader=reader, after=after)]

    async def verify_trail(self, keys: Sequence[str] = (), checkpoints: Path | None = None) -> Report:
        """Verifies the chain and the checkpoints, those of the store and those of the file.

        `keys` are PEM texts of public keys; without any, the home's own. Raises `KeyMissing`, `OSError`.
        """
        own = self.seal.book if checkpoints is None else CheckpointFile(checkpoints)
        witnesses = (
            Witness("the store", self.store.checkpoints()),
            Witness(own.name, each(own.lines())),
        )
        public = PublicKeys(*(keys or self.seal.public()))
        return await verify(
            lambda after: self.store.events(after=after), await self.store.store_id(), witnesses, public
        )

    @property
    def sources(self) -> Sequence[Source]:
        """Where the knowledge comes from."""
        return self._sources

    async def _answering(self) -> Turns:
        async with self._opening:
            self._turns = self._turns or await self._make_turns()
        return self._turns

    async def prepare(self) -> None:
        """Loads and opens now what the first question would wait for. Raises `KnowledgeError`, with the rest done."""
        await (await self._answering()).prepare()
        await self.library()

    async def library(self) -> Library:
        """The knowledge, opened at first use: its packages take a while to load."""
        async with self._opening:
            self._library = self._library or await self._open_library(False)
        return self._library

    async def ingest(
        self, on_progress: OnProgress, *, rebuild: bool = False, dry: bool = False, only: Collection[str] = ()
    ) -> tuple[SourceReport, ...]:
        """Brings the indexes up to date with the sources of the settings; what is not in the settings is forgotten.

        A `dry` run counts what it would do; `only` names some of the sources. Raises `KnowledgeError`.
        """
        if rebuild:
            if self._library is not None:
                await self._library.close()
            self._library = await self._open_library(True)
        try:
            library = await self.library()
        except LibraryOutdated:  # nothing in it was said by anybody: it is made again from the sources
            library = self._library = await self._open_library(True)
        chosen = [source for source in self._sources if not only or source.name in only]
        reports = await library.ingest(chosen, on_progress, dry=dry)
        forgotten = () if dry or only else await library.forget([source.name for source in self._sources])
        return (*reports, *forgotten)

    async def verify(self, *, repair: bool = False) -> Verified:
        """Compares the sources with the indexes. Raises `KnowledgeError`."""
        return await (await self.library()).verify(self._sources, repair=repair)
