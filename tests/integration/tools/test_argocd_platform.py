"""Deploying through Argo CD: what the card says, what is patched and synced, and when it counts as done."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.argocd import ArgoStandIn
from tests.fakes.forges import argo_platform, declared_for_argo, shop_by_argo
from tests.fakes.shop import NOW, WORDS, Heard, OneGrant, now
from tools.contract import BadArguments, ToolFailed, ToolUnavailable, Verdict
from tools.deploy.argocd.application import Difference, Helm, Kustomize, Parameter, Source
from tools.deploy.argocd.declared import By, Declared, Misdeclared
from tools.deploy.argocd.versions import patched, version_in
from tools.deploy.argocd.workloads import differing, wanted_by
from tools.deploy.deploy import Deploy
from tools.deploy.port import Order, OrderKind, Unanswered
from tools.deploy.restart import Restart
from tools.deploy.rollback import Rollback
from tools.deploy.scale import Scale

ARGUMENTS = {"service": "payments", "version": "2.3.9", "environment": "production"}
APP = "/api/v1/applications/payments-production"


def order(key: str = "A-1", version: str = "2.3.9", kind: OrderKind = OrderKind.DEPLOY) -> Order:
    return Order(kind, "payments", "production", key=key, by="sam (A-1)", version=version)


def automatic(argo: ArgoStandIn) -> ArgoStandIn:
    spec = argo.applications["payments-production"]["spec"]
    spec["syncPolicy"] = {"automated": {"prune": False, "selfHeal": True}}
    return argo


def paths(argo: ArgoStandIn) -> list[str]:
    return [f"{method} {path.removeprefix(APP)}" for method, path, _ in argo.sent]


async def test_a_deployment_sets_the_revision_syncs_and_is_done_when_synced_and_healthy() -> None:
    argo = shop_by_argo()
    argo.applications["payments-production"]["drift"] = 3
    async with argo_platform(argo) as platform:
        tool, heard = Deploy(platform, WORDS), Heard()
        arguments = tool.spec.validate(ARGUMENTS)
        plan = await tool.plan(arguments)
        assert (await tool.verify(arguments)).verdict is Verdict.NOT_DONE
        outcome = await tool.run(arguments, OneGrant(), heard)
        seen = await tool.verify(arguments)
    change = plan.changes[1]
    assert (change.what, change.before, change.after) == (
        "target revision of application payments-production", "2.4.0", "v2.3.9",
    )  # fmt: skip
    assert plan.notes[1:5] == (
        "Healthy, Synced",
        "differs now, and is synced too: Deployment web differs: spec.replicas",
        "would change: Deployment web: image registry.example/web:2.4.0 -> registry.example/web:2.3.9",
        "would change: ConfigMap limits is new",
    )
    assert plan.observed["auto_sync"] is False
    assert plan.observed["wants"] == "2.4.0"
    assert "2 of 5 replicas healthy" in plan.health
    assert paths(argo) == ["PATCH ", "POST /sync"]
    patch = json.loads(argo.sent[0][2]["patch"])
    assert patch["spec"] == {"source": {"targetRevision": "v2.3.9"}}
    assert argo.sent[1][2]["infos"] == [{"name": "sayso", "value": "sayso-A-17"}]
    assert outcome.ok
    assert "payments-production is Healthy and Synced" in outcome.summary
    assert heard.lines == [
        "deploy payments in production",
        "Deployment web: web configured",
        "sync Running",
        "health Healthy",
        "sync Succeeded: successfully synced",
    ]
    assert seen.verdict is Verdict.UNCLEAR  # two of five replicas are ready
    assert "Succeeded" in seen.detail


def test_what_a_sync_deletes_is_told_as_such_where_prune_is_on() -> None:
    gone = Difference.model_validate(
        {"kind": "ConfigMap", "name": "limits", "liveState": '{"kind": "ConfigMap"}'}
    )
    for prune, told in ((True, "is DELETED: prune is on"), (False, "(only with prune)")):
        (line,) = differing([gone], prune=prune)
        assert line.endswith(told)
        (line,) = wanted_by([gone], (), prune=prune)
        assert line.endswith(told)


async def test_with_auto_sync_the_card_says_so_and_argo_syncs_by_itself() -> None:
    argo = automatic(shop_by_argo())
    async with argo_platform(argo) as platform:
        tool = Deploy(platform, WORDS)
        arguments = tool.spec.validate(ARGUMENTS)
        plan = await tool.plan(arguments)
        outcome = await tool.run(arguments, OneGrant(), Heard())
        assert (await tool.verify(arguments)).verdict is Verdict.DONE
    assert outcome.ok
    assert any("auto-sync is on" in note and "undoes" in note for note in plan.notes)
    assert paths(argo) == ["PATCH "]


async def test_a_way_back_goes_by_the_history_where_argo_does_not_sync_by_itself() -> None:
    argo = shop_by_argo()
    async with argo_platform(argo) as platform:
        tool = Rollback(platform, WORDS, now)
        arguments = tool.spec.validate({"service": "payments", "environment": "production"})
        plan = await tool.plan(arguments)
        outcome = await tool.run(arguments, OneGrant(), Heard())
        seen = await tool.verify(arguments)
        (last, *_) = await platform.history("payments", "production")
    assert plan.changes[1].after == "rolled back to history id 0 (2.3.9)"
    assert any("goes on wanting 2.4.0" in note for note in plan.notes)
    assert paths(argo) == ["PATCH ", "POST /rollback"]
    assert argo.sent[1][2]["id"] == 0
    assert outcome.ok
    assert seen.verdict is Verdict.DONE
    assert "OutOfSync with 2.4.0" in seen.detail
    assert (last.kind, last.by) == (OrderKind.ROLLBACK, "sam, tom (A-17)")


async def test_with_auto_sync_a_way_back_is_another_revision_for_argo_refuses_rollbacks() -> None:
    argo = automatic(shop_by_argo())
    async with argo_platform(argo) as platform:
        result = await platform.apply(order(kind=OrderKind.ROLLBACK), Heard())
        (last, *_) = await platform.history("payments", "production")
    assert result.ok
    assert paths(argo) == ["PATCH "]
    assert last.kind is OrderKind.ROLLBACK


async def test_a_restart_is_a_resource_action_seen_in_the_workload() -> None:
    argo = shop_by_argo()
    async with argo_platform(argo) as platform:
        tool = Restart(platform, WORDS, now)
        arguments = tool.spec.validate({"service": "payments", "environment": "production"})
        plan = await tool.plan(arguments)
        assert (await tool.verify(arguments)).verdict is Verdict.UNCLEAR
        outcome = await tool.run(arguments, OneGrant(), Heard())
        seen = await tool.verify(arguments)
        (last, *_) = await platform.history("payments", "production")
    assert plan.changes[1].after == "restarts Deployment web"
    assert paths(argo) == ["PATCH ", "POST /resource/actions/v2"]
    assert argo.sent[1][2] == {
        "name": "payments-production", "namespace": "shop", "resourceName": "web", "group": "apps",
        "version": "v1", "kind": "Deployment", "action": "restart",
    }  # fmt: skip
    assert outcome.ok
    assert seen.verdict is Verdict.DONE
    assert (last.kind, last.ok, last.after) == (OrderKind.RESTART, True, "2.4.0")


async def test_scaling_is_said_to_be_the_business_of_git() -> None:
    async with argo_platform(shop_by_argo()) as platform:
        tool = Scale(platform, WORDS)
        with pytest.raises(BadArguments, match="change its replicas in Git"):
            await tool.plan(tool.spec.validate({"service": "payments", "replicas": 3}))


async def test_a_sync_that_fails_is_told_with_its_reason_and_what_still_runs() -> None:
    argo = shop_by_argo(broken=frozenset({"2.3.9"}))
    async with argo_platform(argo) as platform:
        tool = Deploy(platform, WORDS)
        arguments = tool.spec.validate(ARGUMENTS)
        outcome = await tool.run(arguments, OneGrant(), Heard())
        seen = await tool.verify(arguments)
        (last, *_) = await platform.history("payments", "production")
    assert not outcome.ok
    assert "failed to apply; the last that worked is 2.4.0" in outcome.summary
    assert seen.verdict is Verdict.NOT_DONE
    assert (last.ok, last.after, last.before) == (False, "2.3.9", "2.4.0")


async def test_a_version_that_makes_the_application_ill_is_no_success() -> None:
    argo = shop_by_argo(ill=frozenset({"2.3.9"}))
    async with argo_platform(argo) as platform:
        tool = Deploy(platform, WORDS)
        arguments = tool.spec.validate(ARGUMENTS)
        outcome = await tool.run(arguments, OneGrant(), Heard())
        seen = await tool.verify(arguments)
    assert not outcome.ok
    assert "Degraded: pods crash" in outcome.summary
    assert seen.verdict is Verdict.UNCLEAR


async def test_an_application_that_argo_is_busy_with_is_left_alone() -> None:
    argo = shop_by_argo()
    argo.applications["payments-production"]["status"]["operationState"] = {
        "phase": "Terminating", "startedAt": NOW.isoformat(),
    }  # fmt: skip
    async with argo_platform(argo) as platform:
        with pytest.raises(ToolUnavailable, match="busy with payments-production"):
            await platform.apply(order(), Heard())
    assert argo.sent == []


async def test_an_order_whose_answer_is_lost_is_left_to_the_check_and_never_sent_again() -> None:
    argo = shop_by_argo()
    argo.refusals = [("POST", "/sync", 504, "upstream timeout")]
    async with argo_platform(argo) as platform:
        with pytest.raises(Unanswered):
            await platform.apply(order(), Heard())
    assert paths(argo) == ["PATCH ", "POST /sync"]


async def test_a_sync_that_is_refused_after_the_version_was_set_is_told_as_what_it_is() -> None:
    argo = shop_by_argo()
    argo.refusals = [("POST", "/sync", 403, "permission denied: applications, sync, shop/payments")]
    async with argo_platform(argo) as platform:
        with pytest.raises(Unanswered, match="applications, sync"):
            await platform.apply(order(), Heard())
        tool = Deploy(platform, WORDS)
        seen = await tool.verify(tool.spec.validate(ARGUMENTS))
    assert (seen.verdict, "OutOfSync with 2.3.9" in seen.detail) == (Verdict.NOT_DONE, True)


async def test_a_refusal_to_look_does_not_pass_for_a_failure_of_the_order() -> None:
    argo = shop_by_argo()

    class OnceSynced(list[tuple[str, str, int, str]]):
        def __iter__(self) -> Iterator[tuple[str, str, int, str]]:
            return super().__iter__() if paths(argo)[-1:] == ["POST /sync"] else iter(())

    argo.refusals = OnceSynced([("GET", "payments-production", 403, "permission denied")])
    async with argo_platform(argo) as platform:
        with pytest.raises(Unanswered, match="its end was not heard"):
            await platform.apply(order(), Heard())


async def test_a_refusal_of_argo_is_told_in_its_words() -> None:
    argo = shop_by_argo()
    argo.refusals = [
        ("PATCH", "payments-production", 403, "permission denied: applications, update, shop/payments")
    ]
    async with argo_platform(argo) as platform:
        with pytest.raises(ToolFailed, match="applications, update"):
            await platform.apply(order(), Heard())
    assert paths(argo) == ["PATCH "]


async def test_without_a_right_to_the_resources_replicas_are_not_known_and_not_made_up() -> None:
    argo = shop_by_argo()
    argo.blind = True
    async with argo_platform(argo) as platform:
        found = next(each for each in await platform.running() if each.environment == "staging")
    assert found.replicas is None
    assert found.feels == "Healthy, Synced"
    assert found.healthy is True


async def test_an_application_with_several_sources_is_refused() -> None:
    argo = shop_by_argo()
    spec = argo.applications["payments-production"]["spec"]
    spec["sources"] = [spec.pop("source")]
    async with argo_platform(argo) as platform:
        with pytest.raises(BadArguments, match="several sources"):
            await platform.rehearse(order())


async def test_orders_are_kept_and_old_keys_are_not_taken_for_new_ones() -> None:
    argo = shop_by_argo()
    old = {"key": "sayso-A-1", "by": "x", "kind": "deploy", "version": "2.3.9"}
    kept = [{**old, "at": (NOW - timedelta(days=9)).isoformat()}]
    metadata: dict[str, Any] = argo.applications["payments-production"]["metadata"]
    metadata["annotations"] = {"sayso/orders": json.dumps(kept)}
    async with argo_platform(argo) as platform:
        first = await platform.apply(order(), Heard())
        again = await platform.apply(order(version="2.3.8"), Heard())
    assert not first.detail.startswith("already done")
    assert again.detail == f"already done: {first.detail}"
    assert len(json.loads(metadata["annotations"]["sayso/orders"])) == 2
    assert paths(argo) == ["PATCH ", "POST /sync"]


IMAGE = Declared("payments", {"production": "p"}, By.IMAGE, "registry.example/payments")
HELM = Declared("payments", {"production": "p"}, By.HELM, "image.tag", image_tag="v{version}")


@pytest.mark.parametrize(
    ("declared", "source", "version", "wanted"),
    [
        (
            IMAGE,
            Source(kustomize=Kustomize(images=("busybox:1", "registry.example/payments:2.4.0"))),
            "2.4.0",
            {"kustomize": {"images": ["busybox:1", "registry.example/payments:2.5.0"]}},
        ),
        (
            IMAGE,
            Source(kustomize=Kustomize(images=("registry.example/payments=mirror:5000/pay:2.4.0",))),
            "2.4.0",
            {"kustomize": {"images": ["registry.example/payments=mirror:5000/pay:2.5.0"]}},
        ),
        (IMAGE, Source(), "", {"kustomize": {"images": ["registry.example/payments:2.5.0"]}}),
        (
            HELM,
            Source(
                helm=Helm(
                    parameters=(Parameter(name="image.tag", value="v2.4.0"), Parameter(name="x", value="1"))
                )
            ),
            "2.4.0",
            {"helm": {"parameters": [{"name": "x", "value": "1"}, {"name": "image.tag", "value": "v2.5.0"}]}},
        ),
    ],
)
def test_an_image_or_a_parameter_is_changed_and_the_others_are_kept(
    declared: Declared, source: Source, version: str, wanted: dict[str, Any]
) -> None:
    assert version_in(declared, source) == version
    assert patched(declared, source, "2.5.0") == wanted
    assert version_in(declared, Source.model_validate(wanted)) == "2.5.0"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": By.IMAGE}, "should name an image"),
        ({"by": By.HELM}, "should name a parameter of helm"),
        ({"tag": "v1"}, r"tag = 'v1' should hold \{version\}"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Misdeclared, match=why):
        declared_for_argo(**changes)
