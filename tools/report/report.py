"""The tool `report`: a question over metrics, logs or deployments as a table, a CSV file and a chart."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import Arguments, Asker, BadArguments, Clock, Effect, File, Finding, Outcome, Spec, Window
from tools.metrics.named import Scope
from tools.metrics.server import remarked, remarks
from tools.patience import patience
from tools.report import phrases
from tools.report.chart import Chart, png, short
from tools.report.figures import Figures, Question, Sources
from tools.report.measure import MEASURES, WORDS, Measure, language
from tools.report.period import PERIODS, By, Today, cells, spelled, usual
from tools.report.table import Table, bar_labels, row_label, total_text
from tools.slots import Kind, Slot
from tools.times import Since, Until, iso, spoken, window
from tools.vocabulary import Vocabulary

MeasureName = Literal[
    "errors", "requests", "failed_payments", "payments", "log_errors", "deployments", "error_rate", "latency_p50",
    "latency_p95", "latency_p99",
]  # fmt: skip
PeriodName = Literal[
    "today", "yesterday", "24h", "this_week", "last_week", "7d", "this_month", "last_month", "30d"
]


class ReportArguments(Arguments):
    """What is reported, of what, by which rows, and for when."""

    measure: Annotated[
        MeasureName, Slot(Kind.CHOICE, role="kind", choices=tuple(MEASURES), aliases=phrases.MEASURE_WORDS)
    ] = Field(description="What to count or measure")
    service: str | None = Field(default=None, description="One service; all together when left out")
    environment: str = Field(default="", description="Where it runs")
    by: Annotated[
        Literal["hour", "day", "week", "service"] | None,
        Slot(Kind.CHOICE, role="by", choices=tuple(By), aliases=phrases.BY_WORDS),
    ] = Field(default=None, description="What each row is; what suits the period when left out")
    period: Annotated[
        PeriodName, Slot(Kind.CHOICE, role="period", choices=tuple(PERIODS), aliases=phrases.PERIOD_WORDS)
    ] = Field(default="7d", description="Which time, as people name it; weeks begin on Monday")
    since: Annotated[Since | None, Slot(Kind.SINCE, role="since")] = Field(
        default=None, description="Instead of a period: 12h, 14d, or an ISO 8601 instant"
    )
    until: Annotated[Until | None, Slot(Kind.UNTIL, role="until")] = Field(
        default=None, description="Ends earlier than the period: an ISO 8601 instant"
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Everything the pieces of a report share."""

    measure: Measure
    by: By
    question: Question
    language: str
    title: str
    subtitle: str


