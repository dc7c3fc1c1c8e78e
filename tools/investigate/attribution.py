"""Where the trouble is: services that feel it, those that only pass it on, and when it began at each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tools.investigate.course import SLACK, Course, Onset
from tools.investigate.signals import Scene, Sighting, View, mentions
from tools.investigate.vitals import ERRORS, LATENCY, REFUSED

LAGS = timedelta(seconds=8)  # a line may be written a little after the measure that tells of it
CLOCK_OFF = 5.0  # seconds from which a clock counts as wrong
EXACT = timedelta(seconds=5)  # how exactly the first line of an error tells when it began
TOGETHER = timedelta(seconds=30)  # services that begin to fail within this fail together
QUIET, RECENT, STILL, LOUD = 0.02, 0.02, timedelta(seconds=30), 5  # of a window; lines of an error that tells
ONE_OF_SEVERAL = 0.2  # of the lines that are new in a service, what a pattern must be to tell when it began


@dataclass(frozen=True, slots=True)
class Blame:
    """Why another service is looked at: a line that names it, failures of its own, or calls that take longer."""

    service: str
    line: Sighting | None = None
    fails: Course | None = None
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
    onset = _began(view) or _logged(scene, view) or since
    if onset is None or not (view.felt() or blamed or not view.measured):
        return
    fresh = fresh_in(view, onset)
    blames = [each for each in _blames(scene, view, fresh, onset) if each.service not in seen]
    for name in dict.fromkeys(each.service for each in blames):
        _follow(scene, name, tuple(each for each in blames if each.service == name), onset, found, seen)
    if not _all_passed_on(view, blames):
        found[service] = Trouble(service, _refined(onset, fresh), view.felt(), fresh, blamed)


def _began(view: View) -> Onset | None:
    """When what is felt began; errors tell it better than times of answers."""
    felt = sorted(view.felt(), key=lambda each: each.metric == LATENCY)
    onsets = [each.onset for each in felt if each.onset is not None]
    return min(onsets, key=lambda each: each.at, default=None)


def _logged(scene: Scene, view: View) -> Onset | None:
    """Where nothing is measured: when the most frequent error began, if it was not always there and goes on."""
    if view.measured:
        return None
    quiet = scene.window.start + QUIET * scene.window.length
    recent = scene.now - max(STILL, RECENT * scene.window.length)
    fitting = [
        each
        for each in view.heard.sightings
        if each.is_error and each.first > quiet and each.pattern.last and each.pattern.last >= recent
    ]
    loudest = max(fitting, key=lambda each: len(each.times), default=None)
    return Onset(loudest.first, SLACK) if loudest is not None and len(loudest.times) >= LOUD else None


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
    return Onset(min(near), EXACT) if near else onset


def _blames(scene: Scene, view: View, fresh: tuple[Sighting, ...], onset: Onset) -> list[Blame]:
    """The other services that this one's errors name, that fail since then too, or that it waits longer for."""
    others = [name for name in scene.calls.get(view.service, ()) if name in scene.views]
    failing = [
        Blame(name, fails=each)
        for name in others
        for each in scene.views[name].felt()
        if each.metric != LATENCY and each.onset is not None and abs(each.onset.at - onset.at) <= TOGETHER
    ]
    named = [
        Blame(name, line=each) for each in fresh if each.is_error for name in mentions(each.sample, others)
    ]
    waits = [
        Blame(name, calls=each)
        for name in others
        if (each := view.calls.get(name)) is not None and each.points and each.rose
    ]
    return [*named, *failing, *waits]


def _all_passed_on(view: View, blames: list[Blame]) -> bool:
    """Whether everything that is felt here is somebody else's."""
    if not blames:
        return False
    slow = any(each.calls is not None for each in blames)
    failing = any(each.line is not None or each.fails is not None for each in blames)
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
    blamed = 50.0 if any(each.line or each.fails for each in trouble.blamed) else 0.0
    return max(failing, blamed) + min(slower, 40.0)
