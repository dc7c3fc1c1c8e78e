"""Execution: an approved action runs once, against the world it was approved for, and its end is told truly."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.approvals.action import Action, State, Verdict
from agent.approvals.card import sentence
from agent.approvals.execute import Executor, OneTimeGrant, pauses
from agent.approvals.refusal import ActionRefused, Reason
from agent.approvals.windows import Freeze, Override, span
from agent.audit.event import FactKind
from tests.fakes.office import Office, valve_rule
from tests.fakes.valve import Shed, Valve
from tools.contract import Arguments, Change, GrantRefused, Verification


class Cracked(Valve):
    """A valve whose gauge was made by somebody who did not think of everything."""

    async def verify(self, arguments: Arguments) -> Verification:
        raise KeyError("gauge")


async def approved(office: Office, position: int = 20) -> Action:
    action = await office.proposed(position)
    return (await office.decisions.decide(action, "tom", Verdict.APPROVE)).action


async def test_an_approved_action_runs_and_is_verified() -> None:
    office = Office()
    done = await office.executor.run(await approved(office), office.heard)
    assert done.action.state is State.SUCCEEDED
    assert (office.valve.position, office.valve.witness, office.lines) == (20, ["A-1"], ["moving"])


async def test_an_action_that_nobody_approved_does_not_run() -> None:
    office = Office()
    answer = await office.executor.run(await office.proposed(), office.heard)
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.NOT_APPROVED
    assert office.valve.witness == []


async def test_of_ten_runs_at_once_one_has_an_effect() -> None:
    office = Office()
    action = await approved(office)
    await asyncio.gather(*(office.executor.run(action, office.heard) for _ in range(10)))
    assert office.valve.witness == ["A-1"]


async def test_a_world_that_changed_since_makes_it_stale() -> None:
    office = Office()
    action = await approved(office)
    office.valve.position = 15
    answer = await office.executor.run(action, office.heard)
    assert answer.action.state is State.STALE
    assert "position was 10 and is 15" in answer.action.detail
    assert office.valve.witness == []


async def test_a_change_that_does_not_matter_to_the_plan_lets_it_run() -> None:
    office = Office()
    office.valve.matters = ("position",)
    action = await approved(office)
    office.valve.pressure = 9
    assert (await office.executor.run(action, office.heard)).action.state is State.SUCCEEDED


async def test_a_field_that_begins_to_matter_is_looked_at() -> None:
    office = Office()
    office.valve.matters = ("position",)
    action = await approved(office)
    office.valve.pressure, office.valve.matters = 9, ("position", "pressure")
    stale = (await office.executor.run(action, office.heard)).action
    assert stale.drifted == (Change("pressure", "3", "9"),)


def test_the_world_is_looked_at_ever_slower_until_its_time_is_up() -> None:
    assert list(pauses(4.0)) == [0.0, 0.5, 1.0, 2.0, 0.5]
    assert sum(pauses(60)) == 60
    assert list(pauses(0)) == [0.0]


async def test_a_backend_that_is_away_leaves_it_approved() -> None:
    office = Office()
    action = await approved(office)
    office.valve.away = True
    refused = await office.executor.run(action, office.heard)
    office.valve.away = False
    done = await office.executor.run(refused.action, office.heard)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.UNAVAILABLE
    assert done.action.state is State.SUCCEEDED


async def test_a_plan_that_breaks_ends_it_with_nothing_done() -> None:
    office = Office()
    action = await approved(office)
    office.valve.puzzled = True
    answer = await office.executor.run(action, office.heard)
    assert answer.action.state is State.STALE
    assert "valve broke: KeyError" in answer.action.detail
    assert office.valve.witness == []


async def test_what_a_rule_lets_run_by_itself_by_now_is_not_asked_again() -> None:
    office = Office()
    action = await approved(office)
    office.valve.position = 15
    stale = (await office.executor.run(action, office.heard)).action
    office.rules = (valve_rule(auto=True, approvers=frozenset()),)
    with pytest.raises(ActionRefused):
        await office.proposer.renew(stale, office.asker("maya"))
    assert [one.id for one in await office.store.actions()] == [stale.id]


async def test_an_edit_of_what_went_stale_takes_the_place_of_what_it_was_asked_again_as() -> None:
    office = Office()
    action = await approved(office)
    office.valve.position = 15
    stale = (await office.executor.run(action, office.heard)).action
    anew = await office.proposer.renew(stale, office.asker("maya"))
    assert (anew.state, anew.plan.changes) == (State.AWAITING_APPROVAL, (Change("position", "15", "20"),))
    edited = await office.proposer.edit(stale, office.asker("maya"), {"position": 30})
    assert edited.state is State.AWAITING_APPROVAL
    latest = await office.store.action(anew.id)
    assert latest is not None
    assert latest.state is State.SUPERSEDED


async def test_an_approval_that_waited_too_long_does_not_run() -> None:
    office = Office()
    action = await approved(office)
    office.clock.pass_(minutes=31)
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.EXPIRED
    assert office.valve.witness == []


async def test_an_approver_who_lost_the_role_no_longer_counts() -> None:
    office = Office()
    action = await approved(office)
    office.roster.by_person["tom"] = {"operator"}
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.POLICY_CHANGED


async def test_a_stricter_policy_counts_at_once() -> None:
    office = Office()
    action = await approved(office)
    office.rules = (valve_rule(quorum=2),)
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.POLICY_CHANGED
    assert office.valve.witness == []


async def test_an_expiry_that_became_shorter_counts_from_the_proposal() -> None:
    office = Office()
    action = await approved(office)
    office.clock.pass_(minutes=10)
    office.rules = (valve_rule(expires_after=timedelta(minutes=10)),)
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert (answer.refusal.reason, answer.refusal.because and answer.refusal.because.reason) == (
        Reason.POLICY_CHANGED,
        Reason.EXPIRED,
    )
    assert office.valve.witness == []


async def test_a_yes_without_the_reason_that_is_asked_for_now_does_not_count() -> None:
    office = Office()
    action = await approved(office)
    office.rules = (valve_rule(reason_required=True),)
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.POLICY_CHANGED
    explained = await office.approve(await office.proposed(30, key="T-2/0"))
    assert (await office.executor.run(explained, office.heard)).action.state is State.SUCCEEDED
    assert office.valve.witness == [explained.id]


async def test_another_version_of_the_tool_makes_it_stale() -> None:
    office = Office()
    action = await approved(office)
    office.valve.spec = replace(office.valve.spec, version="2")
    answer = await office.executor.run(action, office.heard)
    assert answer.action.state is State.STALE
    assert answer.action.drifted == (Change("tool_version", "1", "2"),)
    assert office.valve.witness == []


async def test_a_tool_that_is_not_there_any_more_makes_it_stale() -> None:
    office = Office()
    action = await approved(office)
    shed, policy, clock = Shed({}), office.policy, office.clock
    executor = Executor(office.store, shed, policy, office.roster, office.crew, clock, pauses=(0.0,))
    answer = await executor.run(action, office.heard)
    assert answer.action.state is State.STALE
    assert "is not a tool here" in answer.action.detail


async def test_what_the_approvals_lack_is_said() -> None:
    office = Office()
    action = await approved(office)
    office.rules = (valve_rule(name="two", quorum=2),)
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert "Rule two asks for 2 people of: keeper" in sentence(answer.refusal, "en")


async def test_a_freeze_that_began_meanwhile_makes_it_wait() -> None:
    weekend = Freeze("weekend", span("mon 09:10", "mon 09:20"), "UTC")
    office = Office(rules=(valve_rule(freezes=(weekend,)),))
    action = await approved(office)
    office.clock.pass_(minutes=10)
    shut = await office.executor.run(action, office.heard)
    assert shut.refusal is not None
    assert shut.refusal.reason is Reason.SHUT_SINCE
    assert "weekend until 2026-11-23 09:20 UTC" in sentence(shut.refusal, "en")
    assert (shut.action.state, office.valve.witness) == (State.APPROVED, [])
    office.clock.pass_(minutes=10)
    assert (await office.executor.run(shut.action, office.heard)).action.state is State.SUCCEEDED


async def test_an_override_that_became_necessary_meanwhile_is_asked_of_the_approvals() -> None:
    office = Office(
        rules=(valve_rule(freezes=(Freeze("f", span("mon 09:10", "mon 19:00"), "UTC", Override(2)),)),)
    )
    action = await approved(office)
    office.clock.pass_(minutes=10)
    answer = await office.executor.run(action, office.heard)
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.POLICY_CHANGED


async def test_approvers_come_from_as_many_teams_as_the_rule_says() -> None:
    office = Office(rules=(valve_rule(quorum=2, distinct_teams=2),))
    office.roster.by_person["raj"] = {"operator", "keeper"}
    office.roster.teams["raj"] = "ledger"
    action = await office.proposed()
    for who, state in (
        ("tom", State.AWAITING_APPROVAL),
        ("raj", State.AWAITING_APPROVAL),
        ("sam", State.APPROVED),
    ):
        action = (await office.decisions.decide(action, who, Verdict.APPROVE)).action
        assert action.state is state
    office.roster.teams["sam"] = "ledger"
    refused = await office.executor.run(action, office.heard)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.POLICY_CHANGED


async def test_a_write_that_a_rule_allows_runs_without_anybody_and_is_recorded_all_the_same() -> None:
    office = Office(rules=(valve_rule(auto=True),))
    action = await office.proposed()
    done = await office.executor.run(action, office.heard)
    assert (action.state, done.action.state) == (State.APPROVED, State.SUCCEEDED)
    facts = [event.fact async for event in office.store.events("A-1")]
    assert [fact.kind.value for fact in facts] == ["proposed", "decided", "claimed", "succeeded"]
    assert (facts[1].actor, facts[1].data["verdict"], facts[1].data["rule"]) == ("sayso", "auto", "valves")


async def test_a_write_that_is_not_allowed_by_itself_any_more_does_not_run() -> None:
    office = Office(rules=(valve_rule(auto=True),))
    action = await office.proposed()
    office.rules = (valve_rule(),)
    refused = await office.executor.run(action, office.heard)
    assert refused.refusal is not None
    assert office.valve.witness == []


async def test_a_failure_says_what_the_tool_said() -> None:
    office = Office()
    action = await approved(office)
    office.valve.broken = True
    done = await office.executor.run(action, office.heard)
    assert (done.action.state, done.action.detail) == (State.FAILED, "the valve is stuck")


async def test_an_outcome_that_cannot_be_told_is_unknown() -> None:
    office = Office()
    action = await approved(office)
    office.valve.unclear = True
    assert (await office.executor.run(action, office.heard)).action.state is State.UNKNOWN


async def test_a_check_that_breaks_leaves_it_unknown_and_not_running() -> None:
    office = Office(valve=Cracked())
    action = await approved(office)
    done = (await office.executor.run(action, office.heard)).action
    assert (done.state, office.valve.witness) == (State.UNKNOWN, [action.id])
    assert "KeyError" in done.detail


async def claimed_by_a_dead_worker(office: Office) -> Action:
    action = await approved(office)
    running = replace(action.moved(State.RUNNING, at=office.clock()), worker="worker-0")
    from agent.audit.event import Fact

    await office.store.apply(action, running, Fact(FactKind.CLAIMED, "sayso", action.id, office.clock()))
    office.crew.dead.add("worker-0")
    return running


@pytest.mark.parametrize(("position", "state"), [(20, State.SUCCEEDED), (10, State.FAILED)])
async def test_after_a_crash_the_world_settles_it_and_nothing_runs_again(position: int, state: State) -> None:
    office = Office()
    await claimed_by_a_dead_worker(office)
    office.valve.position = position
    assert [action.state for action in await office.executor.recover()] == [state]
    assert office.valve.witness == []


async def test_a_living_workers_action_is_left_alone() -> None:
    office = Office()
    await claimed_by_a_dead_worker(office)
    office.crew.dead.clear()
    assert await office.executor.recover() == ()


async def test_what_the_world_does_not_tell_a_person_settles() -> None:
    office = Office()
    await claimed_by_a_dead_worker(office)
    office.valve.unclear = True
    (unknown,) = await office.executor.recover()
    by_requester = await office.executor.settle(unknown, "maya", succeeded=True, reason="I looked")
    by_keeper = await office.executor.settle(unknown, "sam", succeeded=True, reason="I looked")
    assert by_requester.refusal is not None
    assert by_keeper.action.state is State.SUCCEEDED


async def test_a_grant_is_good_for_one_run_of_exactly_its_action() -> None:
    office = Office()
    action = await approved(office)
    with pytest.raises(GrantRefused):
        OneTimeGrant.of(action)
    grant = OneTimeGrant.of(action.moved(State.RUNNING, at=office.clock()))
    with pytest.raises(GrantRefused):
        grant.spend("valve", {"position": 99, "site": "north"})
    grant.spend("valve", action.arguments)
    with pytest.raises(GrantRefused):
        grant.spend("valve", action.arguments)
