"""What is heard in channels, indexed soon after it was said, in a round of its own: no answer waits for it."""

import asyncio
import logging
import time
from collections.abc import Callable

from agent.app import App
from agent.store.port import StoreError
from knowledge.port import KnowledgeError, Progress, WriterBusy
from knowledge.sources.slack_live import Beside, SlackLive

LOG = logging.getLogger("sayso.serve")
EVERY = 1.0  # seconds between two looks whether anything was said
SHARE = 4.0  # times as long as it took is waited after indexing: most of the time is for answers
BUSY = 5.0  # seconds while another process writes
PAUSE = 30.0  # seconds after it could not be done


class Indexing:
    """Opened by `start`, closed by `stop`; any number of processes may, and one at a time writes."""

    def __init__(self, app: App, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._clock = app, clock
        self._names = [one.name for one in app.sources if isinstance(one, SlackLive | Beside)]
        self._done = ""  # the signature of what is indexed
        self._round: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, where there is something to be heard."""
        if self._names:
            self._round = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Ends it; what was not indexed is, with the next start."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _go_on(self) -> None:
        while True:
            pause = EVERY
            try:
                began = self._clock()
                if await self.step():
                    pause = max(EVERY, SHARE * (self._clock() - began))
            except WriterBusy:
                pause = BUSY
            except (KnowledgeError, StoreError) as error:
                LOG.warning("what is heard is not indexed for now: %s", error)
                pause = PAUSE
            except Exception:
                LOG.exception("what is heard is not indexed; it is tried again in %.0f s", PAUSE)
                pause = PAUSE
            await asyncio.sleep(pause)

    async def step(self) -> bool:
        """Indexes what was said since; False where that is nothing. Raises `KnowledgeError`, `StoreError`."""
        heard = self._app.store.overheard
        signature = await heard.signature()
        if signature == self._done or not (self._done or await heard.channels()):
            return False
        for report in await self._app.ingest(_quiet, only=self._names):
            if report.failed is not None:
                LOG.warning("%s: %s", report.source, report.failed)
        self._done = signature
        return True


def _quiet(_progress: Progress) -> None:
    """Nobody watches."""
