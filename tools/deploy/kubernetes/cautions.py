"""What an approver should know about an order, beside what it changes: autoscalers, tools that undo it, differences."""

from collections.abc import Iterator, Mapping, Sequence

from tools.contract import Json
from tools.deploy.port import Order, OrderKind
from tools.kubernetes.objects import Meta, WorkloadObject
from tools.kubernetes.observations import Autoscaler
from tools.kubernetes.rollout import Phase, rollout

_SHOWN = 8  # differences that are listed
_HIDDEN_CHANGES = frozenset({"pod-template-hash", "kubectl.kubernetes.io/restartedAt", "creationTimestamp"})
_KEEPERS = {  # labels and annotations by which tools that keep a cluster as a repository says mark what is theirs
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def autoscaler_of(deployment: WorkloadObject, scalers: Sequence[Autoscaler]) -> Autoscaler | None:
    """The autoscaler that decides about its replicas."""
    for each in scalers:
        target = each.spec.scale_target_ref
        if (target.kind, target.name) == ("Deployment", deployment.metadata.name):
            return each
    return None


def cautions(order: Order, deployment: WorkloadObject, scaler: Autoscaler | None) -> Iterator[str]:
    """Notes for the card."""
    if order.kind is OrderKind.SCALE and scaler is not None:
        yield _scaling(order, scaler)
    if (keeper := kept_by(deployment.metadata)) is not None:
        yield f"{keeper} keeps this Deployment as its own source says, and may undo this at its next sync"
    state = rollout(deployment)
    if state.phase in {Phase.ROLLING, Phase.STUCK}:
        yield f"a rollout is under way already: {state.told}"
    if order.kind in {OrderKind.DEPLOY, OrderKind.ROLLBACK}:
        yield "if it does not become healthy by the Deployment's progress deadline, what runs now is put back"


def _scaling(order: Order, scaler: Autoscaler) -> str:
    spec, name = scaler.spec, scaler.metadata.name
    span = f"{spec.min_replicas} to {spec.max_replicas}"
    wanted = order.replicas or 0
    if not spec.min_replicas <= wanted <= spec.max_replicas:
        return f"the autoscaler {name!r} keeps {span} replicas and will take this back: change its bounds instead"
    return f"the autoscaler {name!r} decides about the replicas ({span}) and will change them again"


def kept_by(meta: Meta) -> str | None:
    """The tool that would undo a change, if one says that the object is its own."""
    marks = {**meta.labels, **meta.annotations}
    for name, keeper in _KEEPERS.items():
        if name in marks:
            return keeper
    return "Helm" if marks.get("app.kubernetes.io/managed-by") == "Helm" else None


def differences(now: Json, then: Json) -> tuple[str, ...]:
    """What differs between two templates: by name, without values, for some of them are secrets."""
    paths = sorted(set(_paths(now, then, "")))
    shown = ", ".join(paths[:_SHOWN])
    if not paths:
        return ()
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return (f"beside the image, this changes: {shown}{more}",)


def _paths(now: Json, then: Json, path: str) -> Iterator[str]:
    if now == then or path.endswith(".image"):
        return
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        for name in {*now, *then} - _HIDDEN_CHANGES:
            yield from _paths(now.get(name), then.get(name), f"{path}.{name}" if path else name)
        return
    left, right = _by_name(now), _by_name(then)
    if left is not None and right is not None:
        for name in {*left, *right}:
            yield from _paths(left.get(name), right.get(name), f"{path}[{name}]")
        return
    if now or then:  # an empty one and none at all are the same to Kubernetes
        yield path.removeprefix("spec.")


def _by_name(value: Json) -> Mapping[str, Json] | None:
    """A list whose members have names, by those names; an absent list is an empty one."""
    if value is None:
        return {}
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    named = {str(each["name"]): each for each in value if isinstance(each, Mapping) and "name" in each}
    return named if len(named) == len(value) else None
