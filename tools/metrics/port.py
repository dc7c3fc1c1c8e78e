"""What the metric tools need: a store that computes formulas over windows of time."""

from collections.abc import Sequence
from datetime import timedelta
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

    def link(self, query: str, window: Window) -> str | None:
        """A page a person can open to see the same."""
        ...
