"""A named metric read over a window, with the window before it and the change of level in both."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.contract import Window
from tools.metrics.change import LevelChange, level_change
from tools.metrics.named import Metric, Scope
from tools.metrics.port import MetricStore

POINTS = 60  # about as many as a small chart shows
SPARSE = 20  # fewer points than this are read again with a finer step


@dataclass(frozen=True, slots=True)
class Reading:
    """What a metric did over a window, in its unit: values over the whole windows, and points within them."""

    metric: Metric
    scope: Scope
    window: Window
    step: timedelta
    mean: float | None
    before_mean: float | None
    points: tuple[tuple[datetime, float], ...]
    earlier: tuple[tuple[datetime, float], ...]  # the points of the window before

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
    def level(self) -> LevelChange | None:
        return level_change([value for _, value in self.earlier + self.points], self.metric.floor)

    @property
    def since_change(self) -> datetime | None:
        """The end of the first step on the new level."""
        found = self.level
        return (self.earlier + self.points)[found.place][0] if found and found.place is not None else None


async def read(
    store: MetricStore, metric: Metric, scope: Scope, span: Window, step: timedelta | None = None
) -> Reading:
    """Reads a metric over a window and the one before it.

    Without a `step` it is one that makes about `POINTS` points, and a finer one where samples cover little of the time:
    a service that was started minutes ago has a story, too.
    """
    if step is not None:
        return await _read(store, metric, scope, span, step)
    step = min(max(store.finest, _whole(span.length / POINTS)), span.length)
    reading = await _read(store, metric, scope, span, step)
    known = reading.earlier + reading.points
    if 0 < len(known) < SPARSE:
        covered = known[-1][0] - known[0][0] + step
        finer = max(store.finest, _whole(covered / POINTS))
        if finer < step:
            return await _read(store, metric, scope, span, finer)
    return reading


async def _read(store: MetricStore, metric: Metric, scope: Scope, span: Window, step: timedelta) -> Reading:
    before = span.before()
    steps = _steps(Window(before.start, span.end), step)
    *values, before_mean, mean = await store.evaluate(metric.formula, scope, (*steps, before, span))
    known = [
        (each.end, value * metric.scale)
        for each, value in zip(steps, values, strict=True)
        if value is not None
    ]
    return Reading(
        metric=metric,
        scope=scope,
        window=span,
        step=step,
        mean=_scaled(mean, metric),
        before_mean=_scaled(before_mean, metric),
        points=tuple(point for point in known if point[0] > span.start),
        earlier=tuple(point for point in known if point[0] <= span.start),
    )


def _scaled(value: float | None, metric: Metric) -> float | None:
    return None if value is None else value * metric.scale


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=max(1, round(span.total_seconds())))


def _steps(span: Window, step: timedelta) -> list[Window]:
    """Windows of one step each, the last of which ends with the span."""
    count = max(1, int(span.length / step))
    return [Window(span.end - step * (back + 1), span.end - step * back) for back in reversed(range(count))]
