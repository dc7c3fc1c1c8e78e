"""Making an order ready: the Deployment as it is now, and the patch that would carry the order out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tools.contract import BadArguments, Clock, Json, ToolFailed
from tools.deploy.kubernetes.patches import (
    body,
    image_of,
    outcome_of,
    restarted,
    resting_on,
    scaled,
    template_of,
    with_image,
    with_template,
)
from tools.deploy.kubernetes.record import Entry, Record
from tools.deploy.kubernetes.revisions import Revision, container_of, revisions
from tools.deploy.port import Order, OrderKind
from tools.kubernetes.images import Image
from tools.kubernetes.objects import Container, WorkloadObject
from tools.kubernetes.places import Place, Places, Target
from tools.kubernetes.refusals import Missing
from tools.kubernetes.resources import DEPLOYMENTS, REPLICA_SETS
from tools.vocabulary import unknown


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order and the Deployment it meets. `whole` holds secrets perhaps: it is written back, never shown."""

    order: Order
    place: Place
    deployment: WorkloadObject
    whole: Mapping[str, Json]
    record: Record
    before: str | None
    after: str | None
    spec: Mapping[str, Json]
    revision: Revision | None = None
    template: Json = None  # of that revision

    @property
    def name(self) -> str:
        return self.deployment.metadata.name

    @property
    def rests_on(self) -> str:
        """What must not change before it is carried out: the template, and for a scaling the replicas too."""
        replicas = f" {self.deployment.spec.replicas}" if self.order.kind is OrderKind.SCALE else ""
        return resting_on(self.whole) + replicas

    def patch(self, begun: Entry) -> dict[str, Json]:
        written = self.record.begun(begun).written()
        return body(self.deployment.metadata.resource_version, written, self.spec)


class Preparing:
    """Looks, and writes patches. Sends none."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self._places, self._clock = places, clock

    async def prepare(self, order: Order) -> Prepared:
        """Looks at the Deployment now. Raises `BadArguments` where there is none, `ToolFailed` where it is paused."""
        place, target = self._places.place(order.environment), self._places.target(order.service)
        try:
            found = await place.cluster.whole(DEPLOYMENTS, place.namespace, target.workload, WorkloadObject)
        except Missing as error:
            raise await self._nowhere(order, place, target.workload) from error
        deployment, whole = found.object, found.raw
        container = _container(deployment, target, order.service)
        if deployment.spec.paused and order.kind is not OrderKind.SCALE:
            raise ToolFailed(
                f"the Deployment {target.workload!r} is paused: nothing would roll out before somebody resumes it"
            )
        record = Record.of(deployment.metadata.annotations, target.workload)
        before, after = outcome_of(order, Image.of(container.image).version, deployment.spec.replicas)
        bare = Prepared(order, place, deployment, whole, record, before, after, {})
        match order.kind:
            case OrderKind.RESTART:
                return replace(bare, spec=restarted(self._clock()))
            case OrderKind.SCALE:
                return replace(bare, spec=scaled(order))
            case OrderKind.DEPLOY:
                return replace(bare, spec=with_image(container, image_of(container, order, target.image)))
            case OrderKind.ROLLBACK:
                bare = replace(bare, spec=with_image(container, image_of(container, order, target.image)))
                return await self._back(bare, target.container)

    async def _back(self, bare: Prepared, container: str) -> Prepared:
        """A rollback puts the whole template of the newest revision of that version back, where one is kept."""
        cluster, namespace = bare.place.cluster, bare.place.namespace
        labels = bare.deployment.spec.selector.text()
        sets = await cluster.listed(REPLICA_SETS, namespace, WorkloadObject, labels=labels)
        kept = revisions(bare.deployment, sets.items, container, bare.order.service)
        revision = next((each for each in kept if each.version == bare.order.version), None)
        if revision is None:
            return bare
        one = await cluster.whole(REPLICA_SETS, namespace, revision.name, WorkloadObject)
        template = template_of(one.raw)
        return replace(bare, spec=with_template(template), revision=revision, template=template)

    async def _nowhere(self, order: Order, place: Place, workload: str) -> BadArguments:
        found = await place.cluster.listed(DEPLOYMENTS, place.namespace, WorkloadObject)
        known = {service for each in found.items if (service := self._places.service(each.metadata.name))}
        return unknown(
            "service",
            order.service,
            sorted(known),
            f"there is no Deployment {workload!r} in {order.environment} (namespace {place.namespace!r}), and sayso "
            "makes none",
            none="there is none at all",
        )


def _container(deployment: WorkloadObject, target: Target, service: str) -> Container:
    found = container_of(deployment.spec.template, target.container, service)
    if found is None:
        names = ", ".join(each.name for each in deployment.spec.template.spec.containers)
        raise ToolFailed(
            f"the Deployment {target.workload!r} has no container {target.container!r}, only {names}: whoever keeps "
            "sayso's settings names one of them"
        )
    return found
