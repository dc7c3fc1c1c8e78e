"""The tool `metrics`: figures, comparison, change, and what was not measured."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import BadArguments, Outcome, ToolUnavailable, Window
from tools.metrics.metrics import OVERVIEW, Metrics
from tools.metrics.named import METRICS, Formula, Scope, promql
from tools.metrics.reading import POINTS
from tools.metrics.vitals import ErrorRates

DEPLOYED = NOW - timedelta(minutes=10)


class Curve:
    """A store that knows a value for each instant."""

    name = "curve"

    def __init__(self, at: Callable[[datetime], float | None], origins: frozenset[str] = frozenset()) -> None:
        self._at, self._origins = at, origins
        self.asked: list[Sequence[Window]] = []
        self.finest = timedelta(seconds=5)

    async def evaluate(
        self, formula: Formula, scope: Scope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        self.asked.append(windows)
        return tuple(self._at(window.end) for window in windows)

    async def origins(self, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return self._origins

    async def values(self, label: str, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return frozenset()

    def link(self, query: str, window: Window) -> str | None:
        return f"http://prometheus/graph?{len(query)}"


def broken_since_the_deployment(at: datetime) -> float:
    return 0.25 if at > DEPLOYED else 0.01


async def asked(store: Curve, **values: object) -> Outcome:
    tool = Metrics(store, WORDS, now)
    return await tool.run(tool.spec.validate(values), MAYA)


async def test_a_metric_is_compared_with_the_time_before() -> None:
    outcome = await asked(
        Curve(broken_since_the_deployment), service="payments", metric="error_rate", since="1h"
    )
    facts = outcome.findings[0].facts
    assert (facts["metric"], facts["unit"], facts["now"], facts["max"]) == ("error_rate", "%", 25.0, 25.0)
    assert facts["before_mean"] == 1.0
    assert facts["change"] == 24.0
    assert "25.0 times as much now" in outcome.findings[0].text


async def test_a_change_of_level_is_told_with_its_time_and_rule() -> None:
    outcome = await asked(
        Curve(broken_since_the_deployment), service="payments", metric="error_rate", since="1h"
    )
    finding = outcome.findings[0]
    assert finding.facts["anomaly"] == "rose"
    assert finding.facts["since_change"] == "2026-11-23T05:51:00Z"
    assert "rose: 25.0 % since 2026-11-23 06:51:00, 1.00 % before (rule:" in finding.text
    assert "(rose)" in outcome.summary


async def test_without_a_metric_the_most_telling_ones_are_read() -> None:
    outcome = await asked(Curve(lambda _: 0.5), service="payments")
    assert [finding.facts["metric"] for finding in outcome.findings] == list(OVERVIEW)


async def test_points_are_about_as_many_as_a_chart_shows() -> None:
    outcome = await asked(Curve(lambda _: 0.5), service="payments", metric="cpu", since="6h")
    points = outcome.findings[0].facts["points"]
    assert isinstance(points, list)
    assert len(points) == POINTS
    assert points[-1] == [NOW.timestamp(), 0.5]


async def test_what_has_just_begun_is_seen() -> None:
    begun = NOW - timedelta(seconds=20)
    store = Curve(lambda at: 0.5 if at > begun else 0.0)
    outcome = await asked(store, service="payments", metric="error_rate", since="30m")
    facts = outcome.findings[0].facts
    assert (facts["anomaly"], facts["since_change"]) == ("rose", "2026-11-23T05:59:45Z")


async def test_what_was_not_measured_is_not_zero() -> None:
    outcome = await asked(Curve(lambda _: None), service="catalog", metric="failed_payments")
    assert not outcome.ok
    assert "not measured, which is not zero" in outcome.summary
    assert outcome.findings[0].facts["now"] is None


async def test_made_up_data_are_named() -> None:
    outcome = await asked(Curve(lambda _: 1.0, frozenset({"rehearsal"})), metric="payments")
    assert "includes rehearsal data (origin=rehearsal)" in outcome.findings[0].text


@pytest.mark.parametrize("step", ["2h", "1s"])
async def test_a_step_that_makes_no_point_or_too_many_is_refused(step: str) -> None:
    with pytest.raises(BadArguments) as caught:
        await asked(Curve(lambda _: 1.0), metric="cpu", since="1h", step=step)
    assert caught.value.field == "step"


async def test_the_query_and_a_page_to_see_it_are_named() -> None:
    finding = (await asked(Curve(lambda _: 1.0), service="payments", metric="error_rate")).findings[0]
    assert 'code=~"5..",environment="production",service="payments"' in finding.query
    assert finding.query.endswith("step 30s")
    assert finding.link is not None


async def test_vitals_are_the_error_rate_of_the_last_minute() -> None:
    store = Curve(broken_since_the_deployment)
    assert await ErrorRates(store, now).error_rate("payments", "production") == 0.25
    assert store.asked == [(Window(NOW - timedelta(minutes=1), NOW),)]


async def test_vitals_do_not_wait_for_ever() -> None:
    class Asleep(Curve):
        async def evaluate(
            self, formula: Formula, scope: Scope, windows: Sequence[Window]
        ) -> tuple[float | None, ...]:
            raise TimeoutError

    with pytest.raises(ToolUnavailable, match="curve did not answer"):
        await ErrorRates(Asleep(lambda _: None), now).error_rate("payments", "production")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_its_promql(name: str) -> None:
    query = promql(METRICS[name].formula, Scope('pro"duction', "payments"), timedelta(minutes=5))
    assert "[5m]" in query
    assert r'environment="pro\"duction"' in query
