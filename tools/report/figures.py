"""The figures of a report: counted from metrics, from log lines, or from the platform's history."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.contract import ToolUnavailable, Window
from tools.deploy.port import OrderKind, Platform
from tools.logs.port import Budget, Level, Line, LogStore, Query
from tools.metrics.named import Scope, promql
from tools.metrics.port import MetricStore
from tools.report.measure import Basis, Measure

# A report may look at a week of logs; it still ends, and says where it stopped.
LOG_BUDGET = Budget(lines=2_000_000, octets=512 * 1024 * 1024, seconds=20.0)
_CHANGES = {OrderKind.DEPLOY, OrderKind.ROLLBACK}


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something a reader of the figures should know: a key of `measure.WORDS` and what to say in it."""

    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """A value for each cell and scope asked for, the figure for all of it, and how they came about."""

    values: tuple[float | None, ...]
    overall: float | None
    source: str
    query: str
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures are wanted: of each cell for one scope, or of one cell for each of several services."""

    measure: Measure
    scope: Scope
    cells: tuple[Window, ...]
    services: tuple[str, ...] = ()  # a row for each of them instead of for each cell

    @property
    def whole(self) -> Window:
        return Window(self.cells[0].start, self.cells[-1].end)


@dataclass(frozen=True, slots=True)
class Sources:
    """The backends that are there."""

    metrics: MetricStore | None = None
    logs: LogStore | None = None
    platform: Platform | None = None

    async def figures(self, question: Question) -> Figures:
        """The figures. Raises `ToolUnavailable` when what they are counted from is not there."""
        match question.measure.basis:
            case Basis.METRICS if self.metrics is not None:
                return await _measured(self.metrics, question)
            case Basis.LOGS if self.logs is not None:
                return await _logged(self.logs, question)
            case Basis.PLATFORM if self.platform is not None:
                return await _deployed(self.platform, question)
            case missing:
                name = question.measure.name
                raise ToolUnavailable(f"{name!r} is counted from {missing.value}, and none are set up here")


async def _measured(store: MetricStore, question: Question) -> Figures:
    formula, scale = question.measure.formula, question.measure.scale
    if formula is None:
        raise ToolUnavailable(f"{question.measure.name!r} has no formula")
    scopes = [Scope(question.scope.environment, service) for service in question.services] or [question.scope]
    rows = [await store.evaluate(formula, scope, question.cells) for scope in scopes]
    # Stores may extrapolate to the edges of a row; what is counted is whole all the same.
    digits = 0 if question.measure.additive else 6
    values = tuple(None if value is None else round(value * scale, digits) for row in rows for value in row)
    (overall,) = await store.evaluate(formula, question.scope, (question.whole,))
    origins = await store.origins(formula, question.scope, question.whole)
    return Figures(
        values,
        None if overall is None else round(overall * scale, digits),
        store.name,
        promql(formula, question.scope, max(cell.length for cell in question.cells)),
        tuple(Caveat("origin", {"value": origin}) for origin in sorted(origins)),
    )


async def _logged(store: LogStore, question: Question) -> Figures:
    counted: Counter[str | int] = Counter()
    starts = [cell.start for cell in question.cells]

    def take(line: Line) -> None:
        counted[line.service if question.services else _cell(starts, line.at)] += 1

    query = Query(question.scope.environment, question.whole, question.scope.service, Level.ERROR)
    scanned = await store.scan(query, LOG_BUDGET, take)
    keys: Sequence[str | int] = question.services or range(len(starts))
    values: list[float | None] = [float(counted[key]) for key in keys]
    caveats: tuple[Caveat, ...] = ()
    if scanned.stopped:
        reached = (
            scanned.reached or question.whole.end
        )  # how far back it went is not known: then nothing counts
        caveats = (Caveat("stopped", {"why": scanned.stopped, "at": f"{reached:%Y-%m-%d %H:%M} UTC"}),)
        if not question.services:
            values = [
                None if cell.start < reached else value
                for cell, value in zip(question.cells, values, strict=True)
            ]
        elif scanned.reached is None:
            values = [None] * len(values)
    source = ", ".join(scanned.places) or "no log files"
    asked = f"error lines of {question.scope.service or 'all services'} in {question.scope.environment}"
    return Figures(tuple(values), float(sum(counted.values())), source, asked, caveats)


async def _deployed(platform: Platform, question: Question) -> Figures:
    whole, scope = question.whole, question.scope
    history = await platform.history(scope.service, scope.environment, whole.start)
    starts = [cell.start for cell in question.cells]
    changes = [entry for entry in history if entry.kind in _CHANGES and whole.start <= entry.at < whole.end]
    counted = Counter(entry.service if question.services else _cell(starts, entry.at) for entry in changes)
    keys: Sequence[str | int] = question.services or range(len(starts))
    failed = sum(1 for entry in changes if not entry.ok)
    return Figures(
        tuple(float(counted[key]) for key in keys),
        float(len(changes)),
        "platform history",
        f"deploys and rollbacks of {scope.service or 'all services'} in {scope.environment}",
        (Caveat("failed", {"value": str(failed)}),) if failed else (),
    )


def _cell(starts: Sequence[datetime], at: datetime) -> int:
    return max(bisect_right(starts, at) - 1, 0)
