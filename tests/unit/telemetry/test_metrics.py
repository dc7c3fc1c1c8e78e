"""Metrics are counted from facts, and what is open is read from the store."""

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from agent.audit.event import Fact, FactKind
from agent.conversation.thread import Said, ThreadId
from agent.store.memory import MemoryStore
from agent.store.scribe import Scribe
from agent.telemetry.metrics import Metrics
from tests.fakes.office import Office
from tools.contract import Json

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus would read it."""
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def fact(kind: FactKind, **data: Json) -> Fact:
    return Fact(kind, "maya", "A-1", NOW, data)


def test_a_turn_is_counted_with_its_time_its_calls_and_its_tokens() -> None:
    metrics = Metrics()
    calls: list[Json] = [{"tool": "logs", "result": "found"}, {"tool": "deploy", "result": "refused"}]
    receipt: Json = {"input_tokens": 900, "output_tokens": 40}
    metrics.seen(fact(FactKind.ANSWERED, model="gpt", timings={"seconds": 0.3}, calls=calls, receipt=receipt))
    metrics.seen(fact(FactKind.ANSWERED, model=None, timings={"seconds": None}, calls=[], receipt=None))
    found = samples(metrics)
    assert found["sayso_turns_total ended=answered"] == 1
    assert found["sayso_turns_total ended=closed"] == 1
    assert found["sayso_turn_seconds_bucket le=0.5"] == 1
    assert found["sayso_turn_seconds_bucket le=0.25"] == 0
    assert found["sayso_tool_calls_total result=found tool=logs"] == 1
    assert found["sayso_tool_calls_total result=refused tool=deploy"] == 1
    assert found["sayso_model_tokens_total kind=input model=gpt"] == 900
    assert found["sayso_model_tokens_total kind=output model=gpt"] == 40


def test_what_happens_to_actions_is_counted_by_tool() -> None:
    metrics = Metrics()
    for kind in (FactKind.PROPOSED, FactKind.CLAIMED, FactKind.SUCCEEDED, FactKind.SUCCEEDED):
        metrics.seen(fact(kind, tool="deploy"))
    found = samples(metrics)
    assert found["sayso_actions_total event=succeeded tool=deploy"] == 2
    assert found["sayso_actions_total event=proposed tool=deploy"] == 1


def test_decisions_and_refusals_are_counted_apart() -> None:
    metrics = Metrics()
    metrics.seen(fact(FactKind.DECIDED, verdict="approve"))
    metrics.seen(fact(FactKind.DECISION_REFUSED, reason="own_request"))
    found = samples(metrics)
    assert found["sayso_decisions_total verdict=approve"] == 1
    assert found["sayso_refused_total reason=own_request what=decision"] == 1


async def test_the_trail_feeds_it_and_the_store_tells_what_is_open() -> None:
    metrics = Metrics()
    store = MemoryStore(Scribe(seen=metrics.seen))
    office = Office(store=store)
    await office.proposed(thread="slack:C1:1")
    await store.hear(Said("e1", ThreadId("slack:C1:1"), "maya", "hello", NOW))
    await store.beat("here/1@1", "worker")
    await metrics.look(store, NOW + timedelta(seconds=90))
    found = samples(metrics)
    assert found["sayso_actions_total event=proposed tool=valve"] == 1
    assert found["sayso_actions_open state=awaiting_approval"] == 1
    assert found["sayso_turns_waiting"] == 1
    assert found["sayso_turns_waiting_oldest_seconds"] == 90
    assert found["sayso_untold"] == 1
    assert found["sayso_workers role=worker"] == 1
    await store.leave("here/1@1")
    await metrics.look(store, NOW)
    assert "sayso_workers role=worker" not in samples(metrics)
