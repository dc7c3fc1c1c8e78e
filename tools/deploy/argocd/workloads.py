"""What an application's resources are like in the cluster: replicas, restarts, and how Git wants them otherwise."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.contract import Json
from tools.deploy.argocd.application import Difference

RESTARTABLE = ("Deployment", "StatefulSet", "DaemonSet")
_COUNTED = ("Deployment", "StatefulSet")
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
SHOWN = 8  # lines on a card


@dataclass(frozen=True, slots=True)
class Counted:
    """Replicas over all workloads, `None` where the live state does not tell; and the last restart."""

    replicas: int | None
    healthy: int | None
    restarted: datetime | None


def counted(items: Iterable[Difference]) -> Counted:
    wanted, ready = list[int](), list[int]()
    restarts = list[datetime]()
    for each in items:
        live = _json(each.live)
        if (at := _restarted(live)) is not None:
            restarts.append(at)
        if each.kind in _COUNTED:
            replicas, healthy = _number(live, "spec", "replicas"), _number(live, "status", "readyReplicas")
            if replicas is not None and _at(live, "status") is not None:
                wanted.append(replicas)
                ready.append(healthy or 0)
    last = max(restarts, default=None)
    return Counted(sum(wanted), sum(ready), last) if wanted else Counted(None, None, last)


def differing(items: Iterable[Difference], *, prune: bool) -> tuple[str, ...]:
    """Which resources are not as Git wants them now, in words: a sync brings these too, and deletes with `prune`."""
    lines = []
    for each in items:
        if each.hook:
            continue
        name = f"{each.kind} {each.name}"
        if not _json(each.target) and _json(each.live):
            lines.append(f"{name} is not in Git{_fate(prune)}")
        elif _json(each.target) and not _json(each.live):
            lines.append(f"{name} is not in the cluster yet")
        elif each.predicted and _json(each.normal) != _json(each.predicted):
            lines.append(
                f"{name} differs: {', '.join(_paths(_json(each.normal), _json(each.predicted))[:3])}"
            )
    return _shortened(lines)


def wanted_by(items: Sequence[Difference], manifests: Iterable[str], *, prune: bool) -> tuple[str, ...]:
    """What another revision would make of the resources: images that change, resources that come and go."""
    live = {(each.kind, each.name): _json(each.live) for each in items if not each.hook and _json(each.live)}
    coming = {}
    for text in manifests:
        manifest = _json(text)
        coming[str(manifest.get("kind", "")), str(_at(manifest, "metadata", "name"))] = manifest
    lines = []
    for (kind, name), manifest in coming.items():
        if (kind, name) not in live:
            lines.append(f"{kind} {name} is new")
            continue
        before, after = _images(live[kind, name]), _images(manifest)
        lines += [
            f"{kind} {name}: image {before.get(container, 'none')} -> {image}"
            for container, image in after.items()
            if before.get(container) != image
        ]
    lines += [f"{kind} {name} goes{_fate(prune)}" for kind, name in live if (kind, name) not in coming]
    return _shortened(lines)


def _fate(prune: bool) -> str:
    """What becomes of a resource that Git does not have."""
    return ", and is DELETED: prune is on" if prune else " (only with prune)"


def _shortened(lines: list[str]) -> tuple[str, ...]:
    left = len(lines) - SHOWN
    return (*lines[:SHOWN], f"and {left} more") if left > 0 else tuple(lines)


def _json(text: str) -> Mapping[str, Json]:
    try:
        found: object = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _at(value: Json, *path: str) -> Json:
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _number(value: Json, *path: str) -> int | None:
    found = _at(value, *path)
    return found if isinstance(found, int) else None


def _restarted(live: Json) -> datetime | None:
    said = _at(live, "spec", "template", "metadata", "annotations", _RESTARTED)
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _images(manifest: Json) -> dict[str, str]:
    """Image by container."""
    found = _at(manifest, "spec", "template", "spec", "containers")
    containers = found if isinstance(found, list) else []
    return {str(_at(each, "name")): str(_at(each, "image")) for each in containers}


def _paths(one: Json, other: Json, path: str = "") -> list[str]:
    """Where two values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = dict.fromkeys([*one, *other])
        return [
            found
            for key in keys
            for found in _paths(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if one == other else [path]
