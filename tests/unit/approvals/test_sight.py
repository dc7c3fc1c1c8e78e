"""Who may read an action and its rows: those it concerns, without the asker's words those who may use its tool."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agent.approvals.action import Action, ActionId
from agent.approvals.refusal import ActionRefused
from agent.approvals.rule import BreakGlass, Escalation
from agent.approvals.sight import UNSAID, Eyes, Reading, Sight, seen, sight
from agent.audit.chain import verify
from agent.audit.event import Event, Fact, FactKind
from tests.fakes.office import Office, valve_rule


def eyes(office: Office, who: str, *more: str) -> Eyes:
    return Eyes(who, office.roster.roles(who) | set(more))


async def how_much(office: Office, action: Action, who: str, *more: str) -> Sight:
    return sight(action, eyes(office, who, *more), office.policy.may_use)


@pytest.mark.parametrize(
    ("who", "more", "expected"),
    [
        ("maya", (), Sight.WHOLE),  # who asked
        ("tom", (), Sight.WHOLE),  # who could decide
        ("raj", (), Sight.WITHOUT_WORDS),  # who may use the tool
        ("lea", (), Sight.NOTHING),
        ("lea", ("auditor",), Sight.WHOLE),
    ],
)
async def test_an_action_is_for_those_it_concerns(who: str, more: Sequence[str], expected: Sight) -> None:
    office = Office()
    assert await how_much(office, await office.proposed(), who, *more) is expected


async def test_who_decided_reads_it_when_they_have_the_role_no_more() -> None:
    office = Office()
    done = await office.approve(await office.proposed())
    office.roster.by_person["tom"] = set()
    assert await how_much(office, done, "tom") is Sight.WHOLE


async def test_who_may_break_the_glass_or_is_asked_as_well_reads_it() -> None:
    hour = timedelta(hours=1)
    glass, others = BreakGlass(frozenset({"guest"}), hour), Escalation(frozenset({"person:lea"}), hour)
    for rule in (valve_rule(break_glass=glass), valve_rule(escalation=others)):
        office = Office(rules=(rule,))
        assert await how_much(office, await office.proposed(), "lea") is Sight.WHOLE


async def test_what_runs_by_itself_is_not_for_everybody() -> None:
    office = Office(rules=(valve_rule(auto=True),))
    assert await how_much(office, await office.proposed(), "lea") is Sight.NOTHING


async def test_the_askers_words_are_left_out_for_those_who_only_may_use_the_tool() -> None:
    office = Office()
    action = await office.proposed()
    shown = seen(action, eyes(office, "raj"), office.policy.may_use)
    assert shown is not None
    assert (shown.why, shown.plan) == (UNSAID, action.plan)
    assert seen(action, eyes(office, "lea"), office.policy.may_use) is None


async def rows(office: Office, who: str, *more: str) -> list[Event]:
    reading = Reading(office.store, eyes(office, who, *more), office.policy.may_use)
    return [await reading.row(event) async for event in office.store.events()]


async def test_rows_are_withheld_like_their_action_and_keep_their_place_and_hash() -> None:
    office = Office()
    await office.approve(await office.proposed())
    whole = await rows(office, "maya")
    part, nothing = await rows(office, "raj"), await rows(office, "lea")
    assert verify(whole).whole
    assert [event.fact.data.get("why") for event in whole] == ["move it to 20", None]
    assert [event.fact.data.get("why") for event in part] == [UNSAID, None]
    assert [dict(event.fact.data) for event in nothing] == [{"withheld": True}] * 2
    assert [event.hash for event in nothing] == [event.hash for event in whole]


async def test_what_was_refused_or_answered_is_for_who_asked_and_for_auditors() -> None:
    office = Office()
    with pytest.raises(ActionRefused):
        await office.proposed(by="lea")
    await office.store.record(Fact(FactKind.ANSWERED, "lea", "T-1", office.clock(), {"question": "?"}))
    for who, more, read in (("lea", (), True), ("tom", (), False), ("raj", ("auditor",), True)):
        told = await rows(office, who, *more)
        assert ["withheld" not in event.fact.data for event in told] == [read, read]


async def test_strangers_and_private_channels_are_named_to_auditors_alone() -> None:
    office = Office()
    now = office.clock()
    await office.store.record(Fact(FactKind.NOT_HEARD, "slack:U1", "slack:U1", now, {"reason": "guest"}))
    await office.store.record(Fact(FactKind.FOLLOWED, "tom", "slack:C1", now, {"channel": "pay-cuts"}))
    await office.store.record(Fact(FactKind.PRUNED, "sayso", "trail", now, {"rows": 3}))
    assert ["withheld" in one.fact.data for one in await rows(office, "tom")] == [True, True, False]
    assert ["withheld" in one.fact.data for one in await rows(office, "tom", "auditor")] == [False] * 3


async def test_a_row_about_an_action_that_is_not_there_is_withheld() -> None:
    office = Office()
    await office.store.record(
        Fact(FactKind.RUN_REFUSED, "sayso", ActionId("A-9"), office.clock(), {"reason": "expired"})
    )
    assert "withheld" in (await rows(office, "tom"))[0].fact.data
