"""A cause that was taken away already: by which change, and what logs and measures say since."""

from collections.abc import Sequence
from datetime import datetime
from statistics import fmean

from tools.changes.port import Occurrence
from tools.contract import Json
from tools.investigate.changed import after_of, before_of, is_of_the_same, version_of
from tools.investigate.course import Course
from tools.investigate.hypothesis import Hypothesis
from tools.investigate.ledger import Ledger
from tools.investigate.signals import Scene, View
from tools.times import iso

ENOUGH = 3  # points of a measure that lie whole after a change, to say how it is since


def undone(scene: Scene, one: Hypothesis, ledger: Ledger) -> dict[str, Json] | None:
    """The last change of the same thing to something else, where what was the cause does not run now."""
    cause = one.change
    last = None if cause is None else _last(scene.changes, cause)
    if cause is None or last is None or after_of(last) in {None, after_of(cause)}:
        return None
    place = (cause.service, scene.environment)
    back = after_of(last) == before_of(cause)
    here = [each.version for each in scene.running if (each.service, each.environment) == place]
    if version_of(cause) in here or not (here or back):
        return None  # it runs still, or nobody knows what does
    told: dict[str, Json] = {
        "title": last.title,
        "to": after_of(last),
        "back": back,
        "by": last.by,
        "at": iso(last.at),
        "cites": [ledger.changes()],
    }
    view = scene.views.get(one.service)
    return told if view is None else {**told, **_since(view, last.at, scene.now, ledger)}


def _last(changes: Sequence[Occurrence], cause: Occurrence) -> Occurrence | None:
    later = (each for each in changes if each.ok and each.at > cause.at and is_of_the_same(each, cause))
    return max(later, key=lambda each: each.at, default=None)


def _since(view: View, at: datetime, now: datetime, ledger: Ledger) -> dict[str, Json]:
    """How often errors were logged after the change, and how many requests failed in the mean."""
    told: dict[str, Json] = {}
    read_back = view.heard.reached is None or view.heard.reached <= at
    if view.heard.scanned and not view.heard.unread and read_back:
        errors = [each for each in view.heard.sightings if each.is_error]
        times = [
            moment for each in errors for moment in each.times if at.timestamp() <= moment <= now.timestamp()
        ]
        told["errors"] = len(times)
        told["last_error"] = iso(datetime.fromtimestamp(max(times), tz=now.tzinfo)) if times else None
        told["errors_cites"] = [ledger.log(view)]
    course = view.course("error_rate")
    values = [] if course is None else _after(course, at)
    if course is not None and len(values) >= ENOUGH:
        told |= {
            "metric": course.metric.name,
            "unit": course.metric.unit,
            "now": float(f"{fmean(values):.3g}"),
            "rate_cites": [ledger.course(course)],
        }
    return told


def _after(course: Course, at: datetime) -> list[float]:
    """The values of the steps that lie whole after a moment."""
    return [value for ends, value in course.points if ends - course.step >= at]
