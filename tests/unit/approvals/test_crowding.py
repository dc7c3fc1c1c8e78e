"""How many changes run at once: one for each target, and of a tool or in an environment as many as allowed."""

from dataclasses import replace

from agent.approvals.action import Action, ActionId, State
from agent.approvals.crowding import NO_LIMITS, TARGET, Limits, crowded, target
from agent.approvals.refusal import Reason
from agent.audit.event import Fact, FactKind
from tests.fakes.office import Office
from tools.contract import Json


async def action(id_: str, tool: str, **arguments: Json) -> Action:
    return replace(await Office().proposed(), id=ActionId(id_), tool=tool, arguments=arguments)


def reason(one: Action, *running: Action, limits: Limits = NO_LIMITS) -> Reason | None:
    no = crowded(one, running, limits, lambda _action: TARGET)
    return None if no is None else no.reason


async def test_two_changes_of_one_target_wait_for_each_other_whatever_the_tool() -> None:
    deploy = await action("A-1", "deploy", service="payments", environment="production", version="2")
    restart = await action("A-2", "restart", service="payments", environment="production")
    assert reason(restart, deploy) is Reason.BUSY
    assert reason(restart) is None


async def test_other_services_and_other_environments_are_other_targets() -> None:
    deploy = await action("A-1", "deploy", service="payments", environment="production")
    assert reason(await action("A-2", "deploy", service="payments", environment="staging"), deploy) is None
    assert reason(await action("A-3", "deploy", service="catalog", environment="production"), deploy) is None


async def test_a_tool_that_names_no_target_runs_alone() -> None:
    one, other = await action("A-1", "purge", depth=1), await action("A-2", "purge", depth=2)
    assert target(one) == "purge"
    assert reason(other, one) is Reason.BUSY


async def test_an_action_is_not_in_its_own_way() -> None:
    deploy = await action("A-1", "deploy", service="payments", environment="production")
    assert reason(deploy, deploy) is None


async def test_no_more_of_a_tool_or_in_an_environment_than_allowed() -> None:
    running = [
        await action(f"A-{n}", "deploy", service=name, environment="production")
        for n, name in enumerate(("a", "b"))
    ]
    another = await action("A-9", "deploy", service="c", environment="production")
    restart = await action("A-8", "restart", service="c", environment="production")
    assert reason(another, *running, limits=Limits(tools={"deploy": 2})) is Reason.CROWDED
    assert reason(another, *running, limits=Limits(tools={"deploy": 3})) is None
    assert reason(restart, *running, limits=Limits(tools={"deploy": 2})) is None
    assert reason(restart, *running, limits=Limits(environments={"production": 2})) is Reason.CROWDED


async def test_the_second_of_two_at_once_is_told_to_wait_and_runs_after_the_first() -> None:
    office = Office()
    first = await office.approve(await office.proposed(key="a"))
    second = await office.approve(await office.proposed(30, key="b"))
    running = replace(first.moved(State.RUNNING, at=office.clock()), worker=office.crew.me)
    claimed = await office.store.apply(first, running, _fact(first, office))
    assert claimed
    told = await office.executor.run(second, office.heard)
    assert told.refusal is not None
    assert (told.refusal.reason, told.refusal.fields["other"]) == (Reason.BUSY, first.id)
    assert told.action.state is State.APPROVED


def _fact(action: Action, office: Office) -> Fact:
    return Fact(FactKind.CLAIMED, "sayso", action.id, office.clock())


async def test_a_worker_that_the_others_may_hold_for_dead_begins_nothing() -> None:
    office = Office()
    action = await office.approve(await office.proposed())
    office.crew.dead.add(office.crew.me)
    told = await office.executor.run(action, office.heard)
    assert told.refusal is not None
    assert told.refusal.reason is Reason.AWAY
    assert office.valve.position == 10
