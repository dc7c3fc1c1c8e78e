"""A named metric read over a window, with the window before it and the change of level in both."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.contract import Window
from tools.metrics.change import LevelChange, level_change
from tools.metrics.named import Metric, Scope
from tools.metrics.port import MetricStore

POINTS = 60  # about as many as a small chart shows
FINER, RECENT = 6, 24  # how much finer the steps of the last minutes are, and how many there are

Point = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a metric did over a window, in its unit: values over the whole windows, and points within them."""

    metric: Metric
    scope: Scope
    window: Window
    step: timedelta
    mean: float | None
    before_mean: float | None
    points: tuple[Point, ...]
    earlier: tuple[Point, ...]  # the points of the window before
    recent: tuple[Point, ...]  # the last points again, in finer steps
    origins: frozenset[str]

    @property
    def now(self) -> float | None:
        return self.points[-1][1] if self.points else None

    @property
    def most(self) -> float | None:
        return max((value for _, value in self.points), default=None)

    @property
    def change(self) -> float | None:
        """How much more than before, as a share of it: 0.5 is half as much again."""
        if self.mean is None or not self.before_mean:
            return None
        return (self.mean - self.before_mean) / self.before_mean

    @property
    def trace(self) -> tuple[Point, ...]:
        """All points of both windows, each part of the time in its finest steps."""
        if not self.recent:
            return self.earlier + self.points
        begin = self.recent[0][0]
        return tuple(point for point in self.earlier + self.points if point[0] < begin) + self.recent

    @property
    def level(self) -> LevelChange | None:
        return level_change([value for _, value in self.trace], self.metric.floor)

    @property
    def since_change(self) -> datetime | None:
        """The end of the first step on the new level."""
        found = self.level
        return self.trace[found.place][0] if found and found.place is not None else None


async def read(
    store: MetricStore, metric: Metric, scope: Scope, span: Window, step: timedelta | None = None
) -> Reading:
    """Reads a metric over a window and the one before it; without a `step` it is one that makes about `POINTS` points.

    The last minutes are read again in finer steps, because what people ask about has often just begun.
    """
    step = step or min(max(store.finest, _whole(span.length / POINTS)), span.length)
    before = span.before()
    steps = _steps(Window(before.start, span.end), step)
    fine = max(store.finest, _whole(step / FINER))
    recent = (
        _steps(Window(max(span.end - fine * RECENT, before.start), span.end), fine) if fine < step else []
    )
    values = await store.evaluate(metric.formula, scope, (*steps, *recent, before, span))
    known = [
        None if value is None else (each.end, value * metric.scale)
        for each, value in zip((*steps, *recent, before, span), values, strict=True)
    ]
    coarse = [point for point in known[: len(steps)] if point is not None]
    return Reading(
        metric=metric,
        scope=scope,
        window=span,
        step=step,
        mean=_value(known[-1]),
        before_mean=_value(known[-2]),
        points=tuple(point for point in coarse if point[0] > span.start),
        earlier=tuple(point for point in coarse if point[0] <= span.start),
        recent=tuple(point for point in known[len(steps) : -2] if point is not None),
        origins=await store.origins(metric.formula, scope, Window(before.start, span.end)),
    )


def _value(point: Point | None) -> float | None:
    return None if point is None else point[1]


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=max(1, round(span.total_seconds())))


def _steps(span: Window, step: timedelta) -> list[Window]:
    """Windows of one step each, the last of which ends with the span."""
    count = max(1, int(span.length / step))
    return [Window(span.end - step * (back + 1), span.end - step * back) for back in reversed(range(count))]
