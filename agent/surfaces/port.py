"""What a surface provides: a place where people talk, and a voice there."""

from typing import Protocol

from agent.jobs.desk import Desk
from agent.jobs.voice import Voice


class Surface(Protocol):
    """One chat platform. `agent.serving` starts and stops it."""

    @property
    def name(self) -> str:
        """What its thread ids begin with: `slack`."""
        ...

    @property
    def voice(self) -> Voice:
        """Speaks there; a worker that hears nobody uses it as well."""
        ...

    async def open(self) -> None:
        """Makes ready to speak there, without hearing anybody. Raises `SurfaceError` with what to do about it."""
        ...

    async def start(self, desk: Desk) -> None:
        """Opens it, begins to hear people, hands in what they say. Raises `SurfaceError` with what to do about it."""
        ...

    async def stop(self) -> None:
        """Hears nobody any more, and lets go of what was opened."""
        ...

    def trouble(self) -> str | None:
        """Why it does not hear people at this moment; None where it does."""
        ...


class SurfaceError(Exception):
    """A surface cannot be opened; the message says what to do."""
