"""Where the trouble is: services that feel it, those that only pass it on, and when it began at each."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from tools.investigate.course import SLACK, Course, Onset
from tools.investigate.signals import Scene, Sighting, View, mentions
from tools.investigate.vitals import ERRORS, LATENCY, REFUSED

LAGS = timedelta(seconds=8)  # a line may be written a little after the measure that tells of it
CLOCK_OFF = 5.0  # seconds from which a clock counts as wrong
ONE_OF_SEVERAL = 0.2  # of the lines that are new in a service, what a pattern must be to tell when it began


@dataclass(frozen=True, slots=True)
class Blame:
    """Why another service is looked at: the line that names it, or the calls that take longer."""

    service: str
    line: Sighting | None = None
    calls: Course | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A service in which trouble begins, as far as can be told: what is felt there, since when, and the new lines."""

    service: str
    onset: Onset
    felt: tuple[Course, ...]
    fresh: tuple[Sighting, ...]  # errors and warnings that began with it
    blamed: tuple[Blame, ...] = ()  # by those that call it

    @property
    def errors(self) -> tuple[Sighting, ...]:
        return tuple(each for each in self.fresh if each.is_error)


def troubles(scene: Scene) -> tuple[Trouble, ...]:
    """The services in which it begins, the one that is worst off first."""
    found: dict[str, Trouble] = {}
    for service in scene.views if scene.asked is None else (scene.asked,):
        if service in scene.views:
            _follow(scene, service, (), None, found, set())
    return tuple(sorted(found.values(), key=lambda each: (-_weight(each), each.onset.at)))


def _follow(
    scene: Scene,
    service: str,
    blamed: tuple[Blame, ...],
    since: Onset | None,
    found: dict[str, Trouble],
    seen: set[str],
) -> None:
    """Goes from a service that feels trouble to those that it blames, until one has nobody to blame."""
    if service in seen:
        return
    seen.add(service)
    view = scene.views[service]
    onset = _began(view) or since
    if onset is None or not (view.felt() or blamed):
        return
    fresh = fresh_in(view, onset)
    blames = [each for each in _blames(scene, view, fresh) if each.service not in seen]
    for name in dict.fromkeys(each.service for each in blames):
        _follow(scene, name, tuple(each for each in blames if each.service == name), onset, found, seen)
    if not _all_passed_on(view, blames):
        exact = replace(_refined(onset, fresh), within=max(onset.within, SLACK))
        found[service] = Trouble(service, exact, view.felt(), fresh, blamed)


def _began(view: View) -> Onset | None:
    """When what is felt began; errors tell it better than times of answers."""
    felt = sorted(view.felt(), key=lambda each: each.metric == LATENCY)
    onsets = [each.onset for each in felt if each.onset is not None]
    return min(onsets, key=lambda each: each.at, default=None)


def fresh_in(view: View, onset: Onset) -> tuple[Sighting, ...]:
    """The patterns that began with it, the most frequent first. A wrong clock stamps lines as far off as it is."""
    off = timedelta(seconds=clock_off(view))
    early = onset.at - onset.within - off
    late = onset.at + onset.within + LAGS + off
    fitting = [each for each in view.heard.sightings if early <= each.first <= late]
    return tuple(sorted(fitting, key=lambda each: (not each.is_error, -len(each.times))))


def clock_off(view: View) -> float:
    """How many seconds a clock is off, without a sign; 0 where it is not."""
    clock = view.course("clock_offset")
    return abs(clock.now or 0.0) if clock and abs(clock.now or 0.0) >= CLOCK_OFF else 0.0


def _refined(onset: Onset, fresh: Iterable[Sighting]) -> Onset:
    """The first new error is a better clock than the steps of a measure."""
    errors = [each for each in fresh if each.is_error]
    total = sum(len(each.times) for each in errors)
    telling = [each.first for each in errors if len(each.times) >= ONE_OF_SEVERAL * total]
    near = [at for at in telling if abs(at - onset.at) <= onset.within + LAGS]
    return replace(onset, at=min(near)) if near else onset


def _blames(scene: Scene, view: View, fresh: tuple[Sighting, ...]) -> list[Blame]:
    """The other services that this one's errors name, or that it waits longer for."""
    others = [name for name in scene.calls.get(view.service, ()) if name in scene.views]
    named = [
        Blame(name, line=each) for each in fresh if each.is_error for name in mentions(each.sample, others)
    ]
    waits = [
        Blame(name, calls=each)
        for name in others
        if (each := view.calls.get(name)) is not None and each.points and each.rose
    ]
    return [*named, *waits]


def _all_passed_on(view: View, blames: list[Blame]) -> bool:
    """Whether everything that is felt here is somebody else's."""
    if not blames:
        return False
    slow = any(each.calls is not None for each in blames)
    failing = any(each.line is not None for each in blames)
    felt = {each.metric for each in view.felt()}
    return (LATENCY not in felt or slow) and (not felt & {ERRORS, REFUSED} or failing)


def _weight(trouble: Trouble) -> float:
    """How bad it is: the share of failing requests, then by how many times answers take longer."""
    failing = max(
        (each.level.after for each in trouble.felt if each.metric != LATENCY and each.level), default=0.0
    )
    slower = max(
        (
            each.level.after / max(each.level.before, 1.0)
            for each in trouble.felt
            if each.metric == LATENCY and each.level
        ),
        default=0.0,
    )
    blamed = 50.0 if any(each.line for each in trouble.blamed) else 0.0
    return max(failing, blamed) + min(slower, 40.0)
