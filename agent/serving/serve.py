"""One process of sayso that stays, from its settings to the end of its last turn."""

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Mapping, Sequence

from agent.app import App
from agent.bootstrap import build, jobs_place, utc_now
from agent.conversation.redact import Redactor
from agent.home import Home
from agent.jobs.desk import Desk
from agent.jobs.station import SELDOM, Role, Station
from agent.serving.health import Health
from agent.serving.hearing import Hearing
from agent.serving.indexing import Indexing
from agent.settings import Settings
from agent.store.port import StoreError
from agent.surfaces.port import Surface, SurfaceError
from agent.telemetry.logs import log_to
from agent.telemetry.metrics import Metrics
from knowledge.port import KnowledgeError

LOG = logging.getLogger("sayso.serve")
ASKED = 2.0  # seconds a check may take


class Serving:
    """Opened by `start`; runs until `stop`. `apart` starts a process that hears people for this one, which works."""

    def __init__(
        self,
        app: App,
        role: Role,
        surfaces: Sequence[Surface],
        metrics: Metrics,
        apart: Sequence[str] | None = None,
    ) -> None:
        settings = app.settings
        self._app, self._surfaces, self._metrics = app, surfaces, metrics
        self._role = Role.WORKER if apart is not None else role
        voices = {surface.name: surface.voice for surface in surfaces}
        place, polling = jobs_place(settings, app.home), None if apart is None else SELDOM
        self._station = Station(
            app, place, self._role, voices, utc_now, polling=polling, heard_here=self._role is Role.ALL
        )
        worker, late = self._station.worker, self._station.heard_late
        hearing = (
            None if apart is None else Hearing(apart, worker.submit, worker.stop_turns, metrics.seen, late)
        )
        self._hearing = hearing
        self._health = Health(settings.serve.listen, alive=self.alive, ready=self.ready, metrics=self._page)
        self._indexing = Indexing(app) if role is not Role.SURFACE else None
        self._hears: list[Surface] = []
        self._begun = self._draining = False

    async def start(self) -> str:
        """Begins; gives the address of its health pages. Raises `StoreError`, `SurfaceError`, `OSError`."""
        address = await self._health.start()
        await self._station.start()
        if self._indexing is not None:
            self._indexing.start()
        if self._role is not Role.SURFACE:
            await self._prepare()
        for surface in self._surfaces:
            await self._open(surface)
        if self._hearing is not None:
            await self._hearing.start()
        self._begun = True
        return address

    async def _open(self, surface: Surface) -> None:
        """Has people heard there, or only makes ready to speak."""
        if self._role is not Role.WORKER:
            await surface.start(Desk(self._app, self._station.worker))
            self._hears.append(surface)
            return
        try:
            await surface.open()
        except SurfaceError as error:  # what is to be told waits in the store until it can be
            LOG.warning("%s", error)

    async def _prepare(self) -> None:
        """Loads what the first question needs before anybody is heard: loading holds up whoever speaks meanwhile."""
        try:
            await self._app.prepare()
        except KnowledgeError as error:
            LOG.warning("nothing is found in what is known for now: %s", error)
        gc.collect()
        gc.freeze()  # what is loaded stays: there is no use in looking through it over and over

    async def stop(self) -> None:
        """Hears nobody any more, ends what it has begun, and leaves the rest to others."""
        self._draining = True
        if self._hearing is not None:
            await self._hearing.stop()
        for surface in self._hears:
            await surface.stop()
        if self._indexing is not None:
            await self._indexing.stop()
        await self._station.stop(self._app.settings.serve.drain.total_seconds())
        if self._role is Role.WORKER:
            for surface in self._surfaces:
                await surface.stop()
        await self._health.stop()

    async def alive(self) -> Mapping[str, str | None]:
        """What is wrong for good, so that this process is best started anew."""
        return {"rounds": None if self._station.working else "the worker goes its rounds no more"}

    async def ready(self) -> Mapping[str, str | None]:
        """What is in the way of being of use at this moment."""
        found: dict[str, str | None] = {"draining": "it is about to stop" if self._draining else None}
        found["starting"] = None if self._begun else "it loads what it answers with, and hears nobody yet"
        found["store"] = await self._asked_store()
        found["trusted"] = None if self._app.fleet.trusted() else "the others may hold this process for dead"
        found |= {surface.name: surface.trouble() for surface in self._hears}
        if self._hearing is not None:
            found |= {one.name: self._hearing.trouble(one.name) or one.trouble() for one in self._surfaces}
        return found

    async def _asked_store(self) -> str | None:
        try:
            await asyncio.wait_for(self._app.store.beats(), ASKED)
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {ASKED:.0f} s"
        return None

    async def _page(self) -> bytes:
        try:
            await self._metrics.look(self._app.store, utc_now())
        except StoreError as error:
            LOG.warning("the metrics are those of before: %s", error)
        return self._metrics.text()


async def serve(
    settings: Settings,
    home: Home,
    role: Role,
    stop: asyncio.Event,
    note: Callable[[str], None],
    open_surfaces: Callable[[App], Sequence[Surface]],
    apart: Sequence[str],
) -> None:
    """Serves until `stop` is set; `apart` is the command of a process that hears people for it, if it needs one.

    Raises what `build` and `Serving.start` raise.
    """
    log = settings.serve
    redactor = Redactor(emails=settings.redaction.emails)
    log_to(sys.stderr, style=log.log_style, level=log.log_level, redactor=redactor)
    metrics = Metrics()
    app = await build(settings, home, note, seen=metrics.seen)
    try:
        surfaces = open_surfaces(app)
        parted = role is Role.ALL and bool(surfaces) and settings.serve.hearing == "apart"
        serving = Serving(app, role, surfaces, metrics, apart if parted else None)
        try:
            address = await serving.start()
            names = ", ".join(surface.name for surface in surfaces) or "no surface"
            note(f"sayso serves ({role.value}: {names}) as {app.fleet.me}; {address}/readyz says how it is")
            await stop.wait()
            note("stopping: what is begun is ended, what waits is kept")
        finally:
            await serving.stop()
    finally:
        await app.close()
