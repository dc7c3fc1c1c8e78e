"""Ways into the stand-in of a cluster, and what is built on them."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.fakes.kubernetes import TOKEN
from tests.fakes.shop import now
from tools.deploy.kubernetes.platform import KubernetesPlatform
from tools.deploy.kubernetes.releases import ReleasesFile
from tools.kubernetes.access import Access, FixedToken
from tools.kubernetes.client import Cluster
from tools.kubernetes.places import Place, Places, Target
from tools.kubernetes.wire import Wire

RELEASES = """
payments:
  - {version: 2.4.0, released_at: 2026-11-22T06:00:00Z, notes: retries keep the customer's place in the queue}
  - {version: 2.3.9, released_at: 2026-11-12T06:00:00Z, notes: clearer refund messages}
checkout:
  - {version: 1.9.0, released_at: 2026-11-21T06:00:00Z, notes: a shorter form}
"""
SERVICES = {"payments": Target("payments"), "checkout": Target("checkout"), "catalog": Target("catalog")}


class NoPause:
    """Pauses that take no time, and remembers how long they were meant to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def cluster_at(
    url: str, pause: NoPause | None = None, *, config_maps: bool = False, token: str = TOKEN
) -> Cluster:
    return Cluster(
        Wire(Access("the cluster", url, FixedToken(token)), pause or NoPause()), config_maps=config_maps
    )


def places_at(url: str, services: Mapping[str, Target] | None = None, *, config_maps: bool = False) -> Places:
    cluster = cluster_at(url, config_maps=config_maps)
    spots = {"production": Place(cluster, "shop"), "staging": Place(cluster, "shop-staging")}
    return Places(spots, SERVICES if services is None else services)


def platform_at(url: str, folder: Path, *, seconds: float = 600.0, ticks: float = 2.0) -> KubernetesPlatform:
    file = folder / "releases.yaml"
    file.write_text(RELEASES)
    return KubernetesPlatform(
        places_at(url), now, ReleasesFile(file), seconds=seconds, pause=NoPause(), monotonic=Ticks(ticks)
    )


class Ticks:
    """A clock that goes on by so many seconds each time it is read."""

    def __init__(self, step: float) -> None:
        self._step, self._now = step, 0.0

    def __call__(self) -> float:
        self._now += self._step
        return self._now


def kubeconfig(folder: Path, url: str, user: Mapping[str, object] | None = None, **cluster: object) -> Path:
    """A kubeconfig with one context, `shop`."""
    file = folder / "kubeconfig"
    written = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "shop",
        "clusters": [{"name": "east", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "sayso", "user": dict(user or {"token": TOKEN})}],
        "contexts": [{"name": "shop", "context": {"cluster": "east", "user": "sayso", "namespace": "shop"}}],
    }
    file.write_text(yaml.safe_dump(written))
    return file
