"""Reasoning: the hypotheses of each trouble, how they bear on each other, and their order."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.contract import Json
from tools.investigate import changed
from tools.investigate.attribution import Trouble, troubles
from tools.investigate.conditions import Conditions, figures
from tools.investigate.hypothesis import Hypothesis, Point, RuledOut, Source, judged
from tools.investigate.ledger import Ledger
from tools.investigate.ruling import ruled_out
from tools.investigate.signals import Scene, View
from tools.metrics.change import LEAST

PHYSICAL = frozenset({"dependency", "clock", "certificate", "disk", "memory"})
DIRECT = 6  # points of measures and lines from which something is the cause whatever was changed before
STILL = 1.1  # memory that differs by less lies still
TOLD = 3  # a hypothesis with fewer points is none
WEAKER = 3  # so many points behind the best one of the same trouble, a change is ruled out by it
CHANGES = frozenset({"release", "config", "restart", "scale", "action", "merge"})


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What it comes to. Without troubles nothing is broken, and the hypotheses are only worth knowing."""

    troubles: tuple[Trouble, ...]
    ranked: tuple[Hypothesis, ...]
    ruled_out: tuple[RuledOut, ...]

    @property
    def broken(self) -> bool:
        return bool(self.troubles)


def conclude(scene: Scene, ledger: Ledger) -> Conclusion:
    """The causes in order: the best of each trouble, worst trouble first, then the second best, and so on."""
    found = troubles(scene)
    if found:
        by_trouble = [_of(scene, each, ledger) for each in found]
        rows = max(len(each) for each in by_trouble)
        ranked = [each[row] for row in range(rows) for each in by_trouble if row < len(each)]
    else:
        ranked = _worth_knowing(scene, ledger)
    beaten = _beaten(ranked)
    kept = tuple(each for each in ranked if each not in beaten)
    return Conclusion(found, kept, ruled_out(scene, found, kept, beaten, ledger))


def _of(scene: Scene, trouble: Trouble, ledger: Ledger) -> list[Hypothesis]:
    """The hypotheses of one trouble, judged, best first."""
    view = scene.views[trouble.service]
    changes = [_felt_with(each, trouble, ledger) for each in changed.hypotheses(scene, trouble, ledger)]
    conditions = Conditions(scene, view, trouble, ledger).hypotheses()
    changes = [_filled(each, view, ledger) for each in changes]
    conditions = [_merely_how(each, [*changes, *conditions]) for each in conditions]
    changes = [_explained(each, view, [*changes, *conditions], ledger) for each in changes]
    told = [each for each in (*changes, *conditions) if each.score >= TOLD]
    doubted = [each for each in changes if each.score < TOLD]
    return judged([*(told or [_unknown(scene, trouble, ledger)]), *doubted], measured=view.measured)


def _worth_knowing(scene: Scene, ledger: Ledger) -> list[Hypothesis]:
    """What is not as usual where nothing is broken: one of a kind, of the first service on the way that shows it."""
    found: dict[str, Hypothesis] = {}
    for view in scene.views.values():
        for each in Conditions(scene, view, None, ledger).hypotheses():
            if each.kind not in found or each.score > found[each.kind].score:
                found[each.kind] = each
    return judged([each for each in found.values() if any(p.source is Source.METRICS for p in each.points)])


def _felt_with(hypothesis: Hypothesis, trouble: Trouble, ledger: Ledger) -> Hypothesis:
    """A point for what got worse in the very service right after the change."""
    change = hypothesis.change
    for each in trouble.felt:
        onset = each.onset
        if change is not None and onset is not None and onset.at - change.at <= changed.CLOSE:
            return hypothesis.with_points(
                Point("felt.with", 1, Source.METRICS, figures(each), (ledger.course(each),))
            )
    return hypothesis


