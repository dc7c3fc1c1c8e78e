"""The tool `promql`: a query in PromQL as somebody wrote it, parsed and counted before it is asked."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from tools.contract import Arguments, Asker, BadArguments, Clock, Effect, Finding, Json, Outcome, Spec, Window
from tools.metrics.change import Trend, level_change
from tools.metrics.phrases import PROMQL
from tools.metrics.port import QueryStore, Trace
from tools.metrics.promql import Limits, Parsed, parse
from tools.metrics.server import remarked, remarks
from tools.metrics.sparkline import sparkline
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Length, Since, Until, iso, length, spoken, window, written
from tools.vocabulary import Vocabulary

POINTS = 60  # about as many as a small chart shows
SHOWN = 10  # series in the digest


class PromQLArguments(Arguments):
    """A query, and when."""

    query: Annotated[str, Slot(Kind.QUOTED, role="promql")] = Field(
        min_length=1, description="PromQL: sum by (route) (rate(http_requests_total[5m]))"
    )
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="1h", description="How far back: 30m, 2h, 7d, or an ISO 8601 instant"
    )
    until: Annotated[Until | None, Slot(Kind.UNTIL, role="until")] = Field(
        default=None, description="An ISO 8601 instant; now when left out"
    )
    step: Length | None = Field(default=None, description="Time between two points, such as 1m")


class PromQL:
    """Asks a server that understands PromQL, within limits that are checked before it has to compute anything."""

    def __init__(
        self, store: QueryStore, vocabulary: Vocabulary, clock: Clock, limits: Limits | None = None
    ) -> None:
        self._store, self._clock, self._zone = store, clock, vocabulary.zone
        self._limits = limits or Limits()
        self.spec = Spec(
            name="promql",
            description="Runs a PromQL query over a range of time. For what the named metrics do not hold.",
            arguments=PromQLArguments,
            effect=Effect.READ,
            examples=PROMQL,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - `access` says who may ask freely
        with remarks() as said:
            outcome = await self._looked(arguments)
        return remarked(outcome, said)

    async def _looked(self, arguments: Arguments) -> Outcome:
        asked = PromQLArguments.of(arguments)
        query = parse(asked.query, self._limits)
        span = window(asked.since, asked.until, self._clock(), self._zone)
        step = self._step(asked.step, span)
        async with patience(self.spec.timeout - 2, self._store.name):
            count = await self._counted(query, span, step)
            traces = await self._store.traces(query.query, span, step) if count else ()
        found = [trace for trace in traces if trace.points]
        if not found:
            why = "no series fits the selectors" if not count else "nothing was measured"
            summary = f"{why} in this time: not measured, which is not zero"
        else:
            summary = f"{len(found):,} series came of {query.query}, {count:,} were read"
        return Outcome(
            ok=bool(found), summary=summary, findings=(self._finding(query, span, step, found, count),)
        )

    def _step(self, asked: str | None, span: Window) -> timedelta:
        """The time between two points. Raises `BadArguments` when it makes none, or too many."""
        if asked is None:
            return timedelta(seconds=max(1, round(span.length.total_seconds() / POINTS)))
        wanted = length(asked)
        if wanted is None or not span.length / self._limits.points <= wanted <= span.length:
            raise BadArguments(
                f"step = {asked!r} should be shorter than the time looked at and make at most "
                f"{self._limits.points} points",
                field="step",
                value=asked,
            )
        return wanted

    async def _counted(self, query: Parsed, span: Window, step: timedelta) -> int:
        """How many series it would read. Raises `BadArguments` when they, or their samples, are too many."""
        counts = await asyncio.gather(
            *(self._store.count(each, at) for each in query.selectors for at in (span.end, span.start + step))
        )
        most = [max(pair) for pair in zip(counts[::2], counts[1::2], strict=True)]
        series, limits = sum(most), self._limits
        samples = query.samples(series, round(span.length / step))
        if series > limits.series or samples > limits.samples:
            parts = ", ".join(
                f"{count:,} of {name}" for name, count in zip(query.selectors, most, strict=True)
            )
            raise BadArguments(
                f"query = {query.query!r} would read {series:,} series and about {samples:,.0f} samples ({parts}); the "
                f"limits are {limits.series:,} and {limits.samples:,}: narrow the labels, the time or the range in []",
                field="query",
                value=query.query,
            )
        return series

    def _finding(
        self, query: Parsed, span: Window, step: timedelta, traces: Sequence[Trace], count: int
    ) -> Finding:
        ranked = sorted(traces, key=lambda trace: -max(abs(value) for _, value in trace.points))
        rows: list[Json] = [_facts(trace) for trace in ranked[:SHOWN]]
        return Finding(
            kind="query",
            title=f"PromQL {query.query}",
            source=self._store.name,
            query=f"{query.query}, {spoken(span, self._zone)}, step {written(step)}",
            text="\n".join(_line(trace) for trace in ranked[:SHOWN])
            or "no samples: not measured, which is not zero",
            facts={"query": query.query, "series": rows, "total": len(ranked), "read": count},
            window=span,
            link=self._store.link(query.query, span),
            raw=_csv(ranked) if ranked else None,
            cut=f"the {SHOWN} highest of {len(ranked):,} series" if len(ranked) > SHOWN else None,
        )


def _name(trace: Trace) -> str:
    labels = ", ".join(
        f"{name}={value}" for name, value in sorted(trace.labels.items()) if name != "__name__"
    )
    return f"{trace.labels.get('__name__', '')}{{{labels}}}" if labels or trace.labels else "value"


def _facts(trace: Trace) -> dict[str, Json]:
    values = [value for _, value in trace.points]
    level = level_change(values, floor=0.0)
    changed = level.place if level and level.trend is not Trend.STEADY else None
    return {
        "labels": dict(trace.labels),
        "now": round(values[-1], 6),
        "mean": round(sum(values) / len(values), 6),
        "max": round(max(values), 6),
        "anomaly": level.trend.value if level else None,
        "changed_at": None if changed is None else trace.points[changed][0],
        "points": [[at, round(value, 6)] for at, value in trace.points],
    }


def _line(trace: Trace) -> str:
    values = [value for _, value in trace.points]
    level = level_change(values, floor=0.0)
    told = f" {level.trend.value}" if level and level.trend is not Trend.STEADY else ""
    mean = sum(values) / len(values)
    return f"{_name(trace)}: {values[-1]:.6g} now, mean {mean:.6g}, highest {max(values):.6g}{told} {sparkline(values)}"


def _csv(traces: Sequence[Trace]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["series", "at", "value"])
    for trace in traces:
        table.writerows((_name(trace), _at(at), value) for at, value in trace.points)
    return text.getvalue()


def _at(seconds: float) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))
