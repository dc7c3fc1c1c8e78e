"""How services feel now, for the deploy tools: their error rate over the last minutes."""

from datetime import timedelta

from tools.contract import Clock, Window
from tools.metrics.named import METRICS, Scope
from tools.metrics.port import MetricStore
from tools.patience import patience

SPAN = timedelta(minutes=1)  # or what the store needs, if that is more
SECONDS = 3.0  # nobody waits longer for a figure beside the point


class ErrorRates:
    """The error rate of a service as `tools.deploy.port.Vitals` wants it. Raises `ToolUnavailable`."""

    def __init__(self, store: MetricStore, clock: Clock, span: timedelta = SPAN) -> None:
        self._store, self._clock, self._span = store, clock, max(span, store.finest)

    async def error_rate(self, service: str, environment: str) -> float | None:
        now = self._clock()
        async with patience(SECONDS, self._store.name):
            (rate,) = await self._store.evaluate(
                METRICS["error_rate"].formula, Scope(environment, service), (Window(now - self._span, now),)
            )
        return rate
