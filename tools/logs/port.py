"""What the log tool needs: a store that can be read backwards within a budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tools.contract import Window


class Level(StrEnum):
    """How bad a line is. Stores fold their own words into these four (`critical` is an error, `warn` a warning)."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """One log line. `raw` is the line as it was written; `details` are its other fields."""

    at: datetime
    level: Level
    service: str
    message: str
    version: str | None
    raw: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """Which lines are wanted. `contains` is looked for in the message and the details, in any case."""

    environment: str
    window: Window
    service: str | None = None
    level: Level | None = None
    contains: str | None = None

    def wants(self, line: Line) -> bool:
        """Whether a line is one of those."""
        if not self.window.start <= line.at < self.window.end or self.level not in {None, line.level}:
            return False
        if self.contains is None:
            return True
        needle = self.contains.casefold()
        return needle in line.message.casefold() or any(
            needle in detail.casefold() for detail in line.details.values()
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be taken apart for one answer, and how long it may take; what is only searched counts as time."""

    lines: int = 200_000
    octets: int = 64 * 1024 * 1024
    seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was read. `reached` is how far back it went; `stopped` says which part of the budget ran out.

    `lines` counts what was looked at, also what was only searched. `places` names what was read for people; `link`
    opens it where it is one place. `note` is what people should know about how this store looks for text.
    """

    lines: int
    unreadable: int
    places: tuple[str, ...]
    link: str | None = None
    reached: datetime | None = None
    stopped: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """About how much a query would have to look at, before anything is read."""

    lines: int
    octets: int | None = None


class LogStore(Protocol):
    """Somewhere log lines are kept."""

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        """Calls `take` with each wanted line, newest first, one after the other (perhaps from another thread).

        Raises `BadArguments` where the service has no logs, `ToolUnavailable` when the store cannot be read.
        """
        ...


@runtime_checkable
class EstimatingStore(LogStore, Protocol):
    """A store that can tell beforehand how much there is."""

    async def estimate(self, query: Query) -> Estimate:
        """How much there is of the service in the window, of every level and text. Raises as `scan` does."""
        ...
