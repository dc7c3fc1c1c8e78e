"""How long a backend may take before it counts as absent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tools.contract import ToolUnavailable


@asynccontextmanager
async def patience(seconds: float, what: str) -> AsyncIterator[None]:
    """Ends what takes longer than `seconds` and raises `ToolUnavailable` naming it."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ToolUnavailable(f"{what} did not answer within {seconds:g} s; nothing was checked") from error
