"""DBOS Transact behind a port of three words: submit, adopt, stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Engine as SqlEngine

RELEASE = (
    "1"  # of what jobs look like; the same over releases of sayso, so that a new one carries on what waited
)
SCHEMA = "sayso_jobs"
POLLING = 0.1  # seconds between two looks for work
ATTEMPTS = 20  # how often a job is taken over before it is left alone: each time, a worker died in it
T = TypeVar("T")
LOG = logging.getLogger("sayso.jobs")


class Job(StrEnum):
    """What there is to do. Each kind has a queue of its own; the key says for what."""

    TURN = "turn"  # answer what was said; in order within a thread
    RUN = "run"  # run an approved action; one at a time for each target
    TELL = "tell"  # tell a thread what is due


Work = Mapping[Job, Callable[[str, str], Coroutine[object, object, None]]]  # key and lane


class Engine(Protocol):
    """Carries jobs to whoever is alive."""

    async def submit(self, job: Job, key: str, lane: str, *, attempt: str = "") -> None:
        """Has it done, once for the same key and attempt; jobs of one lane follow each other."""
        ...

    async def adopt(self, dead: Collection[str]) -> int:
        """Gives what these workers had begun to those alive; says how much."""
        ...

    def waits(self, job: Job, key: str, /) -> bool:
        """Whether a job is in line in this process, so that nobody needs to submit it again."""
        ...


class Carrier(Engine, Protocol):
    """An engine that is opened and closed."""

    async def start(self) -> None: ...

    async def stop(self, within: float = 0.0, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Width:
    """How many jobs of a kind one worker has in its hands."""

    turns: int = 256  # most of them wait for a place or for a model
    runs: int = 16
    tells: int = 16

    def of(self, job: Job) -> int:
        return {Job.TURN: self.turns, Job.RUN: self.runs, Job.TELL: self.tells}[job]


class DbosEngine:
    """Implements `Carrier`. There is one in a process: DBOS keeps its state in the module.

    `place` is an SQLite file or the URL of a PostgreSQL database. A job is one workflow without steps: it may run
    again from its start, and what it does is keyed by what it is about.
    """

    def __init__(
        self,
        place: Path | str,
        *,
        me: str,
        work: Work | None,
        width: Width | None = None,
        polling: float = POLLING,
    ) -> None:
        self._place, self._me, self._work, self._polling = place, me, work, polling
        self._width = width or Width()
        self._flows: dict[Job, Callable[[str, str], Awaitable[None]]] = {}
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="jobs")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = False

    async def start(self) -> None:
        """Begins to work, where there is work for this process; else it only submits."""
        self._loop = asyncio.get_running_loop()
        await self._off_loop(self._start)

    async def stop(self, within: float = 0.0) -> None:
        """Takes no more jobs, and gives those in hand so many seconds to end; what is left is for others."""
        if self._started:
            self._started = False
            await self._off_loop(lambda: self._stop(within))
        self._threads.shutdown(wait=False)

    async def submit(self, job: Job, key: str, lane: str, *, attempt: str = "") -> None:
        name = f"{job.value}:{key}" + (f"#{attempt}" if attempt else "")
        await self._off_loop(lambda: self._submit(job, name, key, lane))

    async def adopt(self, dead: Collection[str]) -> int:
        return await self._off_loop(lambda: self._adopt(list(dead))) if dead else 0

    def waits(self, _job: Job, _key: str) -> bool:
        """Nothing does: what is submitted is on the disk."""
        return False

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # --- in a thread: DBOS -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        from dbos import DBOS, DBOSConfig

        for name in ("dbos", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        url, engine = self._database()
        config = DBOSConfig(
            name="sayso",
            system_database_url=url,
            system_database_engine=engine,
            dbos_system_schema=SCHEMA,
            application_version=RELEASE,
            executor_id=self._me,
            log_level="WARNING",
        )
        DBOS(config=config)
        self._flows = {job: self._flow(job) for job in Job}
        DBOS.listen_queues([job.value for job in Job] if self._work else [])
        DBOS.launch()
        for job in Job:
            DBOS.register_queue(
                job.value,
                worker_concurrency=self._width.of(job),
                partition_concurrency=1,
                polling_interval_sec=self._polling,
            )
        self._started = True

    def _flow(self, job: Job) -> Callable[[str, str], Awaitable[None]]:
        from dbos import DBOS

        async def flow(key: str, lane: str) -> None:
            await self._on_loop(job, key, lane)

        flow.__name__ = flow.__qualname__ = job.value
        made: Callable[[str, str], Awaitable[None]] = DBOS.workflow(
            name=job.value, max_recovery_attempts=ATTEMPTS
        )(flow)
        return made

    async def _on_loop(self, job: Job, key: str, lane: str) -> None:
        """DBOS has a loop of its own; what we open lives on ours."""
        if self._work is None or self._loop is None:
            raise RuntimeError(f"{job.value}:{key} came to a process that does not work")
        work = self._work[job](key, lane)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _stop(self, within: float) -> None:
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=round(within))

    def _submit(self, job: Job, name: str, key: str, lane: str) -> None:
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        with SetWorkflowID(name), SetEnqueueOptions(queue_partition_key=lane):
            DBOS.enqueue_workflow(job.value, self._flows[job], key, lane)

    def _adopt(self, dead: list[str]) -> int:
        from dbos import DBOS

        # What DBOS's own server does for another executor. Each job of a dead one is put back into its queue by a
        # conditional update, so that two workers that do it at once do it once.
        return len(DBOS._recover_pending_workflows(dead))  # noqa: SLF001 - there is no public name for it

    def _database(self) -> tuple[str, "SqlEngine | None"]:
        if isinstance(self._place, str):
            return self._place, None
        from sqlalchemy import create_engine, event

        url = f"sqlite:///{self._place}"
        engine = create_engine(url, connect_args={"timeout": 30})

        @event.listens_for(engine, "connect")
        def configure(connection: "sqlite3.Connection", _record: object) -> None:
            # DBOS leaves SQLite as it comes, which takes 30 ms for each change. The store is the truth, and on the
            # disk; what DBOS knows may be rebuilt from it.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        return url, engine


class LocalFirst:
    """Implements `Engine`: does a job here as long as there is room, and has the rest carried to others.

    A job that is done here needs no row of the engine's. What it is about is in the store with the name of who is at
    it, so when this process dies, another one's rounds find it: the store is the truth, here as anywhere. So while
    this process is `alone`, a job that finds no room waits in line here: nobody else could do it sooner, and a row of
    the engine's costs more than the answer to a greeting.
    """

    def __init__(
        self, work: Work | None, carrier: Engine, width: Width, alone: Callable[[], bool] = lambda: False
    ) -> None:
        self._work, self._carrier, self._width, self._alone = work, carrier, width, alone
        self._tasks: dict[Job, set[asyncio.Task[None]]] = {job: set() for job in Job}
        self._line: dict[Job, dict[str, str]] = {job: {} for job in Job}  # what waits for room: key -> lane
        self._given: set[asyncio.Task[None]] = set()  # on their way to the carrier
        self._open = work is not None

    async def submit(self, job: Job, key: str, lane: str, *, attempt: str = "") -> None:
        if self._work is None or not self._open or (self._full(job) and not self._alone()):
            # Nobody waits for it: what it is about is kept, and a round finds what this process could not hand on.
            given = asyncio.create_task(
                self._carrier.submit(job, key, lane, attempt=attempt), name=f"{job}:{key}"
            )
            self._given.add(given)
            given.add_done_callback(self._handed_on)
        elif self._full(job):
            self._line[job].setdefault(key, lane)
        else:
            self._begin(job, key, lane)

    def waits(self, job: Job, key: str) -> bool:
        """Whether it is in line here, for want of room."""
        return key in self._line[job]

    def _full(self, job: Job) -> bool:
        return len(self._tasks[job]) >= self._width.of(job)

    def _begin(self, job: Job, key: str, lane: str) -> None:
        if self._work is None:
            raise RuntimeError(f"{job.value}:{key} came to a process that does not work")
        task = asyncio.create_task(self._work[job](key, lane), name=f"{job.value}:{key}")
        self._tasks[job].add(task)
        task.add_done_callback(lambda done: self._ended(job, done))

    async def adopt(self, dead: Collection[str]) -> int:
        return await self._carrier.adopt(dead)

    async def drain(self, within: float) -> None:
        """Begins nothing more here, and gives what has begun so many seconds to end."""
        self._open = False
        left = [task for tasks in self._tasks.values() for task in tasks]
        if left:
            _, late = await asyncio.wait(left, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.gather(*self._given, return_exceptions=True)

    def _handed_on(self, task: "asyncio.Task[None]") -> None:
        self._given.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.warning("%s could not be handed on: %s; a later round finds it", task.get_name(), error)

    def _ended(self, job: Job, task: "asyncio.Task[None]") -> None:
        self._tasks[job].discard(task)
        if self._open and self._line[job]:
            key = next(iter(self._line[job]))  # who has waited longest
            self._begin(job, key, self._line[job].pop(key))
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("%s ended badly; a later round finds it again", task.get_name(), exc_info=error)
