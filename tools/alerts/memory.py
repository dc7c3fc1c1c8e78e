"""Alerts kept in memory: the store of tests and of trials."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from tools.alerts.port import Alert, Silence
from tools.contract import Clock


class MemoryAlerts:
    """Fires what it was given, and keeps silences as Alertmanager does."""

    def __init__(self, alerts: Iterable[Alert], clock: Clock) -> None:
        self._alerts, self._clock = tuple(alerts), clock
        self._silences: dict[str, Silence] = {}
        self._numbers = count(1)

    @property
    def name(self) -> str:
        return "alerts in memory"

    async def alerts(self) -> tuple[Alert, ...]:
        now = self._clock()
        active = [each for each in self._silences.values() if each.start <= now < each.end]
        return tuple(
            replace(
                alert,
                silenced_by=tuple(each.id for each in active if each.labels.items() <= alert.labels.items()),
            )
            for alert in self._alerts
        )

    async def silences(self) -> tuple[Silence, ...]:
        return tuple(each for each in self._silences.values() if each.end > self._clock())

    async def silence(self, silence: Silence) -> str:
        id_ = f"silence-{next(self._numbers)}"
        self._silences[id_] = replace(silence, id=id_)
        return id_

    async def lift(self, id_: str) -> None:
        found = self._silences.get(id_)
        if found is not None:
            self._silences[id_] = replace(found, end=min(found.end, self._clock()))
