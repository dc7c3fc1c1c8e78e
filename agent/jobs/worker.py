"""A worker: answers what was said, runs what was approved, tells what is due, and looks after what others left.

The engine brings it jobs. Its rounds find in the store what no job was made for, because somebody died in between.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TypeVar

from agent.app import App
from agent.approvals.action import Action, ActionId, State
from agent.approvals.refusal import Reason
from agent.conversation.inbox import Batch
from agent.conversation.outbox import Due, Kind, surface_of
from agent.conversation.thread import ThreadId, TurnId
from agent.conversation.turn import Answer
from agent.jobs.engine import Engine, Job
from agent.jobs.fairness import Gate
from agent.jobs.voice import Voice, VoiceUnavailable
from agent.people.person import UnknownPerson
from agent.runbooks.following import Notice
from agent.store.fleet import Fleet
from agent.store.port import StoreError, TurnRecord
from agent.words.catalogue import say
from tools.contract import Progress

T = TypeVar("T")
LOG = logging.getLogger("sayso.jobs")
ROUND = 2.0  # seconds between two rounds
MANY = 16  # questions that wait for a place
GRACE = timedelta(seconds=3)  # what is younger has its job on the way
HERE = timedelta(
    seconds=15
)  # an action approved in a terminal is run there; after this long nobody there does
ASKED_AGAIN = timedelta(seconds=30)
OLDEST = (
    1000  # open turns that a round looks at: the ones behind them have their turn when these are answered
)
LATEST = 1000  # actions that are looked through for the last words of a dead worker
WAITS = frozenset({Reason.BUSY, Reason.CROWDED, Reason.AWAY, Reason.UNAVAILABLE})
PAUSES = (
    0.5,
    1.0,
    2.0,
    5.0,
    15.0,
)  # seconds between tries of what cannot be done yet; the last one is repeated


class Worker:
    """Does the jobs; `jobs` is what the engine calls."""

    def __init__(
        self,
        app: App,
        fleet: Fleet,
        voices: Mapping[str, Voice],
        gate: Gate,
        clock: Callable[[], datetime],
        *,
        works: bool = True,
        stops: Callable[[ThreadId], None] | None = None,
    ) -> None:
        """`works`: whether this process answers and runs, or only hears people.

        `stops` lets the process that works know at once that the turns of a thread are to end, where that is another.
        """
        self._works, self._stops = works, stops
        self._app, self._fleet, self._voices, self._gate, self._clock = app, fleet, voices, gate, clock
        self._turning: dict[TurnId, tuple[Batch, asyncio.Task[Answer]]] = {}
        self._fresh: dict[str, Answer] = {}  # answers of this process that were not told yet
        self._running: set[ActionId] = set()
        self._lanes: dict[tuple[Job, str], tuple[asyncio.Lock, int]] = {}
        self._submitted: dict[str, datetime] = {}  # what a round submitted, and when
        self._closing = self._ending = False
        self._engine: Engine | None = None
        self.jobs = {Job.TURN: self._turn, Job.RUN: self._run, Job.TELL: self._tell_thread}

    # --- jobs ----------------------------------------------------------------------------------------------------

    async def _turn(self, _key: str, lane: str) -> None:
        """Answers what waits in a thread, one batch after the other, as long as nobody else is at it."""
        thread, pauses = ThreadId(lane), _pauses()
        async with self._lane(Job.TURN, lane):
            while True:
                try:
                    batch = await self._app.store.begin(thread, self._fleet.me)
                    if batch is None:
                        break
                    await self._settled(batch)
                    await self.tell(thread)
                    if self._closing:
                        break
                except StoreError as error:  # nothing is lost, and a job that gave up would be forgotten
                    LOG.warning("%s: the store does not answer: %s", thread, error)
                    await asyncio.sleep(next(pauses))

    @asynccontextmanager
    async def _lane(self, job: Job, lane: str) -> AsyncIterator[None]:
        """Within this process, jobs of a lane follow each other."""
        key = (job, lane)
        lock, count = self._lanes.get(key, (asyncio.Lock(), 0))
        self._lanes[key] = (lock, count + 1)
        try:
            async with lock:
                yield
        finally:
            lock, count = self._lanes[key]
            if count == 1:
                del self._lanes[key]
            else:
                self._lanes[key] = (lock, count - 1)

    async def _settled(self, batch: Batch) -> None:
        """Answers a batch, one way or another, and has run what needs nobody's approval."""
        answer = await self._answered(batch, self._voices[surface_of(batch.said.thread)])
        if answer is not None:
            self._fresh[answer.turn] = answer
            for action in answer.actions:
                if action.requirement.auto and action.state is State.APPROVED:
                    await self.submit_run(action)

    async def _answered(self, batch: Batch, voice: Voice) -> Answer | None:
        """The answer; none where it was stopped or could not be made, which the store has then as what was answered."""
        if batch.stopped_by is not None:
            await self._app.requests.close_stopped(batch, batch.stopped_by)
            return None
        # Where many wait, saying to each that they were heard would keep all of them waiting longer.
        audience = voice.audience(batch.said) if self._gate.waiting < MANY else None
        room = voice.room(batch.said)
        async with self._gate.place(batch.said.speaker):
            task = asyncio.create_task(
                self._app.take_up(batch.turn, batch.said, audience or voice.audience(batch.said), room),
                name=batch.turn,
            )
            self._turning[batch.turn] = (batch, task)
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                if self._ending or not task.cancelled():  # the worker ends: the turn is for another one
                    task.cancel()
                    raise
                stopped = await self._app.store.stopped(batch.parts)
                await self._app.requests.close_stopped(batch, next(iter(stopped.values()), ""))
            except UnknownPerson:
                await self._app.requests.close_unanswered(batch, "turn.stranger")
            except StoreError:
                raise
            except Exception:
                # Whatever it is, it would be so again, and the thread would wait for ever.
                LOG.exception("%s could not be answered", batch.turn)
                await self._app.requests.close_unanswered(batch, "turn.broken")
            finally:
                self._turning.pop(batch.turn, None)
        return None

    async def _run(self, key: str, lane: str) -> None:
        """Sees an approved action to its end, or through what a dead worker left of it; tells its thread."""
        id_ = ActionId(key)
        async with self._lane(Job.RUN, lane):
            for pause in _pauses():
                try:
                    if await self._advanced(id_):
                        break
                except StoreError as error:
                    LOG.warning("%s: the store does not answer: %s", key, error)
                await asyncio.sleep(pause)
        action = await self._patiently(lambda: self._app.store.action(id_))
        if action is not None:
            await self.tell(ThreadId(action.thread))

    async def _advanced(self, id_: ActionId) -> bool:
        """Goes on with an action as it stands; False when it has to wait. Raises `StoreError`."""
        action = await self._app.store.action(id_)
        if action is None:
            return True
        if id_ in self._running:
            return False
        if action.state is State.RUNNING:
            await self._fleet.look()
            mine = action.worker == self._fleet.me  # the store did not answer when it ended
            await self._app.running.look_after(action, surely=mine)
            return True
        if action.state is not State.APPROVED:
            await self._app.outcomes.follow_up(action)
            return True
        self._running.add(id_)
        try:
            told = await self._app.run(action, self._progress(action), self._app.locale_of(action.requester))
        finally:
            self._running.discard(id_)
        if told.refusal is None or told.refusal.reason not in WAITS:
            return True
        if told.refusal.reason is not Reason.AWAY:
            said = told.said
            if told.refusal.reason is Reason.UNAVAILABLE:  # it is tried again here, not by hand
                locale = self._app.locale_of(action.requester)
                said = say("card.waits", locale, action=action.id, why=str(told.refusal.fields["why"]))
            await self._app.outcomes.say(action, said, key=f"{action.id}/waits/{told.refusal.reason.value}")
            await self.tell(ThreadId(action.thread))
        return False

    async def _tell_thread(self, _key: str, lane: str) -> None:
        await self.tell(ThreadId(lane))

    async def tell_due(self, thread: ThreadId) -> None:
        """Has told what is due in a thread, by a process that works.

        One that only hears would take an answer from the one that made it, which has its files, and still shows the
        work on it in the message that the answer takes.
        """
        await (self.tell(thread) if self._works else self.submit_tell(thread))

    async def tell(self, thread: ThreadId) -> None:
        """Tells what is due in a thread, if this process can speak there."""
        voice = self._voices.get(surface_of(thread))
        if voice is None:
            return
        due = await self._patiently(lambda: self._app.store.take(thread, self._fleet.me))
        done: list[Due] = []
        for place, one in enumerate(due):
            try:
                await self._told(voice, one)
                done.append(one)
            except VoiceUnavailable as error:
                LOG.warning("%s: %s: it is told later", thread, error)
                await self._give_back(due[place:])
                break
            except Exception:
                # One that cannot be told must not keep the others: it is free again, and a later round tries it.
                LOG.exception("%s: %s could not be told", thread, one.subject)
                await self._give_back([one])
            except BaseException:  # this process ends
                await self._give_back(due[place:])
                raise
        await self._patiently(lambda: self._app.store.told(done))

    async def _give_back(self, due: Sequence[Due]) -> None:
        for one in due:
            await self._app.store.give_back(one)

    async def _told(self, voice: Voice, due: Due) -> None:
        match due.kind:
            case Kind.ANSWER:
                record = await self._app.store.turn(TurnId(due.subject))
                if record is not None:
                    await voice.answered(record, self._fresh.get(due.subject))
                    await self._go_on(record)
                self._fresh.pop(due.subject, None)
            case Kind.NOTICE:
                text = await self._app.store.notice(due.subject)
                if text is not None:
                    await voice.told(due.thread, due.subject, text)
            case Kind.CARD:
                action = await self._app.store.action(ActionId(due.subject))
                if action is not None:
                    await voice.shown(action)
                    await self._go_on(action)

    async def _go_on(self, ended: TurnRecord | Action) -> None:
        """Has the next step of a runbook done. It is told until it is heard: what is due stays due until then."""
        match await self._app.next_step(ended):
            case (turn, said):
                await self.submit_turn(turn, said.thread)
            case Notice() as notice:
                await self.submit_tell(notice.thread)

    # --- work comes in -------------------------------------------------------------------------------------------

    def works_with(self, engine: Engine) -> None:
        """The engine that carries what this worker submits."""
        self._engine = engine

    async def submit_turn(self, turn: TurnId, thread: ThreadId) -> None:
        """What was heard is to be answered."""
        await self._submit(Job.TURN, turn, thread)

    async def submit_run(self, action: Action) -> None:
        """What was approved is to be run."""
        await self._submit(Job.RUN, action.id, self._app.running.target(action))

    async def submit_tell(self, thread: ThreadId) -> None:
        """Something is due in this thread."""
        await self._submit(Job.TELL, thread, thread, attempt=f"{self._clock().timestamp():.0f}")

    async def stop_turns(self, thread: ThreadId) -> None:
        """Ends the turns of a thread that this process works on, once the store says that they are stopped.

        What others work on they end when they are told, or in their next round.
        """
        if self._stops is not None:
            self._stops(thread)
        mine = {
            turn: (batch, task)
            for turn, (batch, task) in self._turning.items()
            if batch.said.thread == thread
        }
        await self._stop(mine)

    async def submit(self, job: Job, key: str, lane: str, attempt: str = "") -> None:
        """What another process has heard, and hands to this one."""
        await self._submit(job, key, lane, attempt=attempt)

    async def _submit(self, job: Job, key: str, lane: str, *, attempt: str = "") -> None:
        if self._engine is None:
            raise RuntimeError("a worker without an engine can submit nothing")
        await self._engine.submit(job, key, lane, attempt=attempt)

    def last_orders(self) -> None:
        """What is begun is ended; what waits in the same threads is for others."""
        self._closing = True

    async def put_down(self) -> None:
        """Ends what this process has in its hands, for another one to take up."""
        self._ending = True
        tasks = [task for _, task in self._turning.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- rounds --------------------------------------------------------------------------------------------------

    async def go_round(self, every: float = ROUND) -> None:
        """Rounds without end; a round that fails is followed by the next one."""
        while True:
            try:
                await self.round()
            except Exception:
                LOG.exception("a round failed; the next one begins in %.0f s", every)
            await asyncio.sleep(every)

    async def round(self) -> None:
        """Takes over from the dead, and finds what no job was made for."""
        await self._take_over()
        await self._stop(self._turning)
        young = self._clock() - GRACE
        for turn in await self._app.store.unfinished(OLDEST):
            served = surface_of(turn.thread) in self._voices
            if served and not self._taken(turn) and turn.asked_at <= young and self._forgotten(turn.turn):
                await self.submit_turn(turn.turn, turn.thread)
        for action in await self._app.store.actions(state=State.APPROVED, limit=1000):
            if self._left_alone(action) and self._forgotten(action.id):
                await self.submit_run(action)
        for action in await self._app.running.abandoned():
            await self._submit(
                Job.RUN, action.id, self._app.running.target(action), attempt=f"after {action.worker}"
            )
        for action in await self._app.actions.expire():
            await self._app.outcomes.follow_up(action)
        await self._app.remind()
        await self._ask_by_itself()
        due = await self._app.store.due(young)
        bucket = f"{int(self._clock().timestamp() / 15)}"  # all workers of one moment make the same job
        for thread in dict.fromkeys(one.thread for one in due):
            if surface_of(thread) in self._voices:
                await self._submit(Job.TELL, thread, thread, attempt=f"due {bucket}")

    async def _ask_by_itself(self) -> None:
        """Hears the questions that a schedule asks at this moment, where this process can answer them."""
        for said in self._app.timetable.due(self._clock()):
            if (
                surface_of(said.thread) in self._voices
                and (turn := await self._app.store.hear(said)) is not None
            ):
                await self.submit_turn(turn, said.thread)

    async def _take_over(self) -> None:
        await self._fleet.look()
        dead = self._fleet.dead()
        if dead and self._engine is not None:
            count = await self._engine.adopt(dead)
            LOG.warning("%s died; %d of their jobs are in the queues again", ", ".join(dead), count)
            latest = await self._app.store.actions(limit=LATEST)
            for action in latest:
                if action.worker in dead:  # it may have died between the end of it and the word about it
                    await self._app.outcomes.follow_up(action)
            for worker in dead:
                await self._app.store.leave(worker)

    async def _stop(self, turning: Mapping[TurnId, tuple[Batch, asyncio.Task[Answer]]]) -> None:
        parts = {part: turn for turn, (batch, _) in turning.items() for part in batch.parts}
        if parts:
            for part in await self._app.store.stopped(list(parts)):
                turning[parts[part]][1].cancel()

    def _taken(self, turn: TurnRecord) -> bool:
        """Whether somebody is at it; what this process began and is not at any more, it begins again."""
        if turn.worker == self._fleet.me:
            return (Job.TURN, turn.thread) in self._lanes
        return turn.worker is not None and self._fleet.alive(turn.worker)

    def _forgotten(self, key: str) -> bool:
        """Whether this process did not submit it a moment ago; it asks once in a while whether others did."""
        now = self._clock()
        if self._engine is not None and self._engine.waits(Job.TURN, key):
            return False
        if (last := self._submitted.get(key)) is not None and now - last < ASKED_AGAIN:
            return False
        self._submitted = {old: at for old, at in self._submitted.items() if now - at < ASKED_AGAIN}
        self._submitted[key] = now
        return True

    def _left_alone(self, action: Action) -> bool:
        """Whether nobody runs an approved action who said that they would."""
        since = max([action.created_at, *(vote.at for vote in action.decisions)])
        patience = GRACE if surface_of(action.thread) in self._voices else HERE
        return self._clock() - since >= patience

    # --- while the store does not answer -------------------------------------------------------------------------

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks the store until it answers: a job that gave up would be forgotten."""
        for pause in _pauses():
            try:
                return await ask()
            except StoreError as error:
                LOG.warning("the store does not answer: %s", error)
                await asyncio.sleep(pause)
        raise AssertionError("the pauses have no end")

    def _progress(self, action: Action) -> Progress:
        voice = self._voices.get(surface_of(action.thread))

        async def progress(line: str) -> None:
            if voice is not None:
                with suppress(VoiceUnavailable):
                    await voice.progress(action, line)

        return progress


def _pauses() -> Iterator[float]:
    """Seconds to wait before each next try, without end."""
    yield from PAUSES
    while True:
        yield PAUSES[-1]
