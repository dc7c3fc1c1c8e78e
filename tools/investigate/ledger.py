"""The evidence of an investigation: each finding is made once, and has its place."""

import math
from collections.abc import Callable, Sequence
from datetime import tzinfo

from tools.changes.port import Occurrence
from tools.contract import Finding, Json
from tools.investigate.course import Course
from tools.investigate.signals import Scene, Sighting, View
from tools.knowledge.port import Passage
from tools.metrics.named import promql
from tools.metrics.port import MetricStore
from tools.metrics.telling import figure, rounded
from tools.times import clock_time, iso, spoken, written

SHOWN = 12


class Ledger:
    """Makes findings when they are first cited. Place 1 is kept for the conclusion."""

    def __init__(self, scene: Scene, store: MetricStore | None, zone: tzinfo) -> None:
        self._scene, self._store, self._zone = scene, store, zone
        self._places: dict[object, int] = {}
        self.findings: list[Finding] = []

    def course(self, course: Course) -> int:
        key = ("series", course.metric.name, course.service, course.called)
        return self._place(key, lambda: self._series(course))

    def log(self, view: View) -> int:
        return self._place(("log", view.service), lambda: self._patterns(view))

    def changes(self) -> int:
        return self._place("changes", self._changes)

    def running(self) -> int:
        return self._place("status", self._status)

    def passage(self, passage: Passage, query: str) -> int:
        return self._place(("passage", passage.id, passage.heading), lambda: _passage(passage, query))

    def _place(self, key: object, make: Callable[[], Finding]) -> int:
        if key not in self._places:
            self.findings.append(make())
            self._places[key] = len(self.findings) + 1
        return self._places[key]

    def _series(self, course: Course) -> Finding:
        metric, level, onset = course.metric, course.level, course.onset
        query = promql(metric.formula, course.scope, course.step)
        what = f"{metric.words} of {course.service}" + (f" to {course.called}" if course.called else "")
        lines = [f"now {figure(course.now, metric.unit)}"]
        if level is not None:
            since = f" at {clock_time(onset.at, self._zone)}" if onset else ""
            before = figure(None if math.isnan(level.before) else level.before, metric.unit)
            change = f"{before} before, {figure(level.after, metric.unit)} after"
            lines.append(f"{level.trend.value}{since}: {change}")
        if course.creep is not None:
            lines.append(f"moves one way: {' to '.join(figure(each, metric.unit) for each in course.creep)}")
        points: list[Json] = [[at.timestamp(), round(value, 4)] for at, value in course.points]
        return Finding(
            kind="series",
            title=f"{what} in {course.scope.environment}",
            source=self._store.name if self._store else "metrics",
            query=f"{query}, {spoken(course.window, self._zone)}, step {written(course.step)}",
            text="\n".join(lines),
            facts={
                "metric": metric.name,
                "service": course.service,
                "called": course.called,
                "environment": course.scope.environment,
                "unit": metric.unit,
                "now": rounded(course.now),
                "mean": None,
                "max": rounded(max(course.values, default=None)),
                "before_mean": rounded(level.before if level and not math.isnan(level.before) else None),
                "after_mean": rounded(level.after if level else None),
                "creep": [rounded(each) for each in course.creep] if course.creep else None,
                "change": None,
                "points": points,
                "anomaly": level.trend.value if level else None,
                "since_change": iso(onset.at) if onset else None,
            },
            window=course.window,
            link=self._store.link(query, course.window) if self._store else None,
        )

    def _patterns(self, view: View) -> Finding:
        ranked = sorted(view.heard.sightings, key=lambda each: (not each.is_error, -len(each.times)))
        name = f"errors and warnings of {view.service} in {self._scene.environment}"
        scans = view.heard.scanned
        places = dict.fromkeys(place for scan in scans for place in scan.places)
        stopped = next((scan.stopped for scan in scans if scan.stopped), None)
        lines = [self._line(each) for each in ranked[:SHOWN]]
        return Finding(
            kind="log_patterns",
            title=f"Patterns in {name}",
            source=", ".join(places) or "logs",
            query=f"{name}, {spoken(self._scene.window, self._zone)}",
            text="\n".join(lines) or "no error and no warning",
            facts={
                "service": view.service,
                "environment": self._scene.environment,
                "level": None,
                "contains": None,
                "total": sum(each.pattern.count for each in ranked),
                "ahead": view.heard.ahead(self._scene.now),
                "scanned": max((scan.lines for scan in scans), default=0),
                "patterns": [_pattern(each) for each in ranked[: 5 * SHOWN]],
            },
            window=self._scene.window,
            link=next((scan.link for scan in scans if scan.link), None),
            cut=f"stopped because {stopped}, newest first" if stopped else None,
        )

    def _line(self, each: Sighting) -> str:
        pattern = each.pattern
        version = f" {', '.join(sorted(pattern.versions))}" if pattern.versions else ""
        last = clock_time(pattern.last, self._zone) if pattern.last else "?"
        return (
            f"{pattern.count:,} x {pattern.level.value} {pattern.service}{version}: {pattern.template} "
            f"({clock_time(each.first, self._zone)} .. {last})"
        )

    def _changes(self) -> Finding:
        shown = self._scene.changes[-3 * SHOWN :]
        lines = [
            f"{clock_time(one.at, self._zone)} {one.kind.value} {one.service or ''} {one.environment or ''}: "
            f"{one.title} by {one.by or 'nobody named'}{'' if one.ok else ', failed'} ({one.source})"
            for one in reversed(shown)
        ]
        return Finding(
            kind="changes",
            title="What was changed",
            source=", ".join(dict.fromkeys(one.source for one in shown)) or "changes",
            query=f"changes everywhere up to {clock_time(self._scene.now, self._zone)}",
            text="\n".join(lines) or "no change is known in this time",
            facts={"changes": [_change(one) for one in reversed(shown)]},
            link=next((one.link for one in shown if one.link), None),
        )

    def _status(self) -> Finding:
        rows: list[Json] = [
            {
                "service": one.service,
                "environment": one.environment,
                "version": one.version,
                "previous_version": one.previous_version,
                "replicas": one.replicas,
                "healthy_replicas": one.healthy_replicas,
                "since": iso(one.since),
                "error_rate": None,
            }
            for one in self._scene.running
        ]
        text = "\n".join(f"{one.service} {one.version} in {one.environment}" for one in self._scene.running)
        return Finding("status", "What runs", "platform", "status", text, {"running": rows})


