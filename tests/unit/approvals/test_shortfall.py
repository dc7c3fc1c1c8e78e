"""Rules that ask for more people than there are."""

from agent.approvals.policy import Policy
from agent.approvals.rule import Rule
from agent.approvals.shortfall import Shortfall, shortfalls
from agent.people.person import Person

MAYA = Person("maya", "Maya", frozenset({"engineer", "manager"}), team="pay")
TOM = Person("tom", "Tom", frozenset({"engineer"}), team="pay")
RAJ = Person("raj", "Raj", frozenset({"manager"}), team="pay")


def found(*people: Person, access: str = "engineer", **how: object) -> list[Shortfall]:
    rule = Rule("changes", frozenset({"deploy", "scale"}), frozenset({"manager"}), **how)  # type: ignore[arg-type]
    return list(shortfalls(Policy([rule], {"deploy": frozenset({access})}), ["deploy"], people))


def test_a_rule_that_is_met_whoever_asks_is_no_shortfall() -> None:
    assert found(MAYA, TOM, RAJ) == []


def test_where_nobody_has_a_role_of_the_approvers_nothing_can_be_approved() -> None:
    (short,) = found(TOM)
    assert (short.whoever_asks, short.approvers, short.tools) == (True, (), ("deploy",))
    assert "deploy can never be approved: it needs one person of manager" in short.said()
    assert short.said().endswith("of those there is nobody")


def test_the_only_approver_cannot_approve_what_they_asked_for_themselves() -> None:
    (short,) = found(MAYA, TOM)
    assert (short.whoever_asks, short.askers, short.approvers) == (False, ("maya",), ("maya",))
    assert "deploy can never be approved when maya asks for it" in short.said()
    assert "there is maya; one's own yes does not count" in short.said()
    assert found(MAYA, TOM, self_approval=True) == []


def test_a_quorum_over_the_number_of_approvers_is_a_shortfall() -> None:
    (short,) = found(TOM, RAJ, quorum=2)
    assert (short.whoever_asks, short.approvers) == (True, ("raj",))
    assert "it needs 2 people of manager, and of those there is raj" in short.said()


def test_people_of_one_team_are_no_two_teams() -> None:
    (short,) = found(TOM, MAYA, RAJ, quorum=2, distinct_teams=2, self_approval=True)
    assert "2 people of manager from 2 different teams, and of those there is maya, raj" in short.said()


def test_what_needs_nobody_or_nobody_may_ask_for_is_none() -> None:
    assert found(TOM, auto=True) == []
    assert found(TOM, access="admin") == []
    assert found(TOM, askers=frozenset({"admin"})) == []
