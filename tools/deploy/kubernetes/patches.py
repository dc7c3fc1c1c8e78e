"""What an order changes in a Deployment, as a strategic merge patch, and the digest of what it rests on."""

from collections.abc import Mapping
from datetime import datetime

from tools.contract import BadArguments, Json, ToolFailed, digest
from tools.deploy.port import Order, OrderKind
from tools.kubernetes.images import Image
from tools.kubernetes.objects import Container
from tools.times import iso

RESTARTED = "kubectl.kubernetes.io/restartedAt"  # the same that `kubectl rollout restart` writes
_HASH = "pod-template-hash"  # the controller's own label


def image_of(container: Container, order: Order, repository: str) -> Image:
    """The image that the order's version is. Raises `BadArguments` for a version that is no tag."""
    try:
        return Image.of(container.image).with_version(order.version or "", repository)
    except ValueError as error:
        raise BadArguments(
            f"version = {order.version!r}: {error}", field="version", value=order.version
        ) from error


def with_image(container: Container, image: Image) -> dict[str, Json]:
    """A template with one container's image changed: lists of containers are merged by name."""
    return {"template": {"spec": {"containers": [{"name": container.name, "image": str(image)}]}}}


def with_template(template: Json) -> dict[str, Json]:
    """A template put in the place of the one there is, as `kubectl rollout undo` does."""
    if not isinstance(template, Mapping):
        raise ToolFailed("the cluster told a ReplicaSet without a template")
    meta = template.get("metadata")
    kept = dict(meta) if isinstance(meta, Mapping) else {}
    labels = kept.get("labels")
    if isinstance(labels, Mapping):
        kept["labels"] = {name: value for name, value in labels.items() if name != _HASH}
    return {"template": {"$patch": "replace", **template, "metadata": kept}}


def restarted(at: datetime) -> dict[str, Json]:
    return {"template": {"metadata": {"annotations": {RESTARTED: iso(at)}}}}


def scaled(order: Order) -> dict[str, Json]:
    return {"replicas": order.replicas}


def body(
    version: str, annotations: Mapping[str, str], spec: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """A whole patch. With the object's `version` in it the cluster refuses it once the object has changed."""
    patch: dict[str, Json] = {"metadata": {"resourceVersion": version, "annotations": dict(annotations)}}
    return {**patch, "spec": dict(spec)} if spec else patch


def template_of(deployment: Mapping[str, Json]) -> Json:
    spec = deployment.get("spec")
    return spec.get("template") if isinstance(spec, Mapping) else None


def resting_on(deployment: Mapping[str, Json]) -> str:
    """The digest of a Deployment's template: image, environment, resources, all that a new version would run with."""
    return digest({"template": template_of(deployment)})[:16]


def outcome_of(order: Order, version: str, replicas: int) -> tuple[str | None, str | None]:
    """What an order leads from and to, for the history: versions, or replicas."""
    if order.kind is OrderKind.SCALE:
        return str(replicas), str(order.replicas)
    return version, order.version or version
