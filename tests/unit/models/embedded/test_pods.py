"""Questions about pods go to the cluster, in either language; questions about services go where they always went."""

import asyncio
from datetime import UTC, datetime

import pytest

from agent.models.embedded.reading import Call, Reading
from agent.models.embedded.understanding import Understanding
from tests.contract.test_tools import shipped
from tools.contract import Effect

NOW = datetime(2026, 11, 23, 15, 42, tzinfo=UTC)


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(shipped().specs(), embedder=None, zone=UTC)


def read(planner: Understanding, text: str) -> Reading:
    return asyncio.run(planner.read(text, now=NOW))


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("what's wrong with the checkout pods?", {"service": "checkout"}),
        ("pourquoi le pod payments redémarre ?", {"service": "payments"}),
        (
            "why do the payments pods keep crashing in staging?",
            {"service": "payments", "environment": "staging"},
        ),
        ("les pods de checkout sont en CrashLoopBackOff, pourquoi ?", {"service": "checkout"}),
        ("which pods are failing in production?", {"environment": "production"}),
        ("were any payments containers OOMKilled?", {"service": "payments"}),
        ("quels pods ne sont pas prêts en staging ?", {"environment": "staging"}),
        ("kubernetes events of checkout over the past 2 hours", {"service": "checkout"}),
        ("is the rollout of payments stuck in production?", {"service": "payments"}),
    ],
)
def test_a_question_about_pods_is_asked_of_the_cluster(
    planner: Understanding, text: str, arguments: dict[str, str]
) -> None:
    reading = read(planner, text)
    assert isinstance(reading, tuple), reading
    (call,) = reading
    assert isinstance(call, Call)
    assert call.tool == "kubernetes"
    assert arguments.items() <= call.arguments.items()


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ("why is payments failing?", {"status", "metrics", "logs", "knowledge"}),
        ("what is running in production?", {"status"}),
        ("show me the errors in the checkout logs", {"logs"}),
        ("comment va payments ?", {"status"}),
    ],
)
def test_a_question_about_a_service_is_not(planner: Understanding, text: str, tools: set[str]) -> None:
    reading = read(planner, text)
    assert isinstance(reading, tuple), reading
    assert {call.tool for call in reading} <= tools


@pytest.mark.parametrize(
    "text", ["restart the payments pods", "redémarre les pods de payments", "scale checkout to 3 pods"]
)
def test_an_order_about_pods_is_still_an_order(planner: Understanding, text: str) -> None:
    reading = read(planner, text)
    assert isinstance(reading, tuple), reading
    (call,) = reading
    assert shipped().get(call.tool).spec.effect is Effect.WRITE
