"""The tool over a cluster in trouble: reasons, restarts, events, use, and what it could not check."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes import KubernetesStandIn, shop_cluster
from tests.fakes.kubernetes_access import places_at
from tests.fakes.shop import INES, MAYA, NOW, WORDS, now
from tools.contract import BadArguments, Finding, Outcome, ToolFailed, ToolUnavailable
from tools.kubernetes.access import Impersonation
from tools.kubernetes.kubernetes import Kubernetes

SECRET = "kf83hfKJHf93hfkwqoA8"


@pytest.fixture
def cluster() -> KubernetesStandIn:
    return shop_cluster(now)


@pytest.fixture
async def url(cluster: KubernetesStandIn) -> AsyncIterator[str]:
    async with cluster.open() as address:
        yield address


async def asked(tool: Kubernetes, **arguments: object) -> Outcome:
    return await tool.run(tool.spec.validate(arguments), MAYA)


def over(url: str, **more: object) -> Kubernetes:
    return Kubernetes(places_at(url), WORDS, now, **more)  # type: ignore[arg-type]  # the tests give what fits


def of(outcome: Outcome, kind: str) -> Finding:
    return next(each for each in outcome.findings if each.kind == kind)


def ill(cluster: KubernetesStandIn, status: made.Object, number: int = 7) -> made.Object:
    """Another pod of payments, in trouble."""
    owner = max(
        cluster.of("replicasets"),
        key=lambda each: (each["metadata"]["labels"]["app"] == "payments", each["spec"]["replicas"]),
    )
    return cluster.put("pods", made.pod(owner, number, NOW - timedelta(minutes=20), status))


async def test_a_service_that_is_well_is_told_with_its_rollout(url: str) -> None:
    outcome = await asked(over(url), service="payments")
    assert outcome.summary.startswith("payments in production: 2 of 2 pods ready")
    assert of(outcome, "workloads").text.splitlines()[0] == (
        "Deployment payments (payments 2.4.0): complete, 2 of 2 replicas updated and available"
    )
    assert {row["pod"][:9] for row in of(outcome, "pods").facts["pods"]} == {"payments-"}  # type: ignore[index,union-attr,call-overload]


async def test_a_pod_that_crashes_is_told_with_restarts_its_end_and_its_last_words(
    cluster: KubernetesStandIn, url: str
) -> None:
    at = NOW - timedelta(minutes=3)
    pod = ill(cluster, made.crashing("payments", "x", at, restarts=7, reason="OOMKilled", code=137))
    name = pod["metadata"]["name"]
    cluster.logs[name, "payments", True] = [(at, f"line {number}") for number in range(30)]
    outcome = await asked(over(url), service="payments")
    assert "1 CrashLoopBackOff" in outcome.summary
    assert "1 ended before with OOMKilled" in outcome.summary
    first = of(outcome, "pods").text.splitlines()[0]
    assert first.startswith(f"{name}: CrashLoopBackOff; back-off 5m0s restarting failed container=payments")
    assert "7 restarts; ended last with OOMKilled, exit code 137 at 2026-11-23 06:57:00" in first
    words = of(outcome, "pod_log")
    assert words.facts["lines"] == [f"line {number}" for number in range(20, 30)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (made.not_pulled("payments", "registry.example/x:9", NOW), "ImagePullBackOff"),
        (
            {
                "phase": "Pending",
                "containerStatuses": [],
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/3 nodes are available: 3 Insufficient memory.",
                    }
                ],
            },
            "Unschedulable",
        ),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory", "conditions": []}, "Evicted"),
        ({"conditions": made.unready(NOW)}, "NotReady"),
        (
            {
                "phase": "Pending",
                "conditions": made.unready(NOW),
                "initContainerStatuses": [
                    {
                        "name": "migrate",
                        "ready": False,
                        "restartCount": 2,
                        "image": "x",
                        "imageID": "",
                        "state": {"terminated": {"exitCode": 3, "reason": "Error"}},
                    }
                ],
                "containerStatuses": [],
            },
            "Init:Error",
        ),
    ],
)  # fmt: skip
async def test_each_trouble_has_the_name_that_people_know(
    status: made.Object, reason: str, cluster: KubernetesStandIn, url: str
) -> None:
    ill(cluster, status)
    outcome = await asked(over(url), service="payments")
    assert f"1 {reason}" in outcome.summary
    assert "2 of 3 pods ready" in outcome.summary


async def test_a_container_that_only_starts_is_no_trouble_and_not_ready(
    cluster: KubernetesStandIn, url: str
) -> None:
    starting = {
        "phase": "Pending",
        "conditions": made.unready(NOW),
        "containerStatuses": [
            {
                "name": "payments",
                "ready": False,
                "restartCount": 0,
                "image": "x",
                "imageID": "",
                "state": {"waiting": {"reason": "ContainerCreating"}},
            }
        ],
    }
    ill(cluster, starting)
    outcome = await asked(over(url), service="payments")
    assert "2 of 3 pods ready" in outcome.summary
    assert "Pending, not ready yet" in of(outcome, "pods").text


async def test_events_come_newest_first_of_the_service_alone_and_of_pods_that_are_gone(
    cluster: KubernetesStandIn, url: str
) -> None:
    owner = cluster.find("deployments", "payments")
    gone = made.pod(cluster.of("replicasets")[0], 9, NOW)
    worker = {"kind": "Pod", "metadata": {**gone["metadata"], "name": "payments-worker-bbbbb"}}
    for about, reason, minutes in (
        (gone, "BackOff", 5),
        (owner, "ScalingReplicaSet", 9),
        (worker, "Failed", 3),
    ):
        cluster.put("events", made.event(about, reason, f"{reason} it was", NOW - timedelta(minutes=minutes)))
    cluster.put("events", made.event(gone, "Pulled", "long ago", NOW - timedelta(hours=3), kind="Normal"))
    outcome = await asked(over(url), service="payments")
    rows = of(outcome, "pod_events").facts["events"]
    assert [row["reason"] for row in rows] == ["BackOff", "ScalingReplicaSet"]  # type: ignore[index,union-attr,call-overload]


async def test_use_is_told_beside_requests_and_limits(cluster: KubernetesStandIn, url: str) -> None:
    full, idle = (each for each in cluster.of("pods") if each["metadata"]["labels"]["app"] == "payments")
    cluster.metrics = {
        ("shop", "a"): made.pod_metrics(idle, NOW, cpu="4523n", memory="64Mi"),
        ("shop", "b"): made.pod_metrics(full, NOW, cpu="250m", memory="250Mi"),
    }
    found = of(await asked(over(url), service="payments"), "pod_usage")
    assert found.text.splitlines()[0] == (
        f"{full['metadata']['name']} payments: 0.25 cores of at most 0.5 cores (50%); "
        "memory 250 MiB of at most 256 MiB (98%)"
    )
    row = found.facts["usage"][1]  # type: ignore[index]
    assert row["cpu"] == pytest.approx(4.523e-6)  # type: ignore[index,call-overload]
    assert row["memory_request"] == 128 * 2**20  # type: ignore[index,call-overload]


async def test_without_a_metrics_server_use_is_not_checked(cluster: KubernetesStandIn, url: str) -> None:
    cluster.metrics = None
    outcome = await asked(over(url), service="payments")
    assert "not checked: resource use: the cluster has no metrics server" in outcome.summary
    assert "not checked: resource use" in of(outcome, "workloads").text
    assert not [each for each in outcome.findings if each.kind == "pod_usage"]


async def test_what_may_not_be_listed_is_not_checked_and_the_right_is_named(
    cluster: KubernetesStandIn, url: str
) -> None:
    cluster.denied = {("list", "pods"), ("list", "events")}
    outcome = await asked(over(url), service="payments")
    assert "pods ready" not in outcome.summary
    assert 'resources: ["pods"], verbs: ["list"]' in outcome.summary
    assert {each.kind for each in outcome.findings} == {"workloads", "pod_usage"}


async def test_where_no_workload_may_be_listed_the_whole_of_it_fails(
    cluster: KubernetesStandIn, url: str
) -> None:
    cluster.denied = {("list", kind) for kind in ("deployments", "statefulsets", "daemonsets")}
    with pytest.raises(ToolFailed, match=r'resources: \["deployments"\], verbs: \["list"\]'):
        await asked(over(url))


async def test_a_service_that_has_no_workload_is_no_quiet_service(url: str) -> None:
    with pytest.raises(BadArguments, match="there is no workload 'catalog'") as caught:
        await asked(over(url), service="catalog")
    assert "checkout" in caught.value.nearest


async def test_nothing_that_looks_secret_leaves_the_client(cluster: KubernetesStandIn, url: str) -> None:
    notes = cluster.find("deployments", "payments")["metadata"]["annotations"]
    notes["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps({"env": SECRET})
    outcome = await asked(over(url), service="payments")
    raw = of(outcome, "workloads").raw or ""
    assert SECRET not in repr(outcome)
    assert '"LOG_LEVEL", "value": "info"' in raw
    assert '"PROVIDER_API_KEY", "value": "(hidden)"' in raw
    assert '"secretKeyRef": {"name": "payments-db", "key": "password"}' in raw
    assert not [one for one in cluster.asked if "secrets" in one.path]


async def test_config_maps_are_told_by_their_keys_and_only_where_that_is_allowed(
    cluster: KubernetesStandIn, url: str
) -> None:
    at = NOW - timedelta(minutes=12)
    cluster.put(
        "configmaps",
        made.config_map("payments-settings", "shop", {"RETRIES": "9", "A": "b"}, at, "kubectl-edit"),
    )
    cluster.put("configmaps", made.config_map("other", "shop", {"X": "y"}, at, "helm"))
    outcome = await asked(over(url), service="payments")
    assert not [each for each in outcome.findings if each.kind == "config_maps"]
    assert not [one for one in cluster.asked if "configmaps" in one.path]
    tool = Kubernetes(places_at(url, config_maps=True), WORDS, now)
    found = of(await asked(tool, service="payments"), "config_maps")
    assert found.text == "payments-settings: A, RETRIES, last written 2026-11-23 06:48:00 by kubectl-edit"
    (found,) = (of(await asked(tool, service="checkout"), "config_maps"),)
    assert found.facts["missing"] == ["checkout-settings"]


async def test_the_cluster_is_asked_as_the_asker(cluster: KubernetesStandIn, url: str) -> None:
    persona = Impersonation(
        "sayso:{person}", {"ines": "ines@example.com"}, {"product": ("viewers", "product")}
    )
    tool = over(url, impersonation=persona)
    await tool.run(tool.spec.validate({"service": "payments"}), INES)
    assert {one.headers["Impersonate-User"] for one in cluster.asked} == {"ines@example.com"}
    assert {one.groups for one in cluster.asked} == {("product", "viewers")}
    cluster.asked.clear()
    await asked(tool, service="payments")
    assert {one.headers["Impersonate-User"] for one in cluster.asked} == {"sayso:maya"}


async def test_without_impersonation_nobody_is_named(cluster: KubernetesStandIn, url: str) -> None:
    await asked(over(url), service="payments")
    assert not [one for one in cluster.asked if "Impersonate-User" in one.headers]


async def test_an_account_that_may_not_impersonate_says_who_should_act(
    cluster: KubernetesStandIn, url: str
) -> None:
    cluster.impersonators = False
    with pytest.raises(ToolFailed, match="whoever runs the cluster allows it the verb 'impersonate'"):
        await asked(over(url, impersonation=Impersonation()))


def bare(name: str) -> made.Object:
    return {"metadata": {"name": name, "namespace": "shop", "labels": {"app": "payments"}}, "spec": {}}


async def test_a_namespace_that_is_too_large_to_list_is_told_as_such(
    cluster: KubernetesStandIn, url: str
) -> None:
    for number in range(2_001):
        cluster.put("pods", bare(f"payments-{number}"))
        cluster.put("deployments", bare(f"other-{number}"))
    outcome = await asked(over(url), service="payments")
    assert "not checked: the namespace holds more Deployments than the 2,000 listed" in outcome.summary
    assert str(of(outcome, "pods").cut).endswith("are left out; the namespace holds more than was listed")
    assert outcome.summary.endswith("; the namespace holds more than was listed")


async def test_a_link_opens_the_console_where_there_is_one(url: str) -> None:
    outcome = await asked(
        over(url, console="https://console.example/{namespace}/{workload}"), service="payments"
    )
    assert {each.link for each in outcome.findings} == {"https://console.example/shop/payments"}
    plain = await asked(over(url), service="payments")
    assert of(plain, "pods").link == f"{url}/api/v1/namespaces/shop/pods"


async def test_a_cluster_that_does_not_answer_is_not_checked() -> None:
    async with shop_cluster(now).open() as address:
        pass
    with pytest.raises(ToolUnavailable, match="the cluster does not answer"):
        await asked(over(address))
