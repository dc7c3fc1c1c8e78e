"""A worker: answers in order, runs what was approved, tells what is due, and looks after what others left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.app import App
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.audit.event import Fact, FactKind
from agent.bootstrap import utc_now
from agent.conversation.messages import Reply, Request
from agent.conversation.ports import OnText
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.turn import Answer
from agent.jobs.desk import Desk
from agent.jobs.engine import Job
from agent.jobs.fairness import Gate
from agent.jobs.voice import VoiceUnavailable
from agent.jobs.worker import Worker
from agent.settings import Settings
from agent.store.port import TurnRecord
from evals.bench.durability.stamps import PEOPLE, SURFACE, Stamp, StampModel, WitnessVoice, opened
from tests.fakes.engine import InlineEngine
from tools.contract import Arguments, Grant, Outcome, Plan, Progress, ToolUnavailable

THREAD = ThreadId(f"{SURFACE}:1")
MAYA, TOM = PEOPLE.get("maya"), PEOPLE.get("tom")


@dataclass
class SlowModel(StampModel):
    """Waits until it is let go on; notes what it was asked."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        self.asked.append(request.messages[-1].text)
        self.begun.set()
        await self.go.wait()
        return await StampModel.complete(self, request, on_text)


class BrokenModel(StampModel):
    async def complete(self, request: Request, on_text: OnText) -> Reply:
        raise ZeroDivisionError("nobody thought of that")


@dataclass
class Voice(WitnessVoice):
    """Notes what it is told in a list; `down` makes it unavailable."""

    said: list[str] = field(default_factory=list)
    down: bool = False

    async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
        self._tell(f"{record.turn}: {record.answer}")

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        self._tell(text)

    async def shown(self, action: Action) -> None:
        self._tell(f"{action.id} {action.state.value}")

    def _tell(self, line: str) -> None:
        if self.down:
            raise VoiceUnavailable("the platform does not answer")
        self.said.append(line)


@dataclass
class Shift:
    """One worker with its world."""

    app: App
    worker: Worker
    engine: InlineEngine
    voice: Voice
    desk: Desk

    async def hear(self, text: str, *, by: str = "maya", thread: ThreadId = THREAD, key: str = "") -> TurnId:
        turn = await self.desk.hear(Said(key or f"{thread}/{text}", thread, by, text, utc_now()))
        assert turn is not None
        return turn

    async def action(self, id_: str = "A-1") -> Action:
        action = await self.app.store.action(ActionId(id_))
        assert action is not None
        return action


async def on_shift(
    folder: Path, *, model: StampModel | None = None, stamp: Stamp | None = None, held: bool = False
) -> Shift:
    app = await opened(folder, folder / "sayso.db", model=model, stamp=stamp)
    voice = Voice(folder / "told")
    worker = Worker(app, app.fleet, {SURFACE: voice}, Gate(4, 2), utc_now)
    engine = InlineEngine(worker.jobs, held=held)
    worker.works_with(engine)
    return Shift(app, worker, engine, voice, Desk(app, worker))


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[Shift]:
    made = await on_shift(tmp_path)
    yield made
    await made.engine.quiet()
    await made.app.close()


async def test_what_is_said_is_answered_and_told_with_its_card(shift: Shift) -> None:
    turn = await shift.hear("stamp one")
    await shift.engine.quiet()
    assert shift.voice.said == ["A-1 awaiting_approval", f"{turn}: It is proposed."]
    assert await shift.app.store.due(utc_now()) == []


async def test_an_approved_action_is_run_and_its_thread_hears_how_it_ended(shift: Shift) -> None:
    await shift.hear("stamp one")
    await shift.engine.quiet()
    told = await shift.desk.decide("A-1", TOM, Verdict.APPROVE)
    assert told is not None
    assert told.refusal is None
    await shift.engine.quiet()
    assert (await shift.action()).state is State.SUCCEEDED
    assert shift.voice.said[-2:] == ["A-1 succeeded", "A-1 is done: Stamp one. stamped; stamped"]


