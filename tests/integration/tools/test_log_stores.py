"""Every log store finds the same lines: files, Loki, Elasticsearch and the journal."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.logservers import JOURNALCTL, ElasticStandIn, Kept, LokiStandIn, nano, served
from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import BadArguments, ToolFailed, ToolUnavailable, Window
from tools.jsonserver import JsonServer
from tools.logs import paging
from tools.logs.elastic import Elastic, Fields
from tools.logs.files import LogFiles
from tools.logs.journald import Journald
from tools.logs.logs import Logs
from tools.logs.loki import Loki
from tools.logs.port import Budget, EstimatingStore, Level, Line, LogStore, Query, Scanned
from tools.times import iso

HOUR = Window(NOW - timedelta(hours=1), NOW)
COUNT = 5_000  # more than two pages
PRIORITIES = {"error": "3", "warning": "4", "info": "6"}


def kept() -> list[Kept]:
    """Lines every 0.7 s, some of them at one instant, oldest first; errors begin ten minutes ago."""
    lines: list[Kept] = []
    for number in range(COUNT):
        at = NOW - timedelta(seconds=0.7) * ((COUNT - number) // 2 * 2 + 1)
        failing = at > NOW - timedelta(minutes=10) and number % 5 == 0
        message = (
            f"connection pool exhausted: waited {number} ms"
            if failing
            else f"GET /item/{number} took {number % 90} ms"
        )
        lines.append(
            {
                "ts": iso(at),
                "level": "error" if failing else "info",
                "service": "payments" if number % 4 else "checkout",
                "environment": "production",
                "version": "2.4.0",
                "message": message,
            }
        )
    return lines


@pytest.fixture(params=["files", "loki", "elastic", "journald"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LogStore]:
    lines = kept()
    async with AsyncExitStack() as stack:
        match request.param:
            case "files":
                for service in ("payments", "checkout"):
                    file = tmp_path / "logs" / "production" / f"{service}.log"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(
                        "".join(f"{json.dumps(line)}\n" for line in lines if line["service"] == service)
                    )
                yield LogFiles(tmp_path / "logs")
            case "loki":
                url = await stack.enter_async_context(served(LokiStandIn(lines).add))
                yield Loki(JsonServer("Loki", url))
            case "elastic":
                url = await stack.enter_async_context(served(ElasticStandIn(lines).add))
                yield Elastic(JsonServer("Elasticsearch", url))
            case _:
                yield journal(tmp_path, lines)


def journal(folder: Path, lines: list[Kept]) -> Journald:
    entries = [
        {
            "__REALTIME_TIMESTAMP": str(nano(line) // 1_000),
            "_SYSTEMD_UNIT": f"{line['service']}.service",
            "PRIORITY": PRIORITIES[line["level"]],
            "MESSAGE": line["message"],
        }
        for line in lines
    ]
    (folder / "journal.json").write_text(json.dumps(entries))
    program = folder / "journalctl"
    program.write_text(JOURNALCTL.format(python=sys.executable, lines=str(folder / "journal.json")))
    program.chmod(0o700)
    units = {name: [f"{name}.service"] for name in ("payments", "checkout")}
    return Journald(units, "production", str(program))


async def found(store: LogStore, query: Query, budget: Budget | None = None) -> tuple[list[Line], Scanned]:
    lines: list[Line] = []
    scanned = await store.scan(query, budget or Budget(), lines.append)
    return lines, scanned


async def test_all_lines_of_a_window_come_newest_first_and_once(store: LogStore) -> None:
    lines, scanned = await found(store, Query("production", HOUR))
    expected = [line for line in kept() if datetime.fromisoformat(line["ts"]) >= HOUR.start]
    assert sorted(line.message for line in lines) == sorted(line["message"] for line in expected)
    assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
    assert scanned.stopped is None


async def test_service_level_and_text_narrow_what_is_found(store: LogStore) -> None:
    query = Query("production", HOUR, "payments", Level.ERROR, "POOL exhausted")
    lines, _ = await found(store, query)
    expected = [each for each in kept() if each["service"] == "payments" and each["level"] == "error"]
    assert {line.message for line in lines} == {line["message"] for line in expected}
    assert {line.service for line in lines} == {"payments"}


async def test_the_budget_stops_it_and_says_how_far_it_came(store: LogStore) -> None:
    lines, scanned = await found(store, Query("production", HOUR), Budget(lines=paging.PAGE))
    assert scanned.stopped == f"{paging.PAGE:,} lines were read"
    assert scanned.reached is not None
    assert scanned.reached > HOUR.start
    assert len(lines) <= paging.PAGE + 1


async def test_an_estimate_is_made_before_anything_is_read(store: LogStore) -> None:
    if not isinstance(store, EstimatingStore):
        pytest.skip("the journal cannot tell how much there is without reading it")
    estimate = await store.estimate(Query("production", HOUR, "payments"))
    expected = sum(each["service"] == "payments" for each in kept())
    assert estimate.lines == pytest.approx(expected, rel=0.06)


async def test_the_tool_tells_what_is_new_since_a_deployment(store: LogStore) -> None:
    tool = Logs(store, WORDS, now)
    asked = {"service": "payments", "since": "1h", "new_since": iso(NOW - timedelta(minutes=10))}
    outcome = await tool.run(tool.spec.validate(asked), MAYA)
    patterns = outcome.findings[0].facts["patterns"]
    assert isinstance(patterns, list)
    assert [row["template"] for row in patterns] == ["connection pool exhausted: waited <NUM> ms"] or [
        row["template"] for row in patterns
    ] == ["connection pool exhausted: waited <DURATION>"]


async def test_the_lines_around_an_instant_are_told_in_order(store: LogStore) -> None:
    tool = Logs(store, WORDS, now)
    middle = NOW - timedelta(minutes=5)
    outcome = await tool.run(tool.spec.validate({"service": "payments", "around": iso(middle)}), MAYA)
    rows = outcome.findings[0].facts["lines"]
    assert isinstance(rows, list)
    assert len(rows) == 40
    moments = [datetime.fromisoformat(row["ts"]) for row in rows]
    assert moments == sorted(moments)
    assert moments[19] < middle <= moments[20]


async def test_text_is_never_a_pattern_of_the_server(store: LogStore) -> None:
    for text in ('.*"} | json', "(", "[a-z]+", '"', "--unit=ssh"):
        lines, _ = await found(store, Query("production", HOUR, "payments", None, text))
        assert lines == [], text


async def test_fields_inside_fields_are_read() -> None:
    lines = [{**line, "log.level": line["level"]} for line in kept()[-5:]]
    async with served(ElasticStandIn(lines).add) as url:
        store = Elastic(JsonServer("OpenSearch", url), fields=Fields(level="log.level"))
        read, _ = await found(store, Query("production", HOUR))
    assert len(read) == 5
    assert {line.level for line in read} == {Level(line["level"]) for line in lines}


async def test_a_journal_is_of_one_environment_and_of_known_units(tmp_path: Path) -> None:
    store = journal(tmp_path, [])
    with pytest.raises(BadArguments, match="this journal is of 'production'"):
        await found(store, Query("staging", HOUR, "payments"))
    with pytest.raises(BadArguments, match="no unit is known for 'catalog'"):
        await found(store, Query("production", HOUR, "catalog"))


async def test_a_server_that_is_not_there_and_one_that_speaks_otherwise_are_told_apart() -> None:
    with pytest.raises(ToolUnavailable):
        await found(Loki(JsonServer("Loki", "http://127.0.0.1:9")), Query("production", HOUR))
    async with served(ElasticStandIn(kept()).add) as url:
        with pytest.raises(ToolFailed, match="404"):
            await found(Loki(JsonServer("Loki", url)), Query("production", HOUR))
    with pytest.raises(ToolUnavailable, match="cannot be run"):
        await found(
            Journald({"payments": ["p.service"]}, "production", "/nowhere/journalctl"),
            Query("production", HOUR),
        )
