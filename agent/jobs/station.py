"""A process that stays: it joins the fleet, starts the engine, goes its rounds, and leaves in good order."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from agent.app import App
from agent.conversation.thread import ThreadId
from agent.jobs.engine import POLLING, Carrier, DbosEngine, LocalFirst, Width
from agent.jobs.fairness import Gate
from agent.jobs.pulse import Courtesy, Pulse
from agent.jobs.voice import Voice
from agent.jobs.worker import ROUND, Worker

SELDOM = 0.5  # seconds between two looks for work of a process that has its own
LOG = logging.getLogger("sayso.jobs")


class Role(StrEnum):
    """What a process does: hear people, work, or both."""

    ALL = "all"
    SURFACE = "surface"
    WORKER = "worker"


class Station:
    """Opened by `start`, closed by `stop`. There is one in a process, as of the engine."""

    def __init__(
        self,
        app: App,
        place: Path | str,
        role: Role,
        voices: Mapping[str, Voice],
        clock: Callable[[], datetime],
        *,
        polling: float | None = None,
        every: float = ROUND,
        carrier: Carrier | None = None,
        stops: Callable[[ThreadId], None] | None = None,
        heard_here: bool = False,
    ) -> None:
        """`carrier` is what hands jobs to others, where that is not the queue they share; `stops` tells them to stop.

        `heard_here` says that people are heard by the same event loop: turns then make room for whoever speaks.
        """
        limits = app.settings.limits
        self._app, self._role, self._every = app, role, every
        gate = Gate(limits.turns, limits.turns_each)
        # Turns that wait for a model elsewhere keep nobody here waiting.
        self._courtesy = Courtesy(gate) if app.settings.model.provider == "none" else None
        works = role is not Role.SURFACE
        self.worker = Worker(app, app.fleet, voices, gate, clock, works=works, stops=stops)
        work = self.worker.jobs if works else None
        width = Width(turns=8 * limits.turns, runs=limits.runs)
        # Who hears people does what comes in; only who does not has to look for it all the time.
        often = polling or (POLLING if role is Role.WORKER else SELDOM)
        self._carrier = carrier or DbosEngine(place, me=app.fleet.me, work=work, width=width, polling=often)
        self._engine = LocalFirst(work, self._carrier, width, alone=self.alone)
        self._pulse = Pulse(gate) if heard_here else None
        self._rounds: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._works = works

    async def start(self) -> None:
        """Begins. Raises `StoreError`."""
        await self._app.fleet.join(self._role.value)
        await self._carrier.start()
        self.worker.works_with(self._engine)
        if self._works:
            self._rounds = asyncio.create_task(self.worker.go_round(self._every))
            if self._pulse is not None:
                self._beating = asyncio.create_task(self._pulse.beat_on())

    def heard_late(self, seconds: float) -> None:
        """The process that hears people for this one was so late at most, since it said so last."""
        if self._courtesy is not None:
            self._courtesy.heard(seconds)

    def alone(self) -> bool:
        """Whether no other process works, as far as the last round saw."""
        fleet = self._app.fleet
        others = ((id_, beat) for id_, beat in fleet.everybody().items() if id_ != fleet.me)
        return not any(beat.role in (Role.ALL, Role.WORKER) and fleet.alive(id_) for id_, beat in others)

    @property
    def working(self) -> bool:
        """Whether it goes its rounds, where that is its role."""
        return not self._works or (self._rounds is not None and not self._rounds.done())

    async def stop(self, within: float) -> None:
        """Takes nothing new, lets what it has begun end for so many seconds, and leaves the rest to the others."""
        ending = [task for task in (self._rounds, self._beating) if task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self.worker.last_orders()
        await asyncio.gather(self._engine.drain(within), self._carrier.stop(within))
        await self.worker.put_down()
        await self._app.fleet.leave()