def _filled(hypothesis: Hypothesis, view: View, ledger: Ledger) -> Hypothesis:
    """A point where a pool filled up, or memory began to climb, after the change."""
    change, pool = hypothesis.change, view.course("saturation")
    if change is None or pool is None or not pool.rose or pool.onset is None or pool.level is None:
        return hypothesis
    if pool.onset.preceded(change.at) and pool.onset.at - change.at <= changed.CLOSE:
        return hypothesis.with_points(
            Point("pool.filled", 2, Source.METRICS, figures(pool), (ledger.course(pool), ledger.changes()))
        )
    return hypothesis


def _merely_how(hypothesis: Hypothesis, others: Sequence[Hypothesis]) -> Hypothesis:
    """A full pool is how a release or a slow dependency shows."""
    if hypothesis.kind != "pool":
        return hypothesis
    reasons = [
        each for each in others if each.kind in {"release", "config", "dependency"} and each.score >= TOLD
    ]
    if not reasons:
        return hypothesis
    best = max(reasons, key=lambda each: each.score)
    fields: dict[str, Json] = {"other": best.subject, "kind": best.kind, "service": best.whose}
    return hypothesis.with_points(Point("pool.only_how", -3, Source.METRICS, fields, best.points[0].cites))


def _explained(
    hypothesis: Hypothesis, view: View, others: Sequence[Hypothesis], ledger: Ledger
) -> Hypothesis:
    """A point against a change where something else was measured, or is named by the errors."""
    if hypothesis.change is None:
        return hypothesis
    for other in sorted(others, key=lambda each: -each.direct):
        if other.kind in PHYSICAL and other.direct >= DIRECT:
            climb = _climb_since(hypothesis, other, view, ledger)
            return hypothesis.with_points(climb) if climb is not None else _against(hypothesis, other)
        if _quoted(other) and not _quoted(hypothesis):
            return _against(hypothesis, other)
    return hypothesis


def _climb_since(hypothesis: Hypothesis, other: Hypothesis, view: View, ledger: Ledger) -> Point | None:
    """A point for a release since which memory climbs, where it lay still before."""
    change, course = hypothesis.change, view.course("memory")
    if change is None or course is None or (hypothesis.kind, other.kind) != ("release", "memory"):
        return None
    before = [value for at, value in course.points if at <= change.at]
    if len(before) < LEAST or max(before) > STILL * min(before):
        return None
    return Point("memory.since", 4, Source.METRICS, figures(course, creep=True), (ledger.course(course),))


def _quoted(hypothesis: Hypothesis) -> bool:
    return any(point.code == "change.quoted" for point in hypothesis.points)


def _against(hypothesis: Hypothesis, other: Hypothesis) -> Hypothesis:
    direct = next((point for point in other.points if point.source is not Source.CHANGES), other.points[0])
    fields: dict[str, Json] = {"other": other.subject, "kind": other.kind, "service": other.whose}
    return hypothesis.with_points(Point("change.explained", -4, Source.METRICS, fields, direct.cites))


def _beaten(ranked: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Changes for which little is left, or that another cause of the same trouble leaves far behind."""
    best: dict[str, int] = {}
    for each in ranked:
        best[each.service] = max(best.get(each.service, 0), each.score)
    return [
        each
        for each in ranked
        if each.kind in CHANGES and (each.score < TOLD or each.score <= best[each.service] - WEAKER)
    ]


def _unknown(scene: Scene, trouble: Trouble, ledger: Ledger) -> Hypothesis:
    """Where no cause was found, the place is what can be told, and the line that is new there."""
    view = scene.views[trouble.service]
    points = [
        Point("felt.here", 1, Source.METRICS, figures(each), (ledger.course(each),)) for each in trouble.felt
    ]
    for line in trouble.fresh[:1]:
        fields: dict[str, Json] = {
            "sample": line.sample,
            "count": line.pattern.count,
            "service": trouble.service,
        }
        points.append(Point("line.new", 2, Source.LOGS, fields, (ledger.log(view),)))
    return Hypothesis(
        "service", trouble.service, trouble.service, tuple(points), fields={"service": trouble.service}
    )
