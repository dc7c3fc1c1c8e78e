"""Whether a service is well: what runs is looked at, and its error rate and its alerts with it."""

from datetime import UTC

import pytest

from agent.conversation.evidence import Evidence
from agent.models.embedded.facts import sort
from agent.models.embedded.understanding import Understanding
from agent.models.embedded.writing import Writer
from tests.contract.test_tools import shipped
from tests.fakes.shop import NOW
from tools.contract import Finding, Json

SPECS = tuple(spec for spec in shipped().specs() if spec.name != "kubernetes")
WHOLE = ["status", "metrics", "alerts"]


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(SPECS, embedder=None, zone=UTC)


async def called(
    planner: Understanding, text: str, *earlier: str, without: str = ""
) -> list[tuple[str, dict[str, Json]]]:
    allowed = [spec.name for spec in SPECS if spec.name != without]
    reading = await planner.read(text, now=NOW, earlier=earlier, allowed=allowed)
    return [(call.tool, dict(call.arguments)) for call in reading] if isinstance(reading, tuple) else []


@pytest.mark.parametrize(
    "text",
    [
        "is checkout ok?",
        "is checkout healthy?",
        "is the checkout service fine?",
        "how is checkout doing?",
        "checkout ok?",
        "is checkout still healthy?",
        "est-ce que checkout va bien ?",
        "comment va checkout ?",
    ],
)
async def test_errors_and_alerts_are_looked_at_too(planner: Understanding, text: str) -> None:
    calls = await called(planner, text)
    assert [tool for tool, _ in calls] == WHOLE
    assert {arguments["service"] for _, arguments in calls} == {"checkout"}
    assert calls[1][1]["metric"] == "error_rate"


async def test_a_place_that_is_named_is_asked_of_all_of_them(planner: Understanding) -> None:
    for earlier, text in (
        ((), "is checkout healthy in staging?"),
        (("is checkout healthy?",), "and in staging?"),
    ):
        calls = await called(planner, text, *earlier)
        assert [tool for tool, _ in calls] == WHOLE
        assert {arguments["environment"] for _, arguments in calls} == {"staging"}


@pytest.mark.parametrize("tool", ["metrics", "alerts"])
async def test_what_somebody_may_not_use_is_left_out(planner: Understanding, tool: str) -> None:
    calls = await called(planner, "is checkout ok?", without=tool)
    assert [name for name, _ in calls] == [name for name in WHOLE if name != tool]


@pytest.mark.parametrize(
    "text",
    [
        "is checkout running in production?",
        "was checkout healthy yesterday?",
        "is checkout ok to deploy?",
        "is checkout good at refunds?",
        "which version of checkout is live?",
    ],
)
async def test_other_questions_are_none_of_that_kind(planner: Understanding, text: str) -> None:
    assert "alerts" not in [tool for tool, _ in await called(planner, text)]


def evidence(number: int, kind: str, title: str, text: str, facts: dict[str, Json]) -> Evidence:
    return Evidence(number, Finding(kind, title, "shop", "q", text, facts), kind, "c")


def running() -> Evidence:
    row: dict[str, Json] = {
        "service": "checkout", "environment": "production", "version": "1.8.2", "replicas": 2,
        "healthy_replicas": 2, "since": "2026-11-23T05:00:00+00:00",
    }  # fmt: skip
    return evidence(1, "status", "What runs", "", {"running": [row]})


def errors(anomaly: str) -> Evidence:
    facts: dict[str, Json] = {
        "metric": "error_rate", "service": "checkout", "environment": "production", "unit": "%", "now": 12.0,
        "mean": 11.0, "before_mean": 0.2, "change": 50.0 if anomaly else 0.0, "anomaly": anomaly or None, "points": [],
    }  # fmt: skip
    return evidence(2, "series", "error rate", "", facts)


def alerts(*names: str) -> Evidence:
    text = "\n".join(names) or "nothing fires; that no alert fires does not say that all is well"
    return evidence(
        3, "alerts", "Alerts for checkout", text, {"alerts": [{"name": name} for name in names], "total": 1}
    )


def test_what_went_wrong_is_told_before_the_instances_that_are_healthy() -> None:
    told = Writer("en", NOW, UTC).everything(
        sort((running(), errors("rose"), alerts("HighErrors"))), "is checkout ok?"
    )
    assert [piece.rsplit("[", 1)[1][0] for piece in told] == ["2", "3", "1"]


def test_where_nothing_is_wrong_what_runs_comes_first() -> None:
    told = Writer("en", NOW, UTC).everything(sort((running(), errors(""), alerts())), "is checkout ok?")
    assert [piece.rsplit("[", 1)[1][0] for piece in told] == ["1", "2", "3"]