async def test_who_only_hears_leaves_an_answer_to_the_process_that_made_it(shift: Shift) -> None:
    await shift.hear("stamp one")
    await shift.engine.quiet()
    turn = await shift.app.store.hear(Said("e2", THREAD, "maya", "stamp two", utc_now()))
    assert turn is not None
    await shift.app.store.finish(turn, "so", {"finished_at": utc_now().isoformat()})
    ears = Voice(shift.app.home.folder / "heard")
    hearing = Worker(shift.app, shift.app.fleet, {SURFACE: ears}, Gate(4, 2), utc_now, works=False)
    hearing.works_with(shift.engine)
    await Desk(shift.app, hearing).withdraw("A-1", MAYA)
    await shift.engine.quiet()
    assert ears.said == []
    assert shift.voice.said[-2:] == ["T-2: so", "A-1 withdrawn"]


async def test_a_no_is_answered_and_nothing_is_run(shift: Shift) -> None:
    await shift.hear("stamp one")
    await shift.engine.quiet()
    told = await shift.desk.decide("A-1", MAYA, Verdict.APPROVE)
    assert told is not None
    assert told.refusal is not None
    assert (Job.RUN, "A-1") not in shift.engine.submitted
    assert await shift.desk.decide("A-77", TOM, Verdict.APPROVE) is None


async def test_messages_during_a_turn_join_the_next_one(tmp_path: Path) -> None:
    model = SlowModel()
    shift = await on_shift(tmp_path, model=model)
    await shift.hear("one")
    await model.begun.wait()
    second, third = await shift.hear("two"), await shift.hear("three")
    model.go.set()
    await shift.engine.quiet()
    assert model.asked == ["one", "two\nthree"]
    assert [line.split(":")[0] for line in shift.voice.said] == ["T-1", third]
    shared = await shift.app.store.turn(second)
    assert shared is not None
    assert shared.answered_as == third
    await shift.app.close()


async def test_a_slow_thread_holds_nobody_else_up(tmp_path: Path) -> None:
    model = SlowModel()
    shift = await on_shift(tmp_path, model=model)
    await shift.hear("slow")
    await model.begun.wait()
    await shift.hear("quick", by="tom", thread=ThreadId(f"{SURFACE}:2"))
    while len(model.asked) < 2:
        await asyncio.sleep(0)
    assert model.asked == ["slow", "quick"]
    model.go.set()
    await shift.engine.quiet()
    await shift.app.close()


async def test_a_turn_that_is_stopped_ends_with_the_truth(tmp_path: Path) -> None:
    model = SlowModel()
    shift = await on_shift(tmp_path, model=model)
    turn = await shift.hear("stamp one")
    await model.begun.wait()
    assert await shift.desk.stop(THREAD, MAYA) == "Stopped, as Maya asked."
    await shift.engine.quiet()
    record = await shift.app.store.turn(turn)
    assert record is not None
    assert record.answer == "Stopped, as Maya asked."
    assert shift.voice.said == [f"{turn}: Stopped, as Maya asked."]
    assert (
        await shift.desk.stop(THREAD, MAYA) == "There is nothing to stop: I am not working on anything here."
    )
    await shift.app.close()


async def test_a_turn_is_stopped_at_once_by_the_process_that_hears_where_that_is_another(
    tmp_path: Path,
) -> None:
    """No round is gone: the word from the one that hears is all that the one that works gets."""
    model = SlowModel()
    shift = await on_shift(tmp_path, model=model)
    turn = await shift.hear("stamp one")
    await model.begun.wait()
    handed: list[ThreadId] = []
    app = shift.app
    hearing = Worker(app, app.fleet, {}, Gate(4, 2), utc_now, works=False, stops=handed.append)
    assert await Desk(app, hearing).stop(THREAD, MAYA) == "Stopped, as Maya asked."
    assert handed == [THREAD]
    await shift.worker.stop_turns(handed[0])
    await shift.engine.quiet()
    assert shift.voice.said == [f"{turn}: Stopped, as Maya asked."]
    assert not model.go.is_set()
    await shift.app.close()


