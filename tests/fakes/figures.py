"""Stores of metrics and logs that know as much as a test wants."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from tools.contract import Window
from tools.logs.port import Budget, Level, Line, Query, Scanned
from tools.metrics.named import Formula, Scope


class Steady:
    """A metrics store that knows so many an hour; nothing of staging, nothing of catalog."""

    name = "steady"

    def __init__(self, per_hour: float = 2.0, origins: frozenset[str] = frozenset()) -> None:
        self._per_hour, self._origins = per_hour, origins
        self.finest = timedelta(seconds=5)

    async def evaluate(
        self, formula: Formula, scope: Scope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        if scope.service == "catalog" or scope.environment == "staging":
            return tuple(None for _ in windows)
        return tuple(round(window.length / timedelta(hours=1)) * self._per_hour for window in windows)

    async def origins(self, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return self._origins

    async def values(self, label: str, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return frozenset()

    def link(self, query: str, window: Window) -> str | None:
        return None


class ErrorsAt:
    """A log store with error lines at some instants."""

    def __init__(self, *instants: datetime, reached: datetime | None = None) -> None:
        self._instants, self._reached = instants, reached

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        for at in self._instants:
            line = Line(at, Level.ERROR, "payments", "no", None, "")
            if query.wants(line):
                take(line)
        stopped = "2 lines were read" if self._reached else None
        return Scanned(len(self._instants), 0, ("logs/payments.log",), None, self._reached, stopped)
