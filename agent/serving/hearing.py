"""The process that hears people, as the one that works sees it: started, listened to, started again when it dies."""

import asyncio
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence

from agent.audit.event import Fact
from agent.conversation.thread import ThreadId
from agent.jobs.engine import Job
from agent.serving.wire import FactLine, HearsLine, JobLine, RefusedLine, StopLine, read
from agent.store.port import StoreError
from agent.surfaces.port import SurfaceError

LOG = logging.getLogger("sayso.serve")
LONGEST = 2**20  # bytes of a line
PATIENCE = 10.0  # seconds for it to end by itself
PAUSES = (0.5, 1.0, 2.0, 5.0, 15.0)  # seconds before it is started again; the last one is repeated
Submit = Callable[[Job, str, str, str], Awaitable[None]]  # job, key, lane, attempt
Stop = Callable[[ThreadId], Awaitable[None]]  # ends the turns of a thread


class Hearing:
    """Opened by `start`, closed by `stop`. `command` starts the process, `late` is told how late it hears."""

    def __init__(
        self,
        command: Sequence[str],
        submit: Submit,
        stop: Stop,
        seen: Callable[[Fact], None],
        late: Callable[[float], None],
    ) -> None:
        self._command, self._submit, self._stop = command, submit, stop
        self._seen, self._late = seen, late
        self._process: Process | None = None
        self._troubles: dict[str, str | None] = {}
        self._hears = asyncio.Event()
        self._refused = ""
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when people are heard. Raises `SurfaceError` where they cannot be."""
        self._keeping = asyncio.create_task(self._keep())
        hears = asyncio.create_task(self._hears.wait())
        await asyncio.wait((hears, self._keeping), return_when=asyncio.FIRST_COMPLETED)
        # Whether it *was* heard: one that died a moment later is started again, as at any later time.
        if not hears.done():
            hears.cancel()
            raise SurfaceError(self._refused or "the process that hears people ended; the log says why")

    async def stop(self) -> None:
        """Hears nobody any more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()  # which it takes for our end
        try:
            await asyncio.wait_for(self._listen(process), PATIENCE)  # its last words are jobs, too
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()

    def trouble(self, surface: str) -> str | None:
        """Why people are not heard on a surface at this moment."""
        if not self._hears.is_set():
            return f"the process that hears people is being started{self._refused and f' ({self._refused})'}"
        return self._troubles.get(surface)

    async def _keep(self) -> None:
        """Starts it, and again whenever it ended, until the first start fails or this is cancelled."""
        began, tries = False, 0
        while True:
            how, heard = await self._once(), self._hears.is_set()
            if not (began or heard):
                return
            began, tries = True, 0 if heard else tries + 1
            self._hears.clear()
            why = f": {self._refused}" if self._refused else ""
            LOG.error("the process that hears people %s%s; it is started again", how, why)
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])

    async def _once(self) -> str:
        """Starts it and listens until it ends; says how that came."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                limit=LONGEST,
                start_new_session=True,  # Ctrl-C is for us: it ends when we say so, in good order
            )
        except OSError as error:  # the machine is out of something, or the program is being replaced
            self._process, self._refused = None, f"it cannot be started: {error}"
            return "is not there"
        self._refused = ""
        await self._listen(self._process)
        return f"ended ({await self._process.wait()})"

    async def _listen(self, process: Process) -> None:
        if process.stdout is None:
            raise RuntimeError("a process without a pipe cannot be listened to")
        while True:
            try:
                line = await process.stdout.readline()
                if not line:
                    return
                await self._heard(line)
            except ValueError:  # longer than any line of ours may be, or none
                LOG.warning("the process that hears people wrote what is no line of ours")

    async def _heard(self, line: bytes) -> None:
        match read(line):
            case JobLine(job=job, key=key, lane=lane, attempt=attempt):
                await self._submit(job, key, lane, attempt)
            case StopLine(thread=thread):
                await self._ended(ThreadId(thread))
            case FactLine() as told:
                self._seen(told.fact())
            case HearsLine(troubles=troubles, late=late):
                self._troubles = {**troubles}
                self._hears.set()
                self._late(late)
            case RefusedLine(why=why):
                self._refused = why

    async def _ended(self, thread: ThreadId) -> None:
        """Ends what is being worked on in a thread."""
        try:
            await self._stop(thread)
        except StoreError as error:
            LOG.warning("%s: the next round ends it: %s", thread, error)
