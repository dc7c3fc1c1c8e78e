"""The logs of pods: all containers, the ones before, newest first, within a budget, and what is not there any more."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes import KubernetesStandIn, Object, shop_cluster
from tests.fakes.kubernetes_access import Ticks, places_at
from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import BadArguments, ToolFailed, ToolUnavailable, Window
from tools.logs.container import container_line, level_in
from tools.logs.kubernetes import KubernetesLogs
from tools.logs.logs import Logs
from tools.logs.port import Budget, Level, Line, Query, Scanned

HOUR = Window(NOW - timedelta(hours=1), NOW)


@pytest.fixture
def cluster() -> KubernetesStandIn:
    return shop_cluster(now)


@pytest.fixture
async def url(cluster: KubernetesStandIn) -> AsyncIterator[str]:
    async with cluster.open() as address:
        yield address


def pods(cluster: KubernetesStandIn, app: str = "payments") -> list[Object]:
    return [each for each in cluster.of("pods") if each["metadata"]["labels"]["app"] == app]


def write(cluster: KubernetesStandIn, pod: Object, *lines: tuple[float, str], previous: bool = False) -> None:
    """Lines of a pod's first container, each so many minutes ago."""
    name = pod["metadata"]["name"]
    container = pod["spec"]["containers"][0]["name"]
    cluster.logs[name, container, previous] = [(NOW - timedelta(minutes=ago), text) for ago, text in lines]


async def scanned(url: str, budget: Budget | None = None, **query: object) -> tuple[list[Line], Scanned]:
    found: list[Line] = []
    values: dict[str, object] = {"service": "payments", "environment": "production", "window": HOUR, **query}
    store = KubernetesLogs(places_at(url), Ticks(0.001))
    told = await store.scan(Query(**values), budget or Budget(), found.append)  # type: ignore[arg-type]  # the tests give what fits
    return found, told


async def test_lines_of_all_pods_come_newest_first_with_pod_container_and_version(
    cluster: KubernetesStandIn, url: str
) -> None:
    one, other = pods(cluster)
    write(cluster, one, (30, "first"), (10, "third"))
    write(cluster, other, (20, "second"), (5, "fourth"))
    lines, told = await scanned(url)
    assert [each.message for each in lines] == ["fourth", "third", "second", "first"]
    assert lines[0].version == "2.4.0"
    assert lines[0].details == {"pod": other["metadata"]["name"], "container": "payments"}
    assert told.lines == 4
    assert told.note == "2 pods that exist now; a cluster keeps no logs of pods that are gone"


async def test_only_the_window_is_asked_for_and_told(cluster: KubernetesStandIn, url: str) -> None:
    (one, other) = pods(cluster)
    write(cluster, one, (90, "before"), (30, "inside"))
    write(cluster, other, (-5, "after"))
    lines, _ = await scanned(url)
    assert [each.message for each in lines] == ["inside"]
    asked = next(each for each in cluster.asked if each.path.endswith("/log"))
    assert asked.query["sinceTime"] == "2026-11-23T05:00:00Z"
    assert asked.query["timestamps"] == "true"


async def test_what_a_container_wrote_before_it_ended_is_read_too(
    cluster: KubernetesStandIn, url: str
) -> None:
    one, _ = pods(cluster)
    one["status"] |= made.crashing("payments", "x", NOW, reason="OOMKilled", code=137)
    write(cluster, one, (2, "starting"))
    write(cluster, one, (12, "java.lang.OutOfMemoryError"), previous=True)
    lines, told = await scanned(url)
    assert [each.message for each in lines] == ["starting", "java.lang.OutOfMemoryError"]
    assert f"{one['metadata']['name']}/payments (before it ended)" in told.places


async def test_a_log_before_that_is_cleared_away_is_no_fault(cluster: KubernetesStandIn, url: str) -> None:
    one, other = pods(cluster)
    one["status"] |= made.crashing("payments", "x", NOW)
    write(cluster, one, (2, "starting"))
    write(cluster, other, (1, "well"))
    lines, told = await scanned(url)
    assert len(lines) == 2
    assert "not read" not in str(told.note)


async def test_every_container_of_a_pod_is_read_and_named(cluster: KubernetesStandIn, url: str) -> None:
    one, other = pods(cluster)
    one["spec"]["containers"].append({"name": "proxy", "image": "envoy:1.30"})
    one["status"]["containerStatuses"].append(
        {**one["status"]["containerStatuses"][0], "name": "proxy", "image": "envoy:1.30"}
    )
    write(cluster, one, (2, "ours"))
    write(cluster, other, (3, "ours too"))
    cluster.logs[one["metadata"]["name"], "proxy", False] = [
        (NOW - timedelta(minutes=1), "upstream timed out")
    ]
    lines, told = await scanned(url)
    assert (lines[0].details["container"], lines[0].version) == ("proxy", "1.30")
    assert len(told.places) == 3


async def test_too_many_lines_leave_the_oldest_out_for_all_containers_alike(
    cluster: KubernetesStandIn, url: str
) -> None:
    chatty, quiet = pods(cluster)
    write(cluster, chatty, *((50 - number / 10, f"line {number}") for number in range(400)))
    write(cluster, quiet, (40, "old"), (1, "new"))
    lines, told = await scanned(url, Budget(lines=200))
    assert told.stopped == f"100 lines of {chatty['metadata']['name']}/payments were read"
    assert told.reached == NOW - timedelta(minutes=20)
    assert [each.message for each in lines if each.message in {"old", "new"}] == ["new"]
    assert len(lines) == 101


