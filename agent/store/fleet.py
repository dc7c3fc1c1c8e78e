"""Who is at work, on this machine and on others, without comparing anybody's clock.

A worker's beats are a count in the store. Another one takes it for dead when the count stood still for `PATIENCE`
seconds of its *own* clock, one that no time server moves and that goes on while a machine sleeps. So a clock that
jumps, or two that differ, kill nobody. On the same machine a look at the processes tells at once.

A worker that could not beat for a while (it was suspended, or cut off) may have been taken for dead: it is not
`trusted` to begin anything before it beat again.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.approvals.ports import Beat, Beats
from agent.store.port import StoreError

PATIENCE = 20.0  # seconds without a beat after which a worker is dead
EVERY = 0.25  # of that time between two beats
TRUSTED = (
    0.6  # of that time for which a worker may begin things after its last beat: others still wait for it then
)


def uptime() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps where the system has one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def here() -> str:
    """The machine, or the part of it whose processes see each other: a container has numbers of its own."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:  # not Linux
        space = "0"
    return f"{socket.gethostname()}.{space}"


def named(place: str, pid: int) -> str:
    """What a process calls itself as a worker; a later one with the same number is called otherwise."""
    return f"{place}/{pid}@{psutil.Process(pid).create_time():.2f}"


@dataclass(frozen=True, slots=True)
class _Seen:
    beat: Beat
    since: float  # when it was first seen at this count


class Fleet:
    """Implements `agent.approvals.ports.Workers`."""

    def __init__(
        self,
        beats: Beats,
        *,
        place: str | None = None,
        pid: int | None = None,
        clock: Callable[[], float] = uptime,
        patience: float = PATIENCE,
    ) -> None:
        self._beats, self._clock, self._patience = beats, clock, patience
        self._place = place or here()
        self.me = named(self._place, os.getpid() if pid is None else pid)
        self._role = ""
        self._seen: dict[str, _Seen] | None = None
        self._beaten: float | None = None
        self._beating: asyncio.Task[None] | None = None

    async def join(self, role: str) -> None:
        """Begins to beat, until `leave`."""
        if self._beating is None:
            self._role = role
            await self.beat()
            self._beating = asyncio.create_task(self._beat_on())

    async def leave(self) -> None:
        """Stops; what this worker has in its hands is free at once."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
            await self._beats.leave(self.me)

    async def beat(self) -> None:
        """One sign of life. Raises `StoreError`."""
        at = self._clock()  # before the store has it: others may see it later than that, never earlier
        await self._beats.beat(self.me, self._role)
        self._beaten = at

    async def look(self) -> None:
        """Reads the others' beats. Raises `StoreError`."""
        now, seen = self._clock(), self._seen or {}
        beats = await self._beats.beats()
        self._seen = {
            id_: seen[id_] if id_ in seen and seen[id_].beat == beat else _Seen(beat, now)
            for id_, beat in beats.items()
        }

    def everybody(self) -> dict[str, Beat]:
        """All that have a beat, dead or alive."""
        return {id_: seen.beat for id_, seen in (self._seen or {}).items()}

    def dead(self) -> tuple[str, ...]:
        """Those that have a beat and are dead."""
        return tuple(id_ for id_ in self._seen or {} if not self.alive(id_))

    def alive(self, worker: str) -> bool:
        """Whether this worker lives, as far as this one can tell; who never looked takes the others for alive."""
        if worker == self.me:
            return True
        place, slash, process = worker.rpartition("/")
        if not slash or place == self._place:
            return runs(process)
        if self._seen is None:
            return True
        seen = self._seen.get(worker)
        return seen is not None and self._clock() - seen.since < self._patience

    def trusted(self) -> bool:
        """Whether the others still count on this worker; one that never joined is told by its process."""
        return self._beaten is None or self._clock() - self._beaten < TRUSTED * self._patience

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._patience * EVERY)
            try:
                await self.beat()
            except StoreError:
                continue  # not trusted any more soon; it beats again when the store answers


def runs(process: str) -> bool:
    """Whether a process of this machine, `pid@started`, still runs."""
    pid, _, started = process.partition("@")
    try:
        found = psutil.Process(int(pid))
        return f"{found.create_time():.2f}" == started and found.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False
