"""What was seen: log patterns in time, each service with its measures, and the whole scene."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tools.alerts.port import Alert
from tools.changes.port import Occurrence
from tools.contract import Window
from tools.deploy.port import Running
from tools.investigate.course import Course
from tools.investigate.vitals import FELT
from tools.logs.patterns import Pattern, Patterns
from tools.logs.port import Level, Line, Scanned

MOST_TIMES = 50_000  # of lines, of one service
AHEAD = timedelta(seconds=20)  # lines this far from now were stamped by a clock that is wrong


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pattern of warnings or errors with the instants it was logged at, ascending."""

    pattern: Pattern
    times: tuple[float, ...]  # unix seconds

    @property
    def first(self) -> datetime:
        return self.pattern.first or datetime.fromtimestamp(self.times[0]).astimezone()

    @property
    def sample(self) -> str:
        return self.pattern.sample

    @property
    def is_error(self) -> bool:
        return self.pattern.level is Level.ERROR

    def count(self, start: datetime, end: datetime) -> int:
        """How often it was logged in that time."""
        return bisect_left(self.times, end.timestamp()) - bisect_left(self.times, start.timestamp())

    def says(self, words: re.Pattern[str]) -> bool:
        return bool(words.search(self.sample))


@dataclass(slots=True)
class Hearing:
    """Takes lines as they are read, and keeps patterns with their times."""

    patterns: Patterns = field(default_factory=Patterns)
    times: dict[int, tuple[Pattern, list[float]]] = field(default_factory=dict)
    kept: int = 0

    def take(self, line: Line) -> None:
        pattern = self.patterns.add(line)
        if self.kept < MOST_TIMES:
            self.times.setdefault(id(pattern), (pattern, []))[1].append(line.at.timestamp())
            self.kept += 1

    def sightings(self) -> tuple[Sighting, ...]:
        return tuple(Sighting(pattern, tuple(sorted(times))) for pattern, times in self.times.values())


@dataclass(frozen=True, slots=True)
class Heard:
    """What the log of one service said, and how far back it was read."""

    sightings: tuple[Sighting, ...] = ()
    scanned: tuple[Scanned, ...] = ()

    @property
    def reached(self) -> datetime | None:
        """Nothing before this was read; `None` when all of the window was."""
        stopped = [each.reached for each in self.scanned if each.stopped and each.reached]
        return max(stopped, default=None)

    @property
    def unread(self) -> bool:
        """Whether it was stopped before it is known how far back it was read."""
        return any(each.stopped and each.reached is None for each in self.scanned)

    def ahead(self, now: datetime) -> int:
        """Lines that were stamped in the future."""
        return sum(each.count(now + AHEAD, now + timedelta(days=400)) for each in self.sightings)


@dataclass(frozen=True, slots=True)
class View:
    """One service: its measures by name, its calls by who is called, and its log."""

    service: str
    courses: Mapping[str, Course] = field(default_factory=dict)
    calls: Mapping[str, Course] = field(default_factory=dict)
    heard: Heard = Heard()

    def course(self, name: str) -> Course | None:
        found = self.courses.get(name)
        return found if found is not None and found.points else None

    @property
    def measured(self) -> bool:
        """Whether anything that customers feel is known; without it nothing can be called well."""
        return any(self.course(metric.name) is not None for metric in FELT)

    def felt(self) -> tuple[Course, ...]:
        """What customers feel, and that got worse."""
        return tuple(one for metric in FELT if (one := self.course(metric.name)) and one.rose)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that was looked at, before anything is concluded."""

    asked: str | None
    environment: str
    window: Window
    views: Mapping[str, View]  # in the order of who calls whom, the asked one first
    calls: Mapping[str, tuple[str, ...]]
    changes: tuple[Occurrence, ...] = ()
    running: tuple[Running, ...] = ()
    alerts: tuple[Alert, ...] = ()
    elsewhere: Mapping[str, View] = field(default_factory=dict)  # logs of services that are not on the way

    @property
    def now(self) -> datetime:
        return self.window.end

    def firing(self) -> tuple[Alert, ...]:
        """The alerts that are about one of these services, or about none in particular, here."""
        return tuple(
            each
            for each in self.alerts
            if each.service in {None, *self.views} and each.environment in {None, self.environment}
        )

    @property
    def measured(self) -> bool:
        """Whether anything that customers feel is known of what was asked about."""
        return any(view.measured for view in self.views.values() if self.asked in {None, view.service})


def mentions(text: str, names: Iterable[str]) -> frozenset[str]:
    """The names that a text speaks of, also where they are written in words: Corvid Pay for corvid-pay."""
    said = f" {_words(text)} "
    return frozenset(name for name in names if f" {_words(name)} " in said)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
