"""The tool `metrics`: how a named metric goes, against the time before, and whether its level changed."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import Arguments, Asker, BadArguments, Clock, Effect, Finding, Json, Outcome, Spec, Window
from tools.metrics.change import RULE, Trend
from tools.metrics.named import METRICS, Scope, promql
from tools.metrics.phrases import METRICS as EXAMPLES
from tools.metrics.phrases import aliases
from tools.metrics.port import MetricStore
from tools.metrics.reading import Reading, read
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Length, Since, Until, clock_time, iso, length, spoken, window, written
from tools.vocabulary import Vocabulary

OVERVIEW = ("request_rate", "error_rate", "latency_p95", "saturation", "failed_payments")
MOST_POINTS = 500

MetricName = Literal[
    "request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99", "saturation", "cpu", "memory",
    "payments", "failed_payments",
]  # fmt: skip


class MetricsArguments(Arguments):
    """Which metric of which service, and when."""

    metric: Annotated[
        MetricName | None,
        Slot(Kind.CHOICE, role="metric", choices=tuple(METRICS), aliases=aliases()),
    ] = Field(default=None, description="One metric; the most telling ones when left out")
    service: str | None = Field(default=None, description="One service; all together when left out")
    environment: str = Field(default="", description="Where it runs")
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="30m", description="How far back: 30m, 2h, 7d, or an ISO 8601 instant"
    )
    until: Annotated[Until | None, Slot(Kind.UNTIL, role="until")] = Field(
        default=None, description="An ISO 8601 instant; now when left out"
    )
    step: Length | None = Field(default=None, description="Time between two points, such as 1m")


class Metrics:
    """Reads named metrics from a store, compares them with the time before, and says where their level changed."""

    def __init__(self, store: MetricStore, vocabulary: Vocabulary, clock: Clock) -> None:
        self._store, self._clock, self._zone = store, clock, vocabulary.zone
        self.spec = Spec(
            name="metrics",
            description=(
                "Reads named metrics of services (request rate, error rate, latency percentiles, saturation, CPU, "
                "memory, payments), compares them with the window before and tells since when their level changed."
            ),
            arguments=vocabulary.narrow(MetricsArguments),
            effect=Effect.READ,
            examples=EXAMPLES,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - metrics have one audience: `access`
        asked = MetricsArguments.of(arguments)
        span = window(asked.since, asked.until, self._clock(), self._zone)
        step = _step(asked.step, span)
        scope = Scope(asked.environment, asked.service)
        names = OVERVIEW if asked.metric is None else (asked.metric,)
        async with patience(self.spec.timeout - 2, self._store.name):
            readings = await asyncio.gather(
                *(read(self._store, METRICS[name], scope, span, step) for name in names)
            )
        told = [each for each in readings if each.points or asked.metric is not None]
        place = f"{asked.service or 'all services'} in {asked.environment}"
        if not any(each.points for each in told):
            what = METRICS[asked.metric].words if asked.metric else "metrics"
            summary = f"no samples of the {what} of {place} in this time: not measured, which is not zero"
            return Outcome(ok=False, summary=summary, findings=tuple(self._finding(each) for each in told))
        return Outcome(
            ok=True,
            summary=f"{place}: " + "; ".join(_headline(each) for each in told),
            findings=tuple(self._finding(each) for each in told),
        )

    def _finding(self, reading: Reading) -> Finding:
        metric, scope = reading.metric, reading.scope
        query = promql(metric.formula, scope, reading.step)
        level, changed = reading.level, reading.since_change
        points: list[Json] = [[at.timestamp(), round(value, 4)] for at, value in reading.points]
        return Finding(
            kind="series",
            title=f"{metric.words} of {scope.service or 'all services'} in {scope.environment}",
            source=self._store.name,
            query=f"{query}, {spoken(reading.window, self._zone)}, step {written(reading.step)}",
            text=_text(reading, self._zone),
            facts={
                "metric": metric.name,
                "service": scope.service,
                "environment": scope.environment,
                "unit": metric.unit,
                "now": _rounded(reading.now),
                "mean": _rounded(reading.mean),
                "max": _rounded(reading.most),
                "before_mean": _rounded(reading.before_mean),
                "change": _rounded(reading.change),
                "points": points,
                "anomaly": level.trend.value if level else None,
                "since_change": iso(changed) if changed else None,
            },
            window=reading.window,
            link=self._store.link(query, reading.window),
            raw=_csv(reading) if reading.points else None,
        )


def _step(asked: str | None, span: Window) -> timedelta | None:
    """The step that was asked for. Raises `BadArguments` when it makes no point, or too many."""
    wanted = length(asked) if asked else None
    if wanted and not span.length / MOST_POINTS <= wanted <= span.length:
        raise BadArguments(
            f"step = {asked!r} should be shorter than the time looked at and make at most {MOST_POINTS} points",
            field="step",
            value=asked,
        )
    return wanted


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def figure(value: float | None, unit: str) -> str:
    """A value for people: three digits that count, and its unit."""
    if value is None:
        return "unknown"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _headline(reading: Reading) -> str:
    text = f"{reading.metric.words} {figure(reading.now, reading.metric.unit)} now"
    level = reading.level
    return f"{text} ({level.trend.value})" if level and level.trend is not Trend.STEADY else text


def _text(reading: Reading, zone: tzinfo) -> str:
    """The figures, the comparison, and the change with the rule it was told by."""
    unit = reading.metric.unit
    if not reading.points:
        return "no samples in this time: not measured, which is not zero"
    lines = [
        f"now {figure(reading.now, unit)}, mean {figure(reading.mean, unit)}, highest {figure(reading.most, unit)}",
        _comparison(reading),
    ]
    level, changed = reading.level, reading.since_change
    if level is None:
        lines.append("too few points to tell whether the level changed")
    elif level.trend is Trend.STEADY or changed is None:
        lines.append("steady")
    else:
        lines.append(
            f"{level.trend.value}: {figure(level.after, unit)} since {clock_time(changed, zone)}, "
            f"{figure(level.before, unit)} before (rule: {RULE})"
        )
    lines += [f"includes {origin} data (origin={origin})" for origin in sorted(reading.origins)]
    return "\n".join(lines)


def _comparison(reading: Reading) -> str:
    if reading.before_mean is None:
        return "nothing was measured in the time before"
    share = ""
    if reading.change is not None:
        share = (
            f" ({reading.change + 1:,.1f} times as much now)"
            if reading.change > 1
            else f" ({reading.change:+.0%})"
        )
    return f"mean of the same time before: {figure(reading.before_mean, reading.metric.unit)}{share}"


def _csv(reading: Reading) -> str:
    """The points of both windows."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["at", reading.metric.unit])
    rows: Sequence[tuple[datetime, float]] = reading.earlier + reading.points
    table.writerows((iso(at), value) for at, value in rows)
    return text.getvalue()