async def test_too_much_text_leaves_the_oldest_out(cluster: KubernetesStandIn, url: str) -> None:
    one, other = pods(cluster)
    write(cluster, one, *((50 - number / 10, "x" * 1000) for number in range(100)))
    write(cluster, other, (1, "short"))
    lines, told = await scanned(url, Budget(octets=40_000))
    assert 15 <= len(lines) <= 21
    assert "MB of" in str(told.stopped)


async def test_short_lines_fill_the_room_there_is_and_not_less(cluster: KubernetesStandIn, url: str) -> None:
    one, other = pods(cluster)
    write(cluster, one, *((50 - number / 10, f"{number:04}") for number in range(400)))
    write(cluster, other)
    lines, _ = await scanned(url, Budget(octets=800))
    assert [each.message for each in lines] == [f"{number:04}" for number in range(399, 299, -1)]


@pytest.mark.parametrize("depth", [300, 900, 100_000])
async def test_a_line_that_nests_deeper_than_anybody_reads_hides_no_other(
    depth: int, cluster: KubernetesStandIn, url: str
) -> None:
    one, other = pods(cluster)
    write(cluster, one, (30, '{"a":' * depth + "1" + "}" * depth), (20, "then"))
    write(cluster, other)
    lines, told = await scanned(url)
    assert lines[0].message == "then"
    assert told.lines == 2


async def test_a_container_that_cannot_be_read_is_named_and_no_quiet_one(
    cluster: KubernetesStandIn, url: str
) -> None:
    one, other = pods(cluster)
    write(cluster, one, (1, "well"))
    lines, told = await scanned(url)
    assert [each.message for each in lines] == ["well"]
    assert f"not read: {other['metadata']['name']}/payments, it is gone" in str(told.note)
    cluster.logs.clear()
    with pytest.raises(ToolUnavailable, match="no container's log could be read"):
        await scanned(url)


async def test_a_missing_right_is_named(cluster: KubernetesStandIn, url: str) -> None:
    cluster.denied = {("get", "pods/log")}
    with pytest.raises(ToolFailed, match=r'resources: \["pods/log"\], verbs: \["get"\]'):
        await scanned(url)


async def test_when_the_time_is_over_nothing_is_told_as_if_it_had_been_read(
    cluster: KubernetesStandIn, url: str
) -> None:
    for each in pods(cluster):
        write(cluster, each, (1, "well"))
    with pytest.raises(ToolUnavailable, match="the time was over"):
        await scanned(url, Budget(seconds=0))


async def test_a_service_without_a_workload_is_refused(url: str) -> None:
    with pytest.raises(BadArguments, match="there is no workload 'catalog'"):
        await scanned(url, service="catalog")


async def test_all_services_are_read_when_none_is_named(cluster: KubernetesStandIn, url: str) -> None:
    for app in ("payments", "checkout"):
        for each in pods(cluster, app):
            write(cluster, each, (3, f"{app} says"))
    lines, _ = await scanned(url, service=None)
    assert {each.service for each in lines} == {"payments", "checkout"}


async def test_the_tool_says_what_the_answer_does_not_rest_on(cluster: KubernetesStandIn, url: str) -> None:
    for each in pods(cluster):
        write(cluster, each, (3, "ERROR pool exhausted: 8 of 8"), (4, "INFO paid"))
    tool = Logs(KubernetesLogs(places_at(url)), WORDS, now)
    outcome = await tool.run(tool.spec.validate({"service": "payments", "level": "error"}), MAYA)
    first = outcome.findings[0]
    assert first.facts["total"] == 2
    assert "a cluster keeps no logs of pods that are gone" in str(first.cut)


AT = datetime.fromisoformat("2026-11-23T05:30:00+00:00")
EARLIER = AT - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "level", "message", "at"),
    [
        ({"ts": "2026-11-23T05:29:59Z", "level": "warn", "message": "slow"}, Level.WARNING, "slow", EARLIER),
        ({"level": "error", "msg": "no time of its own"}, Level.ERROR, "no time of its own", AT),
        ({"ts": 1795671000.5, "severity": "ERROR", "event": "numbers"}, Level.ERROR, "numbers", AT),
    ],
)  # fmt: skip
def test_json_lines_are_taken_apart_whatever_their_fields_are_called(
    said: dict[str, object], level: Level, message: str, at: datetime
) -> None:
    line = container_line(AT, json.dumps(said), "payments", "2.4.0")
    assert (line.level, line.message, line.at, line.version) == (level, message, at, "2.4.0")
    assert line.raw == json.dumps(said)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-11-23 05:30:00,123 ERROR [main] c.s.Pay - refused", "error"),
        ('time="2026-11-23T05:30:00Z" level=warning msg="slow"', "warning"),
        ("E1123 05:30:00.000000       1 reflector.go:147] failed", "error"),
        ("W1123 05:30:00.000000       1 reflector.go:147] failed", "warning"),
        ("[INFO] started", "info"),
        ("panic: runtime error: index out of range", "fatal"),
        ("error: connection refused", "error"),
        ("no error was found on the way to the shop", None),
        ("GET /error-page 200", None),
        ("", None),
    ],
)
def test_the_level_of_a_plain_line_is_read_from_its_start(text: str, level: str | None) -> None:
    assert level_in(text) == level
