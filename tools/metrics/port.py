"""What the metric tools need: a store that computes formulas over windows of time, and perhaps free queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tools.contract import Window
from tools.metrics.named import Formula, Scope


class MetricStore(Protocol):
    """Somewhere samples are kept. Raises `ToolUnavailable` when it does not answer, `ToolFailed` when it refuses."""

    @property
    def name(self) -> str:
        """What it is called as a source."""
        ...

    @property
    def finest(self) -> timedelta:
        """The shortest window that still holds enough samples."""
        ...

    async def evaluate(
        self, formula: Formula, scope: Scope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        """The formula's value over each window; `None` where there are no samples to tell from."""
        ...

    async def origins(self, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        """The values of the label `origin` on the samples a formula rests on; real traffic has none."""
        ...

    async def values(self, label: str, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        """The values of a label on the samples a formula rests on."""
        ...

    def link(self, query: str, window: Window) -> str | None:
        """A page a person can open to see the same."""
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """One series that a query came to: its labels, and `(unix seconds, value)` in order of time."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


class QueryStore(Protocol):
    """Somewhere that understands PromQL. Raises as `MetricStore` does."""

    @property
    def name(self) -> str: ...

    async def count(self, selector: str, at: datetime) -> int:
        """How many series a selector names at an instant."""
        ...

    async def traces(self, query: str, window: Window, step: timedelta) -> tuple[Trace, ...]:
        """What the query comes to at each step of the window."""
        ...

    def link(self, query: str, window: Window) -> str | None: ...
