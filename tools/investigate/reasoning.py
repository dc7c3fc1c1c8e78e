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

PHYSICAL = frozenset({"dependency", "clock", "certificate", "disk", "memory"})
DIRECT = 6  # points of measures and lines from which something is the cause whatever was changed before
CREEPS = {"memory": "memory", "disk": "disk_left"}
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
    every = [each for each in (*changes, *conditions) if each.score >= TOLD]
    if not every:
        every = [_unknown(scene, trouble, ledger)]
    return judged(every)


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
        each
        for each in others
        if each.kind in {"release", "config", "dependency"} and each.score >= TOLD and each.score > 0
    ]
    if not reasons:
        return hypothesis
    best = max(reasons, key=lambda each: each.score)
    fields: dict[str, Json] = {"other": best.subject, "kind": best.kind, "service": best.service}
    return hypothesis.with_points(Point("pool.only_how", -3, Source.METRICS, fields, best.points[0].cites))


def _explained(
    hypothesis: Hypothesis, view: View, others: Sequence[Hypothesis], ledger: Ledger
) -> Hypothesis:
    """A point against a change where something else was measured, or is named by the errors."""
    change = hypothesis.change
    if change is None:
        return hypothesis
    for other in sorted(others, key=lambda each: -each.direct):
        if other.kind in PHYSICAL and other.direct >= DIRECT:
            course = view.course(CREEPS.get(other.kind, ""))
            began_with_it = (
                course is not None and bool(course.points) and change.at >= course.points[0][0]
                and hypothesis.kind == "release" and other.kind == "memory"
            )  # fmt: skip
            if began_with_it and course is not None and _climbs_since(course.points, change.at.timestamp()):
                return hypothesis.with_points(
                    Point(
                        "memory.since",
                        4,
                        Source.METRICS,
                        figures(course, creep=True),
                        (ledger.course(course),),
                    )
                )
            return _against(hypothesis, other)
        quoted = any(point.code == "change.quoted" for point in other.points)
        if quoted and other.change is not change and not _quoted(hypothesis):
            return _against(hypothesis, other)
    return hypothesis


def _climbs_since(points: Sequence[tuple[object, float]], at: float) -> bool:
    """Whether a measure lay still before a moment, or did not exist: the climb is that of a new process."""
    before = [value for moment, value in points if moment.timestamp() < at]  # type: ignore[attr-defined]  # datetimes
    if len(before) < 3:
        return True
    low, high = min(before), max(before)
    return high < 1.1 * low


def _quoted(hypothesis: Hypothesis) -> bool:
    return any(point.code == "change.quoted" for point in hypothesis.points)


def _against(hypothesis: Hypothesis, other: Hypothesis) -> Hypothesis:
    direct = next((point for point in other.points if point.source is not Source.CHANGES), other.points[0])
    fields: dict[str, Json] = {"other": other.subject, "kind": other.kind, "service": other.service}
    return hypothesis.with_points(Point("change.explained", -4, Source.METRICS, fields, direct.cites))


def _beaten(ranked: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Changes that another cause of the same trouble leaves far behind."""
    best: dict[str, int] = {}
    for each in ranked:
        best[each.service] = max(best.get(each.service, 0), each.score)
    return [each for each in ranked if each.kind in CHANGES and each.score <= best[each.service] - WEAKER]


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
