"""The tool `metrics`: how a named metric goes, against the time before, and whether its level changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from tools.commands.arguments import field_for
from tools.contract import (
    Arguments,
    Asker,
    BadArguments,
    Clock,
    Effect,
    Finding,
    Json,
    Outcome,
    Spec,
    Window,
)
from tools.metrics.contributors import Breakdown, breakdown
from tools.metrics.declared import DeclaredMetric
from tools.metrics.named import METRICS, Metric, Scope, Written, promql
from tools.metrics.phrases import METRICS as EXAMPLES
from tools.metrics.phrases import aliases
from tools.metrics.port import MetricStore
from tools.metrics.reading import Reading, read
from tools.metrics.server import remarked, remarks
from tools.metrics.telling import csv_of, headline, parts_cut, parts_text, picture, rounded, text_of
from tools.patience import patience
from tools.slots import CHART, Kind, Slot
from tools.times import Length, Since, Until, iso, length, spoken, window, written
from tools.vocabulary import Vocabulary, nearest

OVERVIEW = ("request_rate", "error_rate", "latency_p95", "saturation", "failed_payments")
MOST_POINTS = 500

MetricName = Literal[
    "request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99", "saturation", "cpu", "memory",
    "payments", "failed_payments",
]  # fmt: skip
Label = Literal["service", "version", "instance", "route", "code", "outcome"]


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
    by: Label | None = Field(
        default=None, description="Also the values of this label that moved one metric most"
    )
    chart: Annotated[bool, CHART] = Field(default=False, description="Whether a chart (PNG) is made too")


class Metrics:
    """Reads named metrics from a store, compares them with the time before, and says where their level changed.

    `declared` are metrics of the operator's own, beside the shipped ones.
    """

    def __init__(
        self,
        store: MetricStore,
        vocabulary: Vocabulary,
        clock: Clock,
        declared: Sequence[DeclaredMetric] = (),
    ) -> None:
        self._store, self._clock, self._zone = store, clock, vocabulary.zone
        self._declared = {each.name: each for each in declared}
        self.spec = Spec(
            name="metrics",
            description=(
                "Reads named metrics of services (request rate, error rate, latency percentiles, saturation, CPU, "
                "memory, payments), compares them with the window before and tells since when their level changed."
            ),
            arguments=_model(vocabulary.narrow(MetricsArguments), declared, vocabulary),
            effect=Effect.READ,
            examples=EXAMPLES,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - metrics have one audience: `access`
        with remarks() as said:
            outcome = await self._looked(arguments)
        return remarked(outcome, said)

    async def _looked(self, arguments: Arguments) -> Outcome:
        asked = MetricsArguments.of(arguments)
        span = window(asked.since, asked.until, self._clock(), self._zone)
        step = _step(asked.step, span)
        scope = Scope(asked.environment, asked.service)
        metrics = [METRICS[name] for name in OVERVIEW] if asked.metric is None else [self._metric(asked)]
        parted = _parted(asked, metrics[0])
        async with patience(self.spec.timeout - 2, self._store.name):
            readings = await asyncio.gather(
                *(read(self._store, metric, scope, span, step) for metric in metrics)
            )
            parts = await breakdown(self._store, metrics[0], scope, span, parted) if parted else None
        told = [each for each in readings if each.points or asked.metric is not None]
        place = f"{asked.service or 'all services'} in {asked.environment}"
        if not any(each.points for each in told):
            what = metrics[0].words if asked.metric else "metrics"
            summary = f"no samples of the {what} of {place} in this time: not measured, which is not zero"
            return Outcome(ok=False, summary=summary, findings=tuple(self._finding(each) for each in told))
        findings = [self._finding(each) for each in told]
        if parts is not None:
            findings.append(self._parts(parts, told[0]))
        return Outcome(
            ok=True,
            summary=f"{place}: " + "; ".join(headline(each) for each in told),
            findings=tuple(findings),
            files=tuple([await asyncio.to_thread(picture, each, self._zone) for each in told])
            if asked.chart
            else (),
        )

    def _metric(self, asked: MetricsArguments) -> Metric:
        """The one metric that was asked for, with the values of its parameters."""
        name = str(asked.metric)
        if name in METRICS:
            return METRICS[name]
        given = {key: str(value) for key, value in asked.canonical().items()}
        return self._declared[name].of(given)

    def _parts(self, parts: Breakdown, whole: Reading) -> Finding:
        return Finding(
            kind="contributors",
            title=f"{parts.metric.words} by {parts.label} of {whole.scope.service or 'all services'} "
            f"in {whole.scope.environment}",
            source=self._store.name,
            query=f"{promql(parts.metric.formula, whole.scope, whole.window.length)} for each {parts.label}, "
            f"{spoken(whole.window, self._zone)}",
            text=parts_text(parts),
            facts={
                "metric": parts.metric.name,
                "label": parts.label,
                "unit": parts.metric.unit,
                "parts": [
                    {
                        "value": part.value,
                        "now": rounded(part.now),
                        "before": rounded(part.before),
                        "share": rounded(parts.share(part)),
                    }
                    for part in parts.parts
                ],
            },
            window=whole.window,
            cut=parts_cut(parts),
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
            text=text_of(reading, self._zone),
            facts={
                "metric": metric.name,
                "service": scope.service,
                "environment": scope.environment,
                "unit": metric.unit,
                "now": rounded(reading.now),
                "mean": rounded(reading.mean),
                "max": rounded(reading.most),
                "before_mean": rounded(reading.before_mean),
                "change": rounded(reading.change),
                "points": points,
                "anomaly": level.trend.value if level else None,
                "since_change": iso(changed) if changed else None,
            },
            window=reading.window,
            link=self._store.link(query, reading.window),
            raw=csv_of(reading) if reading.points else None,
        )


def _model(
    base: type[MetricsArguments], declared: Sequence[DeclaredMetric], vocabulary: Vocabulary
) -> type[MetricsArguments]:
    """The arguments with the declared metrics among the choices, and their parameters as arguments of their own."""
    if not declared:
        return base
    names = (*METRICS, *(each.name for each in declared))
    others = {word: each.name for each in declared for word in (each.words, *each.aliases)}
    choice = Slot(Kind.CHOICE, role="metric", choices=names, aliases={**aliases(), **others})
    shape = Annotated[
        str, BeforeValidator(_Named(names)), WithJsonSchema({"type": "string", "enum": list(names)})
    ]
    info = base.model_fields["metric"]
    fields: dict[str, object] = {
        "metric": (Annotated[shape | None, choice], Field(default=None, description=info.description))
    }
    for each in declared:
        for name, parameter in each.parameters.items():
            fields[name] = field_for(name, parameter, vocabulary)
    made: type[MetricsArguments] = create_model(base.__name__, __base__=base, __doc__=base.__doc__, **fields)  # type: ignore[call-overload]  # the overloads know no computed fields
    return made


@dataclass(frozen=True, slots=True)
class _Named:
    """One of the metrics by its name."""

    names: tuple[str, ...]

    def __call__(self, value: object) -> object:
        if value is None or value in self.names:
            return value
        near = nearest(str(value), self.names)
        raise PydanticCustomError(
            "unknown_name",
            "there is no such metric; nearest: {listed}",
            {"listed": ", ".join(near), "nearest": near},
        )


def _parted(asked: MetricsArguments, metric: Metric) -> str | None:
    """The label to break one shipped metric down by. Raises `BadArguments` where that has no meaning."""
    if asked.by is None:
        return None
    if asked.metric is None or isinstance(metric.formula, Written):
        raise BadArguments(
            f"by = {asked.by!r} needs one shipped metric: {', '.join(METRICS)}", field="by", value=asked.by
        )
    return asked.by


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
