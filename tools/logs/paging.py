"""A store that is asked page by page, newest first: what all such stores share."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.logs.files import parse
from tools.logs.port import Budget, Level, Line, Query, Scanned

PAGE = 2_000  # lines asked for at once
_WORDS = {
    "emerg": Level.ERROR, "alert": Level.ERROR, "crit": Level.ERROR, "critical": Level.ERROR, "fatal": Level.ERROR,
    "error": Level.ERROR, "err": Level.ERROR, "warning": Level.WARNING, "warn": Level.WARNING,
    "info": Level.INFO, "notice": Level.INFO, "debug": Level.DEBUG, "trace": Level.DEBUG,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line as a store keeps it: `at` in the store's own unit, a key that tells it from others of that instant."""

    at: int
    key: str
    line: Line | None
    octets: int


def level(word: str | None) -> Level:
    """The level of a store's own word; what is unknown is information."""
    return _WORDS.get((word or "").casefold(), Level.INFO)


def line_of(at: datetime, text: str, service: str, said: str | None, version: str | None = None) -> Line:
    """A line from its text: JSON as services write it, or plain text with the level that the store knows."""
    parsed = parse(text.encode(), service) if text.startswith("{") else None
    return parsed or Line(at, level(said), service, text.strip(), version, text)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(slots=True)
class Pages:
    """Walks back through a store with `ask(end)`: entries not later than `end`, newest first, up to `PAGE`."""

    ask: Callable[[int], Awaitable[Sequence[Entry]]]
    query: Query
    budget: Budget
    take: Callable[[Line], None]
    clock: Callable[[], float]
    lines: int = 0
    octets: int = 0
    unreadable: int = 0
    reached: datetime | None = None
    _seen: set[str] = field(default_factory=set)

    async def walk(
        self, end: int, places: tuple[str, ...], link: str | None, note: str | None = None
    ) -> Scanned:
        """Everything from `end` back to where the store has no more, or the budget ends."""
        began, stopped = self.clock(), None
        while True:
            entries = await self.ask(end)
            new = [entry for entry in entries if entry.key not in self._seen]
            for entry in new:
                self._count(entry)
            if len(entries) < PAGE:
                break
            stopped = self._spent(self.clock() - began)
            if stopped:
                break
            oldest = entries[-1].at
            if not new:  # more lines of one instant than a page holds: the rest of them is out of reach
                self.unreadable += 1
                oldest -= 1
            self._seen = {entry.key for entry in entries if entry.at == oldest}
            end = oldest
        return Scanned(self.lines, self.unreadable, places, link, self.reached, stopped, note)

    def _count(self, entry: Entry) -> None:
        self.lines += 1
        self.octets += entry.octets
        if entry.line is None:
            self.unreadable += 1
            return
        self.reached = entry.line.at
        if self.query.wants(entry.line):
            self.take(entry.line)

    def _spent(self, seconds: float) -> str | None:
        if self.lines >= self.budget.lines:
            return f"{self.budget.lines:,} lines were read"
        if self.octets >= self.budget.octets:
            return f"{self.budget.octets / 2**20:,.0f} MB were read"
        return f"{self.budget.seconds:g} s were over" if seconds >= self.budget.seconds else None
