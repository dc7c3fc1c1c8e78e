"""Looking: all backends asked at once, each under its own patience; what fails is named as not checked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from tools.alerts.port import Alert, AlertStore
from tools.changes.port import ChangeSource, Known, Occurrence
from tools.changes.port import Scope as ChangeScope
from tools.contract import BadArguments, ToolFailed, ToolUnavailable, Window
from tools.deploy.port import Platform, Running
from tools.investigate.course import Course, course
from tools.investigate.port import Backends
from tools.investigate.signals import Heard, Hearing, Scene, View
from tools.investigate.vitals import (
    CALLED,
    CALLING,
    CLOCK,
    EACH,
    FELT,
    INSTANCE,
    SHORT,
    TRAFFIC,
    WAITED,
    scope_of,
)
from tools.logs.port import Budget, Level, LogStore, Query, Scanned
from tools.metrics.named import Metric
from tools.metrics.port import MetricStore
from tools.patience import patience

PATIENCE = 6.0  # seconds for each question to a backend
FUTURE = timedelta(minutes=10)  # logs are read beyond now: a clock that is ahead stamps lines there
MOST_SERVICES, MOST_INSTANCES = 8, 6
LATELY = timedelta(minutes=2)  # instances that were there within this are there
LINES = Budget(lines=60_000, octets=32 * 1024 * 1024, seconds=4.0)
HISTORY = timedelta(hours=24)  # before the window: how far back changes are asked for

T = TypeVar("T")


@dataclass(slots=True)
class Look:
    """One investigation's looks at the backends, and what none of them could tell."""

    backends: Backends
    environment: str
    window: Window
    patience: float = PATIENCE
    missing: dict[str, None] = field(default_factory=dict)

    async def scene(self, asked: str | None, known: Sequence[str]) -> Scene:
        """Asks for everything: first who calls whom and what changed, then each service on the way."""
        calls, changes, running, alerts = await asyncio.gather(
            self._calls(known), self._changes(), self._running(), self._alerts()
        )
        path = way(asked, known, calls)
        self._note(f"{len(path) - MOST_SERVICES} more services on the way", len(path) > MOST_SERVICES)
        aside = [name for name in known if name not in path][: max(0, MOST_SERVICES - len(path))]
        views, others = await asyncio.gather(
            asyncio.gather(*(self._view(name, calls) for name in path[:MOST_SERVICES])),
            asyncio.gather(*(self._aside(name) for name in aside)),
        )
        return Scene(
            asked, self.environment, self.window, {view.service: view for view in views}, calls, changes,
            running, alerts, {view.service: view for view in others},
        )  # fmt: skip

    async def asked(self, what: str, look: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """What a look comes to; where it fails or takes too long, `otherwise`, and a word about it."""
        try:
            async with patience(self.patience, what):
                return await look()
        except (ToolUnavailable, ToolFailed, BadArguments) as error:
            self._note(f"{what}: {error}", True)
            return otherwise

    def _note(self, what: str, missing: bool) -> None:
        if missing:
            self.missing[what] = None

    async def _calls(self, known: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Who calls whom, as the settings say and as calls are counted."""
        store = self.backends.metrics
        seen: Sequence[frozenset[str]] = [frozenset()] * len(known)
        if store is not None:
            seen = await asyncio.gather(*(self._called(store, name) for name in known))
        said = self.backends.calls
        calls = {
            name: tuple(dict.fromkeys((*said.get(name, ()), *sorted(found - {name}))))
            for name, found in zip(known, seen, strict=True)
        }
        if any(calls.values()) or len(known) < 2:
            return calls
        self._note("who calls whom: nothing tells, so each service may be behind each other", True)
        return {name: tuple(other for other in known if other != name) for name in known}

    async def _called(self, store: MetricStore, name: str) -> frozenset[str]:
        scope = scope_of(name, self.environment)
        return await self.asked(
            f"who {name} calls", lambda: store.values(CALLED, CALLING, scope, self.window), frozenset[str]()
        )

    async def _changes(self) -> tuple[Occurrence, ...]:
        self._note("changes: no platform, forge or journal is set", not self.backends.changes)
        scope = ChangeScope(Window(self.window.start - HISTORY, self.window.end))
        found = await asyncio.gather(*(self._of(source, scope) for source in self.backends.changes))
        inside = {one for known in found for one in known.occurrences if scope.holds(one)}
        for known in found:
            for each in known.unchecked:
                self._note(each, True)
        return tuple(sorted(inside, key=lambda one: (one.at, one.title)))

    async def _of(self, source: ChangeSource, scope: ChangeScope) -> Known:
        return await self.asked(f"changes of {source.name}", lambda: source.changes(scope), Known(()))

    async def _running(self) -> tuple[Running, ...]:
        platform: Platform | None = self.backends.platform
        if platform is None:
            self._note("status: no platform is set", True)
            return ()
        return await self.asked("status", platform.running, ())

    async def _alerts(self) -> tuple[Alert, ...]:
        store: AlertStore | None = self.backends.alerts
        if store is None:
            self._note("alerts: no backend is set", True)
            return ()
        return await self.asked(store.name, store.alerts, ())

    async def _view(self, service: str, calls: Mapping[str, tuple[str, ...]]) -> View:
        courses, waited, heard = await asyncio.gather(
            self._courses(service), self._waited(service, calls.get(service, ())), self._heard(service)
        )
        return View(
            service,
            {each.metric.name: each for each in courses},
            {str(each.called): each for each in waited},
            heard,
        )

    async def _aside(self, service: str) -> View:
        """A service that is not on the way: its log, which may be loud enough to look guilty, and its clock."""
        logs, metrics = self.backends.logs, self.backends.metrics
        heard, courses = Heard(), dict[str, Course]()
        if logs is not None:
            heard = await self.asked(f"logs of {service}", lambda: self._listened(logs, service), Heard())
        if metrics is not None:
            nothing = list[Course]()

            async def read() -> list[Course]:
                return [await self._worst(metrics, CLOCK, service)]

            courses = {
                each.metric.name: each for each in await self.asked(f"clock of {service}", read, nothing)
            }
        return View(service, courses, heard=heard)

    async def _courses(self, service: str) -> Sequence[Course]:
        store = self.backends.metrics
        if store is None:
            self._note("metrics: no backend is set", True)
            return ()
        scope = scope_of(service, self.environment)

        async def read() -> Sequence[Course]:
            return await asyncio.gather(
                *(course(store, metric, scope, self.window) for metric in (*FELT, TRAFFIC, *SHORT)),
                *(self._worst(store, metric, service) for metric in EACH),
            )

        nothing: Sequence[Course] = ()
        found = await self.asked(f"metrics of {service}", read, nothing)
        self._note(
            f"metrics of {service}: no samples", bool(found) and not any(each.points for each in found)
        )
        return found

    async def _worst(self, store: MetricStore, metric: Metric, service: str) -> Course:
        """The course of the instance that is worst off: a clock that is furthest off, a certificate that ends first."""
        lately = Window(max(self.window.start, self.window.end - LATELY), self.window.end)
        scope = scope_of(service, self.environment)
        names = sorted(await store.values(INSTANCE, metric.formula, scope, lately))[:MOST_INSTANCES]
        scopes = [scope_of(service, self.environment, instance=name) for name in names] or [scope]
        found = await asyncio.gather(*(course(store, metric, each, self.window) for each in scopes))
        known = [each for each in found if each.now is not None]
        off = (lambda each: abs(each.now or 0)) if metric is CLOCK else (lambda each: -(each.now or 0))
        return max(known, key=off, default=found[0])

    async def _waited(self, service: str, called: Sequence[str]) -> Sequence[Course]:
        store = self.backends.metrics
        if store is None or not called:
            return ()

        async def read() -> Sequence[Course]:
            return await asyncio.gather(
                *(
                    course(store, WAITED, scope_of(service, self.environment, called=name), self.window, name)
                    for name in called
                )
            )

        nothing: Sequence[Course] = ()
        return await self.asked(f"calls of {service}", read, nothing)

    async def _heard(self, service: str) -> Heard:
        store = self.backends.logs
        if store is None:
            self._note("logs: no backend is set", True)
            return Heard()
        heard = await self.asked(f"logs of {service}", lambda: self._listened(store, service), Heard())
        self._note(f"logs of {service}: stopped before they were read", heard.unread)
        if heard.reached is not None:
            self._note(f"logs of {service} before {heard.reached:%H:%M:%S} UTC: too many lines", True)
        return heard

    async def _listened(self, store: LogStore, service: str) -> Heard:
        hearing, scans = Hearing(), list[Scanned]()
        span = Window(self.window.start, self.window.end + FUTURE)
        for level in (Level.ERROR, Level.WARNING):
            query = Query(self.environment, span, service, level)
            scans.append(await store.scan(query, LINES, hearing.take))
        return Heard(hearing.sightings(), tuple(scans))


def way(asked: str | None, known: Sequence[str], calls: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The services that may be why the asked one has trouble, itself first; all of them when none was asked about."""
    if asked is None:
        return list(known)
    found = [asked]
    for name in found:  # grows while it is read
        found += [other for other in calls.get(name, ()) if other in known and other not in found]
    return found
