"""Formulas computed from the recorder's samples, as Prometheus would, with two differences.

Growth between two samples is interpolated (or, for counts, kept whole) where Prometheus extrapolates to the edges of a
window, so that adjacent windows add up; a series that appears later than the process it belongs to counts from zero.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from tools.contract import ToolFailed, Window
from tools.metrics.cells import SILENCE, Cells, Row, Sums, growth, levels
from tools.metrics.named import (
    Count,
    Fill,
    Formula,
    Level,
    Match,
    Matcher,
    Quantile,
    Rate,
    Scope,
    Selector,
    Share,
    Written,
    basis,
)
from tools.metrics.quantile import histogram_quantile

_TARGET = ("service", "environment", "version", "instance")  # the labels of one process

Labels = Mapping[str, str]


class Samples:
    """One formula over several windows, on one connection."""

    def __init__(self, db: sqlite3.Connection, scope: Scope, windows: Sequence[Window]) -> None:
        self._db, self._scope, self._cells = db, scope, Cells.of(windows)
        self._known: dict[Selector, dict[int, Labels]] = {}
        self._grown: dict[tuple[Selector, bool], Sums] = {}
        self._held: dict[Selector, tuple[Sums, Mapping[int, set[float]]]] = {}

    def value(self, formula: Formula, number: int) -> float | None:
        """The value over the window of this number."""
        match formula:
            case Count(counter):
                grown = self._growth(counter, spread=False).over(number)
                return sum(grown.values()) if grown else None
            case Rate(counter, per):
                return self._rate(counter, number, per)
            case Share(part, whole):
                total = sum(self._growth(whole).over(number).values())
                return sum(self._growth(part).over(number).values()) / total if total else None
            case Quantile(quantile, buckets):
                return histogram_quantile(quantile, self._buckets(buckets, number))
            case Level(gauge):
                return self._level(gauge, number)
            case Fill(used, size):
                room = sum(self._levels(size)[0].over(number).values())
                return sum(self._levels(used)[0].over(number).values()) / room if room else None
            case Written():
                raise ToolFailed(
                    "the recorder reads no PromQL: metrics of `tools.metrics.named` need a Prometheus"
                )
            case _:
                assert_never(formula)

    def values(self, label: str, formula: Formula) -> frozenset[str]:
        """The values of a label on the series that have samples in the first window."""
        if isinstance(formula, Written):
            return frozenset()
        selector = basis(formula)
        series = self._series(selector)
        present = self._levels(selector)[0].over(0)
        return frozenset(series[id_][label] for id_ in present if label in series[id_])

    def _rate(self, counter: Selector, number: int, per: float) -> float | None:
        """Growth for each `per` seconds of the time that samples cover: the newest are always a little old."""
        growing = self._growth(counter)
        grown, seconds = growing.over(number), growing.covered(number)
        return sum(grown.values()) * per / seconds if grown and seconds > 0 else None

    def _buckets(self, selector: Selector, number: int) -> dict[float, float]:
        series = self._series(selector)
        buckets: dict[float, float] = defaultdict(float)
        for id_, grown in self._growth(selector).over(number).items():
            buckets[float(series[id_]["le"])] += grown
        return buckets

    def _level(self, gauge: Selector, number: int) -> float | None:
        """The mean over the instants of scraping of the sum over what was there at each."""
        sums, instants = self._levels(gauge)
        held = sums.over(number)
        count = sum(len(instants.get(cell, ())) for cell in self._cells.range(number))
        return sum(held.values()) / count if held else None

    def _growth(self, selector: Selector, *, spread: bool = True) -> Sums:
        key = (selector, spread)
        if key not in self._grown:
            born = dict(self._born_at_zero(self._series(selector)))
            self._grown[key] = growth(self._rows(selector), self._cells, born, spread=spread)
        return self._grown[key]

    def _levels(self, selector: Selector) -> tuple[Sums, Mapping[int, set[float]]]:
        if selector not in self._held:
            self._held[selector] = levels(self._rows(selector), self._cells)
        return self._held[selector]

    def _rows(self, selector: Selector) -> Iterator[Row]:
        """The samples from shortly before the first window to the end of the last, streamed."""
        ids = ",".join(str(id_) for id_ in self._series(selector))
        query = f"SELECT * FROM samples WHERE series IN ({ids}) AND at > ? AND at <= ? ORDER BY series, at"  # noqa: S608 - numbers of our own
        return iter(self._db.execute(query, (self._cells.edges[0] - SILENCE, self._cells.edges[-1])))

    def _series(self, selector: Selector) -> dict[int, Labels]:
        if selector not in self._known:
            rows = self._db.execute("SELECT id, labels FROM series WHERE name = ?", (selector.name,))
            wanted = selector.matchers + self._scope.matchers
            labelled = ((int(id_), json.loads(text)) for id_, text in rows)
            self._known[selector] = {
                id_: labels for id_, labels in labelled if all(_fits(each, labels) for each in wanted)
            }
        return self._known[selector]

    def _born_at_zero(self, series: Mapping[int, Labels]) -> Iterator[tuple[int, float]]:
        """Series that appeared when their process had been scraped before, and when that was."""
        firsts = (
            "SELECT id, labels, (SELECT MIN(at) FROM samples WHERE series = id) FROM series WHERE name = ?"
        )
        scraped: dict[tuple[str, ...], float] = {}
        for _, text, first in self._db.execute(firsts, ("up",)):
            if first is not None:
                scraped[_target(json.loads(text))] = first
        for id_, labels in series.items():
            (first,) = self._db.execute("SELECT MIN(at) FROM samples WHERE series = ?", (id_,)).fetchone()
            if first is not None and scraped.get(_target(labels), first) < first:
                yield id_, first


def _target(labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in _TARGET)


def _fits(matcher: Matcher, labels: Labels) -> bool:
    value = labels.get(matcher.label, "")
    match matcher.match:
        case Match.EQUAL:
            return value == matcher.value
        case Match.PATTERN:
            return re.fullmatch(matcher.value, value) is not None
        case Match.NOT_PATTERN:
            return re.fullmatch(matcher.value, value) is None
