"""Cards: what an approver is shown, in both languages."""

import pytest

from agent.approvals.action import Action, Verdict
from agent.approvals.card import card
from agent.approvals.windows import Freeze, Override, span
from tests.fakes.office import Office, valve_rule


def shown(office: Office, action: Action, locale: str = "en") -> str:
    rows = card(action, locale, office.clock(), lambda person: person.title()).rows
    return "\n".join(f"{row.label}: {row.text}" for row in rows)


async def test_a_card_names_rule_people_teams_and_votes_so_far() -> None:
    rule = valve_rule(quorum=2, distinct_teams=2, approvers=frozenset({"keeper", "person:raj"}))
    office = Office(rules=(rule,))
    action = (await office.decisions.decide(await office.proposed(), "tom", Verdict.APPROVE)).action
    text = shown(office, action)
    assert "needs: 2 people of: keeper, Raj (rule valves)" in text
    assert "needs: from at least 2 different teams" in text
    assert "so far: 1 of 2" in text


@pytest.mark.parametrize(
    ("locale", "said"),
    [("en", "override: this would override monday"), ("fr", "passe outre: ceci passerait outre monday")],
)
async def test_an_override_is_marked(locale: str, said: str) -> None:
    freeze = Freeze("monday", span("mon 00:00", "tue 00:00"), "UTC", Override(2))
    office = Office(rules=(valve_rule(freezes=(freeze,)),))
    action = await office.proposed()
    assert said in shown(office, action, locale)
    assert any(row.warning for row in card(action, locale, office.clock(), str).rows)
    facts = [event.fact async for event in office.store.events("A-1")]
    assert facts[0].data["override"] == "monday"


async def test_people_who_must_be_of_two_groups_are_named_by_both() -> None:
    office = Office(
        rules=(valve_rule(), valve_rule(name="named", approvers=frozenset({"person:tom", "person:sam"})))
    )
    assert "keeper, who are also of: Sam, Tom (rule valves + named)" in shown(office, await office.proposed())


async def test_what_needs_nobody_says_which_rule_allows_it() -> None:
    office = Office(rules=(valve_rule(auto=True),))
    assert "needs: nobody's yes: rule valves allows it" in shown(office, await office.proposed())


@pytest.mark.parametrize(("locale", "label"), [("en", "changed"), ("fr", "changé")])
async def test_a_stale_card_shows_old_and_new(locale: str, label: str) -> None:
    office = Office()
    action = (await office.decisions.decide(await office.proposed(), "tom", Verdict.APPROVE)).action
    office.valve.position = 15
    stale = (await office.executor.run(action, office.heard)).action
    assert f"{label}: position: 10 → 15" in shown(office, stale, locale)
