"""The tool `logs`: patterns, newest lines, and what was left out."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import BadArguments, Outcome
from tools.logs.logs import Logs
from tools.logs.port import Budget, Level, Line, Query, Scanned
from tools.logs.telling import KEPT

POOL = "connection pool exhausted: 8 of 8 connections in use, waited 750 ms"


class Written:
    """A log store of lines in memory, newest first."""

    def __init__(self, *lines: Line, stopped: str | None = None, unreadable: int = 0) -> None:
        self._lines, self._stopped, self._unreadable = lines, stopped, unreadable
        self.asked: list[Query] = []

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        self.asked.append(query)
        found = [line for line in self._lines if query.wants(line)]
        for line in found:
            take(line)
        reached = self._lines[-1].at if self._lines else None
        return Scanned(
            len(self._lines),
            self._unreadable,
            ("logs/production/payments.log",),
            None,
            reached,
            self._stopped,
        )


def lines(count: int, message: str = POOL, level: Level = Level.ERROR) -> list[Line]:
    return [
        Line(NOW - timedelta(seconds=number + 1), level, "payments", message, "2.4.0", f"raw {number}")
        for number in range(count)
    ]


async def asked(store: Written, **values: object) -> Outcome:
    tool = Logs(store, WORDS, now)
    return await tool.run(tool.spec.validate(values), MAYA)


async def test_patterns_come_with_counts_versions_first_and_last() -> None:
    outcome = await asked(Written(*lines(3)), service="payments", level="error")
    finding = outcome.findings[0]
    assert finding.kind == "log_patterns"
    assert finding.facts["total"] == 3
    patterns = finding.facts["patterns"]
    assert isinstance(patterns, list)
    assert patterns[0] == {
        "template": POOL, "count": 3, "first": "2026-11-23T05:59:57Z", "last": "2026-11-23T05:59:59Z",
        "level": "error", "service": "payments", "version": "2.4.0", "sample": POOL, "versions": ["2.4.0"],
    }  # fmt: skip
    assert finding.raw == "raw 0\nraw 1\nraw 2"
    assert finding.cut is None


async def test_the_newest_lines_come_beside_the_patterns() -> None:
    outcome = await asked(Written(*lines(30)), service="payments")
    newest = outcome.findings[1]
    assert newest.kind == "log_lines"
    assert newest.facts["total"] == 30
    assert newest.cut == "the newest 8 of 30 matching lines"
    assert "2026-11-23 06:59:59" in newest.text  # the person's own clock


async def test_nothing_found_says_how_much_was_read() -> None:
    outcome = await asked(Written(*lines(5, level=Level.INFO)), level="error")
    assert outcome.ok
    assert [finding.text for finding in outcome.findings] == ["no line matches; 5 lines were read"]


async def test_the_limits_of_the_answer_are_said() -> None:
    store = Written(*lines(KEPT + 7), stopped="200,000 lines were read", unreadable=2)
    cut = (await asked(store)).findings[0].cut
    assert cut is not None
    assert "stopped because 200,000 lines were read" in cut
    assert f"the newest {KEPT:,} of {KEPT + 7:,} matching lines" in cut
    assert "2 lines could not be read" in cut


async def test_production_and_the_last_hour_are_meant_when_nothing_is_said() -> None:
    store = Written()
    await asked(store)
    (query,) = store.asked
    assert query.environment == "production"
    assert query.window.start == NOW - timedelta(hours=1)


async def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(BadArguments, match="is not after since"):
        await asked(Written(), since="2026-11-22T12:00:00Z", until="2026-11-22T11:00:00Z")


async def test_instants_without_an_offset_are_the_persons_own() -> None:
    store = Written()
    await asked(store, since="2026-11-23T06:30:00")
    assert store.asked[0].window.start == NOW - timedelta(minutes=30)
