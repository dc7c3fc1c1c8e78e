"""Changes as causes: what a change is called, and what speaks for and against it."""

import math
import re
from collections.abc import Sequence
from datetime import timedelta

from tools.changes.port import ChangeKind, Occurrence
from tools.contract import Json
from tools.investigate.attribution import Trouble
from tools.investigate.hypothesis import Hypothesis, Point, Source
from tools.investigate.ledger import Ledger
from tools.investigate.signals import Scene, Sighting
from tools.times import iso

LEAD = timedelta(hours=2)  # a change this long before is still a suspect of what began at one moment
CLOSE, NEAR = timedelta(minutes=1), timedelta(minutes=10)
RAN_WELL = 50  # requests that a change served well before it began
_ORDER = re.compile(r"(deploy|rollback|restart|scale) (\S+) (\S+) -> (\S+)")
_SET = re.compile(r"\s*([\w.-]+)\s*[:=]\s*(?:(.*?)\s*->\s*)?(.*?)\s*")
_SHORTEST = 4  # characters of a value that is worth looking for in a line


def kind_of(one: Occurrence) -> str:
    """The kind of a change as a cause."""
    order = _ORDER.fullmatch(one.title)
    match one.kind:
        case ChangeKind.CONFIG:
            return "config"
        case ChangeKind.ACTION:
            return "action"
        case ChangeKind.DEPLOYMENT if order and order[1] in {"restart", "scale"}:
            return order[1]
        case ChangeKind.DEPLOYMENT:
            return "release"
        case _:
            return "merge"


def subject_of(one: Occurrence) -> str:
    """What a change is called: `payments 2.4.0`, `payments merchant_account`, `restart of catalog`."""
    if order := _ORDER.fullmatch(one.title):
        return (
            f"{order[1]} of {order[2]}" if kind_of(one) in {"restart", "scale"} else f"{order[2]} {order[4]}"
        )
    if one.kind is ChangeKind.CONFIG and (found := _SET.fullmatch(one.title)) and one.service:
        return f"{one.service} {found[1]}"
    return one.title


def version_of(one: Occurrence) -> str | None:
    """The version that a deployment brought."""
    order = _ORDER.fullmatch(one.title)
    return order[4] if order and kind_of(one) == "release" else None


def before_of(one: Occurrence) -> str | None:
    """What was there before: a version, or a value."""
    if order := _ORDER.fullmatch(one.title):
        return order[3] if kind_of(one) == "release" and order[3] != order[4] else None
    found = _SET.fullmatch(one.title)
    return found[2] or None if found and one.kind is ChangeKind.CONFIG else None


def after_of(one: Occurrence) -> str | None:
    """What is there since: a version, or a value."""
    if one.kind is ChangeKind.CONFIG:
        found = _SET.fullmatch(one.title)
        return found[3] if found else None
    return version_of(one)


def is_of_the_same(one: Occurrence, other: Occurrence) -> bool:
    """Whether two changes are of the version, or of the same value, of one service in one place."""
    if (one.service, one.environment) != (other.service, other.environment) or kind_of(one) != kind_of(other):
        return False
    return kind_of(one) == "release" or (kind_of(one) == "config" and subject_of(one) == subject_of(other))


def suspects(scene: Scene, trouble: Trouble) -> list[Occurrence]:
    """The changes of this very service, or of nobody knows which, in this place, that came before, oldest first."""
    onset = trouble.onset
    return [
        one
        for one in scene.changes
        if one.ok
        and one.service in {None, trouble.service}
        and one.environment in {None, scene.environment}
        and onset.preceded(one.at)
        and onset.at - one.at <= LEAD
    ]


def hypotheses(scene: Scene, trouble: Trouble, ledger: Ledger) -> list[Hypothesis]:
    """One for each change that may have caused the trouble."""
    before = suspects(scene, trouble)
    return [_one(scene, trouble, ledger, one, last=one is before[-1]) for one in before]


def _one(scene: Scene, trouble: Trouble, ledger: Ledger, one: Occurrence, *, last: bool) -> Hypothesis:
    kind, gap = kind_of(one), max(trouble.onset.at - one.at, timedelta(0))
    closeness = 3 if gap <= CLOSE else 2 if gap <= NEAR else 1
    acts = {"release": 1, "config": 1, "action": 1, "merge": -2}.get(kind, 0)
    acts -= 2 if one.service is None else 0  # it may be about anything
    fields: dict[str, Json] = {
        "what": subject_of(one),
        "gap": round(gap.total_seconds()),
        "by": one.by,
        "at": iso(one.at),
    }
    points = [Point("change.before", closeness + acts + 1, Source.CHANGES, fields, (ledger.changes(),))]
    if last:
        points.append(Point("change.last", 1, Source.CHANGES, fields, (ledger.changes(),)))
    points += _said(scene, trouble, ledger, one)
    points += _ran_well(scene, trouble, ledger, one, gap)
    known: dict[str, Json] = {
        **fields,
        "before": before_of(one),
        "version": version_of(one),
        "environment": scene.environment,
    }
    return Hypothesis(kind, subject_of(one), trouble.service, tuple(points), one, known)


def _said(scene: Scene, trouble: Trouble, ledger: Ledger, one: Occurrence) -> list[Point]:
    """What the new lines say about the change."""
    view, version = scene.views[trouble.service], version_of(one)
    for each in trouble.fresh:
        if quotes(one, each):
            fields: dict[str, Json] = {"sample": each.sample, "count": each.pattern.count}
            return [Point("change.quoted", 4, Source.LOGS, fields, (ledger.log(view), ledger.changes()))]
    for each in trouble.errors or trouble.fresh:
        if version is not None and each.pattern.versions == {version}:
            fields = {
                "sample": each.sample,
                "count": each.pattern.count,
                "version": f"{trouble.service} {version}",
            }
            return [Point("change.only_version", 2, Source.LOGS, fields, (ledger.log(view),))]
    return []


def quotes(one: Occurrence, line: Sighting) -> bool:
    """Whether a line has the value, or the key, that a configuration was changed to."""
    found = _SET.fullmatch(one.title) if one.kind is ChangeKind.CONFIG else None
    if found is None:
        return False
    said = line.sample.lower()
    key = found[1].lower()
    return any(
        len(word) >= _SHORTEST and word in said for word in (found[3].lower(), key, key.replace("_", " "))
    )


def _ran_well(scene: Scene, trouble: Trouble, ledger: Ledger, one: Occurrence, gap: timedelta) -> list[Point]:
    """Against it: that many requests went well under it."""
    traffic = scene.views[trouble.service].course("request_rate")
    if traffic is None or traffic.level is None or not math.isfinite(traffic.level.before):
        return []
    requests = gap.total_seconds() * traffic.level.before
    if requests < RAN_WELL:
        return []
    fields: dict[str, Json] = {
        "requests": round(requests, -1),
        "gap": round(gap.total_seconds()),
        "what": subject_of(one),
    }
    return [Point("change.ran_well", -1, Source.METRICS, fields, (ledger.course(traffic), ledger.changes()))]


def named(changes: Sequence[Occurrence]) -> list[tuple[str, Occurrence]]:
    """Changes by what they are called; the newest of each name and place."""
    found: dict[tuple[str, str | None], Occurrence] = {}
    for one in changes:
        found[subject_of(one), one.environment] = one
    return [(name, one) for (name, _), one in found.items()]
