"""What the deploy tools need: a platform that runs services, and, if there is one, a look at how they feel.

A platform raises `BadArguments` for what it does not know (naming the nearest), `ToolUnavailable` when it does not
answer, `ToolFailed` when it answers with a failure, and `Unanswered` when an order was sent and nobody knows its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tools.contract import Change, Json, Progress


@dataclass(frozen=True, slots=True)
class Running:
    """One service in one environment, as it runs now.

    A platform that does not count replicas leaves them at `None` and says in `state` what it knows instead, and in
    `well` whether that is good, where it can tell. `coming` is a version that is on its way.
    """

    service: str
    environment: str
    version: str
    previous_version: str | None
    replicas: int | None
    healthy_replicas: int | None
    since: datetime
    state: str = ""
    well: bool | None = None
    coming: str | None = None

    @property
    def healthy(self) -> bool | None:
        """`None` where the platform cannot tell."""
        if self.replicas is None:
            return self.well
        return self.healthy_replicas == self.replicas and self.well is not False

    @property
    def feels(self) -> str:
        """How it is, in words; what is not known is not claimed."""
        counted = (
            f"{self.healthy_replicas} of {self.replicas} replicas healthy"
            if self.replicas is not None
            else ""
        )
        return ", ".join(part for part in (counted, self.state) if part) or "health is not known here"


@dataclass(frozen=True, slots=True)
class Release:
    """A version that can be deployed."""

    version: str
    released_at: datetime | None
    notes: str = ""


class OrderKind(StrEnum):
    """What an order is about; the platform's history speaks of the same four."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTART = "restart"
    SCALE = "scale"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of the history; `before` and `after` are versions, or replicas where it scaled."""

    id: str
    kind: OrderKind
    service: str
    environment: str
    before: str | None
    after: str | None
    at: datetime
    by: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Order:
    """A change a platform is told to make; `key` makes it happen at most once, `by` goes into its history."""

    kind: OrderKind
    service: str
    environment: str
    key: str
    by: str
    version: str | None = None
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How an order ended."""

    ok: bool
    detail: str


class Unanswered(Exception):
    """The order left, and the connection broke before the platform said how it ended. Only looking can tell."""


class Platform(Protocol):
    """Something that runs services and can change how."""

    async def running(self) -> tuple[Running, ...]:
        """Everything that runs, in every environment."""
        ...

    async def releases(self, service: str) -> tuple[Release, ...]:
        """The versions of a service that can be deployed, newest first."""
        ...

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        """What was changed, newest first."""
        ...

    async def apply(self, order: Order, progress: Progress) -> Result:
        """Carries the order out and tells of its progress; a key seen before gets its first result."""
        ...


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of trying an order without carrying it out.

    `notes` are for the approvers. `observed` is what the order rests on beside version and replicas, and `moving` names
    what of a plan's `observed` changes by itself on this platform, so that its change makes no plan stale.
    """

    notes: tuple[str, ...] = ()
    observed: Mapping[str, Json] = field(default_factory=dict)
    moving: frozenset[str] = frozenset()
    changes: tuple[Change, ...] = ()  # what more it changes, in the platform's own words


@runtime_checkable
class RehearsingPlatform(Platform, Protocol):
    """A platform that can try an order, with every rule that it would meet."""

    async def rehearse(self, order: Order) -> Rehearsal:
        """Tries it; nothing is changed. Raises as `apply` does where the platform would not take the order."""
        ...


@runtime_checkable
class Locating(Protocol):
    """A platform for which it is dear to tell of everything, and cheap to tell of one place."""

    async def running_at(self, service: str, environment: str) -> Running | None:
        """What runs there; `None` where nothing does. Raises `BadArguments` for a name it does not know."""
        ...


class Vitals(Protocol):
    """How a service feels."""

    async def error_rate(self, service: str, environment: str) -> float | None:
        """The share of failed requests in the last minutes, 0 to 1; `None` where nothing was measured."""
        ...
