"""What every shipped tool declares: examples in both languages, slots for its arguments, a schema, a README."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.kubernetes_access import places_at
from tests.fakes.shop import WORDS, now, shop_platform
from tools.alerts.alerts import Alerts
from tools.alerts.memory import MemoryAlerts
from tools.alerts.silence import SilenceAlert, Unsilence
from tools.changes.changes import Changes
from tools.changes.platform import PlatformChanges
from tools.contract import Asker, BadArguments, Effect, Tool, WriteTool
from tools.deploy.deploy import Deploy
from tools.deploy.restart import Restart
from tools.deploy.rollback import Rollback
from tools.deploy.scale import Scale
from tools.deploy.status import Status
from tools.flags.flags import SetFlag, ShowFlag
from tools.flags.memory import MemoryFlags
from tools.knowledge.knowledge import Knowledge
from tools.knowledge.port import Filters, Searched
from tools.kubernetes.kubernetes import Kubernetes
from tools.logs.files import LogFiles
from tools.logs.logs import Logs
from tools.metrics.free import PromQL
from tools.metrics.metrics import Metrics
from tools.metrics.prometheus import Prometheus
from tools.metrics.recorder import RecorderStore
from tools.registry import Registry
from tools.report.figures import Sources
from tools.report.report import Report
from tools.slots import Kind, slots
from tools.tickets.close import TicketClose, TicketReopen
from tools.tickets.comment import TicketComment
from tools.tickets.memory import MemoryTickets
from tools.tickets.open import TicketOpen
from tools.tickets.port import Place
from tools.tickets.tickets import Tickets

ROOT = Path(__file__).parents[2] / "tools"
FOLDERS = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# Beside the meaning, for models that can reason: a planner leaves them alone.
WITHOUT_SLOT = (
    {("metrics", name) for name in ("step", "by", "chart")}
    | {
        ("promql", "step"),
        ("logs", "new_since"),
        ("logs", "around"),
        ("changes", "chart"),
        ("alerts", "alert"),
    }
    | {
        ("tickets", "words"),
        ("ticket_open", "text"),
        ("ticket_open", "labels"),
        ("ticket_comment", "take_back"),
    }
    | {("knowledge", name) for name in ("kind", "since", "until", "place", "person", "limit")}
)


class EmptyLibrary:
    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        return Searched(())


PLACES = {"payments": Place("OPS", ("incident", "payments"), ("urgent",)), "checkout": Place("WEB")}
FLAGS = {"new-checkout": ("nouvelle caisse",), "fast-search": ()}


def shipped() -> Registry:
    platform, nowhere = shop_platform(), Path("/nowhere")
    alerts = MemoryAlerts((), now)
    store = RecorderStore(nowhere / "metrics.db")
    tickets, flags = MemoryTickets(now), MemoryFlags({("new-checkout", "production"): "off"})
    return Registry(
        [
            Status(platform, WORDS, now),
            Logs(LogFiles(nowhere), WORDS, now),
            Metrics(store, WORDS, now),
            PromQL(Prometheus("http://127.0.0.1:9"), WORDS, now),
            Alerts(alerts, WORDS),
            SilenceAlert(alerts, WORDS, now),
            Unsilence(alerts, WORDS, now),
            Changes([PlatformChanges(platform)], WORDS, now),
            Report(Sources(store, LogFiles(nowhere), platform), WORDS, now),
            Knowledge(EmptyLibrary(), WORDS, now),
            Kubernetes(places_at("http://127.0.0.1:9"), WORDS, now),
            Deploy(platform, WORDS),
            Rollback(platform, WORDS, now),
            Restart(platform, WORDS, now),
            Scale(platform, WORDS),
            Tickets(tickets, WORDS, PLACES),
            TicketOpen(tickets, WORDS, PLACES),
            TicketComment(tickets, WORDS, PLACES),
            TicketClose(tickets, WORDS, PLACES),
            TicketReopen(tickets, WORDS, PLACES),
            ShowFlag(flags, WORDS, FLAGS),
            SetFlag(flags, WORDS, FLAGS),
        ]
    )


TOOLS = pytest.mark.parametrize("tool", list(shipped()), ids=lambda tool: tool.spec.name)


def test_the_shipped_tools_have_the_names_everybody_uses() -> None:
    names = {spec.name: spec.effect for spec in shipped().specs()}
    assert names == {
        **dict.fromkeys(
            (
                "status",
                "logs",
                "metrics",
                "promql",
                "alerts",
                "changes",
                "report",
                "knowledge",
                "kubernetes",
                "tickets",
                "flag",
            ),
            Effect.READ,
        ),
        **dict.fromkeys(
            ("deploy", "rollback", "restart", "scale", "silence", "unsilence", "flag_set"), Effect.WRITE
        ),
        **dict.fromkeys(("ticket_open", "ticket_comment", "ticket_close", "ticket_reopen"), Effect.WRITE),
    }


@TOOLS
def test_examples_are_enough_to_learn_from_in_both_languages(tool: Tool) -> None:
    languages = Counter(example.language for example in tool.spec.examples)
    assert languages["en"] >= 10
    assert languages["fr"] >= 6
    texts = [example.text for example in tool.spec.examples]
    assert len(set(texts)) == len(texts)


@TOOLS
def test_placeholders_in_examples_are_arguments(tool: Tool) -> None:
    for example in tool.spec.examples:
        for name in PLACEHOLDER.findall(example.text):
            assert name in tool.spec.arguments.model_fields or name == "service", example.text


@TOOLS
def test_every_argument_has_a_meaning_and_a_description(tool: Tool) -> None:
    known = slots(tool.spec.arguments)
    for name, field in tool.spec.arguments.model_fields.items():
        assert field.description, name
        assert name in known or (tool.spec.name, name) in WITHOUT_SLOT


@TOOLS
def test_aliases_lead_to_choices_that_validate(tool: Tool) -> None:
    for name, slot in slots(tool.spec.arguments).items():
        if slot.kind is Kind.CHOICE:
            assert set(slot.aliases.values()) <= set(slot.choices), name


@TOOLS
def test_nothing_unknown_passes(tool: Tool) -> None:
    assert tool.spec.arguments.model_json_schema()["additionalProperties"] is False
    with pytest.raises(BadArguments):
        tool.spec.validate({"no_such_argument": 1})


@TOOLS
def test_a_write_has_everything_an_action_needs(tool: Tool) -> None:
    assert (tool.spec.effect is Effect.WRITE) == isinstance(tool, WriteTool)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_tool_folder_says_what_it_needs_and_what_it_may_touch(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    for heading in ("## What it needs", "## What it may touch", "## Facts"):
        assert heading in text


def test_the_tools_import_nothing_of_the_other_rooms() -> None:
    for module in ROOT.rglob("*.py"):
        found = re.findall(
            r"^\s*(?:from|import) (agent|knowledge|prompts|demo|evals)\b", module.read_text(), re.MULTILINE
        )
        assert found == [], module
