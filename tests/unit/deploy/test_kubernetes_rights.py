"""The rights that the how-to gives in a cluster are valid, enough for everything sayso does there, and no more."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agent.settings import load
from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes import Asked, KubernetesStandIn, shop_cluster
from tests.fakes.kubernetes_access import places_at, platform_at
from tests.fakes.shop import MAYA, NOW, WORDS, Heard, now
from tools.deploy.port import Order, OrderKind
from tools.kubernetes.kubernetes import Kubernetes
from tools.logs.kubernetes import KubernetesLogs
from tools.logs.logs import Logs

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "connect-kubernetes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
Right = tuple[str, str, str]  # verb, group, resource


def manifests() -> list[dict[str, Any]]:
    return [each for block in BLOCKS if "kind:" in block.split("\n")[1] for each in yaml.safe_load_all(block)]


def given() -> Iterator[Right]:
    for manifest in manifests():
        for rule in manifest.get("rules", ()) if manifest["kind"] == "Role" else ():
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    yield from ((verb, group, resource) for verb in rule["verbs"])


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_a_manifest_of_the_how_to_keeps_to_the_schema_of_kubernetes(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.32", strict=True)


def test_all_the_roles_of_the_how_to_are_bound() -> None:
    kinds = [(one["kind"], one["metadata"]["name"]) for one in manifests()]
    assert {name for kind, name in kinds if kind == "Role"} == {
        name for kind, name in kinds if kind == "RoleBinding"
    }
    assert len(kinds) == 5


def test_there_is_no_rule_for_secrets_and_none_for_everything() -> None:
    assert not [
        right for right in given() if "secrets" in right or "*" in right or right[0] in {"create", "delete"}
    ]


def right_of(asked: Asked) -> Right:
    """The right that a request takes, as RBAC has it."""
    found = re.fullmatch(r"/(?:api|apis/(?P<group>[^/]+))/[^/]+/namespaces/[^/]+/(?P<rest>.+)", asked.path)
    assert found is not None, asked.path
    kind, *name = found["rest"].split("/")
    verb = "patch" if asked.method == "PATCH" else "get" if name else "list"
    return verb, found["group"] or "", f"{kind}/log" if name[1:] == ["log"] else kind


async def everything(cluster: KubernetesStandIn, folder: Path) -> None:
    """All that sayso does in a cluster, once."""
    owner = cluster.of("replicasets")[1]
    crashing = made.crashing("payments", "x", NOW - timedelta(minutes=4))
    cluster.put("pods", made.pod(owner, 7, NOW - timedelta(minutes=20), crashing))
    for pod in cluster.of("pods"):
        for previous in (False, True):
            cluster.logs[pod["metadata"]["name"], pod["metadata"]["labels"]["app"], previous] = [
                (NOW, "paid")
            ]
    async with cluster.open() as url:
        tool, logs = Kubernetes(places_at(url), WORDS, now), Logs(KubernetesLogs(places_at(url)), WORDS, now)
        platform = platform_at(url, folder)
        await tool.run(tool.spec.validate({}), MAYA)
        await logs.run(logs.spec.validate({}), MAYA)
        await platform.running()
        await platform.history()
        await platform.releases("payments")
        orders = (
            Order(OrderKind.DEPLOY, "payments", "production", "A-1", "sam", version="2.3.8"),
            Order(OrderKind.ROLLBACK, "payments", "production", "A-2", "sam", version="2.3.9"),
            Order(OrderKind.RESTART, "payments", "production", "A-3", "sam"),
            Order(OrderKind.SCALE, "payments", "production", "A-4", "sam", replicas=3),
        )
        for order in orders:
            await platform.rehearse(order)
            result = await platform.apply(order, Heard())
            assert result.ok, result


async def test_the_rights_are_enough_for_everything_and_none_is_without_use(tmp_path: Path) -> None:
    cluster = shop_cluster(now, broken={"1.0.0": "CrashLoopBackOff"})
    await everything(cluster, tmp_path)
    assert {right_of(one) for one in cluster.asked} == set(given())


def test_the_settings_of_the_how_to_are_ones_that_sayso_knows(tmp_path: Path) -> None:
    file = tmp_path / "sayso.yaml"
    lines = BLOCKS[2].split("\n")[1:]  # without the name of the section
    assert lines[0].strip() == "impersonate:"
    text = BLOCKS[0].replace("access:", "\n".join(lines) + "\naccess:", 1)
    file.write_text(
        f"services: {{payments: {{}}}}\nenvironments: {{production: {{}}, staging: {{}}}}\n{text}"
    )
    settings = load(file, {})
    assert settings.tools.kubernetes is not None
    assert settings.tools.kubernetes.impersonate is not None
