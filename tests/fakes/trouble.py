"""A world to investigate: measures as functions of time, log lines, changes, each of which can fail."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.shop import NOW, WORDS, now
from tools.changes.port import ChangeKind, Known, Occurrence, Scope
from tools.contract import Asker, Outcome, ToolUnavailable, Window
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.investigate.vitals import CALLED, CERTIFICATE, CLOCK, DISK, REFUSED, WAITED
from tools.knowledge.port import Filters, Passage, Searched
from tools.logs.port import Budget, Level, Line, Query, Scanned
from tools.metrics.named import METRICS, Formula
from tools.metrics.named import Scope as MetricScope

BROKE = NOW - timedelta(minutes=4)
MAYA = Asker("maya", frozenset({"viewer"}), "en")
Curve = Callable[[datetime], float]

_NAMES = {metric.formula: metric for metric in (*METRICS.values(), CERTIFICATE, CLOCK, DISK, REFUSED, WAITED)}


def flat(value: float) -> Curve:
    return lambda _at: value


def jump(before: float, after: float, at: datetime = BROKE) -> Curve:
    """One level, then another."""
    return lambda moment: before if moment <= at else after


def climb(start: float, end: float, since: timedelta = timedelta(minutes=50)) -> Curve:
    """A straight line up to now."""
    return lambda at: start + (end - start) * max(0.0, 1 - (NOW - at) / since)


@dataclass
class Curves:
    """Implements `MetricStore`: curves by service, or service and callee, and the metric's name, in its unit."""

    curves: Mapping[tuple[str, str], Curve]
    calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: datetime = NOW - timedelta(hours=2)
    down: bool = False
    name: str = "curves"
    finest: timedelta = timedelta(seconds=5)

    async def evaluate(
        self, formula: Formula, scope: MetricScope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        self._look()
        called = next((each.value for each in scope.only if each.label == CALLED), None)
        who = str(scope.service) if called is None else f"{scope.service}>{called}"
        metric = _NAMES[formula]
        curve = self.curves.get((who, metric.name))
        return tuple(
            None if curve is None or each.start < self.since else curve(each.end) / metric.scale
            for each in windows
        )

    async def origins(self, formula: Formula, scope: MetricScope, window: Window) -> frozenset[str]:
        return frozenset()

    async def values(
        self, label: str, formula: Formula, scope: MetricScope, window: Window
    ) -> frozenset[str]:
        self._look()
        return frozenset(self.calls.get(str(scope.service), ()) if label == CALLED else ())

    def link(self, query: str, window: Window) -> str | None:
        return "https://metrics.example/graph"

    def _look(self) -> None:
        if self.down:
            raise ToolUnavailable("the metrics do not answer")


@dataclass
class Written:
    """Implements `LogStore` over lines."""

    lines: Sequence[Line] = ()

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        mine = [line for line in self.lines if line.service == query.service]
        for line in sorted(mine, key=lambda each: each.at, reverse=True):
            if query.wants(line):
                take(line)
        return Scanned(len(mine), 0, (f"{query.service}.log",))


@dataclass
class Noted:
    """Implements `ChangeSource` over a list."""

    known: Sequence[Occurrence] = ()
    name: str = "noted"
    down: bool = False

    async def changes(self, scope: Scope) -> Known:
        if self.down:
            raise ToolUnavailable("the list of changes does not answer")
        return Known(tuple(self.known))


@dataclass
class Notes:
    """Implements `Library` with one passage for everything."""

    passage: Passage | None = None

    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        fits = self.passage is not None and filters.kind in {None, self.passage.kind}
        return Searched((self.passage,) if self.passage is not None and fits else ())


def lines(
    service: str,
    message: str,
    *,
    since: datetime = BROKE,
    until: datetime = NOW,
    every: float = 2.0,
    level: Level = Level.ERROR,
    version: str = "2.4.0",
) -> Iterator[Line]:
    """The same line again and again."""
    at = since
    while at < until:
        yield Line(at, level, service, message, version, message)
        at += timedelta(seconds=every)


def deployed(service: str, version: str, minutes_before: float, **more: object) -> Occurrence:
    """A deployment so many minutes before it broke."""
    return _change(
        minutes_before, service, f"deploy {service} 1.0.0 -> {version}", ChangeKind.DEPLOYMENT, **more
    )


def configured(service: str, title: str, minutes_before: float, **more: object) -> Occurrence:
    return _change(minutes_before, service, title, ChangeKind.CONFIG, **more)


def _change(minutes: float, service: str, title: str, kind: ChangeKind, **more: object) -> Occurrence:
    values: dict[str, object] = {
        "at": BROKE - timedelta(minutes=minutes),
        "kind": kind,
        "title": title,
        "by": "raj",
        "source": "noted",
        "service": service,
        "environment": "production",
        **more,
    }
    return Occurrence(**values)  # type: ignore[arg-type]  # the tests give what fits


HEALTHY: dict[tuple[str, str], Curve] = {
    (service, name): flat(value)
    for service in ("checkout", "payments", "catalog")
    for name, value in (
        ("error_rate", 0.2), ("refused_rate", 0.0), ("latency_p95", 60.0), ("request_rate", 4.0), ("cpu", 0.1),
        ("memory", 50.0), ("saturation", 10.0), ("disk_left", 60.0), ("clock_offset", 0.0),
    )
}  # fmt: skip
CALLS = {"checkout": ("catalog", "payments"), "payments": ("corvid-pay",)}
FAILING: dict[tuple[str, str], Curve] = {
    ("payments", "error_rate"): jump(0.2, 60.0),
    ("checkout", "error_rate"): jump(0.2, 60.0),
}
PASSED_ON = "payment failed: payments answered 503"
EXHAUSTED = "connection pool exhausted: 8 of 8 connections in use"


def investigation(
    curves: Mapping[tuple[str, str], Curve] | None = None,
    log: Sequence[Line] = (),
    changes: Sequence[Occurrence] = (),
    *,
    backends: Backends | None = None,
) -> Investigate:
    """The tool over a healthy shop, but for what is given."""
    made = backends or Backends(
        metrics=Curves({**HEALTHY, **(curves or {})}, CALLS),
        logs=Written(list(log)),
        changes=(Noted(changes),),
        library=Notes(),
    )
    return Investigate(made, WORDS, now)


async def asked(tool: Investigate, service: str | None = "payments") -> Outcome:
    """What it comes to for a service in production."""
    given = {"service": service} if service else {}
    return await tool.run(tool.spec.validate({**given, "environment": "production"}), MAYA)