def _pattern(each: Sighting) -> dict[str, Json]:
    pattern = each.pattern
    versions = sorted(pattern.versions)
    return {
        "template": pattern.template,
        "count": pattern.count,
        "first": iso(each.first),
        "last": iso(pattern.last) if pattern.last else None,
        "level": pattern.level.value,
        "service": pattern.service,
        "version": versions[0] if len(versions) == 1 else None,
        "sample": pattern.sample,
        "versions": list(versions),
    }


def _change(one: Occurrence) -> dict[str, Json]:
    return {
        "at": iso(one.at),
        "kind": one.kind.value,
        "title": one.title,
        "by": one.by,
        "service": one.service,
        "environment": one.environment,
        "source": one.source,
        "link": one.link,
        "ok": one.ok,
    }


def _passage(passage: Passage, query: str) -> Finding:
    heading = f" > {passage.heading}" if passage.heading and passage.heading != passage.document else ""
    return Finding(
        kind="passage",
        title=f"{passage.document}{heading}",
        source=passage.place,
        query=query,
        text=passage.text,
        facts={
            "document": passage.document,
            "heading": passage.heading,
            "place": passage.place,
            "author": passage.author,
            "date": iso(passage.date) if passage.date else None,
            "text": passage.text,
            "answer": passage.answer,
            "confidence": round(passage.confidence, 3),
            "sure": passage.sure,
            "kind": passage.kind.value,
            "status": passage.status,
            "past": None
            if passage.past is None
            else {
                "key": passage.past.key,
                "title": passage.past.title,
                "symptom": passage.past.symptom,
                "cause": passage.past.cause,
                "fix": passage.past.fix,
                "services": list(passage.past.services),
                "began": iso(passage.past.began) if passage.past.began else None,
                "severity": passage.past.severity,
            },
        },
        link=passage.link,
    )


def cited(places: Sequence[int]) -> str:
    """Places as the digest writes them, to be anchored to numbers of evidence."""
    return "".join(f"[#{place}]" for place in dict.fromkeys(places))
