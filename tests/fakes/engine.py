"""An engine without a database: jobs are tasks, each done once, those of one lane one after the other."""

import asyncio
from collections import defaultdict
from collections.abc import Collection

from agent.jobs.engine import Job, Work


class InlineEngine:
    """Implements `agent.jobs.engine.Engine`. With `held`, jobs are only noted."""

    def __init__(self, work: Work, *, held: bool = False) -> None:
        self._work, self._held = work, held
        self._lanes: dict[tuple[Job, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self.submitted: list[tuple[Job, str]] = []
        self.adopted: list[str] = []
        self._names: set[tuple[Job, str, str]] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def submit(self, job: Job, key: str, lane: str, *, attempt: str = "") -> None:
        self.submitted.append((job, key))
        if not self._held and (job, key, attempt) not in self._names:
            self._names.add((job, key, attempt))
            self.tasks.add(asyncio.create_task(self._do(job, key, lane)))

    async def adopt(self, dead: Collection[str]) -> int:
        self.adopted += dead
        return len(dead)

    def waits(self, _job: Job, _key: str) -> bool:
        return False

    async def quiet(self) -> None:
        """Waits until everything that was submitted is done. Raises what a job raised."""
        while open_ := [task for task in self.tasks if not task.done()]:
            await asyncio.wait(open_)
        for task in self.tasks:
            task.result()

    async def _do(self, job: Job, key: str, lane: str) -> None:
        async with self._lanes[job, lane]:
            await self._work[job](key, lane)
