"""Deploying, rolling back, restarting and scaling: what approvers are shown, what is sent, what is seen afterwards."""

from datetime import timedelta

import pytest

from tests.fakes.shop import NOW, WORDS, Heard, NoGrant, OneGrant, now, running, shop_platform
from tools.contract import (
    Arguments,
    BadArguments,
    GrantRefused,
    Progress,
    ToolUnavailable,
    Verdict,
    WriteTool,
)
from tools.deploy.deploy import Deploy
from tools.deploy.memory import MemoryPlatform
from tools.deploy.port import Order, OrderKind, Release, Result, Unanswered
from tools.deploy.restart import Restart
from tools.deploy.rollback import Rollback
from tools.deploy.scale import Scale
from tools.deploy.target import between, order_of


class TwelvePercent:
    async def error_rate(self, service: str, environment: str) -> float | None:
        return 0.12


class SilentMeter:
    async def error_rate(self, service: str, environment: str) -> float | None:
        raise ToolUnavailable("nobody is home")


class HungUp(MemoryPlatform):
    """A platform whose line goes dead after the order was taken."""

    async def apply(self, order: Order, progress: Progress) -> Result:
        await super().apply(order, progress)
        raise Unanswered("the line went dead")


def every_write(platform: MemoryPlatform) -> dict[str, tuple[WriteTool, dict[str, object]]]:
    return {
        "deploy": (Deploy(platform, WORDS), {"service": "payments", "version": "2.3.9"}),
        "rollback": (Rollback(platform, WORDS, now), {"service": "payments"}),
        "restart": (Restart(platform, WORDS, now), {"service": "payments"}),
        "scale": (Scale(platform, WORDS), {"service": "payments", "replicas": 3}),
    }


def given(tool: WriteTool, **values: object) -> Arguments:
    return tool.spec.validate(values)


async def test_a_deployment_shows_what_runs_now_and_what_would() -> None:
    tool = Deploy(shop_platform(), WORDS, TwelvePercent())
    plan = await tool.plan(given(tool, service="checkout", version="v1.9.0", environment="prod"))
    change = plan.changes[0]
    assert (change.before, change.after) == ("1.8.2", "1.9.0")
    assert plan.observed == {"version": "1.8.2", "replicas": 2}
    assert plan.touches == ("checkout in production (2 replicas)",)
    assert "2 of 2 replicas healthy" in plan.health
    assert "12.0% of requests failing" in plan.health
    assert plan.notes == ("brings 1.9.0: a shorter form",)


async def test_a_deployment_is_undone_by_a_rollback_to_what_ran() -> None:
    tool = Deploy(shop_platform(), WORDS)
    plan = await tool.plan(given(tool, service="checkout", version="1.9.0"))
    assert plan.undo is not None
    assert plan.undo.tool == "rollback"
    assert plan.undo.arguments == {"service": "checkout", "environment": "production", "version": "1.8.2"}


async def test_what_runs_already_changes_nothing() -> None:
    tool = Deploy(shop_platform(), WORDS)
    assert (await tool.plan(given(tool, service="payments", version="2.4.0"))).changes_nothing


async def test_a_meter_that_is_silent_keeps_nobody_from_planning() -> None:
    tool = Deploy(shop_platform(), WORDS, SilentMeter())
    assert "failing" not in (await tool.plan(given(tool, service="checkout", version="1.9.0"))).health


async def test_an_unknown_version_is_refused_with_the_nearest() -> None:
    tool = Deploy(shop_platform(), WORDS)
    with pytest.raises(BadArguments, match=r"no release '2\.3\.7'") as caught:
        await tool.plan(given(tool, service="payments", version="2.3.7"))
    assert caught.value.field == "version"
    assert set(caught.value.nearest) & {"2.3.8", "2.3.9"}


async def test_an_unknown_service_is_refused_with_the_nearest() -> None:
    tool = Deploy(shop_platform(), WORDS)
    with pytest.raises(BadArguments) as caught:
        given(tool, service="paymants", version="2.3.9")
    assert caught.value.nearest == ("payments",)


async def test_something_that_is_no_version_is_refused() -> None:
    tool = Deploy(shop_platform(), WORDS)
    with pytest.raises(BadArguments, match=r"such as 2\.3\.9"):
        given(tool, service="payments", version="latest; rm -rf /")


async def test_a_service_that_runs_elsewhere_is_refused_with_where() -> None:
    tool = Restart(shop_platform(), WORDS, now)
    with pytest.raises(BadArguments, match="it runs in production"):
        await tool.plan(given(tool, service="checkout", environment="staging"))


async def test_a_rollback_goes_to_the_version_before() -> None:
    tool = Rollback(shop_platform(), WORDS, now)
    plan = await tool.plan(given(tool, service="payments"))
    assert plan.changes[0].after == "2.3.9"
    assert plan.observed["to"] == "2.3.9"
    assert plan.notes == ("takes out 2.4.0: retries keep the customer's place in the queue",)


async def test_a_rollback_without_a_version_before_names_older_ones() -> None:
    tool = Rollback(shop_platform(previous_version=None), WORDS, now)
    with pytest.raises(BadArguments) as caught:
        await tool.plan(given(tool, service="payments"))
    assert caught.value.nearest == ("2.3.9", "2.3.8")


async def test_a_rollback_to_something_newer_says_so() -> None:
    tool = Rollback(shop_platform(version="2.3.8"), WORDS, now)
    plan = await tool.plan(given(tool, service="payments", version="2.4.0"))
    assert "this goes forward" in plan.notes[0]


