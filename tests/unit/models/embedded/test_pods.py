"""Questions about pods go to the cluster and are answered in either language; those about services go elsewhere."""

import asyncio
from datetime import UTC, datetime

import pytest

from agent.conversation.evidence import Evidence
from agent.models.embedded.clusters import told
from agent.models.embedded.reading import Call, Reading
from agent.models.embedded.understanding import Understanding
from tests.contract.test_tools import shipped
from tools.contract import Effect, Finding, Json

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
        ("comment va payments ?", {"status", "metrics", "alerts"}),
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


def written(locale: str, kind: str, facts: dict[str, Json], text: str = "") -> str | None:
    finding = Finding(kind, "title", "the cluster", "GET /", text, facts)
    return told(Evidence(3, finding, "kubernetes", "c"), locale, lambda at: f"{at:%H:%M}")


CRASHING: dict[str, Json] = {
    "pod": "payments-7", "ready": False, "restarts": 7, "reason": "CrashLoopBackOff", "message": "back-off 5m",
    "last_reason": "OOMKilled", "last_exit_code": 137, "last_at": "2026-11-23T05:57:00Z",
}  # fmt: skip
WELL: dict[str, Json] = {"pod": "payments-8", "ready": True, "restarts": 1}
STARTING: dict[str, Json] = {"pod": "payments-9", "ready": False, "restarts": 0}


def test_pods_are_told_in_english() -> None:
    assert written("en", "pods", {"pods": [CRASHING, WELL, STARTING]}) == (
        "1 of 3 pods is ready [3]:\n"
        "- payments-7: CrashLoopBackOff (back-off 5m), restarted 7 times; it ended last with OOMKilled (exit code 137) "
        "at 05:57\n"
        "- payments-8: ready, restarted once\n"
        "- payments-9: not ready yet"
    )
    assert written("en", "pods", {"pods": []}) == "There is no pod [3]."


def test_pods_are_told_in_french() -> None:
    said = written("fr", "pods", {"pods": [CRASHING]}) or ""
    assert said.startswith("0 pod sur 1 est prêt [3] :")
    assert (
        "CrashLoopBackOff (back-off 5m), redémarré 7 fois ; sa dernière fin : OOMKilled (code 137) à 05:57"
        in said
    )


def test_workloads_are_told_with_what_was_not_checked() -> None:
    row: dict[str, Json] = {
        "kind": "Deployment", "name": "payments", "versions": "payments 2.4.0", "phase": "stuck",
        "well": 1, "wanted": 3,
    }  # fmt: skip
    facts: dict[str, Json] = {
        "workloads": [row],
        "not_checked": ["not checked: resource use: no metrics server"],
    }
    assert written("fr", "workloads", facts) == (
        "1 charge sur 1 n'est pas déployée comme voulu [3] :\n"
        "- Deployment payments (payments 2.4.0) : bloqué, le délai est dépassé, en service et comme "
        "voulu : 1 sur 3.\nNon vérifié : resource use: no metrics server"
    )
    assert (written("en", "workloads", {"workloads": [{**row, "phase": "complete"}]}) or "").startswith(
        "Rolled out"
    )


def test_the_clusters_own_words_are_quoted_and_findings_of_others_left_alone() -> None:
    said = written("fr", "pod_events", {}, "05:00 Warning BackOff x\n04:59 Normal Pulled x")
    assert said == (
        "Ce que le cluster a noté, le plus récent d'abord [3] :\n- 05:00 Warning BackOff x\n- 04:59 Normal Pulled x"
    )
    assert written("en", "alerts", {}, "x") is None
