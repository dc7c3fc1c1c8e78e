"""The fleet: what runs where, and the changes to it, one at a time for each service."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout

from demo.shop import addresses
from demo.shop.releases import UnknownRelease, release, releases
from demo.supervisor.processes import DidNotStart, Instance, end, health, remember, spawn, start

HEALTHY_SECONDS = 6.0
DRAIN_SECONDS = 0.3
MOST_REPLICAS = 6
DEPLOYMENTS = "deployments.json"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One change as the history keeps it; `before` and `after` are versions, or replicas for a scaling."""

    id: str
    kind: str
    service: str
    environment: str
    before: str
    after: str
    at: str
    by: str
    ok: bool
    key: str
    detail: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One service in one environment."""

    version: str
    previous_version: str | None
    since: datetime
    instances: tuple[Instance, ...]


class Busy(Exception):
    """Another change of this service is under way."""


class UnknownTarget(Exception):
    """No such service, environment or version; `nearest` are those there are."""

    def __init__(self, message: str, nearest: Sequence[str]) -> None:
        super().__init__(message)
        self.nearest = tuple(nearest)


class Fleet:
    """Starts, replaces and stops instances; everything it did stands in `deployments.json`."""

    def __init__(
        self, home: Path, history: Sequence[Deployment] = (), *, patience: float = HEALTHY_SECONDS
    ) -> None:
        self.home, self._patience = home, patience
        self._slots: dict[tuple[str, str], Slot] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._names = 0
        self._owned: list[
            asyncio.subprocess.Process
        ] = []  # everything we started, also what is only starting
        self._http: ClientSession | None = None
        self.history = self._load() or list(history)

    async def open(self, versions: dict[str, str], environments: Sequence[str]) -> None:
        """Starts one instance of every service everywhere; two of checkout in production."""
        self._http = ClientSession(timeout=ClientTimeout(total=2))
        wanted = [(service, place) for place in environments for service in versions]
        sizes = {("checkout", "production"): 2}
        made = await asyncio.gather(
            *(self._started(*target, versions[target[0]], sizes.get(target, 1)) for target in wanted)
        )
        for target, instances in zip(wanted, made, strict=True):
            self._slots[target] = Slot(versions[target[0]], None, datetime.now(UTC), instances)
        self._publish()

    async def start_load(self) -> None:
        """Starts the load generator, which ends with us."""
        self._born(await spawn("demo.load", "--home", str(self.home)))

    async def close(self) -> None:
        """Stops everything, side by side."""
        await asyncio.gather(*(end(process) for process in self._owned))
        if self._http is not None:
            await self._http.close()

    def instances(self) -> tuple[Instance, ...]:
        return tuple(instance for slot in self._slots.values() for instance in slot.instances)

    async def state(self) -> list[dict[str, object]]:
        """What runs where, with its health now."""
        return [await self._described(target, slot) for target, slot in self._slots.items()]

    def seen(self, key: str) -> Deployment | None:
        """The change that was made under this key."""
        return next((entry for entry in self.history if key and entry.key == key), None)

    async def deploy(
        self, service: str, environment: str, version: str, *, key: str, by: str, kind: str = "deploy"
    ) -> AsyncIterator[str]:
        """Replaces every instance by one of `version`; progress line by line. The outcome stands in the history.

        The old instances go only when all the new ones are healthy; otherwise the new ones go.
        """
        target = self._target(service, environment)
        try:
            release(service, version)
        except UnknownRelease as error:
            known = [one.version for one in releases()[service]]
            raise UnknownTarget(f"no release {version!r} of {service}", known) from error
        async with self._alone(target):
            old = self._slots[target]
            yield f"starting {service} {version} in {environment} ({len(old.instances)} instances)"
            try:
                new = await self._started(service, environment, version, len(old.instances))
            except DidNotStart as error:
                self._note(kind, target, old.version, version, key, by, ok=False, detail=str(error))
                yield f"{error}; {old.version} stays"
                return
            yield "waiting until it is healthy"
            problem = await self._unhealthy(new)
            if problem:
                await self._stop(new)
                detail = f"{version} did not become healthy: {problem}; {old.version} stays"
                self._note(kind, target, old.version, version, key, by, ok=False, detail=detail)
                yield detail
                return
            self._slots[target] = Slot(version, old.version, datetime.now(UTC), new)
            self._publish()
            yield f"traffic goes to {version}; stopping {old.version}"
            await asyncio.sleep(DRAIN_SECONDS)
            await self._stop(old.instances)
            detail = f"{service} in {environment} runs {version} (was {old.version})"
            self._note(kind, target, old.version, version, key, by, ok=True, detail=detail)
            yield detail

    async def restart(self, service: str, environment: str, *, key: str, by: str) -> AsyncIterator[str]:
        """New processes of the same version."""
        version = self._slots[self._target(service, environment)].version
        previous = self._slots[service, environment].previous_version
        async for line in self.deploy(service, environment, version, key=key, by=by, kind="restart"):
            yield line
        slot = self._slots[service, environment]
        self._slots[service, environment] = replace(slot, previous_version=previous)

    async def scale(
        self, service: str, environment: str, replicas: int, *, key: str, by: str
    ) -> AsyncIterator[str]:
        """More or fewer instances of the running version."""
        target = self._target(service, environment)
        async with self._alone(target):
            slot = self._slots[target]
            count = len(slot.instances)
            yield f"scaling {service} in {environment} from {count} to {replicas}"
            detail, ok = f"{service} in {environment} has {replicas} instances (had {count})", True
            if replicas > count:
                problem = await self._grow(target, replicas - count)
                if problem:
                    detail, ok = f"new instances are not healthy: {problem}; still {count}", False
            else:
                kept, gone = slot.instances[:replicas], slot.instances[replicas:]
                self._slots[target] = replace(slot, instances=kept)
                self._publish()
                await asyncio.sleep(DRAIN_SECONDS)
                await self._stop(gone)
            self._note("scale", target, str(count), str(replicas), key, by, ok=ok, detail=detail)
            yield detail

    async def _grow(self, target: tuple[str, str], more: int) -> str:
        """Adds instances of the running version, all or none; why not, or the empty text."""
        slot = self._slots[target]
        try:
            new = await self._started(*target, slot.version, more)
        except DidNotStart as error:
            return str(error)
        problem = await self._unhealthy(new)
        if problem:
            await self._stop(new)
        else:
            self._slots[target] = replace(slot, instances=(*slot.instances, *new))
            self._publish()
        return problem

    def _target(self, service: str, environment: str) -> tuple[str, str]:
        services = sorted({name for name, _ in self._slots})
        environments = sorted({place for _, place in self._slots})
        if service not in services:
            raise UnknownTarget(f"no service {service!r}", services)
        if environment not in environments:
            raise UnknownTarget(f"no environment {environment!r}", environments)
        return service, environment

    def _alone(self, target: tuple[str, str]) -> asyncio.Lock:
        lock = self._locks.setdefault(target, asyncio.Lock())
        if lock.locked():
            raise Busy(f"{target[0]} in {target[1]} is being changed already")
        return lock

    async def _started(
        self, service: str, environment: str, version: str, count: int
    ) -> tuple[Instance, ...]:
        names = []
        for _ in range(count):
            self._names += 1
            names.append(f"{service}-{environment[:4]}-{self._names}")
        made = await asyncio.gather(
            *(
                start(self.home, service, environment, release(service, version), name, self._born)
                for name in names
            ),
            return_exceptions=True,
        )
        failed = [item for item in made if isinstance(item, BaseException)]
        running = tuple(item for item in made if isinstance(item, Instance))
        if failed:
            await self._stop(running)
            raise failed[0]
        return running

    async def _unhealthy(self, instances: Sequence[Instance]) -> str:
        """Why an instance is not healthy after a while; the empty text when all are."""
        if self._http is None:
            raise DidNotStart("the fleet is not open")
        problem = ""
        for _ in range(max(1, int(self._patience / 0.2))):
            problems = [await health(self._http, instance) for instance in instances]
            problem = next((text for text in problems if text), "")
            if not problem or all(instance.process.returncode is not None for instance in instances):
                break
            await asyncio.sleep(0.2)
        return problem

    async def _stop(self, instances: Sequence[Instance]) -> None:
        await asyncio.gather(*(end(instance.process) for instance in instances))
        self._publish()

    async def _described(self, target: tuple[str, str], slot: Slot) -> dict[str, object]:
        if self._http is None:
            raise DidNotStart("the fleet is not open")
        problems = await asyncio.gather(*(health(self._http, instance) for instance in slot.instances))
        return {
            "service": target[0],
            "environment": target[1],
            "version": slot.version,
            "previous_version": slot.previous_version,
            "replicas": len(slot.instances),
            "healthy_replicas": sum(not problem for problem in problems),
            "since": slot.since.isoformat(),
            "pids": [instance.pid for instance in slot.instances],
        }

    def _publish(self) -> None:
        """Tells callers where everybody listens, and the disk which processes are ours."""
        ports: dict[str, dict[str, list[int]]] = {}
        for (service, environment), slot in self._slots.items():
            ports.setdefault(environment, {})[service] = [instance.port for instance in slot.instances]
        addresses.write(self.home, ports)

    def _born(self, process: asyncio.subprocess.Process) -> None:
        """Tells the disk which processes are ours, this one and ourselves among them."""
        self._owned = [one for one in self._owned if one.returncode is None] + [process]
        remember(self.home, [os.getpid(), *(one.pid for one in self._owned)])

    def _note(
        self,
        kind: str,
        target: tuple[str, str],
        before: str,
        after: str,
        key: str,
        by: str,
        *,
        ok: bool,
        detail: str,
    ) -> None:
        number, at = len(self.history) + 1, datetime.now(UTC).isoformat()
        entry = Deployment(f"D-{number}", kind, *target, before, after, at, by, ok, key, detail)
        self.history.append(entry)
        aside = self.home / f"{DEPLOYMENTS}.new"
        aside.write_text(json.dumps([asdict(entry) for entry in self.history]), encoding="utf-8")
        aside.replace(self.home / DEPLOYMENTS)

    def _load(self) -> list[Deployment]:
        try:
            text = (self.home / DEPLOYMENTS).read_text(encoding="utf-8")
        except OSError:
            return []
        return [Deployment(**entry) for entry in json.loads(text)]
