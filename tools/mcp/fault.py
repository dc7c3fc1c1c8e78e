"""The end of a connection, told once to everybody who waits on it."""

import asyncio
from typing import TypeVar

from tools.mcp.wording import shortened

SAID = 300  # characters of an error that are repeated
Result = TypeVar("Result")
Other = TypeVar("Other")


class Fault:
    """Not broken until somebody says why it is."""

    def __init__(self) -> None:
        self.told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.too_much = False

    def broke(self, why: str, *, too_much: bool = False) -> None:
        """The first reason counts."""
        if not self.told.done():
            self.too_much = too_much
            self.told.set_result(why)

    @property
    def broken(self) -> bool:
        return self.told.done()

    @property
    def why(self) -> str:
        return self.told.result() if self.told.done() else ""


def reason_of(error: BaseException) -> str:
    """The innermost reason of an error that came through task groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return shortened(str(error), SAID) or type(error).__name__


async def first(one: "asyncio.Future[Result]", other: "asyncio.Future[Other]") -> None:
    """Waits until one of them is done, and cancels neither."""
    both: tuple[asyncio.Future[Result] | asyncio.Future[Other], ...] = (one, other)
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
