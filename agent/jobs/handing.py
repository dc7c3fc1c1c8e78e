"""What a process that only hears hands to the one that works: no queue of its own, a word for each job.

A word that is lost costs a little time and nothing else: what it was about is in the store, where a round finds it.
"""

from collections.abc import Callable, Collection

from agent.jobs.engine import Job

Hand = Callable[[Job, str, str, str], None]  # job, key, lane, attempt


class Handing:
    """Implements `agent.jobs.engine.Carrier`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    async def start(self) -> None:
        """There is nothing to open."""

    async def stop(self, _within: float = 0.0) -> None:
        """There is nothing to close."""

    async def submit(self, job: Job, key: str, lane: str, *, attempt: str = "") -> None:
        self._hand(job, key, lane, attempt)

    async def adopt(self, _dead: Collection[str]) -> int:
        return 0  # whoever works looks after the dead

    def waits(self, _job: Job, _key: str) -> bool:
        return False
