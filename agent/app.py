"""sayso, put together: what a surface can ask of it, whoever the adapters are."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from agent.actions import Actions
from agent.approvals.action import Action, Verdict
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.glass import Glasses
from agent.approvals.policy import Policy
from agent.approvals.propose import Proposer
from agent.audit.notary import Notary
from agent.conversation.ports import Audience, ChatModel, Clock, Shelf
from agent.conversation.redact import Redactor
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.turn import Answer, Turns
from agent.deciding import Deciding
from agent.feedback import Feedback
from agent.follow_ups import FollowUps
from agent.home import Home
from agent.known import Knowledge
from agent.members import Members
from agent.outcomes import Outcomes, Told
from agent.people.person import Directory, Person
from agent.reminders import Reminders
from agent.requests import Requests
from agent.runbooks.following import Notice, Runbooks
from agent.runbooks.procedure import Procedure
from agent.running import Running
from agent.schedules import Schedule, Timetable
from agent.settings import Settings
from agent.store.fleet import Fleet
from agent.store.keys import Seal
from agent.store.port import Store, TurnRecord
from agent.telemetry.spans import NoSpans, Spans
from agent.trail import Trail
from knowledge.port import Library, OnProgress, Source, SourceReport
from tools.contract import Connected, Json, Progress
from tools.registry import Registry

__all__ = ["App", "Told"]


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
        spans, opening = spans or NoSpans(), asyncio.Lock()
        self.settings, self.home, self.now = settings, home, clock
        self.directory, self.policy, self.registry = directory, policy, registry
        self.store, self.shelf = store, shelf
        self.notary, self.seal = notary, seal
        self.fleet, self._spans = fleet, spans
        self.connected = connected
        self.procedures = procedures or {}
        self.runbooks = Runbooks(self.procedures, store)
        self.timetable = Timetable(
            [
                Schedule(name, one.when, one.ask, one.person, one.place)
                for name, one in settings.schedules.items()
            ],
            ZoneInfo(settings.time_zone),
        )
        self.members = members = Members(directory, policy, settings.language)
        self.trail = Trail(store, seal, members)
        self.knowledge = Knowledge(open_library, sources, opening)
        self.feedback = Feedback(
            store.asked,
            self.knowledge.library,
            directory,
            redactor,
            clock,
            sees_all=settings.knowledge.gaps,
        )
        self.actions = Actions(store, decisions, members, self._clock)
        self.outcomes = outcomes = Outcomes(store, proposer, members, self._clock)
        self.reminders = Reminders(
            store, outcomes, members, self._clock, quiet=lambda channel: settings.here(channel).quiet
        )
        self._deciding = Deciding(
            decisions, Glasses(store, directory, clock), executor, proposer, outcomes, members, spans
        )
        self.running = Running(store, executor, fleet, outcomes, redactor, spans)
        self.requests = Requests(
            store,
            registry,
            self._clock,
            members=members,
            turns=turns,
            opening=opening,
            here=settings.here,
            follow_ups=FollowUps(
                store,
                registry,
                clock,
                when=settings.model.follow_up,
                model=teller,
                quiet=lambda channel: settings.here(channel).quiet,
                name=members.name,
            ),
            runbooks=self.runbooks,
            feedback=self.feedback,
            redactor=redactor,
            spans=spans,
        )

    def _clock(self) -> datetime:
        return self.now()  # the parts go by the same clock as whoever asks this app for the time

    async def prepare(self) -> None:
        """Loads and opens now what the first question would wait for. Raises `KnowledgeError`, with the rest done."""
        await self.requests.prepare()
        await self.knowledge.library()

    async def close(self) -> None:
        """Lets go of everything that was opened."""
        await self.fleet.leave()
        await self.requests.close()
        await self.knowledge.close()
        for tool in self.connected:
            await tool.close()
        await self.notary.close()
        await self.store.close()
        self._spans.close()

    @property
    def zone(self) -> tzinfo:
        """Where people are."""
        return ZoneInfo(self.settings.time_zone)

    # --- people --------------------------------------------------------------------------------------------------

    def may_use(self, person: Person, tool: str) -> bool:
        return self.members.may_use(person, tool)

    def name(self, id_: str) -> str:
        """How a person is called; the id of somebody who is not in the settings any more."""
        return self.members.name(id_)

    def locale_of(self, person: str) -> str:
        """The language of a person by id; that of the house for somebody who is not in the settings any more."""
        return self.members.locale_of(person)

    # --- requests ------------------------------------------------------------------------------------------------

    async def ask(
        self,
        person: Person,
        text: str,
        audience: Audience,
        thread: ThreadId | None = None,
        room: Room = ALONE,
    ) -> Answer:
        """Hears what a person says and answers it. A new thread is opened where none is named."""
        return await self.requests.ask(person, text, audience, thread, room)

    async def take_up(self, turn: TurnId, said: Said, audience: Audience, room: Room = ALONE) -> Answer:
        """Answers a turn that was accepted, now or before a crash."""
        return await self.requests.take_up(turn, said, audience, room)

    async def next_step(self, ended: TurnId | TurnRecord | Action) -> tuple[TurnId, Said] | Notice | None:
        """What follows a turn or an action, heard; or what was said of a runbook's end; or nothing."""
        return await self.requests.next_step(ended)

    async def stop(self, thread: ThreadId, person: Person) -> str:
        """Has the open turns of a thread ended, as far as they are this person's; says what came of it."""
        return await self.requests.stop(thread, person)

    # --- actions -------------------------------------------------------------------------------------------------

    async def decide(
        self, action: Action, person: Person, verdict: Verdict, *, reason: str = "", digest: str | None = None
    ) -> Told:
        """One person's yes or no, answered in their language."""
        return await self._deciding.decide(action, person, verdict, reason=reason, digest=digest)

    async def withdraw(self, action: Action, person: Person) -> Told:
        return await self._deciding.withdraw(action, person)

    async def settle(self, action: Action, person: Person, *, succeeded: bool, reason: str) -> Told:
        return await self._deciding.settle(action, person, succeeded=succeeded, reason=reason)

    async def break_glass(self, action: Action, person: Person, *, reason: str) -> Told:
        """Approves it by this person's word alone, where the policy allows that; a second signature is due."""
        return await self._deciding.break_glass(action, person, reason=reason)

    async def countersign(self, action: Action, person: Person, *, reason: str = "") -> Told:
        """The second signature for an action that ran without approval."""
        return await self._deciding.countersign(action, person, reason=reason)

    async def edit(self, action: Action, person: Person, changes: Mapping[str, Json]) -> Told:
        """Proposes it again with other arguments, as this person's request."""
        return await self._deciding.edit(action, person, changes)

    async def run(self, action: Action, progress: Progress, locale: str) -> Told:
        """Runs an approved action here and now, tells its thread, and on failure proposes the way back."""
        return await self.running.run(action, progress, locale)

    async def remind(self) -> None:
        """Says in their threads which proposals nobody decides, once each."""
        await self.reminders.remind()

    # --- knowledge -----------------------------------------------------------------------------------------------

    @property
    def sources(self) -> Sequence[Source]:
        """Where the knowledge comes from."""
        return self.knowledge.sources

    async def ingest(
        self, on_progress: OnProgress, *, rebuild: bool = False, dry: bool = False, only: Collection[str] = ()
    ) -> tuple[SourceReport, ...]:
        """Brings the indexes up to date with the sources of the settings. Raises `KnowledgeError`."""
        return await self.knowledge.ingest(on_progress, rebuild=rebuild, dry=dry, only=only)
