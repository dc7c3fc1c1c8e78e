"""The policy: the strictest of the fitting rules in every respect, and no where there is none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals.conditions import Begins, Condition, Every, Matches, OneOf, Ranges
from agent.approvals.policy import Call, Judgement, Policy, PolicyGap, Rule
from agent.approvals.refusal import ActionRefused, Reason, Refusal
from agent.approvals.rule import BreakGlass, Escalation
from agent.approvals.windows import Freeze, Override, span
from agent.people.person import Person
from tests.fakes.office import START, valve_rule
from tools.contract import Json

OPERATORS = frozenset({"operator"})
ACCESS = {"valve": OPERATORS}
PEOPLE = (
    Person("tom", "Tom", frozenset({"operator", "keeper"})),
    Person("sam", "Sam", frozenset({"operator", "keeper", "chief"})),
    Person("maya", "Maya", frozenset({"operator"})),
)
NORTH: Mapping[str, Json] = {"position": 20, "site": "north"}


def call(
    arguments: Mapping[str, Json] = NORTH,
    *,
    tool: str = "valve",
    person: str = "maya",
    roles: frozenset[str] = OPERATORS,
    untrusted: tuple[str, ...] = (),
) -> Call:
    return Call(tool, arguments, person, roles, untrusted)


def judged(*rules: Rule, of: Call | None = None, at: datetime = START) -> Judgement:
    return Policy(rules, ACCESS, PEOPLE).judge(of or call(), at)


def refused(*rules: Rule, of: Call | None = None, at: datetime = START) -> Refusal:
    with pytest.raises(ActionRefused) as caught:
        judged(*rules, of=of, at=at)
    return caught.value.refusal


def people(*names: str) -> frozenset[str]:
    return frozenset(names)


def test_of_two_fitting_rules_the_stricter_value_of_each_counts() -> None:
    found = judged(
        valve_rule(name="all", approvers=people("keeper", "chief"), expires_after=timedelta(hours=1)),
        valve_rule(
            name="north", when={"site": OneOf(("north",))}, quorum=2, expires_after=timedelta(minutes=5)
        ),
    )
    assert found.requirement.rule == "all + north"
    assert found.requirement.approver_roles == {"keeper"}
    assert found.requirement.quorum == 2
    assert found.expires_after == timedelta(minutes=5)


def test_self_approval_needs_every_rule_to_allow_it() -> None:
    found = judged(valve_rule(self_approval=True), valve_rule(name="other"))
    assert not found.requirement.self_approval


def test_an_approver_must_be_what_every_rule_asks_for() -> None:
    need = judged(
        valve_rule(), valve_rule(name="named", approvers=people("person:sam", "person:maya"))
    ).requirement
    assert need.may_approve("sam", people("keeper"))
    assert not need.may_approve("tom", people("keeper"))
    assert not need.may_approve("maya", people("operator"))


def test_rules_that_nobody_satisfies_together_refuse() -> None:
    no = refused(valve_rule(), valve_rule(name="other", approvers=people("guest")))
    assert (no.reason, no.fields["rule"]) == (Reason.NOBODY, "valves + other")


def test_only_the_named_askers_may_ask() -> None:
    rule = valve_rule(askers=people("person:maya", "chief"))
    assert judged(rule).rules == (rule,)
    assert refused(rule, of=call(person="raj")).reason is Reason.NOT_ASKER
    assert judged(rule, of=call(person="sam", roles=people("operator", "chief"))).rules == (rule,)


@pytest.mark.parametrize(
    ("rules", "asked", "reason"),
    [
        ((), call(), Reason.NO_RULE),
        ((valve_rule(when={"site": OneOf(("south",))}),), call(), Reason.NO_RULE),
        ((valve_rule(when={"colour": OneOf(("red",))}),), call(), Reason.NO_RULE),
        ((valve_rule(),), call(roles=people("guest")), Reason.NO_ACCESS),
        ((valve_rule(),), call(tool="crane"), Reason.NO_ACCESS),
    ],
)
def test_what_is_not_allowed_is_refused(rules: tuple[Rule, ...], asked: Call, reason: Reason) -> None:
    assert refused(*rules, of=asked).reason is reason


def test_a_rule_may_let_a_write_run_by_itself() -> None:
    assert judged(valve_rule(auto=True)).requirement.auto
    assert judged(valve_rule(auto=True)).requirement.quorum == 0


def test_but_not_where_another_rule_asks_for_somebody() -> None:
    need = judged(valve_rule(auto=True, approvers=frozenset()), valve_rule(name="north")).requirement
    assert (need.auto, need.quorum, need.groups) == (False, 1, (people("keeper"),))


def test_and_never_for_a_target_that_untrusted_text_named() -> None:
    doubtful = call(untrusted=("position",))
    assert refused(valve_rule(auto=True, approvers=frozenset()), of=doubtful).reason is Reason.UNTRUSTED_AUTO
    assert not judged(valve_rule(auto=True), of=doubtful).requirement.auto


def shut(override: Override | None = None) -> tuple[Freeze, ...]:
    return (Freeze("monday", span("mon 00:00", "tue 00:00"), "UTC", override),)


def test_in_a_freeze_nothing_is_proposed() -> None:
    no = refused(valve_rule(freezes=shut()))
    assert (no.reason, no.fields["freeze"], no.fields["until"]) == (
        Reason.SHUT,
        "monday",
        "2026-11-24 00:00 UTC",
    )
    assert judged(valve_rule(freezes=shut()), at=START + timedelta(days=1)).requirement.override == ""


def test_an_override_asks_for_more_people_and_leaves_its_mark() -> None:
    need = judged(valve_rule(freezes=shut(Override(2)))).requirement
    assert (need.quorum, need.override, need.reason_required) == (2, "monday", True)


def test_an_override_may_name_other_approvers() -> None:
    need = judged(valve_rule(freezes=shut(Override(1, people("chief"))))).requirement
    assert need.groups == (people("chief"),)


def test_a_freeze_without_override_beats_one_with() -> None:
    rules = (valve_rule(freezes=shut(Override(2))), valve_rule(name="other", freezes=shut()))
    assert refused(*rules).fields["rule"] == "other"


def test_nothing_runs_by_itself_in_a_freeze() -> None:
    assert not judged(valve_rule(auto=True, freezes=shut(Override(2)))).requirement.auto


def test_the_strictest_confirmation_and_the_earliest_escalation_count() -> None:
    late = valve_rule(escalation=Escalation(people("sre"), timedelta(minutes=20)))
    soon = valve_rule(name="soon", confirm=True, escalation=Escalation(people("lead"), timedelta(minutes=5)))
    need = judged(late, soon).requirement
    assert (need.confirm, need.escalate_to, need.escalate_after) == (
        True, people("sre", "lead"), timedelta(minutes=5),
    )  # fmt: skip
    assert not judged(late).requirement.confirm


def test_glass_is_broken_only_where_every_rule_allows_it() -> None:
    glass = valve_rule(break_glass=BreakGlass(people("operator"), timedelta(hours=8)))
    assert judged(glass).requirement.may_break_glass("maya", OPERATORS)
    assert not judged(glass, valve_rule(name="other")).requirement.may_break_glass("maya", OPERATORS)


def test_a_write_tool_without_a_rule_stops_the_start() -> None:
    with pytest.raises(PolicyGap, match="crane: no policy says who must approve"):
        Policy((valve_rule(),), ACCESS).refuse_gaps(["valve", "crane"])


def test_the_version_names_exactly_the_content() -> None:
    first = valve_rule(freezes=shut())
    assert Policy((first,), ACCESS).version == Policy((valve_rule(freezes=shut()),), ACCESS).version
    for change in (
        {"quorum": 2},
        {"freezes": shut(Override(2))},
        {"auto": True},
        {"when": {"site": Begins("n")}},
    ):
        assert Policy((replace(first, **change),), ACCESS).version != Policy((first,), ACCESS).version


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (OneOf(("a", "b")), "b", True),
        (OneOf(("1",)), 1, False),
        (OneOf((1,)), 1, True),
        (OneOf((1,)), True, False),
        (OneOf((True,)), True, True),
        (Matches("pay.*"), "payments", True),
        (Matches("pay"), "payments", False),
        (Matches("a|payments"), "xpayments", False),
        (Matches("pay$"), "pay\n", False),
        (Matches("[0-9]+"), 7, False),
        (Begins("pay"), "payments", True),
        (Begins("pay"), "repay", False),
        (Ranges(above=10), 11, True),
        (Ranges(above=10), 10, False),
        (Ranges(at_least=2, at_most=3), 3, True),
        (Ranges(below=3), 3, False),
        (Ranges(above=0), "11", False),
        (Ranges(above=0), True, False),
        (Every((Begins("a"), Matches(".{3}"))), "abcd", False),
    ],
)
def test_conditions_go_by_the_typed_value(condition: Condition, value: Json, holds: bool) -> None:
    assert condition.holds(value) is holds


@given(st.text(max_size=8), st.text(max_size=4), st.text(max_size=4))
def test_expressions_are_anchored_at_both_ends(text: str, before: str, after: str) -> None:
    import re

    value = before + text + after
    assert Matches(re.escape(text)).holds(value) is (value == text)
    assert Matches(f"{re.escape(text)}|never").holds(value) is (value in (text, "never"))


GROUPS = st.frozensets(
    st.sampled_from(["keeper", "chief", "operator", "person:tom", "person:sam"]), min_size=1
)
OVERRIDES = st.none() | st.builds(Override, st.integers(2, 4), GROUPS | st.just(frozenset[str]()))
SPANS = st.sampled_from(
    [span("mon 08:00", "mon 10:00"), span("fri 16:00", "mon 08:00"), span("mon 00:00", "sun 00:00")]
)
RULES = st.builds(
    Rule,
    name=st.sampled_from(["a", "b", "c"]),
    tools=st.sampled_from([people("valve"), people("crane"), people("valve", "crane")]),
    approvers=GROUPS,
    when=st.sampled_from(
        [{}, {"site": OneOf(("north",))}, {"position": Ranges(above=10)}, {"site": Matches("s.*")}]
    ),
    quorum=st.integers(1, 4),
    self_approval=st.booleans(),
    reason_required=st.booleans(),
    expires_after=st.integers(1, 90).map(lambda minutes: timedelta(minutes=minutes)),
    askers=st.just(frozenset[str]()) | GROUPS,
    distinct_teams=st.integers(1, 2),
    freezes=st.lists(st.builds(Freeze, st.just("f"), SPANS, st.just("UTC"), OVERRIDES), max_size=2).map(
        tuple
    ),
    auto=st.booleans(),
    break_glass=st.none() | st.builds(BreakGlass, GROUPS, st.just(timedelta(hours=1))),
)
CALLS = st.builds(
    Call,
    st.sampled_from(["valve", "crane", "lamp"]),
    st.fixed_dictionaries({"position": st.integers(0, 100), "site": st.sampled_from(["north", "south"])}),
    st.sampled_from(["maya", "tom"]),
    st.sampled_from([OPERATORS, people("operator", "keeper"), people("guest")]),
    st.sampled_from([(), ("site",)]),
)
MOMENTS = st.integers(0, 7 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


def outcome(rules: tuple[Rule, ...], of: Call, at: datetime) -> Judgement | Refusal:
    access = {"valve": OPERATORS, "crane": OPERATORS, "lamp": OPERATORS}
    try:
        return Policy(rules, access, PEOPLE).judge(of, at)
    except ActionRefused as no:
        return no.refusal


@given(st.lists(RULES, max_size=3).map(tuple), RULES, CALLS, MOMENTS)
def test_adding_a_rule_never_makes_a_call_easier(
    rules: tuple[Rule, ...], more: Rule, of: Call, at: datetime
) -> None:
    before, after = outcome(rules, of, at), outcome((*rules, more), of, at)
    if isinstance(before, Refusal):
        assert isinstance(after, Refusal) or before.reason is Reason.NO_RULE
        return
    if isinstance(after, Refusal):
        return
    was, now = before.requirement, after.requirement
    assert now.quorum >= was.quorum
    assert now.distinct_teams >= was.distinct_teams
    assert now.reason_required >= was.reason_required
    assert now.auto <= was.auto
    assert after.expires_after <= before.expires_after
    if not was.auto:
        assert now.self_approval <= was.self_approval
        for person in PEOPLE:
            assert now.may_approve(person.id, person.roles) <= was.may_approve(person.id, person.roles)
            assert now.may_break_glass(person.id, person.roles) <= was.may_break_glass(
                person.id, person.roles
            )


ARGUMENTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=9), max_size=4
)


@given(st.lists(RULES, max_size=3).map(tuple), ARGUMENTS, MOMENTS)
def test_no_arguments_make_a_tool_allowed_that_no_rule_lists(
    rules: tuple[Rule, ...], arguments: Mapping[str, Json], at: datetime
) -> None:
    found = outcome(rules, call(arguments, tool="lamp"), at)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.NO_RULE


def test_the_moment_of_judging_is_the_one_that_is_passed_in() -> None:
    rule = valve_rule(freezes=(Freeze("once", span("2020-01-01", "2020-01-02"), "UTC"),))
    assert refused(rule, at=datetime(2020, 1, 1, 12, tzinfo=UTC)).reason is Reason.SHUT
    assert judged(rule).shut == ()
