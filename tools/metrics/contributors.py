"""Which values of a label make up a metric, and which of them changed it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.contract import Window
from tools.metrics.named import Count, Match, Matcher, Metric, Rate, Scope
from tools.metrics.port import MetricStore

MOST = 40  # values of a label that are asked for, one question each
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Contributor:
    """The metric of one value of the label over a window and over the one before; `None` where not measured."""

    value: str
    now: float | None
    before: float | None

    @property
    def moved(self) -> float:
        """How much more than before; what was not measured before is taken for new."""
        return (self.now or 0.0) - (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The contributors that changed most, first. `left` values were not asked for."""

    label: str
    metric: Metric
    parts: tuple[Contributor, ...]
    left: int

    @property
    def adds_up(self) -> bool:
        """Whether the parts sum to the whole: a rate's do, a share's and a percentile's do not."""
        return isinstance(self.metric.formula, Rate | Count)

    def share(self, part: Contributor) -> float | None:
        """The part's share of all that was asked for, where parts add up."""
        total = sum(each.now or 0.0 for each in self.parts)
        return (part.now or 0.0) / total if self.adds_up and total > 0 else None


async def breakdown(store: MetricStore, metric: Metric, scope: Scope, span: Window, label: str) -> Breakdown:
    """The metric for each value of the label, the windows compared. Raises what the store raises."""
    known = sorted(await store.values(label, metric.formula, scope, Window(span.before().start, span.end)))
    asked = known[:MOST]
    found = await asyncio.gather(*(_part(store, metric, scope, span, label, value) for value in asked))
    parts = [part for part in found if part.now is not None or part.before is not None]
    return Breakdown(label, metric, tuple(_ranked(parts)), len(known) - len(asked))


async def _part(
    store: MetricStore, metric: Metric, scope: Scope, span: Window, label: str, value: str
) -> Contributor:
    only = replace(scope, only=(*scope.only, Matcher(label, Match.EQUAL, value)))
    before, now = await store.evaluate(metric.formula, only, (span.before(), span))
    scaled = [None if each is None else each * metric.scale for each in (now, before)]
    return Contributor(value, *scaled)


def _ranked(parts: Sequence[Contributor]) -> list[Contributor]:
    return sorted(parts, key=lambda part: (-abs(part.moved), -(part.now or 0.0), part.value))
