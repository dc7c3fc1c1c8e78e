"""Log files: rotated, of several services, in a window of time, within a budget."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.contract import BadArguments, ToolUnavailable, Window
from tools.logs.files import LogFiles, parse
from tools.logs.port import Budget, Level, Line, Query, Scanned

START = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = Window(START, START + timedelta(hours=1))


def row(seconds: float, message: str = "hello", **fields: object) -> str:
    at = (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"ts": at, "level": "info", "message": message, "version": "2.4.0", **fields})


def write(folder: Path, service: str, *files: list[str]) -> None:
    """Writes the rotated files of a service, oldest given first."""
    here = folder / "production"
    here.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(reversed(files)):
        name = f"{service}.log" + (f".{number}" if number else "")
        (here / name).write_text("".join(f"{row}\n" for row in rows))


async def scan(folder: Path, budget: Budget | None = None, **wanted: object) -> tuple[list[Line], Scanned]:
    found: list[Line] = []
    query = Query(**{"environment": "production", "window": HOUR, "service": "payments", **wanted})  # type: ignore[arg-type]  # the tests give what fits
    scanned = await LogFiles(folder).scan(query, budget or Budget(), found.append)
    return found, scanned


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 7_000), max_size=80).map(sorted),
    cuts=st.lists(st.integers(0, 80), max_size=3).map(sorted),
    start=st.integers(0, 7_000),
    length=st.integers(1, 4_000),
)
async def test_a_window_over_rotated_files_holds_what_a_plain_filter_finds(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int], cuts: list[int], start: int, length: int
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    rows = [row(at, f"line {number}") for number, at in enumerate(seconds)]
    edges = [0, *(min(cut, len(rows)) for cut in cuts), len(rows)]
    write(folder, "payments", *(rows[low:high] for low, high in itertools.pairwise(edges)))
    window = Window(START + timedelta(seconds=start), START + timedelta(seconds=start + length))
    found, _ = await scan(folder, window=window)
    expected = [f"line {number}" for number, at in enumerate(seconds) if start <= at < start + length]
    assert [line.message for line in found] == list(reversed(expected))


async def test_lines_that_are_a_little_out_of_order_are_not_missed(tmp_path: Path) -> None:
    write(
        tmp_path, "payments", [row(3601), row(3599, "late"), row(3603), row(2, "early"), row(-2), row(1, "x")]
    )
    found, _ = await scan(tmp_path)
    assert {line.message for line in found} == {"late", "early", "x"}


async def test_level_and_text_are_asked_for_in_any_case(tmp_path: Path) -> None:
    rows = [
        row(1, "Connection Pool exhausted", level="ERROR"),
        row(2, "connection pool exhausted"),
        row(3, "fine", level="critical"),
        row(4, "fine", level="error", route="/pool"),
    ]
    write(tmp_path, "payments", rows)
    found, scanned = await scan(tmp_path, level=Level.ERROR, contains="pool")
    assert [line.message for line in found] == ["fine", "Connection Pool exhausted"]
    assert scanned.lines == 4


async def test_without_a_service_all_are_read_newest_first(tmp_path: Path) -> None:
    write(tmp_path, "payments", [row(1, "a"), row(5, "c")])
    write(tmp_path, "checkout", [row(3, "b")])
    found, scanned = await scan(tmp_path, service=None)
    assert [(line.service, line.message) for line in found] == [
        ("payments", "c"),
        ("checkout", "b"),
        ("payments", "a"),
    ]
    assert len(scanned.places) == 2
    assert scanned.link is None


async def test_what_is_no_log_line_is_counted_and_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "payments", [row(1), "Traceback (most recent call last):", "{", '["ts"]', row(2)])
    found, scanned = await scan(tmp_path)
    assert (len(found), scanned.lines, scanned.unreadable) == (2, 5, 3)


@pytest.mark.parametrize(
    ("budget", "reason"),
    [(Budget(lines=10), "10 lines were read"), (Budget(octets=500), "0 MB were read")],
)
async def test_a_budget_ends_the_reading_and_says_how_far_it_came(
    tmp_path: Path, budget: Budget, reason: str
) -> None:
    write(tmp_path, "payments", [row(second) for second in range(100)])
    found, scanned = await scan(tmp_path, budget)
    assert scanned.stopped == reason
    assert scanned.reached == found[-1].at
    assert found[0].at == START + timedelta(seconds=99)
    assert len(found) <= 10


async def test_only_the_window_is_read_however_long_the_file(tmp_path: Path) -> None:
    write(tmp_path, "payments", [row(second) for second in range(-20_000, 3_600)])
    window = Window(START + timedelta(seconds=10), START + timedelta(seconds=20))
    found, scanned = await scan(tmp_path, window=window)
    assert len(found) == 10
    assert scanned.lines < 40


async def test_time_that_is_over_ends_the_reading(tmp_path: Path) -> None:
    write(tmp_path, "payments", [row(second / 100) for second in range(60_000)])
    _, scanned = await scan(tmp_path, Budget(seconds=0.0))
    assert scanned.stopped == "0 s were over"


async def test_a_service_without_logs_is_not_a_quiet_one(tmp_path: Path) -> None:
    write(tmp_path, "payments", [row(1)])
    with pytest.raises(BadArguments) as caught:
        await scan(tmp_path, service="payment")
    assert caught.value.nearest == ("payments",)


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ToolUnavailable, match="no folder of logs"):
        await scan(tmp_path / "nowhere")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_none(raw: bytes) -> None:
    line = parse(raw, "payments")
    assert line is None or line.at.tzinfo is UTC
