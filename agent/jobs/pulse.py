"""How late the event loop is, and how many turns may therefore work at once: who speaks is heard first.

For a process that hears people by the loop that answers them. Turns that wait for a model leave it free; turns that
compute here do not, and many of them at once make each of them no faster, only everything else late. So places are
taken away while the loop is late, and given back one by one while it is not. One turn always may work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from agent.jobs.fairness import Gate

EVERY = 0.02  # seconds between two looks while somebody works
IDLE = 0.25  # seconds while nobody does
LATE = 0.010  # seconds from which on the loop is late
PROMPT = 0.003  # seconds up to which it is not
Sleep = Callable[[float], Awaitable[None]]


class Pulse:
    """Narrows the gate, and widens it again. `sleep` and `clock` are passed in so that a test need not wait."""

    def __init__(
        self, gate: Gate, clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._gate, self._clock, self._sleep = gate, clock, sleep

    async def beat_on(self) -> None:
        """Without end."""
        while True:
            await self.beat()

    async def beat(self) -> None:
        """One look."""
        pause = EVERY if self._gate.at_work else IDLE
        began = self._clock()
        await self._sleep(pause)
        self._gate.open(places(self._gate.places, self._clock() - began - pause))


def places(now: int, late: float) -> int:
    """How many may work at once from now on, if the loop came so many seconds late."""
    if late >= LATE:
        return now // 2
    return now + 1 if late <= PROMPT else now
