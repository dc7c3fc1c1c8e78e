"""Decisions: who may say yes to what, and that every attempt is answered and recorded."""

import asyncio

import pytest

from agent.approvals.action import State, Verdict
from agent.approvals.card import card, sentence
from agent.approvals.decide import Answer
from agent.approvals.refusal import ActionRefused, Reason, Refusal
from agent.audit.event import FactKind
from agent.words.catalogue import LANGUAGES
from tests.fakes.office import Office, valve_rule

YES, NO = Verdict.APPROVE, Verdict.REJECT


async def kinds(office: Office) -> list[FactKind]:
    return [event.fact.kind async for event in office.store.events()]


def why_not(answer: Answer) -> Reason | None:
    return answer.refusal.reason if answer.refusal else None


async def refused_without_effect(office: Office, answer: Answer, reason: Reason) -> None:
    assert why_not(answer) is reason
    assert office.valve.witness == []
    assert (await kinds(office))[-1] in (FactKind.DECISION_REFUSED, FactKind.EXPIRED)


async def test_the_yes_of_somebody_with_the_role_approves() -> None:
    office = Office()
    answer = await office.decisions.decide(await office.proposed(), "tom", YES)
    assert answer.action.state is State.APPROVED


async def test_the_requesters_own_yes_is_refused_even_with_the_role() -> None:
    office = Office()
    answer = await office.decisions.decide(await office.proposed(by="tom"), "tom", YES)
    await refused_without_effect(office, answer, Reason.OWN_REQUEST)


async def test_the_yes_of_somebody_without_the_role_is_refused() -> None:
    office = Office()
    answer = await office.decisions.decide(await office.proposed(), "raj", YES)
    await refused_without_effect(office, answer, Reason.NO_ROLE)


async def test_a_decision_about_another_content_is_refused() -> None:
    office = Office()
    action = await office.proposed(20)
    answer = await office.decisions.decide(
        action, "tom", YES, digest=(await office.proposed(30, key="b")).digest
    )
    await refused_without_effect(office, answer, Reason.OTHER_DIGEST)


async def test_a_yes_that_comes_too_late_is_refused_and_the_action_has_expired() -> None:
    office = Office()
    action = await office.proposed()
    office.clock.pass_(minutes=30)
    answer = await office.decisions.decide(action, "tom", YES)
    assert answer.action.state is State.EXPIRED
    await refused_without_effect(office, answer, Reason.EXPIRED)


async def test_a_yes_after_execution_is_refused_and_runs_nothing_again() -> None:
    office = Office()
    action = (await office.decisions.decide(await office.proposed(), "tom", YES)).action
    done = (await office.executor.run(action, office.heard)).action
    answer = await office.decisions.decide(done, "sam", YES)
    assert why_not(answer) is Reason.NOT_WAITING
    assert office.valve.witness == ["A-1"]
    assert (await kinds(office))[-1] is FactKind.DECISION_REFUSED


async def test_a_quorum_of_two_takes_two_people() -> None:
    office = Office(rules=(valve_rule(quorum=2),))
    first = await office.decisions.decide(await office.proposed(), "tom", YES)
    again = await office.decisions.decide(first.action, "tom", YES)
    second = await office.decisions.decide(first.action, "sam", YES)
    assert first.action.state is State.AWAITING_APPROVAL
    assert why_not(again) is Reason.VOTED_ALREADY
    assert second.action.state is State.APPROVED


async def test_two_yeses_at_the_same_moment_both_count() -> None:
    office = Office(rules=(valve_rule(quorum=2),))
    action = await office.proposed()
    answers = await asyncio.gather(*(office.decisions.decide(action, who, YES) for who in ("tom", "sam")))
    assert sorted(answer.action.state.value for answer in answers) == ["approved", "awaiting_approval"]


async def test_one_no_rejects_and_needs_a_reason() -> None:
    office = Office()
    action = await office.proposed()
    silent = await office.decisions.decide(action, "tom", NO)
    rejected = await office.decisions.decide(action, "tom", NO, reason="not now")
    assert why_not(silent) is Reason.REASON_MISSING
    assert (rejected.action.state, rejected.action.detail) == (State.REJECTED, "not now")


async def test_only_the_requester_withdraws() -> None:
    office = Office()
    action = await office.proposed()
    assert why_not(await office.decisions.withdraw(action, "tom")) is Reason.NOT_YOURS
    assert (await office.decisions.withdraw(action, "maya")).action.state is State.WITHDRAWN


async def test_an_edit_supersedes_and_the_old_card_is_refused() -> None:
    office = Office()
    old = await office.proposed(20)
    new = await office.proposer.edit(old, office.asker("maya"), {"position": 25})
    late = await office.decisions.decide(old, "tom", YES)
    assert (new.arguments["position"], new.supersedes) == (25, old.id)
    assert late.action.state is State.SUPERSEDED
    assert why_not(late) is Reason.NOT_WAITING


async def test_somebody_elses_edit_leaves_the_words_with_who_said_them() -> None:
    office = Office()
    new = await office.proposer.edit(await office.proposed(20), office.asker("tom"), {"position": 25})
    assert (new.requester, new.why) == ("tom", "A-1 (maya: move it to 20)")


async def test_somebody_without_access_proposes_nothing_and_it_is_recorded() -> None:
    office = Office()
    with pytest.raises(ActionRefused) as caught:
        await office.proposed(by="lea")
    assert caught.value.refusal.reason is Reason.NO_ACCESS
    assert await kinds(office) == [FactKind.PROPOSAL_REFUSED]


async def test_a_write_that_would_change_nothing_is_not_proposed() -> None:
    with pytest.raises(ActionRefused) as caught:
        await Office().proposed(10)
    assert caught.value.refusal.reason is Reason.NOTHING_TO_DO


async def test_a_target_that_only_evidence_named_is_marked_on_the_card() -> None:
    office = Office()
    shown = card(await office.proposed(provenance="evidence 3"), "en", office.clock(), str)
    assert any(row.warning and "evidence 3" in row.text for row in shown.rows)


async def test_or_refused_where_the_settings_say_so() -> None:
    office = Office(refuse_untrusted=True)
    with pytest.raises(ActionRefused) as caught:
        await office.proposed(provenance="evidence 3")
    assert caught.value.refusal.reason is Reason.UNTRUSTED_TARGET


async def test_after_three_failures_the_same_kind_is_not_proposed_again() -> None:
    office = Office()
    office.valve.broken = True
    for number in range(3):
        approved = await office.decisions.decide(await office.proposed(key=f"k{number}"), "tom", YES)
        assert (await office.executor.run(approved.action, office.heard)).action.state is State.FAILED
    with pytest.raises(ActionRefused) as caught:
        await office.proposed(key="k4")
    assert caught.value.refusal.reason is Reason.TOO_MANY_FAILURES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_has_a_sentence(reason: Reason, language: str) -> None:
    names = (
        "action roles state person why tool count arguments plan rule rules freeze until needed counted teams "
        "other target what limit"
    )
    fields = {name: "stale" if name == "state" else name for name in names.split()}
    assert sentence(Refusal(reason, fields), language)
