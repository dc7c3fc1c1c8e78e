"""Tools and backends on a cluster are built as the settings say, and what cannot work is refused with its key."""

from pathlib import Path

import pytest

from agent.bootstrap import utc_now
from agent.home import Home
from agent.people.person import Directory
from agent.recall import Recall
from agent.settings import SettingsError, load
from agent.whitelist import whitelist
from tests.fakes.kubernetes_access import kubeconfig
from tools.registry import Registry

ALL = "kubernetes, logs, status, deploy, rollback, restart, scale"
SETTINGS = """
people: {}
services: {payments: {}, checkout: {}}
environments: {production: {}, staging: {}}
tools:
  enabled: [ENABLED]
  platform: {backend: kubernetes}
  logs: {backend: kubernetes}
  kubernetes:
    kubeconfig: kubeconfig
    environments:
      production: {namespace: shop}
      staging: {namespace: shop-staging, context: shop}
    services:
      payments: {workload: payments-api, container: main, image: "registry.example:5000/shop/payments"}
    rollout_within: 5m
    impersonate: {user: "sayso:{person}", groups: {engineer: [shop-engineers]}}
"""


def built(folder: Path, text: str = SETTINGS, enabled: str = ALL) -> Registry:
    kubeconfig(folder, "https://127.0.0.1:6443")
    file = folder / "sayso.yaml"
    file.write_text(text.replace("ENABLED", enabled))
    return whitelist(load(file, {}), Home(folder, file, "test"), utc_now, Recall(Directory(())))


def test_everything_that_stands_on_a_cluster_is_built(tmp_path: Path) -> None:
    registry = built(tmp_path)
    assert [spec.name for spec in registry.specs()] == ALL.split(", ")


def test_a_change_may_take_as_long_as_its_rollout_and_the_one_back(tmp_path: Path) -> None:
    registry = built(tmp_path)
    assert {registry.get(name).spec.timeout for name in ("deploy", "rollback", "restart", "scale")} == {660.0}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "    kubeconfig: kubeconfig",
            "    kubeconfig: other",
            r"tools\.kubernetes: .*other: cannot be read",
        ),
        ("context: shop", "context: shpo", "there is no context 'shpo'; nearest: shop"),
        ("production: {namespace", "prod: {namespace", r"environments\.prod: .* nearest: production"),
        (
            "      payments: {workload",
            "      paymints: {workload",
            r"services\.paymints: .* nearest: payments",
        ),
        ("namespace: shop}", "namespace: Shop_1}", r"namespace = 'Shop_1'"),
        ("engineer: [shop-engineers]", "engineer: ['system:masters']", "a group of the cluster's own"),
        ('user: "sayso:{person}"', 'user: "sayso"', "should hold {person}"),
        ('user: "sayso:{person}"', 'people: {maya: "system:admin"}', "a user of the cluster's own"),
        ("rollout_within: 5m", "rollout_within: soon", "rollout_within"),
        ('image: "registry.example:5000/shop/payments"', 'image: "shop/payments:2.3"', "image"),
    ],
)
def test_what_cannot_work_is_refused_with_its_key(old: str, new: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=why):
        built(tmp_path, SETTINGS.replace(old, new))


@pytest.mark.parametrize(
    ("enabled", "needs"),
    [
        ("kubernetes", "the tool kubernetes"),
        ("status", "tools.platform.backend"),
        ("logs", "tools.logs.backend"),
    ],
)
def test_without_a_cluster_each_says_that_it_needs_one(enabled: str, needs: str, tmp_path: Path) -> None:
    text = SETTINGS.partition("  kubernetes:\n")[0]
    with pytest.raises(SettingsError, match=rf"tools\.kubernetes is not set, and {needs} needs it"):
        built(tmp_path, text, enabled)


def test_outside_of_a_pod_a_kubeconfig_has_to_be_named(tmp_path: Path) -> None:
    text = SETTINGS.replace("    kubeconfig: kubeconfig\n", "").replace(", context: shop", "")
    with pytest.raises(SettingsError, match="no kubeconfig is named, and there is no service account"):
        built(tmp_path, text)
    with pytest.raises(SettingsError, match="context 'shop' is of a kubeconfig, and none is named"):
        built(tmp_path, text.replace("{namespace: shop}", "{namespace: shop, context: shop}"))
