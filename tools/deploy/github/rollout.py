"""One attempt to put a version into an environment, whichever way GitHub keeps it, and what each way can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tools.contract import Json, ToolFailed
from tools.deploy.github.service import Service
from tools.deploy.port import Order, OrderKind
from tools.jsonserver import segment


class Stage(Enum):
    """How far an attempt has come."""

    PENDING = "pending"
    GOOD = "good"
    REPLACED = "replaced"  # it went well, and is no more what runs
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Rollout:
    """An attempt; `environment` is GitHub's name for it, `note` the last that was said of it."""

    id: int
    version: str
    environment: str
    at: datetime
    by: str
    stage: Stage
    key: str = ""
    kind: OrderKind | None = None
    link: str = ""
    note: str = ""

    @property
    def worked(self) -> bool:
        return self.stage in {Stage.GOOD, Stage.REPLACED}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back attempts are told: at most so many, until one is older than `since`, or so many `worked`."""

    most: int = 30
    since: datetime | None = None
    worked: int | None = None

    def ends(self, found: Sequence[Rollout]) -> bool:
        """Whether those that were found are enough."""
        old = self.since is not None and bool(found) and found[-1].at < self.since
        return old or (
            self.worked is not None and len({each.version for each in found if each.worked}) >= self.worked
        )


@dataclass(frozen=True, slots=True)
class Started:
    """An order that GitHub took; without an `id` it has to be found again by its key."""

    id: int | None


class Way(Protocol):
    """How a service is deployed through GitHub."""

    async def rollouts(self, service: Service, environment: str, reach: Reach) -> Sequence[Rollout]:
        """The latest attempts, newest first, as far back as is wanted."""
        ...

    async def start(self, service: Service, environment: str, order: Order, key: str) -> Started:
        """Sends the order once."""
        ...

    async def look(self, service: Service, id_: int) -> tuple[Rollout, Sequence[str]]:
        """How an attempt is now, and lines on how far it is, of which those not told before are progress."""
        ...


class Payload(BaseModel):
    """What GitHub says; newer versions say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Shape = TypeVar("Shape")


def understood(adapter: TypeAdapter[Shape], said: Json, what: str) -> Shape:
    """What was answered, in the shape its API promises. Raises `ToolFailed` for another one."""
    try:
        return adapter.validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ToolFailed(
            f"GitHub told {what} in another form than its API: {where}: {first['msg']}"
        ) from error


def base(service: Service) -> str:
    """The path of the service's repository."""
    return "/repos/" + "/".join(segment(part) for part in service.repository.split("/"))
