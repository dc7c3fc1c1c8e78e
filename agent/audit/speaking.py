"""Through what a person speaks at this moment: the platform, and who they are there.

A surface says it once for everything that follows in its task; it is for the trail alone, and nothing is decided by it.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Through:
    """A platform and the identity it vouches for: `terminal` and a login name, `slack` and `U012AB3CD`."""

    platform: str
    identity: str


_through: ContextVar[Through | None] = ContextVar("through", default=None)


def speaks_through(platform: str, identity: str) -> None:
    """Says it for the rest of this task."""
    _through.set(Through(platform, identity))


def through() -> Through | None:
    """What the surface said, if it did."""
    return _through.get()
