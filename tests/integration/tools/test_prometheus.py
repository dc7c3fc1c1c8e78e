"""The Prometheus store against a stand-in that speaks its HTTP API."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.fakes.shop import MAYA, NOW, WORDS, now, shop_platform
from tools.changes.changes import Changes
from tools.changes.platform import PlatformChanges
from tools.contract import ToolFailed, ToolUnavailable, Window
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.metrics.free import PromQL
from tools.metrics.metrics import Metrics
from tools.metrics.named import METRICS, REQUESTS, Scope
from tools.metrics.prometheus import Prometheus
from tools.metrics.server import MOST_OCTETS
from tools.report.figures import Sources
from tools.report.report import Report

PAYMENTS = Scope("production", "payments")
RATE = METRICS["request_rate"].formula
MINUTE = timedelta(minutes=1)


def minutes(count: int) -> list[Window]:
    return [Window(NOW + MINUTE * number, NOW + MINUTE * (number + 1)) for number in range(count)]


@dataclass
class PrometheusStandIn:
    """Answers queries with the value of a function of time, in the API's own shape."""

    value: Callable[[float], str | None]
    status: int = 200
    body: str | None = None
    warnings: tuple[str, ...] = ()
    partial: bool = False
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Prometheus]:
        app = web.Application()
        app.router.add_get("/api/v1/query", self._instant)
        app.router.add_get("/api/v1/query_range", self._range)
        app.router.add_get("/api/v1/label/origin/values", self._origins)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield Prometheus(f"http://127.0.0.1:{runner.addresses[0][1]}/", seconds=5.0)
        finally:
            await runner.cleanup()

    def _answer(self, request: web.Request, data: object) -> web.Response:
        self.asked.append((request.path, dict(request.query)))
        self.headers.append(dict(request.headers))
        if self.body is not None:
            return web.Response(text=self.body, status=self.status, content_type="application/json")
        said: dict[str, object] = {"status": "success", "data": data, "warnings": list(self.warnings)}
        return web.json_response(said | ({"isPartial": True} if self.partial else {}), status=self.status)

    async def _instant(self, request: web.Request) -> web.Response:
        at = float(request.query["time"])
        value = self.value(at)
        result = [] if value is None else [{"metric": {}, "value": [at, value]}]
        return self._answer(request, {"resultType": "vector", "result": result})

    async def _range(self, request: web.Request) -> web.Response:
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        instants = [start + step * number for number in range(round((end - start) / step) + 1)]
        values = [[at, value] for at in instants if (value := self.value(at)) is not None]
        result = [{"metric": {}, "values": values}] if values else []
        return self._answer(request, {"resultType": "matrix", "result": result})

    async def _origins(self, request: web.Request) -> web.Response:
        return self._answer(request, ["rehearsal"])


async def test_even_windows_are_one_question() -> None:
    stand_in = PrometheusStandIn(lambda at: str(at - NOW.timestamp()))
    async with stand_in.open() as store:
        assert await store.evaluate(RATE, PAYMENTS, minutes(3)) == (60.0, 120.0, 180.0)
    ((path, asked),) = stand_in.asked
    assert path == "/api/v1/query_range"
    assert asked["step"] == "60.0"
    assert asked["query"] == (
        'sum(rate(http_requests_total{route!~"/healthz|/metrics",environment="production",service="payments"}[1m]))'
    )


async def test_days_of_different_lengths_are_a_question_each() -> None:
    stand_in = PrometheusStandIn(lambda at: "7")
    days = [
        Window(NOW, NOW + timedelta(hours=24)),
        Window(NOW + timedelta(hours=24), NOW + timedelta(hours=49)),
    ]
    async with stand_in.open() as store:
        assert await store.evaluate(REQUESTS, PAYMENTS, days) == (7.0, 7.0)
    queries = [asked["query"] for _, asked in stand_in.asked]
    assert ["[1d]" in queries[0], "[49h]" in queries[1] or "[25h]" in queries[1]] == [True, True]


async def test_points_and_whole_windows_come_back_in_the_order_asked() -> None:
    whole = Window(NOW, NOW + MINUTE * 3)
    stand_in = PrometheusStandIn(lambda at: str(at - NOW.timestamp()))
    async with stand_in.open() as store:
        found = await store.evaluate(RATE, PAYMENTS, [*minutes(3), whole.before(), whole])
    assert found == (60.0, 120.0, 180.0, 0.0, 180.0)
    assert len(stand_in.asked) == 2


async def test_gaps_and_no_numbers_are_unknown() -> None:
    second = NOW.timestamp() + 120
    values = {second - 60: "NaN", second: None, second + 60: "0"}
    async with PrometheusStandIn(lambda at: values[at]).open() as store:
        assert await store.evaluate(RATE, PAYMENTS, minutes(3)) == (None, None, 0.0)
    async with PrometheusStandIn(lambda _: None).open() as store:
        assert await store.evaluate(RATE, PAYMENTS, minutes(1)) == (None,)


async def test_origins_are_asked_of_the_series_the_formula_rests_on() -> None:
    stand_in = PrometheusStandIn(lambda _: "1")
    async with stand_in.open() as store:
        assert await store.origins(RATE, PAYMENTS, minutes(1)[0]) == {"rehearsal"}
    assert stand_in.asked[0][1]["match[]"].startswith("http_requests_total{")


