"""A platform that lives in memory: for tests, evaluations and benchmarks, kept by the contract of the real ones."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tools.contract import BadArguments, Clock, Progress
from tools.deploy.port import Deployment, Order, OrderKind, Release, Result, Running
from tools.vocabulary import nearest, unknown


class MemoryPlatform:
    """Runs what it is told to run, at once. Versions in `broken` do not become healthy and are taken back."""

    def __init__(
        self,
        running: Iterable[Running],
        releases: Iterable[tuple[str, Release]],
        clock: Clock,
        broken: frozenset[str] = frozenset(),
    ) -> None:
        self._running = {(entry.service, entry.environment): entry for entry in running}
        self._releases = tuple(releases)
        self._clock, self._broken = clock, broken
        self._history: list[Deployment] = []
        self._seen: dict[str, Result] = {}
        self.orders: list[Order] = []  # what was really carried out

    async def running(self) -> tuple[Running, ...]:
        return tuple(self._running.values())

    async def releases(self, service: str) -> tuple[Release, ...]:
        found = tuple(release for of, release in self._releases if of == service)
        if not found:
            near = nearest(service, {of for of, _ in self._releases})
            raise BadArguments(
                f"there is no service {service!r}", field="service", value=service, nearest=near
            )
        return found

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        return tuple(
            entry
            for entry in reversed(self._history)
            if service in {None, entry.service}
            and environment in {None, entry.environment}
            and (since is None or entry.at >= since)
        )

    async def apply(self, order: Order, progress: Progress) -> Result:
        if order.key in self._seen:
            first = self._seen[order.key]
            return replace(first, detail=f"already done: {first.detail}")
        now = self._target(order)
        await progress(f"{order.kind.value} {order.service} in {order.environment}")
        self.orders.append(order)
        after, result = self._changed(now, order)
        self._running[order.service, order.environment] = after
        self._note(order, now, result)
        self._seen[order.key] = result
        return result

    def _target(self, order: Order) -> Running:
        now = self._running.get((order.service, order.environment))
        if now is None:
            raise unknown(
                "service",
                order.service,
                {service for service, _ in self._running},
                f"{order.service!r} does not run in {order.environment!r}",
            )
        return now

    def _changed(self, now: Running, order: Order) -> tuple[Running, Result]:
        at = self._clock()
        if order.replicas is not None:
            count = order.replicas
            return replace(now, replicas=count, healthy_replicas=count, since=at), Result(
                True, f"{count} run"
            )
        if order.version is None:
            return replace(now, healthy_replicas=now.replicas, since=at), Result(True, "started anew")
        if order.version in self._broken:
            return now, Result(False, f"{order.version} did not become healthy; {now.version} runs again")
        after = replace(
            now,
            version=order.version,
            previous_version=now.version,
            healthy_replicas=now.replicas,
            since=at,
        )
        return after, Result(True, f"{order.version} runs")

    def _note(self, order: Order, before: Running, result: Result) -> None:
        scaled = order.kind is OrderKind.SCALE
        entry = Deployment(
            id=f"D-{len(self._history) + 1}",
            kind=order.kind,
            service=order.service,
            environment=order.environment,
            before=str(before.replicas) if scaled else before.version,
            after=str(order.replicas) if scaled else order.version or before.version,
            at=self._clock(),
            by=order.by,
            ok=result.ok,
        )
        self._history.append(entry)
