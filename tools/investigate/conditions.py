"""What runs short or goes wrong by itself: others that are slow, memory, disks, pools, clocks, certificates, load."""

import math
import re
from datetime import timedelta

from tools.contract import Json
from tools.investigate.attribution import Trouble, clock_off
from tools.investigate.course import Course, Onset
from tools.investigate.hypothesis import Hypothesis, Point, Source
from tools.investigate.ledger import Ledger
from tools.investigate.signals import AHEAD, Scene, Sighting, View, mentions
from tools.investigate.vitals import LATENCY
from tools.times import iso

FULL = 90.0  # per cent of a pool
DISK_LEFT, DISK_LOW = 10.0, 25.0  # per cent, at and below which a disk is a cause, and a worry
CERTIFICATE_DAYS = 21
EPOCH_LEAST = 1e9  # unix seconds: smaller values are no moment that a certificate ends at
MOST_OF_IT = 0.6  # of the added time, from which the time of a call explains a slow answer
TOGETHER = timedelta(seconds=30)  # two measures that changed within this changed together

_MEMORY = re.compile(r"\b(memory|heap|oom|out of memory|gc|collecting|swap)\b", re.IGNORECASE)
_DISK = re.compile(r"\b(disk|space|enospc|quota|read-only|volume)\b", re.IGNORECASE)
_POOL = re.compile(
    r"\b(pool|connections? (?:in use|limit)|too many (?:connections|clients))\b", re.IGNORECASE
)
_CLOCK = re.compile(
    r"\b(clock|skew|in the (?:future|past)|not yet valid|timestamp|signed \d+|expired \d+ s|ntp)\b",
    re.IGNORECASE,
)
_CERTIFICATE = re.compile(r"\b(certificate|x509|tls|ssl)\b", re.IGNORECASE)


