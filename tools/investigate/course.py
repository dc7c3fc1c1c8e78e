"""The course of one measure: its points, whether and when its level changed, and whether it creeps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median

from tools.contract import Window
from tools.metrics.change import LevelChange, Trend, level_change
from tools.metrics.named import Metric, Scope
from tools.metrics.port import MetricStore

FINE, FINE_POINTS, COARSE_POINTS = timedelta(seconds=5), 60, 60
BAD = {"error_rate": 5.0, "refused_rate": 50.0}  # per cent of the requests: bad, whatever was before
LEAST, GROSSLY, MOSTLY = (
    3,
    4,
    0.6,
)  # of the last three points two are bad, or they are by far; most since the first
SLACK = timedelta(seconds=3)  # a change is often noted when it is done, a moment after it acts
SHOWS, OFTEN = 0.2, 0.4  # of the way to the new level a point is off; this share of points has to be
SETTLING = 1  # points after a measure's first sample that tell of its start and not of it
BLOCKS, UPHILL, GROWN = 6, 4, 1.25  # a creep: of 5 steps between 6 blocks 4 go one way, a quarter more in all


@dataclass(frozen=True, slots=True)
class Onset:
    """When something began, and how exactly that is known."""

    at: datetime
    within: timedelta

    def preceded(self, moment: datetime) -> bool:
        """Whether something at that moment may have come first."""
        return moment <= self.at + self.within


@dataclass(frozen=True, slots=True)
class Course:
    """Points `(end of a step, value)` of a measure, oldest first. `called` is the other end, for a time of calls."""

    metric: Metric
    scope: Scope
    window: Window
    points: tuple[tuple[datetime, float], ...]
    step: timedelta  # of the last points
    called: str | None = None

    @property
    def service(self) -> str:
        return self.scope.service or ""

    @property
    def values(self) -> list[float]:
        return [value for _, value in self.points]

    @property
    def now(self) -> float | None:
        """The mean of the last three points: one alone says little."""
        return fmean(self.values[-3:]) if self.points else None

    @property
    def level(self) -> LevelChange | None:
        """The change of level, from where it first shows: what comes and goes at first has begun, too.

        What is bad by itself needs no long time before it; `before` is not a number where there was none at all.
        """
        found = level_change(self.values, self.metric.floor)
        if found is None or found.trend is not Trend.ROSE:
            found = self._bad() or found
        if found is None or found.place is None or math.isnan(found.before):
            return found
        place = _first_shown(self.values, found)
        if place == found.place:
            return found
        return replace(
            found, before=fmean(self.values[:place]), after=fmean(self.values[place:]), place=place
        )

    def _bad(self) -> LevelChange | None:
        """The points at the end of which most are above what is bad by itself."""
        values, limit = self.values, BAD.get(self.metric.name, math.inf)
        bad = [value >= limit for value in values]
        latest = values[-LEAST:]
        if not latest or not bad[-1] or (sum(bad[-LEAST:]) < 2 and fmean(latest) < GROSSLY * limit):
            return None
        place = next(at for at, one in enumerate(bad) if one and sum(bad[at:]) >= MOSTLY * (len(bad) - at))
        before = fmean(values[:place]) if place else math.nan
        return LevelChange(Trend.ROSE, before, fmean(values[place:]), place)

    @property
    def rose(self) -> bool:
        return self.level is not None and self.level.trend is Trend.ROSE

    @property
    def fell(self) -> bool:
        return self.level is not None and self.level.trend is Trend.FELL

    @property
    def onset(self) -> Onset | None:
        """The start of the first step on the new level."""
        level = self.level
        if level is None or level.place is None:
            return None
        ends = self.points[level.place][0]
        step = ends - self.points[level.place - 1][0] if level.place else self.step
        return Onset(ends - min(step, 6 * self.step), self.step / 2 + SLACK)

    @property
    def creep(self) -> tuple[float, float] | None:
        """Where a measure that moves one way all the time began and where it is; `None` for others."""
        values = self.values
        if len(values) < 2 * BLOCKS:
            return None
        size = len(values) / BLOCKS
        means = [fmean(values[int(at * size) : int((at + 1) * size)]) for at in range(BLOCKS)]
        rising = sum(later > earlier for earlier, later in pairwise(means))
        low, high = sorted((means[0], means[-1]))
        steady = rising >= UPHILL if means[-1] > means[0] else rising <= BLOCKS - 1 - UPHILL
        grows = high >= low * GROWN and high - low >= self.metric.floor
        moved_last = abs(means[-1] - means[-2]) >= 0.05 * (high - low)
        return (means[0], means[-1]) if steady and grows and moved_last else None


def _first_shown(values: Sequence[float], change: LevelChange) -> int:
    """The first point that is clearly off the usual, if from it on to the change many are. One point always stays."""
    split = change.place or 0
    usual = median(values[:split])
    apart = SHOWS * (change.after - usual)

    def off(value: float) -> bool:
        return (value - usual) / apart >= 1 if apart else False

    for place in range(1, split):
        between = values[place:split]
        if off(values[place]) and sum(map(off, between)) >= OFTEN * len(between):
            return place
    return split


async def course(
    store: MetricStore, metric: Metric, scope: Scope, span: Window, called: str | None = None
) -> Course:
    """Reads a measure in fine steps at the end of the span and coarse ones before; settling points are left out."""
    fine = max(store.finest, FINE)
    begin = max(span.start, span.end - fine * FINE_POINTS)
    coarse = max(fine, (begin - span.start) / COARSE_POINTS)
    windows = [*_steps(span.start, begin, coarse), *_steps(begin, span.end, fine)]
    values = await store.evaluate(metric.formula, scope, windows)
    known = [
        (each.end, value * metric.scale)
        for each, value in zip(windows, values, strict=True)
        if value is not None
    ]
    young = bool(known) and known[0][0] > windows[0].end and metric.name not in BAD
    return Course(metric, scope, span, tuple(known[SETTLING if young else 0 :]), fine, called)


def _steps(start: datetime, end: datetime, step: timedelta) -> Sequence[Window]:
    """Windows of one step each, the last of which ends at `end`."""
    count = int((end - start) / step)
    return [Window(end - step * (back + 1), end - step * back) for back in reversed(range(count))]
