"""A search that was stopped says how far it came, and never that there is nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import Outcome
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.logs.files import LogFiles
from tools.logs.logs import Logs
from tools.logs.port import Budget, Level, Line, Query, Scanned
from tools.report.figures import Sources
from tools.report.report import Report
from tools.times import iso

EVERY = timedelta(seconds=1)


@dataclass
class Stopped:
    """A store whose budget ran out when it had come this far back, with these lines in its hands."""

    back: timedelta | None
    lines: tuple[str, ...] = ()

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        for message in self.lines:
            take(Line(NOW - EVERY, Level.ERROR, "payments", message, None, message))
        return Scanned(
            100, 0, ("payments.log",), None, None if self.back is None else NOW - self.back, "8 s were over"
        )


async def asked(store: Stopped | LogFiles, budget: Budget | None = None, **arguments: object) -> Outcome:
    tool = Logs(store, WORDS, now, budget)
    return await tool.run(tool.spec.validate({"service": "payments", "since": "1h", **arguments}), MAYA)


@pytest.mark.parametrize(
    ("back", "told"),
    [
        (None, "how far back that goes is not known"),
        (timedelta(minutes=10), "nothing before 2026-11-23 06:50:00 counts"),
    ],
)
async def test_nothing_found_in_a_part_is_not_nothing(back: timedelta | None, told: str) -> None:
    outcome = await asked(Stopped(back))
    assert not outcome.ok
    assert told in outcome.summary
    assert told in (outcome.findings[0].cut or "")
    assert outcome.findings[0].facts["stopped"] == "8 s were over"


async def test_what_was_found_in_a_part_is_told_as_that() -> None:
    outcome = await asked(Stopped(timedelta(minutes=10), ("it broke",)))
    assert outcome.ok
    assert "nothing before 2026-11-23 06:50:00 counts" in outcome.summary
    assert outcome.findings[0].facts["read_from"] == iso(NOW - timedelta(minutes=10))


async def test_what_stands_around_an_instant_says_that_it_was_stopped() -> None:
    outcome = await asked(Stopped(None), around=iso(NOW - timedelta(minutes=1)))
    assert not outcome.ok
    assert "stopped because 8 s were over" in (outcome.findings[0].cut or "")


def log(folder: Path, minutes: int) -> LogFiles:
    """A log of a line each second, none of which says what is looked for."""
    file = folder / "production" / "payments.log"
    file.parent.mkdir(parents=True)
    count = minutes * 60
    file.write_text(
        "".join(
            f'{{"ts": "{iso(NOW - EVERY * (count - number))}", "level": "info", "message": "order {number} placed"}}\n'
            for number in range(count)
        )
    )
    return LogFiles(folder)


async def test_a_text_that_was_not_found_in_time_is_not_said_to_be_nowhere(tmp_path: Path) -> None:
    outcome = await asked(log(tmp_path, 50), Budget(seconds=0.0), contains="exhausted")
    assert not outcome.ok
    assert "stopped because 0 s were over" in outcome.summary
    assert "no line matches" not in outcome.findings[0].text or "since" in outcome.findings[0].text


async def test_a_text_that_stands_nowhere_is_said_to_be_nowhere(tmp_path: Path) -> None:
    outcome = await asked(log(tmp_path, 50), contains="exhausted")
    assert outcome.ok
    assert "stopped" not in outcome.summary
    assert outcome.findings[0].text.startswith("no line matches; 3,000 lines were read")


async def test_a_report_over_a_search_that_was_stopped_has_no_count_where_it_did_not_look() -> None:
    report = Report(Sources(logs=Stopped(None)), WORDS, now, draw=lambda _: b"")
    given = {"measure": "log_errors", "since": "4h", "service": "payments"}
    outcome = await report.run(report.spec.validate(given), MAYA)
    assert not outcome.ok
    assert "8 s were over" in outcome.findings[0].text


async def test_an_investigation_names_a_log_that_it_could_not_read() -> None:
    tool = Investigate(Backends(logs=Stopped(None)), WORDS, now)
    outcome = await tool.run(tool.spec.validate({"service": "payments"}), MAYA)
    unchecked = outcome.findings[0].facts["not_checked"]
    assert isinstance(unchecked, list)
    assert "logs of payments: stopped before they were read" in unchecked
