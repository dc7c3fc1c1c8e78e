"""The process that hears, as the one that works sees it: its lines are jobs and facts, and it is started again."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.audit.event import Fact, FactKind
from agent.conversation.thread import ThreadId
from agent.jobs.engine import Job
from agent.jobs.handing import Handing
from agent.serving.hearing import LONGEST, Hearing
from agent.serving.wire import FactLine, HearsLine, JobLine, RefusedLine, StopLine, Wire, read
from agent.store.port import StoreBusy
from agent.surfaces.port import SurfaceError

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HEARS = HearsLine(troubles={"slack": None}).model_dump_json()
LASTS = "import sys; sys.stdin.read()"  # until its parent is gone


def says(*lines: str, then: str = LASTS) -> Sequence[str]:
    """The command of a process that writes these lines."""
    return (sys.executable, "-c", f"print({chr(10).join(lines)!r}, flush=True)\n{then}")


@dataclass
class Office:
    """Notes what is handed in."""

    jobs: list[tuple[Job, str, str, str]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    refuses: bool = False  # the store does not answer
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, job: Job, key: str, lane: str, attempt: str) -> None:
        self.jobs.append((job, key, lane, attempt))
        self.came.set()

    async def stop(self, thread: ThreadId) -> None:
        self.stops.append(thread)
        if self.refuses:
            raise StoreBusy("another process holds the lock")

    def hearing(self, command: Sequence[str]) -> Hearing:
        return Hearing(command, self.submit, self.stop, self.facts.append, self.late.append)


class Sink(asyncio.WriteTransport):
    """A pipe that keeps what is written; `held` is how much waits to be read."""

    def __init__(self, held: int = 0) -> None:
        super().__init__()
        self.written, self.held = b"", held

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.held

    def is_closing(self) -> bool:
        return False


async def test_what_is_heard_is_handed_to_whoever_works() -> None:
    office = Office()
    fact = Fact(FactKind.NOT_HEARD, "slack:U9", "slack:U9", NOON, {"reason": "guest"})
    told = FactLine(kind=fact.kind, actor=fact.actor, subject=fact.subject, at=NOON, data=fact.data)
    job = JobLine(job=Job.TURN, key="T-1", lane="slack:D1:1.1")
    hearing = office.hearing(says(told.model_dump_json(), "no line of ours", HEARS, job.model_dump_json()))
    await hearing.start()
    await office.came.wait()
    assert (office.facts, office.jobs) == ([fact], [(Job.TURN, "T-1", "slack:D1:1.1", "")])
    assert hearing.trouble("slack") is None
    await hearing.stop()


async def test_how_late_people_are_heard_is_told_to_whoever_works() -> None:
    office = Office()
    job = JobLine(job=Job.TURN, key="T-1", lane="slack:D1:1.1")
    late = HearsLine(troubles={}, late=0.25)
    hearing = office.hearing(says(HEARS, late.model_dump_json(), job.model_dump_json()))
    await hearing.start()
    await office.came.wait()
    assert office.late == [0.0, 0.25]
    await hearing.stop()


@pytest.mark.parametrize("refuses", [False, True])
async def test_that_somebody_wants_it_stopped_is_handed_on_and_so_is_what_comes_after(refuses: bool) -> None:
    office = Office(refuses=refuses)
    stop = StopLine(thread="slack:D1:1.1").model_dump_json()
    job = JobLine(job=Job.TURN, key="T-2", lane="slack:D1:1.1").model_dump_json()
    hearing = office.hearing(says(HEARS, stop, job))
    await hearing.start()
    await office.came.wait()
    assert (office.stops, len(office.jobs)) == (["slack:D1:1.1"], 1)
    await hearing.stop()


async def test_a_process_that_cannot_hear_says_what_to_do() -> None:
    line = RefusedLine(why="Socket Mode needs `slack.app_token`").model_dump_json()
    with pytest.raises(SurfaceError, match=r"slack\.app_token"):
        await Office().hearing(says(line, then="sys = None")).start()


async def test_a_process_that_dies_is_started_again_and_meanwhile_said_to_be() -> None:
    office = Office()
    job = JobLine(job=Job.TURN, key="T-1", lane="slack:D1:1.1").model_dump_json()
    hearing = office.hearing(says(HEARS, job, then="import os; os.kill(os.getpid(), 9)"))
    await hearing.start()
    for _ in range(2):
        await office.came.wait()
        office.came.clear()
    assert len(office.jobs) >= 2
    await hearing.stop()
    assert hearing.trouble("slack") in (None, "the process that hears people is being started")


async def test_a_line_that_is_too_long_costs_itself_and_nothing_behind_it() -> None:
    office = Office()
    job = JobLine(job=Job.TURN, key="T-1", lane="slack:D1:1.1").model_dump_json()
    hearing = office.hearing(
        says(HEARS, then=f"print('x' * {3 * LONGEST}); print({job!r}, flush=True); {LASTS}")
    )
    await hearing.start()
    await asyncio.wait_for(office.came.wait(), 20)
    assert [key for _, key, _, _ in office.jobs] == ["T-1"]
    await hearing.stop()


async def test_a_machine_that_starts_no_process_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    """The program goes away while it runs, as in an upgrade, and comes back."""
    office = Office()
    job = JobLine(job=Job.TURN, key="T-1", lane="slack:D1:1.1").model_dump_json()
    program, aside = tmp_path / "program", tmp_path / "aside"
    ended = f"import os; os.rename({str(program)!r}, {str(aside)!r}); os.kill(os.getpid(), 9)"
    program.write_text(f"#!{sys.executable}\nprint({HEARS!r}); print({job!r}, flush=True)\n{ended}\n")
    program.chmod(0o700)
    hearing = office.hearing((str(program),))
    await hearing.start()
    await office.came.wait()
    office.came.clear()
    while "cannot be started" not in str(hearing.trouble("slack")):
        await asyncio.sleep(0.01)
    aside.rename(program)
    await asyncio.wait_for(office.came.wait(), 20)
    await hearing.stop()


async def test_its_last_words_are_heard_when_it_is_asked_to_end() -> None:
    office = Office()
    job = JobLine(job=Job.TURN, key="T-7", lane="slack:D1:1.1").model_dump_json()
    hearing = office.hearing(says(HEARS, then=f"{LASTS}; print({job!r}, flush=True)"))
    await hearing.start()
    await hearing.stop()
    assert [key for _, key, _, _ in office.jobs] == ["T-7"]


async def test_a_job_that_is_handed_on_is_a_line_that_can_be_read() -> None:
    sink = Sink()
    await Handing(Wire(sink).job).submit(Job.RUN, "A-3", "payments production", attempt="2")
    assert read(sink.written) == JobLine(job=Job.RUN, key="A-3", lane="payments production", attempt="2")


async def test_a_stop_that_is_handed_on_is_a_line_that_can_be_read() -> None:
    sink = Sink()
    Wire(sink).stop(ThreadId("slack:D1:1.1"))
    assert read(sink.written) == StopLine(thread="slack:D1:1.1")


async def test_a_parent_that_does_not_read_holds_nobody_up() -> None:
    sink = Sink(held=100 * 2**20)
    Wire(sink).job(Job.TURN, "T-1", "slack:D1:1.1", "")
    assert sink.written == b""  # a round finds it in the store


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"says": "job", "job": "dig", "key": "T-1", "lane": ""}', b"[1]"]
)
def test_what_is_no_line_of_ours_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="says|job|JSON|valid"):
        read(line)
