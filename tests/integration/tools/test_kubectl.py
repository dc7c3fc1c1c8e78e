"""kubectl works against the stand-in of a cluster, and what it sends there is what sayso sends."""

import asyncio
import base64
import copy
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.certificates import Authority, secured
from tests.fakes.kubernetes import Asked, KubernetesStandIn, Object, shop_cluster
from tests.fakes.kubernetes_access import kubeconfig, platform_at
from tests.fakes.shop import Heard, now
from tools.deploy.port import Order, OrderKind

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl with a kubeconfig of the stand-in, and nothing of this machine's."""

    folder: Path
    cluster: KubernetesStandIn

    async def run(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "KUBECONFIG": str(self.folder / "kubeconfig"),
                "HOME": str(self.folder),
                "PATH": "/usr/bin:/bin",
            },
        )
        said, complained = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, complained.decode()
        return said.decode()

    async def patch(self, *words: str) -> Asked:
        """The one patch that a command sends."""
        await self.run(*words)
        return [one for one in self.cluster.asked if one.method == "PATCH"][-1]


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    cluster, ca, app = shop_cluster(now), Authority(), web.Application()
    cluster.add(app)
    # kubectl sends its token over TLS alone.
    trusted = base64.b64encode(ca.pem.encode()).decode()
    async with secured(app, ca, tmp_path) as url:
        kubeconfig(tmp_path, url, None, **{"certificate-authority-data": trusted})
        yield Kubectl(tmp_path, cluster)


async def ours(cluster: KubernetesStandIn, folder: Path, order: Order) -> Asked:
    """The patch that sayso sends for an order."""
    async with cluster.open() as url:
        await platform_at(url, folder).apply(order, Heard())
    return cluster.patches()[0]


def bare(patch: Asked) -> Object:
    """What a patch says about the pods, without the order that kubectl repeats beside the list."""
    spec = copy.deepcopy(patch.body["spec"]["template"])
    spec.get("spec", {}).pop("$setElementOrder/containers", None)
    return dict(spec)


async def test_kubectl_reads_what_the_stand_in_holds(kubectl: Kubectl) -> None:
    names = (await kubectl.run("get", "pods", "-o", "name")).split()
    assert sorted(names) == sorted(f"pod/{each['metadata']['name']}" for each in kubectl.cluster.of("pods"))
    history = await kubectl.run("rollout", "history", "deployment/payments")
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["1", "2"]


async def test_a_new_image_is_the_same_patch_from_both(kubectl: Kubectl, tmp_path: Path) -> None:
    image = "payments=registry.example:5000/shop/payments:2.3.9"
    theirs = await kubectl.patch("set", "image", "deployment/payments", image)
    order = Order(OrderKind.DEPLOY, "payments", "production", "A-1", "sam", version="2.3.9")
    mine = await ours(shop_cluster(now), tmp_path, order)
    assert bare(mine) == bare(theirs)
    assert mine.headers["Content-Type"] == theirs.headers["Content-Type"]
    assert mine.path == theirs.path


async def test_a_dry_run_is_asked_for_in_the_same_way(kubectl: Kubectl, tmp_path: Path) -> None:
    image = "payments=registry.example:5000/shop/payments:2.3.9"
    theirs = await kubectl.patch("set", "image", "deployment/payments", image, "--dry-run=server")
    cluster = shop_cluster(now)
    async with cluster.open() as url:
        order = Order(OrderKind.DEPLOY, "payments", "production", "", "", version="2.3.9")
        await platform_at(url, tmp_path).rehearse(order)
    (mine,) = cluster.patches(dry=True)
    assert mine.query["dryRun"] == theirs.query["dryRun"] == "All"
    assert bare(mine) == bare(theirs)


async def test_a_restart_is_the_same_annotation_from_both(kubectl: Kubectl, tmp_path: Path) -> None:
    theirs = await kubectl.patch("rollout", "restart", "deployment/payments")
    order = Order(OrderKind.RESTART, "payments", "production", "A-1", "sam")
    mine = await ours(shop_cluster(now), tmp_path, order)
    assert mine.body["spec"].keys() == theirs.body["spec"].keys()
    assert bare(mine)["metadata"]["annotations"].keys() == bare(theirs)["metadata"]["annotations"].keys()


async def test_a_rollback_leads_to_the_same_template_from_both(kubectl: Kubectl, tmp_path: Path) -> None:
    for each in (kubectl.cluster, other := shop_cluster(now)):
        env = each.find("deployments", "payments")["spec"]["template"]["spec"]["containers"][0]["env"]
        env[0]["value"] = "debug"
    await kubectl.run("rollout", "undo", "deployment/payments")
    order = Order(OrderKind.ROLLBACK, "payments", "production", "A-1", "sam", version="2.3.9")
    await ours(other, tmp_path, order)
    mine, theirs = (
        each.find("deployments", "payments")["spec"]["template"] for each in (other, kubectl.cluster)
    )
    assert mine == theirs
    assert mine["spec"]["containers"][0]["image"].endswith(":2.3.9")


async def test_what_sayso_did_stands_in_the_history_of_kubectl(kubectl: Kubectl, tmp_path: Path) -> None:
    order = Order(OrderKind.DEPLOY, "payments", "production", "A-7", "sam, tom (A-7)", version="2.3.8")
    async with kubectl.cluster.open() as url:
        await platform_at(url, tmp_path).apply(order, Heard())
    history = await kubectl.run("rollout", "history", "deployment/payments")
    assert "deploy 2.4.0 -> 2.3.8 by sam, tom (A-7), through sayso" in history
