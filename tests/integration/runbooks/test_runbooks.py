"""Runbooks with real tools: step by step, each change with its own approval, whatever happens in between."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.app import App
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.bootstrap import build, utc_now
from agent.conversation.thread import Said, ThreadId
from agent.conversation.turn import Answer
from agent.home import Home
from agent.jobs.desk import Desk
from agent.jobs.fairness import Gate
from agent.jobs.worker import Worker
from agent.settings import SettingsError, load
from agent.store.port import TurnRecord
from evals.bench.durability.stamps import SURFACE, WitnessVoice
from tests.fakes.engine import InlineEngine

SETTINGS = """
people:
  maya: {name: Maya, roles: [operator]}
  tom: {name: Tom, roles: [keeper]}
tools:
  enabled: [stamp, look]
  commands:
    - name: stamp
      description: Writes a word into the book
      arguments: {word: {type: string, pattern: '^[a-z]{1,20}$', description: The word}}
      run: [PYTHON, -c, "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + chr(10))", HOME/book, "{word}"]
      verify: [grep, -qx, "{word}", HOME/book]
    - name: look
      description: Shows what is in the book
      effect: read
      run: [cat, HOME/book]
access: {stamp: [operator], look: [operator]}
policies:
  - {name: stamps, tools: [stamp], approvers: [keeper]}
knowledge: {embedder: none, sources: []}
runbooks:
  open-the-shop:
    title: Open the shop
    roles: [operator]
    parameters: {word: {type: string, pattern: '^[a-z]{1,20}$', description: The word of the day}}
    steps:
      - {tool: look}
      - {tool: stamp, with: {word: "{word}"}}
      - {tool: look}
      - {tool: stamp, with: {word: closed}}
"""
THREAD = ThreadId(f"{SURFACE}:1")
ASKED = 'run the runbook open the shop with "hello"'


class Killed(BaseException):
    """The process ends at this instant."""


@dataclass
class Voice(WitnessVoice):
    """Notes what it tells, and ends the process at a telling of the test's choice."""

    said: list[str] = field(default_factory=list)
    dies_at: int = 0

    async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
        self._tell(record.answer)

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        self._tell(text)

    async def shown(self, action: Action) -> None:
        self._tell(f"{action.id} {action.state.value}")

    def _tell(self, line: str) -> None:
        self.said.append(line)
        if len(self.said) == self.dies_at:
            raise Killed


@dataclass
class Shop:
    """sayso with this runbook; `at_work` puts a new worker in the place of one that died."""

    app: App
    folder: Path
    voice: Voice
    ahead: timedelta = timedelta()

    def later(self) -> datetime:
        return utc_now() + self.ahead

    def at_work(self) -> tuple[Worker, InlineEngine, Desk]:
        worker = Worker(self.app, self.app.fleet, {SURFACE: self.voice}, Gate(4, 4), self.later)
        engine = InlineEngine(worker.jobs)
        worker.works_with(engine)
        return worker, engine, Desk(self.app, worker)

    def book(self) -> list[str]:
        return (self.folder / "book").read_text().split()

    async def state(self, id_: str) -> State | None:
        action = await self.app.store.action(ActionId(id_))
        return None if action is None else action.state


def written(folder: Path, change: str = "", to: str = "") -> Path:
    text = SETTINGS.replace("HOME", str(folder)).replace("PYTHON", sys.executable)
    (folder / "book").write_text("")
    (folder / "sayso.yaml").write_text(text.replace(change, to) if change else text)
    return folder / "sayso.yaml"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    config = written(tmp_path)
    app = await build(load(config, {}), Home(tmp_path, config, "the test"))
    yield Shop(app, tmp_path, Voice(tmp_path / "told"))
    await app.close()


async def asked(desk: Desk) -> None:
    await desk.hear(Said("event-1", THREAD, "maya", ASKED, utc_now()))


async def test_steps_follow_each_other_and_each_change_waits_for_its_own_yes(shop: Shop) -> None:
    _, engine, desk = shop.at_work()
    await asked(desk)
    await engine.quiet()
    assert any("2. stamp word=hello (waits for approval)" in line for line in shop.voice.said)
    assert (await shop.state("A-1"), await shop.state("A-2")) == (State.AWAITING_APPROVAL, None)
    assert shop.book() == []
    await desk.decide("A-1", shop.app.directory.get("tom"), Verdict.APPROVE)
    await engine.quiet()
    assert shop.book() == ["hello"]
    assert await shop.state("A-2") is State.AWAITING_APPROVAL
    await desk.decide("A-2", shop.app.directory.get("tom"), Verdict.APPROVE)
    await engine.quiet()
    assert shop.book() == ["hello", "closed"]
    assert shop.voice.said.count("Open the shop: all 4 steps are done.") == 1


async def test_a_no_ends_it_and_says_what_was_not_begun(shop: Shop) -> None:
    _, engine, desk = shop.at_work()
    await asked(desk)
    await engine.quiet()
    await desk.decide("A-1", shop.app.directory.get("tom"), Verdict.REJECT, reason="not today")
    await engine.quiet()
    assert "Open the shop ended at step 2 of 4: rejected. 2 steps were not begun." in shop.voice.said
    assert shop.book() == []


