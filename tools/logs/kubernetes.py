"""The logs of pods, by the API of their cluster: every container of a service, and the one that ran before it ended."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain

from tools.contract import ToolError, ToolUnavailable
from tools.kubernetes.images import Image
from tools.kubernetes.objects import ContainerStatus, Pod
from tools.kubernetes.places import Place, Places
from tools.kubernetes.refusals import Forbidden, Invalid, Missing
from tools.kubernetes.resources import PODS
from tools.kubernetes.workloads import Workload, workloads
from tools.logs.container import container_line
from tools.logs.port import Budget, Line, Query, Scanned

MOST_LINES = 20_000  # of one container
AT_ONCE = 6  # containers that are read side by side
_TIME = re.compile(rb"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<part>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d) ")


@dataclass(frozen=True, slots=True)
class _Source:
    """One log: a container of a pod, as it runs or as it ran before."""

    service: str
    pod: str
    container: str
    version: str
    previous: bool

    @property
    def name(self) -> str:
        return f"{self.pod}/{self.container}{' (before it ended)' if self.previous else ''}"


@dataclass(slots=True)
class _Read:
    """What was read of a source: its newest lines, and whether older ones were left out or newer ones not reached."""

    source: _Source
    lines: deque[tuple[datetime, str]] = field(default_factory=deque)
    octets: int = 0
    unreadable: int = 0
    cut: str | None = None
    lost: str | None = None


class KubernetesLogs:
    """Reads pods that exist now. A cluster keeps no logs of pods that are gone: every answer says so."""

    def __init__(self, places: Places, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._clock = places, clock

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        place = self._places.place(query.environment)
        began = self._clock()
        found = await workloads(self._places, place, query.service)
        sources, more = await self._sources(place, found.found)
        share = max(1, len(sources))
        tail = min(MOST_LINES, max(1, budget.lines // share))
        room = max(1, budget.octets // share)
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(source: _Source) -> _Read:
            async with gate:
                left = budget.seconds - (self._clock() - began)
                return await _read(place, source, query, tail, room, left)

        reads = await asyncio.gather(*(read(source) for source in sources))
        return _told(reads, query, take, (*found.unchecked, *more))

    async def _sources(
        self, place: Place, found: tuple[Workload, ...]
    ) -> tuple[list[_Source], tuple[str, ...]]:
        """Every log there is, and a word about pods that were not listed."""
        labels = found[0].object.spec.selector.text() if len(found) == 1 else ""
        pods = await place.cluster.listed(PODS, place.namespace, Pod, labels=labels)
        sources = []
        for pod in pods.items:
            owner = next(
                (each for each in found if each.object.spec.selector.fits(pod.metadata.labels)), None
            )
            if owner is not None:
                sources += _of_pod(owner.service, pod)
        return sources, (f"pods beyond the first {len(pods.items):,}",) if pods.cut else ()


def _of_pod(service: str, pod: Pod) -> list[_Source]:
    """Every container that has run, and of those that were restarted, the one before."""
    spec, status = pod.spec, pod.status
    images = {each.name: Image.of(each.image).version for each in (*spec.init_containers, *spec.containers)}
    found = []
    for each in chain(status.init_container_statuses, status.container_statuses):
        version = images.get(each.name, "")
        if _has_run(each):
            found.append(_Source(service, pod.metadata.name, each.name, version, previous=False))
        if each.last_state.terminated is not None:
            found.append(_Source(service, pod.metadata.name, each.name, version, previous=True))
    return found


def _has_run(status: ContainerStatus) -> bool:
    """A container that waits to be started for the first time has no log."""
    return status.state.running is not None or status.state.terminated is not None or status.restart_count > 0


async def _read(place: Place, source: _Source, query: Query, tail: int, room: int, seconds: float) -> _Read:
    """The newest lines of one container: it is read oldest first, so what is too much falls out in front."""
    read = _Read(source)
    asked = {
        "container": source.container,
        "timestamps": "true",
        "sinceTime": query.window.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tailLines": str(tail),
        **({"previous": "true"} if source.previous else {}),
    }
    try:
        async with (
            asyncio.timeout(max(seconds, 0.0)),
            place.cluster.log(place.namespace, source.pod, asked) as lines,
        ):
            count = 0
            async for raw in lines:
                count += 1
                _keep(read, raw, room)
            if count >= tail:
                read.cut = f"{tail:,} lines of {source.name} were read"
    except TimeoutError:
        read.lost = "the time was over"
    except (Invalid, Missing):
        read.lost = (
            None if source.previous else "it is gone"
        )  # a container's log before may be cleared away any time
    except Forbidden:
        raise
    except ToolError as error:
        read.lost = str(error)
    return read


def _keep(read: _Read, raw: bytes, room: int) -> None:
    stamp = _TIME.match(raw)
    if stamp is None:
        read.unreadable += bool(raw.strip())
        return
    part = (stamp["part"] or b".0")[:7]  # nanoseconds are more than a datetime holds
    try:
        at = datetime.fromisoformat((stamp["second"] + part + stamp["zone"]).decode()).astimezone(UTC)
    except (ValueError, OverflowError):
        read.unreadable += 1
        return
    text = raw[stamp.end() :].decode(errors="replace")
    read.lines.append((at, text))
    read.octets += len(text)
    while read.octets > room and len(read.lines) > 1:
        _, text = read.lines.popleft()
        read.octets -= len(text)
        read.cut = f"{room / 2**20:,.1f} MB of {read.source.name} were read"


def _told(
    reads: list[_Read], query: Query, take: Callable[[Line], None], unchecked: tuple[str, ...]
) -> Scanned:
    """Hands the lines over, newest first, and says what is missing: behind it, nothing of any container counts."""
    if reads and all(each.lost for each in reads):
        raise ToolUnavailable(f"no container's log could be read: {reads[0].source.name}: {reads[0].lost}")
    cuts = [each for each in reads if each.cut and each.lines]
    limit = max((each.lines[0][0] for each in cuts), default=None)
    lines = [
        (at, text, each.source)
        for each in reads
        for at, text in each.lines
        if (limit is None or at >= limit) and at < query.window.end
    ]
    lines.sort(key=lambda each: each[0], reverse=True)
    for at, text, source in lines:
        line = container_line(at, text, source.service, source.version)
        line = replace(line, details={**line.details, "pod": source.pod, "container": source.container})
        if query.wants(line):
            take(line)
    stopped = next((each.cut for each in cuts if each.lines[0][0] == limit), None)
    return Scanned(
        lines=sum(len(each.lines) for each in reads),
        unreadable=sum(each.unreadable for each in reads),
        places=tuple(each.source.name for each in reads if not each.lost),
        reached=limit or (lines[-1][0] if lines else None),
        stopped=stopped,
        note=_note(reads, unchecked),
    )


def _note(reads: list[_Read], unchecked: tuple[str, ...]) -> str:
    pods = len({each.source.pod for each in reads})
    parts = [f"{pods} pods that exist now; a cluster keeps no logs of pods that are gone"]
    parts += [f"not read: {each.source.name}, {each.lost}" for each in reads if each.lost]
    parts += [f"not checked: {each}" for each in unchecked]
    return "; ".join(parts)
