"""Deployments in Kubernetes: what is sent, what approvers are told, what is refused, and how a rollout ends."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes import KubernetesStandIn, shop_cluster
from tests.fakes.kubernetes_access import platform_at
from tests.fakes.shop import NOW, WORDS, Heard, OneGrant, now
from tools.contract import BadArguments, Plan, ToolFailed, ToolUnavailable, Verdict, WriteTool
from tools.deploy.deploy import Deploy
from tools.deploy.kubernetes.platform import KubernetesPlatform
from tools.deploy.kubernetes.record import ORDERS
from tools.deploy.port import Order, OrderKind, Unanswered
from tools.deploy.restart import Restart
from tools.deploy.rollback import Rollback
from tools.deploy.scale import Scale

SECRET = "kf83hfKJHf93hfkwqoA8"  # in the environment of every container of the stand-in


@pytest.fixture
def cluster() -> KubernetesStandIn:
    return shop_cluster(now, broken={"1.9.0": "CrashLoopBackOff", "2.3.9": "ImagePullBackOff"})


@pytest.fixture
async def platform(cluster: KubernetesStandIn, tmp_path: Path) -> AsyncIterator[KubernetesPlatform]:
    async with cluster.open() as url:
        yield platform_at(url, tmp_path)


def deploy(version: str = "2.4.0", service: str = "checkout", key: str = "A-1") -> Order:
    return Order(OrderKind.DEPLOY, service, "production", key, "sam (A-1)", version=version)


def tool(kind: str, platform: KubernetesPlatform) -> WriteTool:
    tools: dict[str, WriteTool] = {
        "deploy": Deploy(platform, WORDS),
        "rollback": Rollback(platform, WORDS, now),
        "restart": Restart(platform, WORDS, now),
        "scale": Scale(platform, WORDS),
    }
    return tools[kind]


async def planned(one: WriteTool, **arguments: object) -> Plan:
    return await one.plan(one.spec.validate({"service": "payments", **arguments}))


def image(cluster: KubernetesStandIn, name: str = "payments") -> str:
    return str(cluster.find("deployments", name)["spec"]["template"]["spec"]["containers"][0]["image"])


def annotated(cluster: KubernetesStandIn, name: str, annotations: dict[str, str]) -> None:
    cluster.find("deployments", name)["metadata"]["annotations"] |= annotations


async def test_a_deployment_is_one_patch_of_one_image_that_names_the_object_it_was_made_for(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken = {}
    version = cluster.find("deployments", "checkout")["metadata"]["resourceVersion"]
    result = await platform.apply(deploy("1.9.0"), Heard())
    assert result.detail == "1.9.0 runs"
    sent = cluster.patches()[0]
    assert sent.body["spec"] == {
        "template": {
            "spec": {
                "containers": [{"name": "checkout", "image": "registry.example:5000/shop/checkout:1.9.0"}]
            }
        }
    }
    assert sent.body["metadata"]["resourceVersion"] == version
    assert sent.query == {"fieldManager": "sayso", "fieldValidation": "Strict"}
    assert sent.headers["Content-Type"] == "application/strategic-merge-patch+json"


async def test_a_plan_is_tried_by_the_cluster_and_changes_nothing(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.warnings = ('would violate PodSecurity "restricted:latest"',)
    before = json.dumps(cluster.find("deployments", "payments"))
    plan = await planned(tool("deploy", platform), version="2.3.9")
    (tried,) = cluster.patches(dry=True)
    assert tried.query["dryRun"] == "All"
    assert cluster.patches() == []
    assert json.dumps(cluster.find("deployments", "payments")) == before
    assert 'the cluster warns: would violate PodSecurity "restricted:latest"' in plan.notes


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (403, 'admission webhook "images.example" denied the request: tag 2.3.9 is not signed'),
        (
            422,
            "deployments.apps \"payments\" is forbidden: ValidatingAdmissionPolicy 'frozen' denied request: no",
        ),
    ],
)
async def test_what_admission_refuses_is_refused_before_anybody_is_asked(
    code: int, message: str, cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.admission = lambda _: (code, message)
    with pytest.raises(ToolFailed) as caught:
        await planned(tool("deploy", platform), version="2.3.9")
    assert message in str(caught.value)
    assert "verbs:" not in str(caught.value)  # it is no right that is missing


async def test_a_missing_right_is_told_with_the_rule_that_would_give_it(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.denied = {("patch", "deployments")}
    with pytest.raises(
        ToolFailed, match=r'apiGroups: \["apps"\], resources: \["deployments"\], verbs: \["patch"\]'
    ):
        await planned(tool("deploy", platform), version="2.3.9")


async def test_what_changes_the_template_makes_a_plan_stale_and_what_changes_by_itself_does_not(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    one = tool("deploy", platform)
    owner = cluster.find("deployments", "payments")
    cluster.put("horizontalpodautoscalers", made.autoscaler(owner, 2, 6))
    first = await planned(one, version="2.3.9")
    owner["spec"]["replicas"] = 4
    assert first.drifted(await planned(one, version="2.3.9")) == ()
    owner["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "debug"
    (drift,) = first.drifted(await planned(one, version="2.3.9"))
    assert drift.what == "template"


async def test_without_an_autoscaler_other_replicas_make_a_plan_stale(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    one = tool("deploy", platform)
    first = await planned(one, version="2.3.9")
    cluster.find("deployments", "payments")["spec"]["replicas"] = 4
    assert [each.what for each in first.drifted(await planned(one, version="2.3.9"))] == ["replicas"]


async def test_a_change_between_plan_and_run_stops_the_run_and_is_told_by_whom(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    await platform.rehearse(deploy("1.9.0", key=""))
    owner = cluster.find("deployments", "checkout")
    owner["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "debug"
    cluster._changed(owner, "kubectl-edit")
    with pytest.raises(
        ToolFailed, match="was changed by kubectl-edit between plan and run; nothing was done"
    ):
        await platform.apply(deploy("1.9.0"), Heard())
    assert cluster.patches() == []


async def test_a_change_in_the_last_moment_is_seen_by_the_cluster_itself(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    def edit(one: KubernetesStandIn) -> None:
        owner = one.find("deployments", "checkout")
        owner["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "debug"
        one._changed(owner, "kubectl-edit")

    cluster.before_patch = edit
    with pytest.raises(ToolFailed, match="changed by kubectl-edit"):
        await platform.apply(deploy("1.9.0"), Heard())
    assert image(cluster, "checkout").endswith(":1.8.2")


async def test_a_status_that_moves_meanwhile_stops_nothing(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken, cluster.racing = {}, 2
    result = await platform.apply(deploy("1.9.0"), Heard())
    assert result.ok
    assert len([one for one in cluster.patches() if "spec" in one.body]) == 3


async def test_a_status_that_never_rests_is_given_up_on(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.racing = 99
    with pytest.raises(ToolFailed, match="tried 4 times"):
        await platform.apply(deploy("1.9.0"), Heard())


async def test_a_patch_whose_answer_is_lost_is_looked_for_and_followed(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken, cluster.failing = {}, 1
    result = await platform.apply(deploy("1.9.0"), Heard())
    assert result.ok
    assert len([one for one in cluster.patches() if "spec" in one.body]) == 1


async def test_a_patch_that_may_be_lost_is_never_sent_again(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.dropping = 1
    with pytest.raises(Unanswered, match="whether it was done is not known"):
        await platform.apply(deploy("1.9.0"), Heard())
    assert len(cluster.patches()) == 1


async def test_after_the_patch_no_refusal_to_look_passes_for_a_failure(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken = {}
    cluster.before_patch = lambda there: there.denied.add(("get", "deployments"))
    with pytest.raises(Unanswered, match="it was ordered, and its end was not heard"):
        await platform.apply(deploy("1.9.0"), Heard())
    assert image(cluster, "checkout").endswith(":1.9.0")


async def test_a_cluster_that_is_silent_for_a_moment_is_asked_again_for_the_end(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    def busy_once(there: KubernetesStandIn) -> None:
        there.busy, there.before_patch = 4, lambda _: None

    cluster.broken, cluster.before_patch = {}, busy_once
    assert (await platform.apply(deploy("1.9.0"), Heard())).detail == "1.9.0 runs"


async def test_pods_that_may_not_be_listed_are_no_reason_to_stop_following(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken, cluster.denied = {}, {("list", "pods")}
    assert (await platform.apply(deploy("1.9.0"), Heard())).detail == "1.9.0 runs"


async def test_a_patch_that_was_sent_twice_on_its_way_counts_once_and_is_followed(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    """A proxy that repeats a request brings us the conflict that the second one met."""

    def arrived_before(there: KubernetesStandIn) -> None:
        there.before_patch = lambda _: None
        twin = there.patches()[-1].body
        owner = there.find("deployments", "checkout")
        owner["metadata"]["annotations"] |= twin["metadata"]["annotations"]
        owner["spec"]["template"]["spec"]["containers"][0]["image"] = (
            "registry.example:5000/shop/checkout:1.9.0"
        )
        owner["metadata"]["resourceVersion"] = "5000"

    cluster.broken, cluster.before_patch = {}, arrived_before
    assert (await platform.apply(deploy("1.9.0"), Heard())).ok
    assert len([one for one in cluster.patches() if "spec" in one.body]) == 1


async def test_an_order_whose_worker_died_is_followed_to_its_end_by_the_next_one(
    cluster: KubernetesStandIn, platform: KubernetesPlatform, tmp_path: Path
) -> None:
    cluster.broken, cluster.frozen = {}, True
    async with cluster.open() as url:
        with pytest.raises(Unanswered, match="still rolls out after 10 s"):
            await platform_at(url, tmp_path, seconds=10).apply(deploy("1.9.0"), Heard())
    cluster.frozen = False
    result = await platform.apply(deploy("1.9.0"), Heard())
    assert result.detail.startswith("already done: 2 of 2 replicas updated and available")
    again = await platform.apply(deploy("1.9.0"), Heard())
    assert again.ok
    assert len([one for one in cluster.patches() if "spec" in one.body]) == 1


async def test_a_rollout_is_told_as_it_goes_on(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken = {}
    heard = Heard()
    await platform.apply(deploy("1.9.0"), heard)
    assert heard.lines == ["deploy checkout in production", "1 of 2 replicas updated", "1 old replicas end"]


async def test_a_version_that_crashes_is_put_back_with_the_reason(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    heard = Heard()
    result = await platform.apply(deploy("1.9.0"), heard)
    assert not result.ok
    assert result.detail.startswith(
        "1.9.0 did not become healthy (1 pod CrashLoopBackOff (ended with Error, exit code 1)"
    )
    assert result.detail.endswith("1.8.2 runs again")
    assert any("putting 1.8.2 back" in line for line in heard.lines)
    assert image(cluster, "checkout").endswith(":1.8.2")
    now_running = next(each for each in await platform.running() if each.service == "checkout")
    assert now_running.previous_version is None  # a version that failed is nothing to go back to


async def test_a_deadline_that_the_rollout_before_missed_is_not_held_against_this_one(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    owner = cluster.find("deployments", "checkout")
    at = made.stamp(NOW - timedelta(minutes=30))
    owner["status"]["conditions"] = made.conditions("checkout", owner["spec"]["template"], at, stuck=True)
    result = await platform.apply(deploy("1.9.1"), Heard())
    assert result.detail == "1.9.1 runs"


async def test_what_somebody_else_put_there_meanwhile_is_left_as_it_is(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    calls = []

    def take_over(one: KubernetesStandIn) -> None:
        calls.append(1)
        if len(calls) == 2:  # ours was the first
            container = one.find("deployments", "checkout")["spec"]["template"]["spec"]["containers"][0]
            container["image"] = "registry.example:5000/shop/checkout:1.9.1"
            one._changed(one.find("deployments", "checkout"), "kubectl-set")

    cluster.before_patch = take_over
    result = await platform.apply(deploy("1.9.0"), Heard())
    assert not result.ok
    assert "could not be put back: somebody put 1.9.1 there meanwhile" in result.detail
    assert image(cluster, "checkout").endswith(":1.9.1")


async def test_a_rollback_puts_the_whole_template_back_and_names_what_else_it_changes(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken = {}
    env = cluster.find("deployments", "payments")["spec"]["template"]["spec"]["containers"][0]["env"]
    env[0]["value"], env[1]["value"] = "debug", "another-secret-value-1"
    plan = await planned(tool("rollback", platform))
    said = "beside the image, this changes: "
    (note,) = (each for each in plan.notes if each.startswith(said))
    assert (
        note
        == said
        + "containers[payments].env[LOG_LEVEL].value, containers[payments].env[PROVIDER_API_KEY].value"
    )
    assert SECRET not in repr(plan)
    assert "another-secret" not in repr(plan)
    one = tool("rollback", platform)
    outcome = await one.run(one.spec.validate({"service": "payments"}), OneGrant(), Heard())
    assert outcome.ok
    after = cluster.find("deployments", "payments")["spec"]["template"]
    assert after["spec"]["containers"][0]["env"][1]["value"] == SECRET
    assert "pod-template-hash" not in after["metadata"]["labels"]
    assert image(cluster).endswith(":2.3.9")
    seen = await one.verify(one.spec.validate({"service": "payments"}))
    assert seen.verdict is Verdict.DONE


async def test_a_rollback_to_a_version_without_a_revision_says_that_only_the_image_changes(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    plan = await planned(tool("rollback", platform), version="2.3.8")
    assert any("no ReplicaSet of 2.3.8 is kept" in note for note in plan.notes)


async def test_scaling_under_an_autoscaler_is_noted_on_the_card(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.put("horizontalpodautoscalers", made.autoscaler(cluster.find("deployments", "payments"), 2, 6))
    inside = await planned(tool("scale", platform), replicas=4)
    assert (
        "the autoscaler 'payments' decides about the replicas (2 to 6) and will change them again"
        in inside.notes
    )
    outside = await planned(tool("scale", platform), replicas=9)
    assert any("keeps 2 to 6 replicas and will take this back" in note for note in outside.notes)


async def test_an_autoscaler_that_may_not_be_looked_for_is_not_checked(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.denied = {("list", "horizontalpodautoscalers")}
    plan = await planned(tool("scale", platform), replicas=4)
    assert any(note.startswith("not checked, whether an autoscaler") for note in plan.notes)


@pytest.mark.parametrize(
    ("mark", "keeper"),
    [("argocd.argoproj.io/tracking-id", "Argo CD"), ("kustomize.toolkit.fluxcd.io/name", "Flux")],
)
async def test_a_tool_that_would_undo_it_is_named(
    mark: str, keeper: str, cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    annotated(cluster, "payments", {mark: "shop"})
    plan = await planned(tool("deploy", platform), version="2.3.9")
    assert any(note.startswith(f"{keeper} keeps this Deployment") for note in plan.notes)


@pytest.mark.parametrize(
    ("kind", "arguments", "seen"),
    [("scale", {"replicas": 3}, "3 replicas, 3 healthy"), ("restart", {}, "2 of 2 replicas healthy")],
)
async def test_a_write_is_verified_by_the_state_of_its_rollout(
    kind: str,
    arguments: dict[str, object],
    seen: str,
    cluster: KubernetesStandIn,
    platform: KubernetesPlatform,
) -> None:
    one = tool(kind, platform)
    given = one.spec.validate({"service": "payments", **arguments})
    outcome = await one.run(given, OneGrant(), Heard())
    assert outcome.ok
    found = await one.verify(given)
    assert found.verdict is Verdict.DONE
    assert seen in found.detail


async def test_a_restart_is_the_annotation_that_kubectl_writes(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    await platform.apply(Order(OrderKind.RESTART, "payments", "production", "A-2", "sam"), Heard())
    sent = cluster.patches()[0].body["spec"]
    assert sent == {
        "template": {
            "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-23T06:00:00Z"}}
        }
    }


async def test_a_restart_that_got_lost_is_not_taken_for_done_because_of_the_rollout_before_it(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    restart = tool("restart", platform)
    arguments = restart.spec.validate({"service": "payments"})
    for condition in cluster.find("deployments", "payments")["status"]["conditions"]:
        condition["lastUpdateTime"] = made.stamp(NOW - timedelta(minutes=10))
    cluster.dropping = 1
    outcome = await restart.run(arguments, OneGrant(), Heard())
    assert "whether it was done is not known" in outcome.summary
    assert (await restart.verify(arguments)).verdict is Verdict.UNCLEAR


async def test_while_it_rolls_out_a_version_is_not_verified(
    cluster: KubernetesStandIn, platform: KubernetesPlatform, tmp_path: Path
) -> None:
    cluster.broken, cluster.frozen = {}, True
    async with cluster.open() as url:
        with pytest.raises(Unanswered):
            await platform_at(url, tmp_path, seconds=4).apply(deploy("1.9.0"), Heard())
    one = tool("deploy", platform)
    seen = await one.verify(one.spec.validate({"service": "checkout", "version": "1.9.0"}))
    assert seen.verdict is Verdict.UNCLEAR


async def test_a_paused_deployment_is_refused(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.find("deployments", "payments")["spec"]["paused"] = True
    with pytest.raises(ToolFailed, match="is paused"):
        await planned(tool("deploy", platform), version="2.3.9")


async def test_a_record_that_somebody_edited_stops_everything(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    annotated(cluster, "payments", {ORDERS: "[{]"})
    with pytest.raises(ToolFailed, match="is not as sayso wrote it"):
        await platform.apply(deploy("2.3.9", "payments"), Heard())


async def test_a_service_without_a_deployment_is_not_made(platform: KubernetesPlatform) -> None:
    with pytest.raises(BadArguments, match="and sayso makes none; nearest: "):
        await platform.rehearse(deploy("1.0.0", "catalog"))
    with pytest.raises(BadArguments, match="has no namespace"):
        await platform.rehearse(Order(OrderKind.RESTART, "payments", "preview", "", ""))
    with pytest.raises(BadArguments, match="there is no Deployment of 'catalog'"):
        await platform.releases("catalog")


async def test_a_version_that_cannot_be_a_tag_is_refused(platform: KubernetesPlatform) -> None:
    with pytest.raises(BadArguments, match="cannot be the tag of an image"):
        await platform.rehearse(deploy("1.0.0+build.5"))


async def test_what_others_did_stands_in_the_history_too(
    cluster: KubernetesStandIn, platform: KubernetesPlatform
) -> None:
    cluster.broken = {}
    await platform.apply(deploy("1.9.0"), Heard())
    found = await platform.history("checkout", "production")
    assert [(each.before, each.after, each.by) for each in found] == [
        ("1.8.2", "1.9.0", "sam (A-1)"),
        (None, "1.8.2", "somebody, not through sayso"),
    ]
    (payments, first) = await platform.history("payments", "production")
    assert (payments.before, payments.after, payments.at) == ("2.3.9", "2.4.0", NOW - timedelta(hours=1))
    assert first.after == "2.3.9"


async def test_a_cluster_that_is_gone_is_not_a_cluster_without_services(tmp_path: Path) -> None:
    async with shop_cluster(now).open() as url:
        pass
    with pytest.raises(ToolUnavailable, match="does not answer"):
        await platform_at(url, tmp_path).running()
