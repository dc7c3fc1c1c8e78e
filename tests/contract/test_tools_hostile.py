"""Every shipped tool against hostile values and dead backends: refused, or not checked, and never healthy."""

import pytest

from tests.contract.test_tools import FLAGS, PLACES, shipped
from tests.fakes.shop import MAYA, WORDS, now
from tools.alerts.alerts import Alerts
from tools.alerts.port import Alert, Silence
from tools.changes.changes import Changes
from tools.changes.platform import PlatformChanges
from tools.contract import BadArguments, ReadTool, Tool, ToolError, ToolUnavailable, WriteTool
from tools.deploy.port import Deployment, Order, Release, Result, Running
from tools.deploy.status import Status
from tools.flags.flags import ShowFlag
from tools.flags.memory import MemoryFlags
from tools.flags.port import Flag
from tools.knowledge.knowledge import Knowledge
from tools.knowledge.port import Filters, Searched
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
TOOLS = [
    tool for tool in shipped() if tool.spec.name != "promql"
]  # takes an expression; parsed in its own tests
NAMED = [
    (tool, name)
    for tool in TOOLS
    for name, slot in slots(tool.spec.arguments).items()
    if slot.kind in {Kind.CHOICE, Kind.VERSION, Kind.COUNT, Kind.DURATION, Kind.SINCE, Kind.UNTIL}
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


READS: list[ReadTool] = [tool for tool in shipped() if not isinstance(tool, WriteTool)]
DEAD: list[ReadTool] = [
    Status(DeadPlatform(), WORDS, now),
    Alerts(DeadAlerts(), WORDS),
    Knowledge(DeadLibrary(), WORDS, now),
    Changes([PlatformChanges(DeadPlatform())], WORDS, now),
    Tickets(DeadTickets(now), WORDS, PLACES),
    ShowFlag(DeadFlags({}), WORDS, FLAGS),
    *(tool for tool in READS if tool.spec.name in {"logs", "metrics", "promql", "report", "kubernetes"}),
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
