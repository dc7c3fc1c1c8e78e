"""Every shipped tool against hostile values and dead backends: refused, or not checked, and never healthy."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest

from tests.contract.test_tools import FLAGS, PLACES, shipped
from tests.fakes.mcp_servers import MemoryServer, server
from tests.fakes.shop import MAYA, WORDS, now, shop_platform
from tools.alerts.alerts import Alerts
from tools.alerts.port import Alert, Silence
from tools.alerts.runbooks import KnownRunbooks
from tools.changes.changes import Changes
from tools.changes.platform import PlatformChanges
from tools.contract import (
    BadArguments,
    Json,
    ReadTool,
    Tool,
    ToolError,
    ToolFailed,
    ToolUnavailable,
    WriteTool,
)
from tools.deploy.port import Deployment, Order, Release, Result, Running
from tools.deploy.rollback import Rollback
from tools.deploy.status import Status
from tools.flags.flags import ShowFlag
from tools.flags.memory import MemoryFlags
from tools.flags.port import Flag
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.knowledge.knowledge import Knowledge
from tools.knowledge.port import Filters, Searched
from tools.kubernetes.access import Access, FixedToken
from tools.kubernetes.client import Cluster
from tools.kubernetes.kubernetes import Kubernetes
from tools.kubernetes.places import Place as ClusterPlace
from tools.kubernetes.places import Places, Target
from tools.kubernetes.refusals import Attempt
from tools.kubernetes.wire import Answer, Wire
from tools.logs.logs import Logs
from tools.mcp.mcp import tools
from tools.mcp.pins import Pins
from tools.mcp.port import Offered
from tools.metrics.free import PromQL
from tools.metrics.metrics import Metrics
from tools.report.figures import Sources
from tools.report.report import Report
from tools.slots import Kind, slots
from tools.tickets.memory import MemoryTickets
from tools.tickets.port import Found, Place
from tools.tickets.tickets import Tickets

HOSTILE = (
    "--option",
    "-rf",
    "../../etc/passwd",
    "..\\..\\windows",
    "payments\n--force",
    "payments\r\nX-Header: 1",
    "payments\0",
    "pаyments",
    "ｐａｙｍｅｎｔｓ",
    "payments\u200b",
    "\x1b[31mpayments\x1b[0m",
    "[payments](https://evil.example)",
    "<!channel> payments",
    "http://169.254.169.254/latest/meta-data",
    "$(reboot)",
    "`reboot`",
    "payments; reboot",
    '"} or vector(1) #',
)
VALVE: dict[str, Json] = {
    "type": "object",
    "properties": {
        "site": {"type": "string", "enum": ["north", "south"]},
        "opening": {"type": "integer", "minimum": 0},
        "label": {"type": "string"},
    },
    "required": ["site", "opening", "label"],
}
VALVES = {
    "valves": {
        "look_at_valve": Offered("look_at_valve", "Looks at a valve", VALVE),
        "move_valve": Offered("move_valve", "Moves a valve", VALVE),
    }
}


def mcp_tools() -> tuple[Tool, ...]:
    """Two tools of an MCP server that answers nobody; the label is limited by the operator."""
    limits = {"label": {"pattern": "^[a-z]{1,12}$"}}
    listed = [
        {"tool": "look_at_valve", "effect": "read", "arguments": limits},
        {"tool": "move_valve", "arguments": limits},
    ]
    away = MemoryServer({}, tuple(VALVES["valves"].values()))
    return tools([server(command=["valve-server"], tools=listed)], Pins(VALVES), lambda _server: away)


TOOLS = [
    *(
        tool for tool in shipped() if tool.spec.name != "promql"
    ),  # takes an expression; parsed in its own tests
    *mcp_tools(),
]
NAMED = [
    (tool, name)
    for tool in TOOLS
    for name, slot in slots(tool.spec.arguments).items()
    if slot.kind in {Kind.CHOICE, Kind.VERSION, Kind.COUNT, Kind.DURATION, Kind.SINCE, Kind.UNTIL}
    or (slot.role == "label" and "valve" in tool.spec.name)
    or slot.kind is Kind.REFERENCE
]
PLAIN: dict[str, object] = {
    "service": "payments",
    "environment": "production",
    "version": "2.3.9",
    "replicas": 2,
    "metric": "error_rate",
    "kind": "errors",
    "measure": "errors",
    "query": "payments",
    "alert": "PaymentsFailing",
    "duration": "1h",
    "for": "1h",
    "flag": "new-checkout",
    "value": "on",
    "title": "Checkout fails for guests",
    "text": "since the release",
    "ticket": "OPS-12",
    "site": "north",
    "opening": 3,
    "label": "payments",
}


def fitting(tool: Tool, **others: object) -> dict[str, object]:
    """The least arguments this tool takes, with some of them replaced."""
    fields = tool.spec.arguments.model_fields
    known = {name: PLAIN[name] for name, field in fields.items() if field.is_required()}
    return {**known, **others}


@pytest.mark.parametrize(("tool", "name"), NAMED, ids=[f"{tool.spec.name}-{name}" for tool, name in NAMED])
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_value_that_is_no_name_version_count_or_time_is_refused(tool: Tool, name: str, value: str) -> None:
    with pytest.raises(BadArguments):
        tool.spec.validate(fitting(tool, **{name: value}))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.spec.name)
def test_the_same_arguments_without_the_hostile_value_are_taken(tool: Tool) -> None:
    given = fitting(tool)

    taken = tool.spec.validate(given).canonical()

    assert given.items() <= taken.items()


@pytest.mark.parametrize(
    "value",
    ["\x1b[31mred", "zero\u200bwidth", "right\u202eleft", "nul\0", "  "],
    ids=ascii,
)
@pytest.mark.parametrize("name", ["ticket_open", "ticket_comment", "tickets"])
def test_what_a_reader_cannot_see_is_refused_in_tickets(name: str, value: str) -> None:
    tool = shipped().get(name)
    field = {"ticket_open": "title", "ticket_comment": "text", "tickets": "words"}[name]
    with pytest.raises(BadArguments):
        tool.spec.validate(fitting(tool, **{field: value}))


@pytest.mark.parametrize("name", ["ticket_open", "tickets"])
def test_what_stands_in_one_line_has_one_line(name: str) -> None:
    tool, field = shipped().get(name), "title" if name == "ticket_open" else "words"
    with pytest.raises(BadArguments):
        tool.spec.validate(fitting(tool, **{field: "payments\n--force"}))


class DeadPlatform:
    """A platform that answers nobody."""

    async def running(self) -> tuple[Running, ...]:
        raise ToolUnavailable("the supervisor does not answer")

    async def releases(self, service: str) -> tuple[Release, ...]:
        raise ToolUnavailable("the supervisor does not answer")

    async def history(self, *_: object) -> tuple[Deployment, ...]:
        raise ToolUnavailable("the supervisor does not answer")

    async def apply(self, order: Order, progress: object) -> Result:
        raise AssertionError("a read never applies")


class DeadAlerts:
    """An Alertmanager that answers nobody."""

    name = "http://alerts.example"

    async def alerts(self) -> tuple[Alert, ...]:
        raise ToolUnavailable("alerts.example does not answer")

    async def silences(self) -> tuple[Silence, ...]:
        raise ToolUnavailable("alerts.example does not answer")

    async def silence(self, silence: Silence) -> str:
        raise AssertionError("a read never silences")

    async def lift(self, id_: str) -> None:
        raise AssertionError("a read never lifts")


class DeadLibrary:
    async def search(self, query: str, asker: object, filters: Filters) -> Searched:
        raise ToolUnavailable("the library does not answer")


class DeadTickets(MemoryTickets):
    """A tracker that answers nobody."""

    async def search(self, place: Place) -> Found:
        raise ToolUnavailable("the tracker does not answer")


class DeadFlags(MemoryFlags):
    """A flag store that answers nobody."""

    async def get(self, flag: str, environment: str) -> Flag | None:
        raise ToolUnavailable("the flag store does not answer")


READS: list[ReadTool] = [tool for tool in (*shipped(), *mcp_tools()) if not isinstance(tool, WriteTool)]
DEAD: list[ReadTool] = [
    Status(DeadPlatform(), WORDS, now),
    Alerts(DeadAlerts(), WORDS),
    Knowledge(DeadLibrary(), WORDS, now),
    Changes([PlatformChanges(DeadPlatform())], WORDS, now),
    Tickets(DeadTickets(now), WORDS, PLACES),
    ShowFlag(DeadFlags({}), WORDS, FLAGS),
    *(
        tool
        for tool in READS
        if tool.spec.name in {"logs", "metrics", "promql", "report", "kubernetes", "look_at_valve"}
    ),
]


def test_every_shipped_read_is_asked_with_a_dead_backend() -> None:
    assert {tool.spec.name for tool in DEAD} == {tool.spec.name for tool in READS}


@pytest.mark.parametrize("tool", DEAD, ids=lambda tool: tool.spec.name)
async def test_a_read_whose_backend_is_gone_fails_or_says_what_it_did_not_check(tool: ReadTool) -> None:
    given = {"query": "up"} if tool.spec.name == "promql" else fitting(tool)
    try:
        outcome = await tool.run(tool.spec.validate(given), MAYA)
    except ToolError:
        return
    told = " ".join([outcome.summary, *(finding.text for finding in outcome.findings)]).lower()
    assert "not checked" in told or "could not" in told or not outcome.ok, told
    assert "healthy" not in told


class Hanging:
    """Every backend at once: none of them ever answers."""

    name, finest = "a backend that hangs", timedelta(seconds=30)

    async def _hang(self, *_: object, **__: object) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    running = releases = history = alerts = silences = search = evaluate = origins = values = _hang
    count = traces = scan = changes = runbook = apply = silence = lift = _hang

    def link(self, *_: object) -> None:
        return None


class HangingTickets(MemoryTickets):
    """A tracker that never answers."""

    async def search(self, place: Place) -> Found:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class HangingFlags(MemoryFlags):
    """A flag store that never answers."""

    async def get(self, flag: str, environment: str) -> Flag | None:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class HangingWire(Wire):
    """A cluster that never answers."""

    async def get(self, path: str, attempt: Attempt, query: Mapping[str, str]) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def hanging_cluster() -> Places:
    cluster = Cluster(HangingWire(Access("the cluster", "http://127.0.0.1:1", FixedToken())))
    return Places({"production": ClusterPlace(cluster, "shop")}, {"payments": Target("payments")})


def hanging() -> list[ReadTool]:
    none = Hanging()
    made: list[ReadTool] = [
        Status(none, WORDS, now),
        Logs(none, WORDS, now),
        Metrics(none, WORDS, now),
        PromQL(none, WORDS, now),
        Alerts(none, WORDS, none),
        Changes([none], WORDS, now, none),
        Report(Sources(none, none, none), WORDS, now, draw=lambda _: b""),
        Knowledge(none, WORDS, now),
        Tickets(HangingTickets(now), WORDS, PLACES),
        ShowFlag(HangingFlags({}), WORDS, FLAGS),
        Kubernetes(hanging_cluster(), WORDS, now),
        Investigate(Backends(none, none, (none,), none, none, none), WORDS, now, patience=0.05),
    ]
    for tool in made:
        if tool.spec.name != "investigate":  # its patience is with each question
            tool.spec = replace(tool.spec, timeout=5.1)  # type: ignore[misc]  # a test is in a hurry
    return made


HANGING = hanging()


def test_every_shipped_read_is_asked_with_a_backend_that_hangs() -> None:
    reads = {tool.spec.name for tool in READS}
    of_mcp = {"look_at_valve"}  # its connection keeps the time, and is tested with a real one
    assert {tool.spec.name for tool in HANGING} == reads - of_mcp | {"investigate"}


@pytest.mark.parametrize("tool", HANGING, ids=lambda tool: tool.spec.name)
async def test_a_read_whose_backend_hangs_ends_before_its_own_time_and_says_so(tool: ReadTool) -> None:
    given = {"query": "up"} if tool.spec.name == "promql" else fitting(tool)
    told, ok = "", False
    async with asyncio.timeout(tool.spec.timeout):
        try:
            outcome = await tool.run(tool.spec.validate(given), MAYA)
        except ToolUnavailable as error:
            told = str(error)
        else:
            told = " ".join([outcome.summary, *(finding.text for finding in outcome.findings)])
            ok = outcome.ok
    assert not ok
    assert "did not answer within" in told


class Talkative(DeadAlerts):
    """An Alertmanager with one alert, which names no runbook."""

    async def alerts(self) -> tuple[Alert, ...]:
        return (Alert("PaymentsFailing", {"alertname": "PaymentsFailing"}, {}, now()),)

    async def silences(self) -> tuple[Silence, ...]:
        return ()


async def test_alerts_are_told_though_what_is_known_does_not_answer() -> None:
    tool = Alerts(Talkative(), WORDS, KnownRunbooks(DeadLibrary()))
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert outcome.ok
    assert "1 alerts fire" in outcome.summary
    assert "not checked: runbooks in what is known: the library does not answer" in outcome.summary


class DeadVitals:
    async def error_rate(self, service: str, environment: str) -> float | None:
        raise ToolFailed("Prometheus refused: bad_data")


async def test_what_runs_is_told_though_its_error_rates_could_not_be_checked() -> None:
    tool = Status(shop_platform(), WORDS, now, DeadVitals())
    outcome = await tool.run(tool.spec.validate({}), MAYA)
    assert outcome.ok
    assert "not checked: error rates (Prometheus refused: bad_data)" in outcome.summary
    assert outcome.findings[0].facts["not_checked"] == ["Prometheus refused: bad_data"]
    assert "error rate not checked" in outcome.findings[0].text


async def test_a_meter_that_refuses_keeps_nobody_from_a_rollback_and_is_told_on_its_card() -> None:
    tool = Rollback(shop_platform(), WORDS, now, DeadVitals())
    plan = await tool.plan(tool.spec.validate({"service": "payments"}))
    assert "error rate not checked (Prometheus refused: bad_data)" in plan.health
