"""The workloads of a namespace, of all three kinds, each with the service that it is and how far it has got."""

import asyncio
import re
from dataclasses import dataclass

from tools.contract import Json
from tools.kubernetes.client import Listed
from tools.kubernetes.images import Image
from tools.kubernetes.objects import WorkloadObject
from tools.kubernetes.places import Place, Places
from tools.kubernetes.refusals import Forbidden, Missing
from tools.kubernetes.resources import DAEMON_SETS, DEPLOYMENTS, STATEFUL_SETS, Resource
from tools.kubernetes.rollout import Rollout, on_every_node, rollout, stateful
from tools.vocabulary import unknown

_KINDS = {
    "Deployment": (DEPLOYMENTS, rollout),
    "StatefulSet": (STATEFUL_SETS, stateful),
    "DaemonSet": (DAEMON_SETS, on_every_node),
}
_SUFFIX = r"[bcdfghjklmnpqrstvwxz2456789]{1,10}"  # of names that the cluster itself makes: no vowels


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload: the service that it is, what it runs, and its rollout."""

    service: str
    kind: str
    object: WorkloadObject
    state: Rollout
    raw: Json

    @property
    def name(self) -> str:
        return self.object.metadata.name

    @property
    def versions(self) -> str:
        """The version of each container, the service's own first where it has its name."""
        containers = sorted(
            self.object.spec.template.spec.containers, key=lambda each: each.name != self.service
        )
        return ", ".join(f"{each.name} {Image.of(each.image).version}" for each in containers)

    def facts(self) -> dict[str, Json]:
        return {
            "service": self.service,
            "kind": self.kind,
            "name": self.name,
            "versions": self.versions,
            "phase": self.state.phase.value,
            "wanted": self.state.wanted,
            "updated": self.state.updated,
            "well": self.state.healthy,
            "told": self.state.told,
        }

    def is_about(self, name: str) -> bool:
        """Whether an object of this name is the workload, one of its ReplicaSets or one of its pods, gone ones too."""
        return bool(re.fullmatch(rf"{re.escape(self.name)}(?:(?:-{_SUFFIX}){{0,2}}|-\d+)", name))


@dataclass(frozen=True, slots=True)
class Workloads:
    """Those that were found, and what could not be looked at."""

    found: tuple[Workload, ...]
    unchecked: tuple[str, ...] = ()


async def workloads(places: Places, place: Place, service: str | None) -> Workloads:
    """The workloads of all services of a place, or of one.

    Raises `BadArguments` for a service that has none there, and what the cluster said where no kind may be listed.
    """
    kinds = await asyncio.gather(*(_listed(place, resource) for resource, _ in _KINDS.values()))
    refused = [each for each in kinds if isinstance(each, Forbidden | Missing)]
    if len(refused) == len(kinds):
        raise refused[0]
    found = []
    unchecked = [str(each) for each in refused]
    for (kind, (_, state)), listed in zip(_KINDS.items(), kinds, strict=True):
        if isinstance(listed, Forbidden | Missing):
            continue
        unchecked += (
            [f"the namespace holds more {kind}s than the {len(listed.items):,} listed"] if listed.cut else []
        )
        for one, raw in zip(listed.items, listed.raw, strict=True):
            name = places.service(one.metadata.name)
            if name is not None:
                found.append(Workload(name, kind, one, state(one), raw))
    wanted = tuple(each for each in found if service in {None, each.service})
    if service is not None and not wanted:
        raise _none(places, place, service, found, refused)
    return Workloads(wanted, tuple(unchecked))


async def _listed(place: Place, resource: Resource) -> Listed[WorkloadObject] | Forbidden | Missing:
    try:
        return await place.cluster.listed(resource, place.namespace, WorkloadObject)
    except (Forbidden, Missing) as error:
        return error


def _none(
    places: Places, place: Place, service: str, found: list[Workload], refused: list[Forbidden | Missing]
) -> Exception:
    """Why there is nothing of a service: a name that is wrong, or a kind that could not be looked at."""
    if refused:
        return refused[0]
    target = places.target(service)
    return unknown(
        "service",
        service,
        [each.service for each in found],
        f"there is no workload {target.workload!r} of {service!r} in namespace {place.namespace!r}",
        none="there is none at all",
    )
