"""Breaking the glass: at once, with a reason, by whom the policy lets; and somebody else signs afterwards."""

from datetime import timedelta

from agent.approvals.action import Action, State, Verdict
from agent.approvals.card import card
from agent.approvals.decide import Answer
from agent.approvals.refusal import Reason
from agent.approvals.rule import BreakGlass
from tests.fakes.office import Office, valve_rule

EMERGENCY = BreakGlass(frozenset({"operator"}), timedelta(hours=8))


def office() -> Office:
    return Office(rules=(valve_rule(break_glass=EMERGENCY, quorum=2),))


def why_not(answer: Answer) -> Reason | None:
    return answer.refusal.reason if answer.refusal else None


async def broken(here: Office, by: str = "maya") -> Action:
    answer = await here.glasses.break_(await here.proposed(), by, "the cellar fills with water")
    assert answer.refusal is None
    return (await here.executor.run(answer.action, here.heard)).action


def rows(here: Office, action: Action) -> str:
    return " / ".join(row.text for row in card(action, "en", here.clock(), str).rows)


async def test_it_runs_at_once_and_owes_a_signature() -> None:
    here = office()
    action = await broken(here)
    assert (action.state, action.owed, here.valve.witness) == (State.SUCCEEDED, True, ["A-1"])
    assert "maya ran it without approval: the cellar fills with water" in rows(here, action)
    assert "a second one is due until 2026-11-23 17:00 UTC" in rows(here, action)


async def test_after_its_time_the_signature_is_overdue_and_still_taken() -> None:
    here = office()
    action = await broken(here)
    here.clock.pass_(hours=9)
    assert "overdue since 2026-11-23 17:00 UTC" in rows(here, action)
    signed = (await here.glasses.countersign(action, "tom", "it had to be")).action
    assert (signed.owed, signed.state) == (False, State.SUCCEEDED)
    assert "tom: it had to be" in rows(here, signed)
    last = [event.fact async for event in here.store.events("A-1")][-1]
    assert (last.actor, last.data["verdict"], last.data["late"]) == ("tom", "countersign", True)


async def test_it_takes_a_reason_the_right_and_an_action_that_waits() -> None:
    here = office()
    action = await here.proposed()
    assert why_not(await here.glasses.break_(action, "maya", " ")) is Reason.REASON_MISSING
    assert why_not(await here.glasses.break_(action, "lea", "now")) is Reason.NO_GLASS
    rejected = (await here.decisions.decide(action, "tom", Verdict.REJECT, reason="no")).action
    assert why_not(await here.glasses.break_(rejected, "maya", "now")) is Reason.NOT_WAITING
    assert here.valve.witness == []


async def test_a_proposal_that_expired_is_not_run_in_an_emergency_either() -> None:
    here = office()
    action = await here.proposed()
    here.clock.pass_(minutes=31)
    assert why_not(await here.glasses.break_(action, "maya", "now")) is Reason.EXPIRED


async def test_where_the_rule_has_no_glass_nobody_breaks_it() -> None:
    here = Office()
    assert why_not(await here.glasses.break_(await here.proposed(), "tom", "now")) is Reason.NO_GLASS


async def test_a_policy_that_took_the_glass_away_meanwhile_stops_the_run() -> None:
    here = office()
    answer = await here.glasses.break_(await here.proposed(), "maya", "now")
    here.rules = (valve_rule(),)
    refused = await here.executor.run(answer.action, here.heard)
    assert why_not(refused) is Reason.POLICY_CHANGED
    assert here.valve.witness == []


async def test_only_somebody_else_who_could_have_approved_signs_and_only_once() -> None:
    here = office()
    here.roster.by_person["maya"].add("keeper")
    action = await broken(here)
    assert why_not(await here.glasses.countersign(action, "maya", "")) is Reason.OWN_GLASS
    assert why_not(await here.glasses.countersign(action, "raj", "")) is Reason.NO_ROLE
    signed = (await here.glasses.countersign(action, "sam", "")).action
    assert why_not(await here.glasses.countersign(signed, "tom", "")) is Reason.NOTHING_OWED
    late = await here.glasses.countersign(action, "tom", "")
    assert why_not(late) is Reason.OVERTAKEN


async def test_what_was_approved_in_the_usual_way_owes_nothing() -> None:
    here = Office()
    action = (await here.decisions.decide(await here.proposed(), "tom", Verdict.APPROVE)).action
    assert why_not(await here.glasses.countersign(action, "sam", "")) is Reason.NOTHING_OWED
