"""What sayso carried out itself is a change, too."""

from datetime import timedelta

import pytest

from agent.approvals.action import Verdict
from agent.carried import Carried
from tests.fakes.office import Office
from tools.changes.port import ChangeKind, Known, Scope
from tools.contract import ToolUnavailable, Window


async def told(office: Office) -> Known:
    carried = Carried()
    carried.opens(office.store)
    now = office.clock()
    return await carried.changes(Scope(Window(now - timedelta(days=1), now + timedelta(days=1))))


async def test_an_action_that_ran_is_a_change_by_whoever_asked_for_it() -> None:
    office = Office()
    action = await office.proposed(20)
    approved = (await office.decisions.decide(action, "tom", Verdict.APPROVE)).action
    await office.executor.run(approved, office.heard)
    (change,) = (await told(office)).occurrences
    assert (change.kind, change.by, change.ok) == (ChangeKind.ACTION, action.requester, True)
    assert change.title == f"{action.id} {action.plan.title}"


async def test_an_action_that_waits_changed_nothing() -> None:
    office = Office()
    await office.proposed(20)
    assert (await told(office)).occurrences == ()


async def test_before_the_store_is_open_the_actions_are_unavailable() -> None:
    now = Office().clock()
    with pytest.raises(ToolUnavailable):
        await Carried().changes(Scope(Window(now - timedelta(days=1), now)))
