"""Time cut into cells at the edges of windows, so that each sample is read once however the windows overlap.

A counter's growth between two samples is spread evenly over the time between them, or, where whole counts matter, given
to the instant of the later one. Either way it is additive: adjacent windows sum to the window that holds both.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tools.contract import Window

SILENCE = (
    300.0  # seconds: growth over a longer silence is not known to any window (Prometheus' staleness, too)
)

Row = tuple[int, float, float]  # series, unix seconds, value; ordered by series and time


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of some windows: cell `n` lies after `edges[n]` and reaches to `edges[n + 1]`."""

    windows: tuple[Window, ...]
    edges: tuple[float, ...]

    @classmethod
    def of(cls, windows: Sequence[Window]) -> "Cells":
        edges = {edge.timestamp() for window in windows for edge in (window.start, window.end)}
        return cls(tuple(windows), tuple(sorted(edges)))

    def cell(self, at: float) -> int | None:
        """The cell of an instant; `None` outside of all windows."""
        number = bisect_left(self.edges, at) - 1
        return number if 0 <= number < len(self.edges) - 1 else None

    def spread(self, start: float, end: float, amount: float) -> Iterator[tuple[int, float]]:
        """The parts of an amount that fall into each cell when it is spread evenly from `start` to `end`."""
        first = max(bisect_left(self.edges, start, lo=0) - 1, 0)
        for number in range(first, len(self.edges) - 1):
            low, high = self.edges[number], self.edges[number + 1]
            if low >= end:
                return
            shared = min(high, end) - max(low, start)
            if shared > 0:
                yield number, amount * shared / (end - start)

    def range(self, number: int) -> range:
        """The cells of one window."""
        window = self.windows[number]
        first, last = (bisect_left(self.edges, edge.timestamp()) for edge in (window.start, window.end))
        return range(first, last)


@dataclass(slots=True)
class Sums:
    """What fell into each cell, by series, and the time of the first and the last sample."""

    cells: Cells
    by_series: dict[int, dict[int, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    first: float = math.inf
    last: float = -math.inf

    def over(self, number: int) -> dict[int, float]:
        """The sums over one window by series, without the series that have nothing in it."""
        wanted = self.cells.range(number)
        found = {}
        for series, by_cell in self.by_series.items():
            inside = [by_cell[cell] for cell in wanted if cell in by_cell]
            if inside:
                found[series] = sum(inside)
        return found

    def covered(self, number: int) -> float:
        """How many seconds of one window lie between the first and the last sample."""
        window = self.cells.windows[number]
        return min(window.end.timestamp(), self.last) - max(window.start.timestamp(), self.first)


def growth(rows: Iterable[Row], cells: Cells, born: Mapping[int, float], *, spread: bool) -> Sums:
    """How much counters grew in each cell.

    A smaller value than before means that the process began anew: the whole of it is growth, as in Prometheus.
    `born` gives the first instant of series that are known to have begun at zero: that first value is growth too.
    """
    sums = Sums(cells)
    before_series, before_at, before = -1, 0.0, 0.0
    for series, at, value in rows:
        follows = series == before_series and at - before_at <= SILENCE
        grown = 0.0
        if follows:
            grown = value if value < before else value - before
        elif born.get(series) == at:
            grown = value
        if follows and spread:
            for cell, part in cells.spread(before_at, at, grown):
                sums.by_series[series][cell] += part
        elif (here := cells.cell(at)) is not None:
            sums.by_series[series][here] += grown
        sums.first, sums.last = min(sums.first, at), max(sums.last, at)
        before_series, before_at, before = series, at, value
    return sums


def levels(rows: Iterable[Row], cells: Cells) -> tuple[Sums, Mapping[int, set[float]]]:
    """The sum of values in each cell by series, and the instants at which there were any."""
    sums = Sums(cells)
    instants: dict[int, set[float]] = defaultdict(set)
    for series, at, value in rows:
        cell = cells.cell(at)
        if cell is not None:
            sums.by_series[series][cell] += value
            instants[cell].add(at)
    return sums, instants
