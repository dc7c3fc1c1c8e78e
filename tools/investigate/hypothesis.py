"""A hypothesis: what may be the cause, what speaks for and against it, and how surely, by rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tools.changes.port import Occurrence
from tools.contract import Json


class Source(StrEnum):
    """Where a point comes from; independent sources make a hypothesis surer."""

    METRICS = "metrics"
    LOGS = "logs"
    CHANGES = "changes"


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


HIGH, MEDIUM, MARGIN = 7, 4, 2
RULE = (
    f"high: {HIGH} points or more from two kinds of signals, {MARGIN} ahead of the next cause of the same trouble; "
    f"and never where nothing is measured; medium: {MEDIUM} points or more; low: fewer"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that speaks for (`weight` above 0) or against a hypothesis: a code, its values, and its evidence.

    `cites` are places among the findings of the investigation, counted from 1.
    """

    code: str
    weight: int
    source: Source
    fields: Mapping[str, Json]
    cites: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Something that may be the cause of the trouble in `service`."""

    kind: str  # release, config, restart, scale, action, merge, dependency, pool, memory, disk, clock, certificate, ...
    subject: str  # `payments 2.4.0`, `payments merchant_account`, `corvid-pay`, `catalog`
    service: str
    points: tuple[Point, ...] = ()
    change: Occurrence | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)
    confidence: Confidence = Confidence.LOW

    @property
    def score(self) -> int:
        return sum(point.weight for point in self.points)

    @property
    def direct(self) -> int:
        """What was measured or logged about it, without what it merely came before."""
        return sum(
            point.weight for point in self.points if point.source is not Source.CHANGES and point.weight > 0
        )

    @property
    def whose(self) -> str:
        """The service that the cause is in, which need not be the one in trouble: a clock may be that of a caller."""
        return self.subject if self.kind == "clock" else self.service

    def with_points(self, *points: Point) -> "Hypothesis":
        return replace(self, points=(*self.points, *points))


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Something that looks guilty and is not, by name, with the reason."""

    what: str
    kind: str
    code: str
    fields: Mapping[str, Json]
    cites: tuple[int, ...]


def judged(ranked: list[Hypothesis], *, measured: bool = True) -> list[Hypothesis]:
    """The hypotheses of one trouble, best first, with their confidence by `RULE`."""
    ordered = sorted(ranked, key=lambda each: -each.score)
    scores = [each.score for each in ordered]
    told = []
    for place, each in enumerate(ordered):
        following = scores[place + 1] if place + 1 < len(scores) else 0
        kinds = {point.source for point in each.points if point.weight > 0}
        if (
            measured
            and each.score >= HIGH
            and len(kinds) > 1
            and each.score - following >= MARGIN
            and place == 0
        ):
            level = Confidence.HIGH
        else:
            level = Confidence.MEDIUM if each.score >= MEDIUM else Confidence.LOW
        told.append(replace(each, confidence=level))
    return told