async def test_a_query_it_cannot_run_is_a_failure_in_its_own_words() -> None:
    body = '{"status":"error","errorType":"bad_data","error":"parse error at char 3"}'
    async with PrometheusStandIn(lambda _: None, 400, body).open() as store:
        with pytest.raises(ToolFailed, match="parse error at char 3"):
            await store.evaluate(RATE, PAYMENTS, minutes(1))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, "busy", ToolUnavailable),
        (200, "<html>", ToolFailed),
        (200, '{"status":"success","data":["x"]}', ToolFailed),
    ],
)
async def test_what_is_no_answer_is_never_a_number(status: int, body: str, error: type[Exception]) -> None:
    async with PrometheusStandIn(lambda _: None, status, body).open() as store:
        with pytest.raises(error):
            await store.evaluate(RATE, PAYMENTS, minutes(1))


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with PrometheusStandIn(lambda _: "1").open() as store:
        pass
    with pytest.raises(ToolUnavailable, match="does not answer"):
        await store.evaluate(RATE, PAYMENTS, minutes(1))


def test_a_link_opens_the_same_query() -> None:
    link = Prometheus("http://prometheus:9090/").link("sum(x)", minutes(1)[0])
    assert link == (
        "http://prometheus:9090/graph?g0.expr=sum%28x%29&g0.tab=0&g0.range_input=60s"
        "&g0.end_input=2026-11-23+06%3A01%3A00"
    )


async def test_whole_answers_are_asked_for_in_the_words_of_each_server() -> None:
    stand_in = PrometheusStandIn(lambda _: "1")
    async with stand_in.open() as store:
        await store.evaluate(RATE, PAYMENTS, minutes(1))
    asked = stand_in.asked[0][1]
    assert (asked["partial_response"], asked["deny_partial_response"]) == ("false", "1")


@pytest.mark.parametrize(
    ("told", "remark"),
    [({"warnings": ("store-2 is away",)}, "store-2 is away"), ({"partial": True}, "answered in part only")],
)
async def test_an_answer_in_part_says_so_wherever_it_is_told(told: dict[str, Any], remark: str) -> None:
    stand_in = PrometheusStandIn(lambda _: "1", **told)
    async with stand_in.open() as store:
        for tool in (
            Metrics(store, WORDS, now),
            PromQL(store, WORDS, now),
            Report(Sources(store), WORDS, now, draw=lambda _: b""),
        ):
            given = {
                "metrics": {"metric": "error_rate"},
                "promql": {"query": "up"},
                "report": {"measure": "requests"},
            }
            outcome = await tool.run(tool.spec.validate(given[tool.spec.name]), MAYA)
            assert remark in outcome.summary, tool.spec.name
            assert all(remark in (finding.cut or "") for finding in outcome.findings), tool.spec.name
        changes = Changes([PlatformChanges(shop_platform())], WORDS, now, store)
        outcome = await changes.run(changes.spec.validate({"service": "payments"}), MAYA)
        assert f"not checked: {store.name}: " in outcome.summary
        investigate = Investigate(Backends(metrics=store), WORDS, now)
        outcome = await investigate.run(investigate.spec.validate({"service": "payments"}), MAYA)
        unchecked = outcome.findings[0].facts["not_checked"]
        assert isinstance(unchecked, list)
        assert any(remark in str(each) for each in unchecked)


async def test_what_is_remarked_in_one_question_is_not_told_of_another() -> None:
    async with PrometheusStandIn(lambda _: "1", partial=True).open() as store:
        tool = Metrics(store, WORDS, now)
        await tool.run(tool.spec.validate({"metric": "error_rate"}), MAYA)
    async with PrometheusStandIn(lambda _: "1").open() as store:
        tool = Metrics(store, WORDS, now)
        outcome = await tool.run(tool.spec.validate({"metric": "error_rate"}), MAYA)
    assert "in part" not in outcome.summary


async def test_who_asks_is_told_in_headers_and_never_in_an_error() -> None:
    stand_in = PrometheusStandIn(lambda _: "1", 400, '{"status":"error","error":"no"}')
    async with stand_in.open() as store:
        asking = Prometheus(
            store._server.url, headers={"Authorization": "Bearer mellon", "X-Scope-OrgID": "shop"}
        )
        with pytest.raises(ToolFailed) as caught:
            await asking.evaluate(RATE, PAYMENTS, minutes(1))
    assert stand_in.headers[0]["Authorization"] == "Bearer mellon"
    assert stand_in.headers[0]["X-Scope-OrgID"] == "shop"
    assert "mellon" not in str(caught.value)


async def test_a_server_that_points_elsewhere_is_not_followed() -> None:
    async with PrometheusStandIn(lambda _: "1", 302, "moved").open() as store:
        with pytest.raises(ToolFailed, match="status 302"):
            await store.evaluate(RATE, PAYMENTS, minutes(1))


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async with PrometheusStandIn(lambda _: "1", 200, " " * (MOST_OCTETS + 2)).open() as store:
        with pytest.raises(ToolFailed, match="more than 32 MB"):
            await store.evaluate(RATE, PAYMENTS, minutes(1))