async def test_what_was_proposed_before_a_stop_is_named(tmp_path: Path) -> None:
    model = SlowModel()
    model.go.set()
    shift = await on_shift(tmp_path, model=model)
    await shift.hear("stamp one")
    await shift.engine.quiet()
    said = await shift.desk.stop(THREAD, MAYA)
    assert said == "A-1 is only proposed and stays so until somebody decides or withdraws it: Stamp one."
    await shift.app.close()


async def test_nobody_stops_what_somebody_else_asked(tmp_path: Path) -> None:
    model = SlowModel()
    shift = await on_shift(tmp_path, model=model)
    await shift.hear("stamp one")
    await model.begun.wait()
    assert await shift.desk.stop(THREAD, TOM) == "Only Maya can stop that, who asked for it."
    model.go.set()
    await shift.engine.quiet()
    assert (await shift.action()).state is State.AWAITING_APPROVAL
    await shift.app.close()


async def test_a_question_that_breaks_something_is_closed_with_an_apology(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shift = await on_shift(tmp_path, model=BrokenModel())
    await shift.hear("stamp one")
    await shift.engine.quiet()
    assert "Something went wrong on my side" in shift.voice.said[0]
    assert await shift.app.store.unfinished() == []
    assert "nobody thought of that" in caplog.text
    await shift.app.close()


async def test_somebody_who_is_not_in_the_settings_any_more_gets_no_answer(shift: Shift) -> None:
    turn = await shift.hear("stamp one", by="ghost")
    await shift.engine.quiet()
    assert shift.voice.said == [f"{turn}: I do not know who asked this any more, so I did not answer it."]


async def test_what_cannot_be_told_now_is_kept_and_told_by_a_later_round(shift: Shift) -> None:
    shift.voice.down = True
    turn = await shift.hear("stamp one")
    await shift.engine.quiet()
    assert shift.voice.said == []
    shift.voice.down = False
    for due in await shift.app.store.due(utc_now()):
        await shift.worker.submit_tell(due.thread)
    await shift.engine.quiet()
    assert shift.voice.said == ["A-1 awaiting_approval", f"{turn}: It is proposed."]


async def test_a_round_finds_what_no_job_was_made_for(tmp_path: Path) -> None:
    first = await on_shift(tmp_path, held=True)  # it dies before its jobs are done
    await first.hear("stamp one")
    approved_by_hand = await first.hear("stamp two", thread=ThreadId(f"{SURFACE}:2"))
    await first.app.close()
    app = await opened(tmp_path, tmp_path / "sayso.db")
    voice = Voice(tmp_path / "told")
    worker = Worker(app, app.fleet, {SURFACE: voice}, Gate(4, 2), lambda: utc_now() + timedelta(minutes=1))
    engine = InlineEngine(worker.jobs)
    worker.works_with(engine)
    await worker.round()
    await engine.quiet()
    assert {line.split(":")[0] for line in voice.said} >= {"T-1", approved_by_hand}
    await app.decide((await app.actions.latest())[0], TOM, Verdict.APPROVE)  # and nobody submits it
    await worker.round()
    await engine.quiet()
    states = sorted(action.state.value for action in await app.store.actions())
    assert states == ["awaiting_approval", "succeeded"]
    await app.close()


async def test_an_action_whose_worker_died_is_settled_by_looking_and_its_thread_is_told(shift: Shift) -> None:
    await shift.hear("stamp one")
    await shift.engine.quiet()
    approved = (await shift.app.decide(await shift.action(), TOM, Verdict.APPROVE)).action
    running = replace(approved.moved(State.RUNNING, at=utc_now()), worker="gone/1@1.00")
    fact = Fact(FactKind.CLAIMED, "sayso", approved.id, utc_now())
    assert await shift.app.store.apply(approved, running, fact)
    await shift.worker.round()
    await shift.engine.quiet()
    assert (await shift.action()).state is State.FAILED
    assert shift.voice.said[-1].startswith("A-1 failed: Stamp one.")


async def test_the_jobs_and_tellings_of_a_dead_worker_are_taken_over(shift: Shift) -> None:
    await shift.app.store.say(THREAD, "hello", utc_now())
    assert len(await shift.app.store.take(THREAD, "gone/1@1.00")) == 1
    await shift.app.store.beat(f"{shift.app.fleet.me.partition('/')[0]}/1@1.00", "worker")
    gone = next(iter(await shift.app.store.beats()))
    await shift.app.store.let_go("gone/1@1.00")
    await shift.app.store.take(THREAD, gone)
    await shift.worker.round()
    assert shift.engine.adopted == [gone]
    assert [due.subject for due in await shift.app.store.due(utc_now())] == ["N-1"]


async def test_an_expired_proposal_is_told_to_its_thread(shift: Shift) -> None:
    await shift.hear("stamp one")
    await shift.engine.quiet()
    late = utc_now() + timedelta(hours=3)
    worker = Worker(shift.app, shift.app.fleet, {SURFACE: shift.voice}, Gate(1, 1), lambda: late)
    worker.works_with(shift.engine)
    shift.app.actions._decisions._clock = lambda: late
    await worker.round()
    await shift.worker.tell(THREAD)
    assert (await shift.action()).state is State.EXPIRED
    assert shift.voice.said[-1].startswith("A-1 expired, because nobody decided in time")


class BreakingStamp(Stamp):
    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        await Stamp.run(self, arguments, grant, progress)
        raise KeyError("a mistake of whoever wrote the tool")


async def test_a_tool_that_breaks_leaves_no_action_running(tmp_path: Path) -> None:
    shift = await on_shift(tmp_path, stamp=BreakingStamp(tmp_path / "witness"))
    await shift.hear("stamp one")
    await shift.engine.quiet()
    await shift.desk.decide("A-1", TOM, Verdict.APPROVE)
    await shift.engine.quiet()
    action = await shift.action()
    assert action.state is State.SUCCEEDED  # the world says so
    assert "stamp broke: KeyError" in action.detail
    await shift.app.close()


@dataclass
class AwayStamp(Stamp):
    """Does not answer once it is `away`, and is back after it was asked."""

    away: bool = False

    async def plan(self, arguments: Arguments) -> Plan:
        if self.away:
            self.away = False
            raise ToolUnavailable("the stamp is being cleaned")
        return await Stamp.plan(self, arguments)


async def test_what_a_backend_keeps_waiting_is_told_as_that_and_tried_again(tmp_path: Path) -> None:
    stamp = AwayStamp(tmp_path / "witness")
    shift = await on_shift(tmp_path, stamp=stamp)
    await shift.hear("stamp one")
    await shift.engine.quiet()
    stamp.away = True
    await shift.desk.decide("A-1", TOM, Verdict.APPROVE)
    await shift.engine.quiet()
    assert (await shift.action()).state is State.SUCCEEDED
    waits = [line for line in shift.voice.said if "did not run yet" in line]
    assert waits == [
        "A-1 did not run yet: the stamp is being cleaned. It stays approved, and is tried again until it expires."
    ]
    await shift.app.close()


@dataclass
class InkedStamp(Stamp):
    """Its plan rests on how much ink there is."""

    ink: int = 3

    async def plan(self, arguments: Arguments) -> Plan:
        return replace(await Stamp.plan(self, arguments), observed={"ink": self.ink})


@dataclass
class PuzzledStamp(Stamp):
    """Its plan breaks once it is `puzzled`."""

    puzzled: bool = False

    async def plan(self, arguments: Arguments) -> Plan:
        if self.puzzled:
            raise KeyError("a mistake of whoever wrote the tool")
        return await Stamp.plan(self, arguments)


async def test_a_plan_that_breaks_is_told_and_not_asked_again(tmp_path: Path) -> None:
    stamp = PuzzledStamp(tmp_path / "witness")
    shift = await on_shift(tmp_path, stamp=stamp)
    await shift.hear("stamp one")
    await shift.engine.quiet()
    stamp.puzzled = True
    await shift.desk.decide("A-1", TOM, Verdict.APPROVE)
    await shift.engine.quiet()
    assert (await shift.action()).state is State.STALE
    assert "stamp broke: KeyError" in shift.voice.said[-1]
    assert shift.voice.said[-1].endswith("Ask again to see the new plan.")
    assert len(await shift.app.store.actions()) == 1
    await shift.app.close()


async def test_what_went_stale_is_asked_again_once_with_the_plan_of_now(tmp_path: Path) -> None:
    stamp = InkedStamp(tmp_path / "witness")
    shift = await on_shift(tmp_path, stamp=stamp)
    await shift.hear("stamp one")
    await shift.engine.quiet()
    stamp.ink = 1
    await shift.desk.decide("A-1", TOM, Verdict.APPROVE)
    await shift.engine.quiet()
    await shift.app.outcomes.follow_up(await shift.action())
    anew = await shift.action("A-2")
    assert (await shift.action()).state is State.STALE
    assert (anew.state, anew.requester, anew.arguments) == (State.AWAITING_APPROVAL, "maya", {"text": "one"})
    assert (anew.plan.observed, anew.origin.renews, anew.decisions) == ({"ink": 1}, "A-1", ())
    assert len(await shift.app.store.actions()) == 2
    assert shift.voice.said[-1] == (
        "A-1 did not run, because the world changed since it was approved: ink was 3 and is 1.\n"
        "Proposed again as A-2, with the plan as it is now: Stamp one."
    )
    assert "A-2 awaiting_approval" in shift.voice.said
    assert not stamp.witness.exists()
    await shift.desk.decide("A-2", TOM, Verdict.APPROVE)
    await shift.engine.quiet()
    assert (await shift.action("A-2")).state is State.SUCCEEDED
    await shift.app.close()


async def test_a_proposal_that_will_expire_soon_is_reminded_of_once(shift: Shift) -> None:
    await shift.hear("stamp one")
    await shift.engine.quiet()
    shift.app.now = lambda: utc_now() + timedelta(minutes=100)
    for _ in range(2):
        await shift.app.remind()
    await shift.worker.tell(THREAD)
    reminders = [line for line in shift.voice.said if "still waits" in line]
    assert reminders == ["A-1 still waits, for 20 more minutes: Stamp one. It needs a yes from: keeper."]


@dataclass
class Stumbling(Voice):
    """Cannot say one thing, whatever it tries."""

    async def shown(self, action: Action) -> None:
        raise ZeroDivisionError("a card that nobody thought of")


async def test_what_cannot_be_told_keeps_nothing_else_back_and_is_not_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = await opened(tmp_path, tmp_path / "sayso.db")
    voice = Stumbling(tmp_path / "told")
    worker = Worker(app, app.fleet, {SURFACE: voice}, Gate(4, 2), utc_now)
    engine = InlineEngine(worker.jobs)
    worker.works_with(engine)
    await Desk(app, worker).hear(Said("e1", THREAD, "maya", "stamp one", utc_now()))
    await engine.quiet()
    assert voice.said == ["T-1: It is proposed."]
    assert [due.subject for due in await app.store.due(utc_now())] == ["A-1"]
    assert "A-1 could not be told" in caplog.text
    await app.close()


async def test_a_turn_that_this_process_began_and_dropped_is_begun_again(shift: Shift) -> None:
    turn = await shift.app.store.hear(
        Said("e1", THREAD, "maya", "stamp one", utc_now() - timedelta(minutes=1))
    )
    assert await shift.app.store.begin(THREAD, shift.app.fleet.me) is not None
    await shift.worker.round()
    await shift.engine.quiet()
    assert f"{turn}: It is proposed." in shift.voice.said


async def test_a_scheduled_question_is_asked_once_by_however_many_workers(tmp_path: Path) -> None:
    asked = {"when": "* * * * *", "ask": "stamp one", "person": "maya", "place": f"{SURFACE}:C1"}
    settings = Settings.model_validate({"schedules": {"stamps": asked}})
    voice, now = Voice(tmp_path / "told"), utc_now()
    for _ in range(2):  # another worker, at the same minute
        app = await opened(tmp_path, tmp_path / "sayso.db", settings=settings)
        worker = Worker(app, app.fleet, {SURFACE: voice}, Gate(4, 2), lambda: now)
        engine = InlineEngine(worker.jobs)
        worker.works_with(engine)
        await worker.round()
        await engine.quiet()
        await app.close()
    assert [line for line in voice.said if "It is proposed." in line] == ["T-1: It is proposed."]