async def test_what_the_plan_rests_on_differs_when_somebody_else_deployed() -> None:
    platform = shop_platform()
    tool = Rollback(platform, WORDS, now)
    arguments = given(tool, service="payments")
    before = await tool.plan(arguments)
    await platform.apply(Order(OrderKind.DEPLOY, "payments", "production", "k", "raj", "2.3.8"), Heard())
    assert (await tool.plan(arguments)).observed != before.observed


async def test_a_restart_is_stale_when_somebody_else_restarted() -> None:
    tool = Restart(shop_platform(), WORDS, now)
    later = Restart(shop_platform(since=NOW), WORDS, now)
    arguments = given(tool, service="payments")
    assert (await tool.plan(arguments)).observed != (await later.plan(arguments)).observed


@pytest.mark.parametrize("name", ["deploy", "rollback", "restart", "scale"])
async def test_nothing_is_sent_without_the_right_to_it(name: str) -> None:
    platform = shop_platform()
    tool, values = every_write(platform)[name]
    with pytest.raises(GrantRefused):
        await tool.run(tool.spec.validate(values), NoGrant(), Heard())
    assert platform.orders == []


@pytest.mark.parametrize("name", ["deploy", "rollback", "restart", "scale"])
async def test_the_action_is_the_key_and_its_approvers_sign(name: str) -> None:
    platform = shop_platform()
    tool, values = every_write(platform)[name]
    grant = OneGrant()
    outcome = await tool.run(tool.spec.validate(values), grant, Heard())
    assert outcome.ok
    assert grant.spent == [(name, tool.spec.validate(values).canonical())]
    (order,) = platform.orders
    assert (order.kind.value, order.key, order.by) == (name, "A-17", "sam, tom (A-17)")


@pytest.mark.parametrize("name", ["deploy", "rollback", "restart", "scale"])
async def test_what_was_done_is_seen_afterwards(name: str) -> None:
    tool, values = every_write(shop_platform())[name]
    arguments = tool.spec.validate(values)
    await tool.run(arguments, OneGrant(), Heard())
    assert (await tool.verify(arguments)).verdict is Verdict.DONE


@pytest.mark.parametrize("name", ["deploy", "rollback", "scale"])
async def test_what_was_not_done_is_seen_too(name: str) -> None:
    tool, values = every_write(shop_platform())[name]
    assert (await tool.verify(tool.spec.validate(values))).verdict is Verdict.NOT_DONE


async def test_old_processes_may_or_may_not_have_been_restarted() -> None:
    tool = Restart(shop_platform(), WORDS, now)
    assert (await tool.verify(given(tool, service="payments"))).verdict is Verdict.UNCLEAR


async def test_the_right_version_in_ill_health_is_unclear() -> None:
    tool = Deploy(shop_platform(healthy_replicas=1), WORDS)
    assert (await tool.verify(given(tool, service="payments", version="2.4.0"))).verdict is Verdict.UNCLEAR


async def test_a_release_that_does_not_become_healthy_is_a_failed_outcome() -> None:
    platform = shop_platform(broken=frozenset({"1.9.0"}))
    tool = Deploy(platform, WORDS)
    outcome = await tool.run(given(tool, service="checkout", version="1.9.0"), OneGrant(), Heard())
    assert not outcome.ok
    assert "1.8.2 runs again" in outcome.summary


async def test_when_the_line_goes_dead_looking_has_the_last_word() -> None:
    platform = HungUp(
        [running()], [("payments", Release("2.3.9", NOW)), ("payments", Release("2.4.0", NOW))], now
    )
    tool = Deploy(platform, WORDS)
    arguments = given(tool, service="payments", version="2.3.9")
    assert (await tool.run(arguments, OneGrant(), Heard())).ok
    assert (await tool.verify(arguments)).verdict is Verdict.DONE


@pytest.mark.parametrize("replicas", [0, -1, 21])
async def test_no_replicas_and_too_many_are_refused(replicas: int) -> None:
    tool = Scale(shop_platform(), WORDS)
    with pytest.raises(BadArguments) as caught:
        await tool.plan(given(tool, service="payments", replicas=replicas))
    assert caught.value.field == "replicas"


async def test_a_scaling_is_undone_by_the_number_before() -> None:
    tool = Scale(shop_platform(), WORDS)
    plan = await tool.plan(given(tool, service="payments", replicas=4))
    assert plan.undo is not None
    assert plan.undo.arguments["replicas"] == 2


def test_versions_are_ordered_as_people_do() -> None:
    versions = ["2.4", "2.4.0-rc1", "2.10.0", "2.4.0", "2.9.3"]
    assert sorted(versions, key=order_of) == ["2.4", "2.4.0-rc1", "2.4.0", "2.9.3", "2.10.0"]


def test_the_notes_between_two_versions_leave_out_the_one_that_runs() -> None:
    releases = [
        Release("1.2.0", NOW, "c"),
        Release("1.1.0", NOW - timedelta(days=1), "b"),
        Release("1.0.0", None, "a"),
    ]
    assert between(releases, "1.0.0", "1.2.0") == ("brings 1.2.0: c", "brings 1.1.0: b")
    assert between(releases, "1.2.0", "1.0.0") == ("takes out 1.2.0: c", "takes out 1.1.0: b")
    assert between(releases, None, "1.1.0") == ("brings 1.1.0: b",)
