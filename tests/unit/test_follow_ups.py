"""After an action a language model is asked what came of it, once, and it can only look."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.app import App
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.bootstrap import utc_now
from agent.conversation import aftermath
from agent.conversation.errors import ModelUnavailable
from agent.conversation.messages import Reply, Request, Role
from agent.conversation.ports import OnText
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.jobs.desk import Desk
from agent.jobs.fairness import Gate
from agent.jobs.worker import Worker
from agent.settings import Settings
from agent.store.port import TurnRecord
from evals.bench.durability.stamps import PEOPLE, SURFACE, Stamp, opened
from tests.fakes.engine import InlineEngine
from tests.unit.jobs.test_worker import Voice
from tools.contract import Arguments, Grant, Outcome, Plan, Progress, ToolFailed, Undo

THREAD = ThreadId(f"{SURFACE}:1")
TOM = PEOPLE.get("tom")


@dataclass
class Teller:
    """A language model that says what came of an action, or is down; keeps what it was shown."""

    down: bool = False
    asked: list[Request] = field(default_factory=list)
    name: str = "teller"

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        self.asked.append(request)
        if self.down:
            raise ModelUnavailable("no answer")
        return Reply("It went as planned [1].", model=self.name)


@dataclass
class StuckStamp(Stamp):
    """Fails, and names a way back."""

    async def plan(self, arguments: Arguments) -> Plan:
        plan = await Stamp.plan(self, arguments)
        return replace(plan, undo=Undo("stamp", {"text": "back"}), undo_text="stamp it back")

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        raise ToolFailed("the stamp is stuck")


@dataclass
class Yard:
    app: App
    desk: Desk
    engine: InlineEngine
    voice: Voice
    teller: Teller

    async def carried_out(self, text: str = "stamp one", id_: str = "A-1") -> Action:
        """Asked for, approved, run and told."""
        await self.desk.hear(Said(text, THREAD, "maya", text, utc_now()))
        await self.engine.quiet()
        await self.desk.decide(id_, TOM, Verdict.APPROVE)
        await self.engine.quiet()
        action = await self.app.store.action(ActionId(id_))
        assert action is not None
        return action

    async def turn(self, event: str) -> TurnRecord | None:
        return await self.app.store.heard_as(event)


async def yard(
    folder: Path, *, teller: Teller | None = None, stamp: Stamp | None = None, when: str = "always"
) -> Yard:
    settings = Settings.model_validate({"model": {"follow_up": when}})
    made = teller or Teller()
    app = await opened(folder, folder / "sayso.db", stamp=stamp, settings=settings, teller=made)
    voice = Voice(folder / "told")
    worker = Worker(app, app.fleet, {SURFACE: voice}, Gate(4, 2), utc_now)
    engine = InlineEngine(worker.jobs)
    worker.works_with(engine)
    return Yard(app, Desk(app, worker), engine, voice, made)


@pytest.fixture
async def open_yard(tmp_path: Path) -> AsyncIterator[Yard]:
    made = await yard(tmp_path)
    yield made
    await made.app.close()


async def test_the_outcome_is_the_first_evidence_of_a_turn_that_follows(open_yard: Yard) -> None:
    await open_yard.carried_out()
    assert open_yard.voice.said[-3:] == [
        "A-1 succeeded",
        "A-1 is done: Stamp one. stamped; stamped",
        "T-2: It went as planned [1].",
    ]
    kept = await open_yard.turn("outcome:A-1:succeeded")
    assert kept is not None
    assert kept.record is not None
    evidence = kept.record["evidence"]
    assert isinstance(evidence, list)
    assert [(item["number"], item["source"], item["query"]) for item in evidence] == [(1, "actions", "A-1")]
    assert "approved by: Tom" in evidence[0]["text"]
    assert "outcome: stamped" in evidence[0]["text"]


async def test_it_is_shown_no_tool_that_changes_anything(open_yard: Yard) -> None:
    await open_yard.carried_out()
    (request,) = open_yard.teller.asked
    assert (request.offers, request.reserve) == ((), ())
    assert request.messages[-1].role is Role.TOOL


async def test_its_question_has_no_words_but_ours(open_yard: Yard) -> None:
    await open_yard.carried_out()
    kept = await open_yard.turn("outcome:A-1:succeeded")
    assert kept is not None
    assert kept.question == "A-1 has ended: done. What came of it?"


async def test_it_follows_once_however_often_the_card_is_told(open_yard: Yard) -> None:
    action = await open_yard.carried_out()
    assert await open_yard.app.next_step(action) is None
    assert len(open_yard.teller.asked) == 1


async def test_a_failure_is_told_with_the_way_back(tmp_path: Path) -> None:
    made = await yard(tmp_path, stamp=StuckStamp(tmp_path / "witness"))
    await made.carried_out()
    (request,) = made.teller.asked
    shown = request.messages[-1].shown
    assert "outcome: the stamp is stuck" in shown
    assert "way back: A-2: Stamp back (awaiting_approval)" in shown
    await made.app.close()


async def test_where_the_model_is_down_one_line_names_the_evidence(tmp_path: Path) -> None:
    made = await yard(tmp_path, teller=Teller(down=True))
    await made.carried_out()
    assert made.voice.said[-1] == "T-2: What is known of it: [1]"
    await made.app.close()


async def test_the_settings_say_after_which_outcomes(tmp_path: Path) -> None:
    made = await yard(tmp_path, when="problems")
    await made.carried_out()
    assert made.teller.asked == []
    await made.app.close()


async def test_what_ended_long_ago_is_followed_by_nothing(open_yard: Yard) -> None:
    action = await open_yard.carried_out()
    assert action.ended_at is not None
    later = action.ended_at + timedelta(hours=2)
    assert aftermath.following(action, "always", later, "en") is None
    unknown = replace(action, state=State.UNKNOWN, ended_at=None)
    said = aftermath.following(unknown, "problems", action.ended_at, "fr")
    assert said is not None
    assert said.event_id == "outcome:A-1:unknown"


async def test_a_follow_up_that_was_begun_is_ended_by_another_worker_without_a_model(tmp_path: Path) -> None:
    """The model was taken out of the settings in between: the planner does not take it for a request."""
    made = await yard(tmp_path)
    action = await made.carried_out()
    await made.app.close()
    app = await opened(tmp_path, tmp_path / "sayso.db")
    said = Said("outcome:A-1:failed", THREAD, "maya", "A-1 has ended: failed. What came of it?", utc_now())
    turn = await app.store.hear(said)
    assert turn is not None
    answer = await app.take_up(TurnId(turn), said, made.voice)
    assert answer.text == "What is known of it: [1]"
    assert answer.evidence[0].finding.query == action.id
    await app.close()
