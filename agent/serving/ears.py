"""A process that hears people for its parent, which works: keeps what is said, acknowledges, and hands it on.

It computes nothing else, so that an acknowledgement waits for no answer. It ends when its parent does.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence

from agent.app import App
from agent.bootstrap import build, jobs_place, utc_now
from agent.conversation.redact import Redactor
from agent.conversation.thread import Said, TurnId
from agent.home import Home
from agent.jobs.desk import Desk
from agent.jobs.handing import Handing
from agent.jobs.station import Role, Station
from agent.serving.wire import Wire
from agent.settings import Settings
from agent.store.port import StoreError
from agent.surfaces.port import Surface, SurfaceError
from agent.telemetry.logs import log_to

EVERY = 0.25  # seconds between two words about how it is


async def hear(
    settings: Settings, home: Home, stop: asyncio.Event, open_surfaces: Callable[[App], Sequence[Surface]]
) -> None:
    """Hears until `stop` is set, or until whoever started it is gone. Raises what `build` and a surface raise."""
    log = settings.serve
    log_to(
        sys.stderr,
        style=log.log_style,
        level=log.log_level,
        redactor=Redactor(emails=settings.redaction.emails),
    )
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: _Parent(stop), sys.stdin)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    wire = Wire(transport)
    try:
        app = await build(settings, home, seen=wire.fact)
        try:
            await _hear(app, stop, wire, open_surfaces(app))
        finally:
            await app.close()
    except (StoreError, SurfaceError) as error:
        wire.refused(str(error))
        raise
    finally:
        transport.close()


async def _hear(app: App, stop: asyncio.Event, wire: Wire, surfaces: Sequence[Surface]) -> None:
    voices = {surface.name: surface.voice for surface in surfaces}
    place = jobs_place(app.settings, app.home)
    station = Station(app, place, Role.SURFACE, voices, utc_now, carrier=Handing(wire.job), stops=wire.stop)
    await station.start()
    desk = _Timed(app, station.worker)
    try:
        for surface in surfaces:
            await surface.start(desk)
        gc.collect()
        gc.freeze()  # what is loaded stays: looking through it again holds up whoever speaks
        while not stop.is_set():
            wire.hears({surface.name: surface.trouble() for surface in surfaces}, desk.late())
            try:
                await asyncio.wait_for(stop.wait(), EVERY)
            except TimeoutError:
                continue
    finally:
        for surface in surfaces:
            await surface.stop()
        await station.stop(0.0)


class _Timed(Desk):
    """Takes down how long it took to keep what was said."""

    _longest = 0.0

    async def hear(self, said: Said) -> TurnId | None:
        began = time.monotonic()
        try:
            return await super().hear(said)
        finally:
            self._longest = max(self._longest, time.monotonic() - began)

    def late(self) -> float:
        """Seconds that it took at most, since this was asked last."""
        longest, self._longest = self._longest, 0.0
        return longest


class _Parent(asyncio.Protocol):
    """Says nothing; when it is gone, so are we."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, _error: Exception | None) -> None:
        self._stop.set()
