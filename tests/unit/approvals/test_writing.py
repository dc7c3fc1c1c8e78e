"""What an action wrote while it ran is kept whole, and named in its row of the trail."""

from dataclasses import dataclass, field
from pathlib import Path

from agent.approvals.action import Action, State, Verdict
from agent.approvals.execute import Executor
from agent.approvals.writing import MOST, Transcript
from agent.audit.event import FactKind
from agent.conversation.redact import Redactor
from agent.store.outputs import ShelvedOutputs, outputs
from agent.store.port import StoreFull
from agent.store.shelf import FolderShelf
from tests.fakes.office import Office
from tests.fakes.valve import Shed, Valve
from tools.contract import Arguments, Finding, Grant, Outcome, Progress, ToolFailed


@dataclass
class Talking(Valve):
    """A valve whose program writes this, as an output of its own or as progress."""

    output: str = ""
    progress: tuple[str, ...] = ()
    fails: bool = False

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        await Valve.run(self, arguments, grant, progress)
        for line in self.progress:
            await progress(line)
        if self.fails:
            raise ToolFailed("it is stuck half open")
        found = Finding(
            "output", "Output of valve", "valve", "valve 20", "", raw=self.output or None, cut="some"
        )
        return Outcome(ok=True, summary="moved", findings=(found,))


@dataclass
class FullShelf:
    asked: list[str] = field(default_factory=list)

    async def keep(self, raw: str) -> str:
        raise StoreFull("no space is left")

    async def read(self, handle: str) -> str:
        raise AssertionError(handle)


async def ran(valve: Talking, keeping: ShelvedOutputs | None) -> tuple[Office, Action]:
    office = Office(valve=valve)
    action = await office.proposed()
    action = (await office.decisions.decide(action, "tom", Verdict.APPROVE)).action
    executor = Executor(
        office.store, Shed({"valve": valve}), office.policy, office.roster, office.crew, office.clock,
        pauses=(0.0,), outputs=keeping,
    )  # fmt: skip
    return office, (await executor.run(action, office.heard)).action


async def test_half_a_sign_in_an_output_keeps_no_action_from_its_end(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    office, action = await ran(Talking(output="cut \ud83d short\n" * 9), ShelvedOutputs(shelf, Redactor()))
    assert action.state is State.SUCCEEDED
    (kept,) = outputs([event async for event in office.store.events(action.id)])
    assert (await shelf.read(kept.handle)).startswith("cut ? short")


async def test_an_output_is_kept_whole_without_its_secrets_and_named_in_the_trail(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    text = "".join(f"line {number}\n" for number in range(50_000)) + "password=mellon-1954\n"
    office, action = await ran(Talking(output=text), ShelvedOutputs(shelf, Redactor()))
    (kept,) = outputs([event async for event in office.store.events(action.id)])
    assert (kept.title, kept.lines, kept.cut) == ("Output of valve", 50_001, "some")
    whole = await shelf.read(kept.handle)
    assert whole == text.replace("mellon-1954", "[redacted]")


async def test_without_an_output_the_progress_is_kept_also_of_what_failed(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    valve = Talking(progress=("half", "stuck"), fails=True)
    office, action = await ran(valve, ShelvedOutputs(shelf, Redactor()))
    assert action.state is State.FAILED
    (kept,) = outputs([event async for event in office.store.events(action.id)])
    assert await shelf.read(kept.handle) == "moving\nhalf\nstuck"


async def test_a_shelf_that_is_full_does_not_change_how_it_ended() -> None:
    office, action = await ran(Talking(output="much"), ShelvedOutputs(FullShelf(), Redactor()))
    assert action.state is State.SUCCEEDED
    events = [event async for event in office.store.events(action.id)]
    assert events[-1].fact.kind is FactKind.SUCCEEDED
    assert outputs(events) == ()


async def test_where_nothing_is_kept_nothing_is_named() -> None:
    office, action = await ran(Talking(output="much"), None)
    assert outputs([event async for event in office.store.events(action.id)]) == ()


async def test_a_transcript_has_a_limit_and_says_so(tmp_path: Path) -> None:
    async def onward(_line: str) -> None:
        """Nobody listens."""

    written = Transcript(onward)
    for number in range(MOST + 5):
        await written(str(number))
    rows = await written.kept(Outcome(ok=True, summary=""), ShelvedOutputs(FolderShelf(tmp_path), Redactor()))
    assert isinstance(rows[0], dict)
    assert (rows[0]["lines"], rows[0]["cut"]) == (MOST, "5 more lines were not kept")