async def test_an_edited_step_goes_on_as_the_one_that_took_its_place(shop: Shop) -> None:
    _, engine, desk = shop.at_work()
    await asked(desk)
    await engine.quiet()
    await desk.edit("A-1", shop.app.directory.get("maya"), {"word": "welcome"})
    await engine.quiet()
    await desk.decide("A-2", shop.app.directory.get("tom"), Verdict.APPROVE)
    await engine.quiet()
    assert shop.book() == ["welcome"]
    assert await shop.state("A-3") is State.AWAITING_APPROVAL


async def test_who_may_not_start_it_does_not(shop: Shop) -> None:
    _, engine, desk = shop.at_work()
    await desk.hear(Said("event-1", THREAD, "tom", ASKED, utc_now()))
    await engine.quiet()
    assert await shop.app.actions.latest() == []
    assert len(await shop.app.store.replies((await first(shop)).turn)) == 1


async def first(shop: Shop) -> TurnRecord:
    record = await shop.app.store.heard_as("event-1")
    assert record is not None
    return record


@pytest.mark.parametrize("dies_at", range(1, 14))
async def test_whenever_a_worker_dies_another_one_goes_on_and_nothing_is_done_twice(
    shop: Shop, dies_at: int
) -> None:
    shop.voice.dies_at = dies_at
    worker, engine, desk = shop.at_work()
    await asked(desk)
    for _ in range(40):
        try:
            await engine.quiet()
            for action in await shop.app.actions.latest(state=State.AWAITING_APPROVAL):
                await desk.decide(action.id, shop.app.directory.get("tom"), Verdict.APPROVE)
            await worker.round()
        except Killed:
            # What it had begun lives in this process on, and comes to its end in its own time.
            await asyncio.gather(*engine.tasks, return_exceptions=True)
            await shop.app.store.leave(shop.app.fleet.me)  # what others do for a worker that is dead
            shop.ahead += timedelta(minutes=5)
            worker, engine, desk = shop.at_work()
        if any(line.startswith(("Open the shop: all 4", "Open the shop ended")) for line in shop.voice.said):
            break
        await asyncio.sleep(0)
    # A worker that dies between claim and run leaves a change that nobody runs again: looking at the world settles it.
    ends = {action.id: action.state for action in await shop.app.actions.latest()}
    failed = [id_ for id_, state in ends.items() if state is State.FAILED]
    assert set(ends.values()) <= {State.SUCCEEDED, State.FAILED}
    assert shop.book() == ["hello", "closed"][: len(ends) - len(failed)]
    told = [line for line in shop.voice.said if line.startswith("Open the shop ended at step")]
    if failed:
        assert {line.partition(".")[0] for line in told} == {
            f"Open the shop ended at step {2 * len(ends)} of 4: failed"
        }
    else:
        assert len(ends) == 2
        assert not told


@pytest.mark.parametrize(
    ("change", "to", "wrong"),
    [
        ("{tool: stamp, with: {word: closed}}", "{tool: stmp}", "there is no tool 'stmp'; nearest: stamp"),
        ("with: {word: closed}", "with: {wrd: closed}", "has no such argument; it takes word"),
        ("{tool: stamp, with: {word: closed}}", "{tool: stamp}", "word is missing, which stamp needs"),
        ('with: {word: "{word}"}', "with: {word: hello}", "parameters.word: no step uses it"),
        ("with: {word: closed}", 'with: {word: "{state}"}', "parameters: state is missing"),
        ("parameters: {word: {type: string, pattern: '^", "parameters: {word: {type: string, pattern: '", "anchored"),
    ],
)  # fmt: skip
async def test_a_runbook_that_could_not_run_is_refused_at_the_start(
    tmp_path: Path, change: str, to: str, wrong: str
) -> None:
    config = written(tmp_path, change, to)
    with pytest.raises(SettingsError) as refused:
        await build(load(config, {}), Home(tmp_path, config, "the test"))
    assert wrong in str(refused.value)
    assert "runbooks.open-the-shop" in str(refused.value)


async def test_a_runbook_that_changed_meanwhile_does_not_go_on(shop: Shop, tmp_path: Path) -> None:
    _, engine, desk = shop.at_work()
    await asked(desk)
    await engine.quiet()
    config = written(tmp_path, "with: {word: closed}", "with: {word: shut}")
    changed = await build(load(config, {}), Home(tmp_path, config, "the test"))
    shop.app = changed
    _, engine, desk = shop.at_work()
    await desk.decide("A-1", changed.directory.get("tom"), Verdict.APPROVE)
    await engine.quiet()
    assert any("was changed since this run began" in line for line in shop.voice.said)
    await desk.hear(Said("runbook:T-1:4", THREAD, "maya", "stamp word=closed", utc_now()))
    await engine.quiet()
    assert shop.book() == ["hello"]
    assert len(await changed.actions.latest()) == 1
    await changed.close()