class Conditions:
    """Makes hypotheses about one service: `trouble` is `None` where nothing is felt."""

    def __init__(self, scene: Scene, view: View, trouble: Trouble | None, ledger: Ledger) -> None:
        self._scene, self._view, self._trouble, self._ledger = scene, view, trouble, ledger
        self.service = view.service

    def hypotheses(self) -> list[Hypothesis]:
        """Those for which anything was measured or logged."""
        made = (
            self.memory(), self.disk(), self.pool(), self.clock(), self.certificate(), self.load(), self.instances(),
        )  # fmt: skip
        return [*self.dependencies(), *(each for each in made if each is not None)]

    # --- others ------------------------------------------------------------------------------------------------------

    def dependencies(self) -> list[Hypothesis]:
        """Others outside of the known services, that calls take longer to, or that the new errors name."""
        outside = [name for name in self._scene.calls.get(self.service, ()) if name not in self._scene.views]
        return [made for name in outside if (made := self._dependency(name)) is not None]

    def _dependency(self, name: str) -> Hypothesis | None:
        points = []
        course = self._view.calls.get(name)
        slow = course is not None and bool(course.points) and course.rose
        if course is not None and slow:
            points.append(self._measured("dependency.slow", 4, course, called=name))
            if self._explains(course):
                points.append(self._measured("dependency.explains", 2, course, called=name))
        lines = [each for each in self._fresh() if mentions(each.sample, (name,))]
        if lines:
            points.append(self._logged(lines[0], 3 if slow else 2, "dependency.named", called=name))
        if points and not slow and course is not None and course.points:
            points.append(self._measured("dependency.fast", -2, course, called=name))
        return self._made("dependency", name, points)

    def _explains(self, course: Course) -> bool:
        """Whether the time that calls take longer is most of what answers take longer."""
        latency = self._view.course(LATENCY.name)
        if latency is None or latency.level is None or course.level is None:
            return False
        added = latency.level.after - latency.level.before
        return latency.rose and course.level.after - course.level.before >= MOST_OF_IT * 0.5 * added

    # --- what runs short ---------------------------------------------------------------------------------------------

    def memory(self) -> Hypothesis | None:
        course, points = self._view.course("memory"), list[Point]()
        if course is not None and course.creep is not None:
            points.append(self._measured("memory.climbs", 4, course, creep=True))
        points += self._says(_MEMORY, 3, "memory.said")
        return self._made("memory", self.service, points)

    def disk(self) -> Hypothesis | None:
        course, points = self._view.course("disk_left"), list[Point]()
        left = course.now if course is not None else None
        if course is not None and left is not None and left <= DISK_LOW:
            points.append(self._measured("disk.left", 4 if left <= DISK_LEFT else 2, course))
        points += self._says(_DISK, 4, "disk.said")
        return self._made("disk", self.service, points)

    def pool(self) -> Hypothesis | None:
        course, points = self._view.course("saturation"), list[Point]()
        if course is not None and course.rose and max(course.values) >= FULL:
            points.append(self._measured("pool.full", 3, course))
        points += self._says(_POOL, 2, "pool.said")
        return self._made("pool", self.service, points)

    # --- what goes wrong by itself -----------------------------------------------------------------------------------

    def clock(self) -> Hypothesis | None:
        """The clock of this service; or of another one that it talks to, where the lines speak of time."""
        said = self._says(_CLOCK, 3, "clock.said") if self._trouble is not None else []
        if said and not clock_off(self._view):
            others = {**self._scene.views, **self._scene.elsewhere}
            for name, other in others.items():
                course = other.course("clock_offset")
                if course is not None and clock_off(other):
                    return self._made("clock", name, [self._measured("clock.off", 5, course), *said])
        course, points = self._view.course("clock_offset"), list[Point]()
        if course is not None and clock_off(self._view):
            points.append(self._measured("clock.off", 5, course))
        ahead = self._view.heard.ahead(self._scene.now)
        if ahead:
            fields: dict[str, Json] = {
                "count": ahead,
                "seconds": AHEAD.total_seconds(),
                "service": self.service,
            }
            points.append(Point("clock.ahead", 2, Source.LOGS, fields, (self._ledger.log(self._view),)))
        return self._made("clock", self.service, [*points, *said])

    def certificate(self) -> Hypothesis | None:
        course, points = self._view.course("certificate_end"), list[Point]()
        ends = course.now if course is not None else None
        days = None if ends is None or ends < EPOCH_LEAST else (ends - self._scene.now.timestamp()) / 86_400
        said = self._says(_CERTIFICATE, 3, "certificate.said", fresh=False)
        if course is not None and ends is not None and days is not None and days <= CERTIFICATE_DAYS:
            fields: dict[str, Json] = {"days": round(days, 1), "service": self.service}
            at = (self._ledger.course(course),)
            points.append(Point("certificate.ends", 5 if days <= 0 else 3, Source.METRICS, fields, at))
            if self._trouble is not None and days > 0:
                points.append(Point("certificate.valid", -4, Source.METRICS, fields, at))
        return self._made("certificate", self.service, [*points, *said])

    def load(self) -> Hypothesis | None:
        course = self._view.course("request_rate")
        if course is None or not course.rose or course.onset is None:
            return None
        points = [self._measured("traffic.rose", 2, course)]
        if self._trouble is not None:
            busy = self._view.course("cpu")
            if not self._together(course.onset):
                points.append(self._measured("traffic.apart", -3, course))
            elif busy is not None and busy.rose:
                points.append(self._measured("traffic.busy", 2, busy))
        return self._made("traffic", self.service, points)

    def instances(self) -> Hypothesis | None:
        """Instances that the platform calls unhealthy."""
        sick = [
            one
            for one in self._scene.running
            if (one.service, one.environment) == (self.service, self._scene.environment)
            and one.replicas is not None
            and one.healthy is False
        ]
        if not sick:
            return None
        fields: dict[str, Json] = {
            "healthy": sick[0].healthy_replicas,
            "replicas": sick[0].replicas,
            "service": self.service,
        }
        point = Point("instances.down", 4, Source.METRICS, fields, (self._ledger.running(),))
        return self._made("instances", self.service, [point])

    # --- points ------------------------------------------------------------------------------------------------------

    def _made(self, kind: str, subject: str, points: list[Point]) -> Hypothesis | None:
        if not any(point.weight > 0 for point in points):
            return None
        return Hypothesis(kind, subject, self.service, tuple(points), fields={"service": self.service})

    def _fresh(self) -> tuple[Sighting, ...]:
        return self._trouble.fresh if self._trouble is not None else ()

    def _together(self, onset: Onset) -> bool:
        return self._trouble is not None and onset.at <= self._trouble.onset.at + TOGETHER

    def _says(self, words: re.Pattern[str], weight: int, code: str, *, fresh: bool = True) -> list[Point]:
        """A point for the most frequent line with these words, of those that began with the trouble."""
        lines = self._fresh() if fresh and self._trouble is not None else self._view.heard.sightings
        fitting = sorted((each for each in lines if each.says(words)), key=lambda each: -len(each.times))
        return [self._logged(fitting[0], weight, code)] if fitting else []

    def _logged(self, line: Sighting, weight: int, code: str, **more: Json) -> Point:
        fields: dict[str, Json] = {
            "sample": line.sample,
            "count": line.pattern.count,
            "first": iso(line.first),
            "service": self.service,
            **more,
        }
        return Point(code, weight, Source.LOGS, fields, (self._ledger.log(self._view),))

    def _measured(
        self, code: str, weight: int, course: Course, *, creep: bool = False, **more: Json
    ) -> Point:
        return Point(
            code,
            weight,
            Source.METRICS,
            {**figures(course, creep=creep), **more},
            (self._ledger.course(course),),
        )


def figures(course: Course, *, creep: bool = False) -> dict[str, Json]:
    """The values of a measure for people: before, after, since when."""
    level, onset = course.level, course.onset
    before, after = (level.before, level.after) if level is not None else (None, course.now)
    if creep and course.creep is not None:
        before, after = course.creep
    return {
        "metric": course.metric.name,
        "unit": course.metric.unit,
        "service": course.service,
        "before": _three(before),
        "after": _three(after),
        "now": _three(course.now),
        "since": iso(onset.at) if onset is not None else None,
    }


def _three(value: float | None) -> float | None:
    """Three digits that count: nobody measured more."""
    return None if value is None or math.isnan(value) else float(f"{value:.3g}")
