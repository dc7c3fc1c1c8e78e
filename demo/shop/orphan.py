"""How a process of the shop notices that its supervisor is gone."""

import asyncio
import os

EVERY_SECONDS = 0.5


async def orphaned(parent: int) -> None:
    """Returns when the supervisor is gone: nothing of the shop outlives it, not even after kill -9."""
    while os.getppid() == parent:
        await asyncio.sleep(EVERY_SECONDS)
