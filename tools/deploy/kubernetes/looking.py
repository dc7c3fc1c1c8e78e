"""What is seen of the services in every environment: their Deployments, revisions and records."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.contract import ToolFailed
from tools.deploy.kubernetes.record import Record
from tools.deploy.kubernetes.revisions import Revision, container_of, revisions
from tools.kubernetes.images import Image
from tools.kubernetes.objects import WorkloadObject
from tools.kubernetes.places import Place, Places, Target
from tools.kubernetes.resources import DEPLOYMENTS, REPLICA_SETS
from tools.vocabulary import unknown

_MOST = 20_000  # ReplicaSets: ten revisions of two thousand Deployments
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Looked:
    """One service in one environment, as its Deployment tells it."""

    service: str
    environment: str
    deployment: WorkloadObject
    version: str
    revisions: tuple[Revision, ...]
    record: Record

    @property
    def since(self) -> datetime:
        """When the rollout of what runs ended, or last got on."""
        progressing = self.deployment.status.condition("Progressing")
        known = progressing.last_update_time if progressing else None
        newest = self.revisions[0].at if self.revisions else None
        return known or newest or self.deployment.metadata.creation_timestamp or _LONG_AGO


class Looking:
    """Reads Deployments and their ReplicaSets."""

    def __init__(self, places: Places) -> None:
        self._places = places

    async def everywhere(self, environment: str | None = None) -> tuple[Looked, ...]:
        """All services of all environments, or of one; the environments side by side."""
        chosen = {
            name: place for name, place in self._places.environments.items() if environment in {None, name}
        }
        found = await asyncio.gather(*(self._in(name, place) for name, place in chosen.items()))
        return tuple(each for some in found for each in some)

    async def _in(self, environment: str, place: Place) -> list[Looked]:
        deployments, sets = await asyncio.gather(
            place.cluster.listed(DEPLOYMENTS, place.namespace, WorkloadObject, most=_MOST),
            place.cluster.listed(REPLICA_SETS, place.namespace, WorkloadObject, most=_MOST),
        )
        if deployments.cut or sets.cut:
            raise ToolFailed(
                f"{place.cluster.name}: namespace {place.namespace!r} holds more than {_MOST:,} Deployments or "
                "ReplicaSets, which is more than can be told whole"
            )
        found = []
        for each in deployments.items:
            service = self._places.service(each.metadata.name)
            if service is not None:
                target = self._places.target(service)
                found.append(looked(service, environment, target, each, sets.items))
        return [each for each in found if each is not None]

    async def refuse_unknown(self, service: str) -> None:
        """Raises `BadArguments` for a service that runs nowhere and of which nothing is written down."""
        known = {each.service for each in await self.everywhere()}
        raise unknown(
            "service",
            service,
            sorted(known),
            f"there is no Deployment of {service!r}",
            none="there is none at all",
        )


def looked(
    service: str,
    environment: str,
    target: Target,
    deployment: WorkloadObject,
    sets: tuple[WorkloadObject, ...],
) -> Looked | None:
    """A service by its Deployment; `None` for one without the container that is meant."""
    container = container_of(deployment.spec.template, target.container, service)
    if container is None:
        return None
    name = deployment.metadata.name
    return Looked(
        service,
        environment,
        deployment,
        Image.of(container.image).version,
        revisions(deployment, sets, target.container, service),
        Record.of(deployment.metadata.annotations, name),
    )
