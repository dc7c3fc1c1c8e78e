"""The platform of services that are Deployments: looked at, tried by dry run, changed by one patch."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from tools.contract import Clock, Progress
from tools.deploy.kubernetes.cautions import autoscaler_of, cautions, differences
from tools.deploy.kubernetes.following import Patience
from tools.deploy.kubernetes.looking import Looked, Looking
from tools.deploy.kubernetes.ordering import Ordering
from tools.deploy.kubernetes.patches import resting_on, template_of
from tools.deploy.kubernetes.preparing import Prepared
from tools.deploy.kubernetes.releases import ReleaseSource, together
from tools.deploy.kubernetes.revisions import changes, previous
from tools.deploy.port import Deployment, Order, OrderKind, Rehearsal, Release, Result, Running
from tools.kubernetes.observations import Autoscaler
from tools.kubernetes.places import Places
from tools.kubernetes.refusals import Forbidden, Missing
from tools.kubernetes.resources import AUTOSCALERS
from tools.kubernetes.rollout import rollout

ROLLOUT_SECONDS = 600.0


class KubernetesPlatform:
    """Every service is the Deployment that `places` names for it; one patch changes it, and nothing else is touched."""

    def __init__(
        self,
        places: Places,
        clock: Clock,
        releases: ReleaseSource | None = None,
        *,
        seconds: float = ROLLOUT_SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places, self._releases = places, releases
        self._looking = Looking(places)
        self._ordering = Ordering(places, clock, Patience(seconds, monotonic, pause))

    async def running(self) -> tuple[Running, ...]:
        return tuple(_running(each) for each in await self._looking.everywhere())

    async def releases(self, service: str) -> tuple[Release, ...]:
        """What ran or runs in any environment, and what is written down."""
        self._places.target(service)  # refuses a service nobody knows
        found = [each for each in await self._looking.everywhere() if each.service == service]
        written = await self._releases.releases(service) if self._releases else ()
        seen: dict[str, datetime | None] = {}
        for each in found:
            seen.setdefault(each.version, each.deployment.metadata.creation_timestamp)
            for revision in reversed(each.revisions):
                seen[revision.version] = _earliest(seen.get(revision.version), revision.at)
        if not found and not written:
            await self._looking.refuse_unknown(service)
        return together(seen, written)

    async def history(
        self, service: str | None = None, environment: str | None = None, since: datetime | None = None
    ) -> tuple[Deployment, ...]:
        entries = [
            entry
            for each in await self._looking.everywhere(environment)
            if service in {None, each.service}
            for entry in changes(each.service, each.environment, each.revisions, each.record)
            if since is None or entry.at >= since
        ]
        return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))

    async def rehearse(self, order: Order) -> Rehearsal:
        """Has the cluster try the patch: its rules, quotas and webhooks have their say before anybody is asked."""
        prepared = await self._ordering.prepare(order)
        warnings = await self._ordering.try_out(prepared)
        scaler, unchecked = await self._autoscaler(prepared)
        notes = (
            *(f"the cluster warns: {warning}" for warning in warnings),
            *_unlike(prepared),
            *cautions(order, prepared.deployment, scaler),
            *unchecked,
        )
        moving = frozenset({"replicas"}) if scaler and order.kind is not OrderKind.SCALE else frozenset[str]()
        return Rehearsal(notes, {"template": resting_on(prepared.whole)}, moving)

    async def apply(self, order: Order, progress: Progress) -> Result:
        return await self._ordering.carry_out(order, progress)

    async def _autoscaler(self, prepared: Prepared) -> tuple[Autoscaler | None, Sequence[str]]:
        """The autoscaler of a Deployment; a note where it could not be looked for."""
        place = prepared.place
        try:
            found = await place.cluster.listed(AUTOSCALERS, place.namespace, Autoscaler)
        except (Forbidden, Missing) as error:
            return None, (f"not checked, whether an autoscaler decides about its replicas: {error}",)
        return autoscaler_of(prepared.deployment, found.items), ()


def _unlike(prepared: Prepared) -> tuple[str, ...]:
    """What a rollback to a whole template changes beside the image."""
    if prepared.order.kind is not OrderKind.ROLLBACK:
        return ()
    if prepared.revision is None:
        return (
            f"no ReplicaSet of {prepared.order.version} is kept: the image alone changes, settings stay as they are",
        )
    return differences(template_of(prepared.whole), prepared.template)


def _running(found: Looked) -> Running:
    state = rollout(found.deployment)
    return Running(
        found.service,
        found.environment,
        found.version,
        previous(found.revisions, found.version, found.record),
        state.wanted,
        state.healthy,
        found.since,
    )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
