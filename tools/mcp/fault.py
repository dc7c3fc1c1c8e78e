"""The end of a connection, told once to everybody who waits on it."""

import asyncio


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
