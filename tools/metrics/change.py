"""Whether a series changed its level, by one simple rule, and since when."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

FACTOR = 1.5  # a level this much above the other is a change
NOISE = (
    2.0  # and it must stand out of the scatter (the standard deviation within both levels) this many times
)
LEAST = 3  # points a level must have on either side
RULE = f"two levels of {LEAST} points or more, {FACTOR:g} times and {NOISE:g} times the scatter apart"


class Trend(StrEnum):
    """What a series did."""

    ROSE = "rose"
    FELL = "fell"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class LevelChange:
    """Two levels of a series and the place of the first point of the later one."""

    trend: Trend
    before: float
    after: float
    place: int | None = None


def level_change(values: Sequence[float], floor: float) -> LevelChange | None:
    """The one change of level that explains most of the scatter (least squares); `None` with too few points.

    `floor` is the smallest difference that counts, in the unit of the values.
    """
    if len(values) < 2 * LEAST:
        return None
    place = _best_split(values)
    before, after = fmean(values[:place]), fmean(values[place:])
    apart = [value - before for value in values[:place]] + [value - after for value in values[place:]]
    scatter = math.sqrt(fmean(each * each for each in apart))
    low, high = sorted((before, after))
    differs = high >= low * FACTOR and high - low > max(floor, NOISE * scatter)
    if not differs:
        return LevelChange(Trend.STEADY, before, after)
    return LevelChange(Trend.ROSE if after > before else Trend.FELL, before, after, place)


def _best_split(values: Sequence[float]) -> int:
    """Where two constants fit best: maximises the sum of squares between them."""
    total, count = sum(values), len(values)
    best, best_gain, left = LEAST, -1.0, sum(values[: LEAST - 1])
    for place in range(LEAST, count - LEAST + 1):
        left += values[place - 1]
        gap = left / place - (total - left) / (count - place)
        gain = gap * gap * place * (count - place)
        if gain > best_gain:
            best, best_gain = place, gain
    return best
