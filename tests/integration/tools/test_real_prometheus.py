"""A real Prometheus: the same questions get the same answers as from the embedded recorder, and limits hold."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.prometheus import Server, prometheus_server
from tests.fakes.shop import MAYA, NOW, WORDS, now
from tests.fakes.shop_samples import FAULT, hour_of_payments
from tests.fakes.trouble import Noted, Written
from tools.changes.port import ChangeKind, Occurrence
from tools.contract import BadArguments, Json, Outcome, ToolFailed, Window
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.metrics.declared import declared
from tools.metrics.free import PromQL
from tools.metrics.metrics import Metrics
from tools.metrics.named import METRICS, Scope
from tools.metrics.port import MetricStore
from tools.metrics.prometheus import Prometheus
from tools.metrics.promql import Limits
from tools.metrics.recorder import RecorderStore, RecorderWriter

PAYMENTS = Scope("production", "payments")
FINEST = timedelta(seconds=20)


@pytest.fixture(scope="module")
def server(prometheus: None) -> Iterator[Server]:
    with prometheus_server(samples=hour_of_payments(NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> RecorderStore:
    path: Path = tmp_path_factory.mktemp("recorder") / "metrics.db"
    by_time = defaultdict(list)
    for name, labels, at, value in hour_of_payments(NOW):
        by_time[at].append((name, labels, value))
    writer = RecorderWriter(path)
    for at, samples in sorted(by_time.items()):
        writer.append(at, samples)
    writer.close()
    return RecorderStore(path, finest=FINEST)


@pytest.fixture
def store(server: Server) -> Prometheus:
    return Prometheus(server.url, finest=FINEST)


async def asked(store: MetricStore, **values: object) -> Outcome:
    tool = Metrics(store, WORDS, now)
    return await tool.run(tool.spec.validate(values), MAYA)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("minutes", [5, 25])
async def test_every_metric_has_the_value_that_the_recorder_computes(
    name: str, minutes: int, store: Prometheus, recorder: RecorderStore
) -> None:
    formula = METRICS[name].formula
    window = Window(NOW - timedelta(minutes=minutes), NOW)
    (real,) = await store.evaluate(formula, PAYMENTS, (window,))
    (own,) = await recorder.evaluate(formula, PAYMENTS, (window,))
    assert real is not None
    assert own == pytest.approx(real, rel=0.03)


@pytest.mark.parametrize(
    "metric", ["error_rate", "latency_p95", "saturation", "failed_payments", "memory", "cpu"]
)
async def test_both_tell_the_same_change_from_the_same_moment(
    metric: str, store: Prometheus, recorder: RecorderStore
) -> None:
    real, own = [
        (await asked(each, service="payments", metric=metric, since="28m")).findings[0].facts
        for each in (store, recorder)
    ]
    assert real["anomaly"] == own["anomaly"] == ("steady" if metric in {"memory", "cpu"} else "rose")
    assert real["since_change"] == own["since_change"]
    assert own["mean"] == pytest.approx(real["mean"], rel=0.03)


async def test_both_name_the_same_contributors(store: Prometheus, recorder: RecorderStore) -> None:
    for each in (store, recorder):
        outcome = await asked(each, service="payments", metric="request_rate", by="code", since="10m")
        finding = outcome.findings[-1]
        assert finding.kind == "contributors"
        parts = finding.facts["parts"]
        assert isinstance(parts, list)
        shares = {part["value"]: part["share"] for part in parts}
        assert shares == {"503": pytest.approx(0.4, abs=0.02), "200": pytest.approx(0.6, abs=0.02)}
        assert "code 503: " in finding.text


async def test_a_declared_metric_takes_its_parameters_and_reads_what_it_says(store: Prometheus) -> None:
    own = 'service="$service",environment="$environment",route="$route"'
    settings: list[dict[str, object]] = [
        {
            "name": "route_rate",
            "words": "requests of a route",
            "query": f"sum(rate(http_requests_total{{{own}}}[$window]))",
            "unit": "requests/s",
            "parameters": {"route": {"type": "string", "pattern": "^/[a-z/]*$", "default": "/pay"}},
        }
    ]
    tool = Metrics(store, WORDS, now, declared(settings))
    values = {}
    for route in ("/pay", "/healthz"):
        given = {"metric": "route_rate", "service": "payments", "route": route, "since": "10m"}
        values[route] = (await tool.run(tool.spec.validate(given), MAYA)).findings[0].facts["mean"]
    everybody = await tool.run(tool.spec.validate({"metric": "route_rate", "since": "10m"}), MAYA)
    assert values == {"/pay": pytest.approx(20.0, rel=0.03), "/healthz": pytest.approx(2.0, rel=0.03)}
    assert everybody.findings[0].facts["mean"] == pytest.approx(20.0, rel=0.03)


def series_of(outcome: Outcome) -> list[dict[str, Json]]:
    rows = outcome.findings[0].facts["series"]
    assert isinstance(rows, list)
    return rows


async def test_a_free_query_is_counted_asked_and_told_with_its_change(store: Prometheus) -> None:
    tool = PromQL(store, WORDS, now)
    query = "sum by (code) (rate(http_requests_total[1m]))"
    outcome = await tool.run(tool.spec.validate({"query": query, "since": "30m"}), MAYA)
    finding = outcome.findings[0]
    assert finding.facts["read"] == 6
    labels = {row["labels"]["code"]: row for row in series_of(outcome)}  # type: ignore[index,call-overload]  # facts are JSON
    assert labels["503"]["now"] == pytest.approx(8.0, rel=0.05)
    assert labels["503"]["anomaly"] == "rose"
    assert labels["503"]["changed_at"] == pytest.approx((NOW - FAULT).timestamp(), abs=90)
    assert finding.link is not None
    assert "/graph?" in finding.link


async def test_a_query_that_would_read_too_much_is_refused_before_it_is_asked(store: Prometheus) -> None:
    tool = PromQL(store, WORDS, now, Limits(series=5))
    with pytest.raises(BadArguments, match=r"6 series .* the limits are 5 "):
        await tool.run(tool.spec.validate({"query": "rate(http_requests_total[5m])"}), MAYA)
    tool = PromQL(store, WORDS, now, Limits(samples=1_000))
    with pytest.raises(BadArguments, match="about 7,200 samples"):
        await tool.run(tool.spec.validate({"query": "rate(http_requests_total[5m])"}), MAYA)


async def test_what_nobody_measures_is_said_so(store: Prometheus) -> None:
    tool = PromQL(store, WORDS, now)
    outcome = await tool.run(tool.spec.validate({"query": "no_such_metric"}), MAYA)
    assert not outcome.ok
    assert "no series fits" in outcome.summary


async def test_what_the_parser_takes_and_the_server_refuses_is_told(store: Prometheus) -> None:
    tool = PromQL(store, WORDS, now)
    with pytest.raises(ToolFailed, match="refused"):
        await tool.run(
            tool.spec.validate(
                {"query": "up + on(instance) group_left http_requests_total * on(instance) group_right up"}
            ),
            MAYA,
        )


async def test_both_lead_an_investigation_to_the_same_cause(
    store: Prometheus, recorder: RecorderStore
) -> None:
    broke = NOW - FAULT
    deployed = Occurrence(
        broke - timedelta(seconds=20), ChangeKind.DEPLOYMENT, "deploy payments 2.3.9 -> 2.4.0", "raj", "noted",
        "payments", "production",
    )  # fmt: skip
    told = []
    for each in (store, recorder):
        backends = Backends(metrics=each, logs=Written(), changes=(Noted([deployed]),))
        tool = Investigate(backends, WORDS, now)
        outcome = await tool.run(tool.spec.validate({"service": "payments"}), MAYA)
        facts: Any = outcome.findings[0].facts
        onset = datetime.fromisoformat(facts["onset"])
        assert abs(onset - broke) <= timedelta(seconds=facts["within_seconds"] + 20)
        assert not any("metrics of payments" in one for one in facts["not_checked"])
        told.append((facts["troubles"], [(one["kind"], one["subject"]) for one in facts["hypotheses"]][:1]))
    assert told == [(["payments"], [("release", "payments 2.4.0")])] * 2
