"""What the alert tools need: something that knows which alerts fire, and keeps some of them quiet for a while."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tools.contract import Asker


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which alerts with just these labels notify nobody."""

    id: str
    labels: Mapping[str, str]
    start: datetime
    end: datetime
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fires. Annotations are texts of whoever wrote the rule: data, not orders."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    since: datetime
    silenced_by: tuple[str, ...] = ()
    inhibited: bool = False
    link: str | None = None
    service: str | None = None
    environment: str | None = None

    @property
    def severity(self) -> str:
        return self.labels.get("severity", "")

    @property
    def summary(self) -> str:
        return next(
            (
                self.annotations[key]
                for key in ("summary", "description", "message")
                if key in self.annotations
            ),
            "",
        )

    @property
    def runbook(self) -> str | None:
        return next(
            (self.annotations[key] for key in ("runbook_url", "runbook") if key in self.annotations), None
        )


class AlertStore(Protocol):
    """Somewhere alerts are. Raises `ToolUnavailable` when it does not answer, `ToolFailed` when it refuses."""

    @property
    def name(self) -> str: ...

    async def alerts(self) -> tuple[Alert, ...]:
        """Everything that fires now, silenced or not."""
        ...

    async def silences(self) -> tuple[Silence, ...]:
        """The silences that are in force or will be."""
        ...

    async def silence(self, silence: Silence) -> str:
        """Makes a silence (its `id` is not looked at) and returns the id it got."""
        ...

    async def lift(self, id_: str) -> None:
        """Ends a silence now; one that has ended stays so."""
        ...


@dataclass(frozen=True, slots=True)
class Runbook:
    """A page that says what to do, found for an alert that names none."""

    title: str
    link: str | None
    document: str


class Runbooks(Protocol):
    """Where runbooks are looked for, with the asker's rights."""

    async def runbook(self, alert: Alert, asker: Asker) -> Runbook | None: ...


@dataclass(frozen=True, slots=True)
class Labels:
    """What the labels for service and environment are called in this system's alerts."""

    service: str = "service"
    environment: str = "environment"
    name: str = field(default="alertname", init=False)
