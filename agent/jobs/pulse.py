"""How many turns may work at once while people speak: who speaks is heard first.

Turns that wait for a model keep nobody; turns that compute here do, and many of them at once make each of them no
faster, only everything else late. So places are taken away while people are heard late, and given back one by one while
they are not. One turn always may work. `Pulse` is for a process that hears people by the loop that answers them, and
looks how late that loop is; `Courtesy` is for one whose people are heard by another process, which tells how late.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from agent.jobs.fairness import Gate

EVERY = 0.02  # seconds between two looks while somebody works
IDLE = 0.25  # seconds while nobody does
LATE = 0.010  # seconds from which on the loop is late
PROMPT = 0.003  # seconds up to which it is not
HEARD_LATE = 0.025  # seconds that another process took to keep what somebody said, from which on it is late
HEARD_PROMPT = 0.015  # seconds up to which it is not
IN_A_ROW = 4  # of its words, about a second
SMOOTH = 32  # words over which it is smoothed how late it is while hardly a turn works
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


class Courtesy:
    """The same where another process hears people, and says now and then how late it was at most since it said so last.

    What it waits for are the cores and the store: fewer turns at once are not enough, so but one is left. Its word
    comes a few times a second, and a place comes back when several words in a row were good. How late it is while
    hardly a turn works is nobody's fault, a store far away perhaps: late is what is twice that.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate, self._good, self._alone = gate, 0, 0.0

    def heard(self, late: float) -> None:
        """It was so many seconds late."""
        if self._gate.at_work <= 1 and late:
            self._alone += (min(late, 2 * HEARD_LATE) - self._alone) / SMOOTH
        if late > max(HEARD_PROMPT, 1.5 * self._alone):
            self._good = 0
            if late >= max(HEARD_LATE, 2 * self._alone):
                self._gate.open(1)
            return
        self._good += 1
        if self._good % IN_A_ROW == 0:
            self._gate.open(self._gate.places + 1)