class Report:
    """Counts over the backends that are there. Days and weeks are those of the vocabulary's time zone."""

    def __init__(
        self, sources: Sources, vocabulary: Vocabulary, clock: Clock, draw: Callable[[Chart], bytes] = png
    ) -> None:
        self._sources, self._clock, self._vocabulary, self._draw = sources, clock, vocabulary, draw
        self.spec = Spec(
            name="report",
            description=(
                "Makes a report as a table, a CSV file and a chart: failed payments, payments, requests, errors, error "
                "lines in logs, deployments, error rate or latency, by hour, day, week or service, for a period."
            ),
            arguments=vocabulary.narrow(ReportArguments),
            effect=Effect.READ,
            timeout=30.0,
            examples=phrases.REPORT,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        with remarks() as said:
            outcome = await self._counted(arguments, asker)
        return remarked(outcome, said)

    async def _counted(self, arguments: Arguments, asker: Asker) -> Outcome:
        asked = ReportArguments.of(arguments)
        layout = self._layout(asked, language(asker.locale))
        async with patience(self.spec.timeout - 5, "what the report is counted from"):
            figures = await self._sources.figures(layout.question)
        table = self._table(layout, figures)
        chart = await self._chart(layout, table)
        name = f"{asked.measure}-by-{layout.by.value}".replace("_", "-")
        files = [File(f"{name}.csv", "text/csv", table.csv)]
        if chart is not None:  # first: whoever reads on a telephone sees it without opening anything
            files.insert(0, File(f"{name}.png", "image/png", chart))
        finding = self._finding(layout, figures, table, charted=chart is not None)
        known = sum(1 for _, value in table.rows if value is not None)
        if not known:
            return Outcome(
                ok=False, summary=f"{layout.title}: nothing was measured in this time", findings=(finding,)
            )
        told = total_text(figures.overall, table.unit)
        return Outcome(ok=True, summary=f"{layout.title}: {told}", findings=(finding,), files=tuple(files))

    def _layout(self, asked: ReportArguments, tongue: str) -> _Layout:
        zone, words, measure = self._vocabulary.zone, WORDS[tongue], MEASURES[asked.measure]
        span = self._span(asked)
        by = By(asked.by) if asked.by else usual(span)
        services = (asked.service,) if asked.service else tuple(self._vocabulary.services)
        if by is By.SERVICE and not services:
            raise BadArguments(
                "by = 'service' needs services that are known by name", field="by", value="service"
            )
        question = Question(
            measure,
            Scope(asked.environment, asked.service),
            cells(span, by, zone),
            services if by is By.SERVICE else (),
        )
        return _Layout(
            measure,
            by,
            question,
            tongue,
            title=f"{measure.words[tongue]} {words[f'per_{by.value}']}",
            subtitle=f"{asked.service or words['everything']}, {asked.environment} · {spelled(span, zone)}",
        )

    def _span(self, asked: ReportArguments) -> Window:
        now, zone = self._clock(), self._vocabulary.zone
        if asked.since is not None:
            return window(asked.since, asked.until, now, zone)
        span = PERIODS[asked.period](Today(now, zone))
        return window(iso(span.start), asked.until, now, zone) if asked.until else span

    def _table(self, layout: _Layout, figures: Figures) -> Table:
        words, zone = WORDS[layout.language], self._vocabulary.zone
        labels = layout.question.services or tuple(
            row_label(cell, layout.by, zone) for cell in layout.question.cells
        )
        return Table(
            heading=words[layout.by.value],
            unit=layout.measure.unit[layout.language],
            rows=tuple(zip(labels, figures.values, strict=True)),
            total=figures.overall if layout.measure.additive else None,
            total_word=words["total"],
            no_data=words["no_data"],
        )

    async def _chart(self, layout: _Layout, table: Table) -> bytes | None:
        """The chart, or `None` where matplotlib is not installed."""
        words, zone, question = WORDS[layout.language], self._vocabulary.zone, layout.question
        total = f" · {table.total_word} {short(table.total)}" if table.total is not None else ""
        chart = Chart(
            title=layout.title,
            subtitle=layout.subtitle + total,
            labels=question.services or bar_labels(question.cells, layout.by, zone, layout.language),
            values=tuple(value for _, value in table.rows),
            x_label=words[layout.by.value] if layout.by is not By.WEEK else "",
            y_label=table.unit,
            no_data=table.no_data,
            line=not layout.measure.additive and not question.services,
        )
        try:
            return await asyncio.to_thread(self._draw, chart)
        except ImportError:
            return None

    def _finding(self, layout: _Layout, figures: Figures, table: Table, *, charted: bool) -> Finding:
        computed, words = self._computed(layout, figures), WORDS[layout.language]
        lines = [table.text]
        if not layout.measure.additive:
            lines.append(f"{words['overall']}: {total_text(figures.overall, table.unit)}")
        lines.append(f"{words['how']}: {computed}")
        if not charted:
            lines.append(words["no_chart"])
        return Finding(
            kind="table",
            title=layout.title,
            source=figures.source,
            query=f"{figures.query}, {spoken(layout.question.whole, self._vocabulary.zone)}, by {layout.by.value}",
            text="\n".join(lines),
            facts={
                **table.facts,
                "computed": computed,
                "measure": layout.measure.name,
                "by": layout.by.value,
                "overall": figures.overall,
            },
            window=layout.question.whole,
            raw=table.csv.decode(),
        )

    def _computed(self, layout: _Layout, figures: Figures) -> str:
        """How this was computed, in one line."""
        zone, words = self._vocabulary.zone, WORDS[layout.language]
        gaps = sum(1 for value in figures.values if value is None)
        told = [
            words["computed"].format(
                query=figures.query,
                rows=words[f"each_{layout.by.value}"].format(zone=zone),
                span=spelled(layout.question.whole, zone),
                source=figures.source,
            ),
            *(words[caveat.key].format(**caveat.fields) for caveat in figures.caveats),
        ]
        if gaps:
            told.append(words["gaps"].format(value=gaps, count=len(figures.values)))
        return "; ".join(told)
