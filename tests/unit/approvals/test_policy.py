"""The policy: the strictest of the fitting rules, and no where there is none."""

from datetime import timedelta

import pytest

from agent.approvals.policy import Policy, PolicyGap
from agent.approvals.refusal import ActionRefused, Reason
from tests.fakes.office import valve_rule

OPERATORS = frozenset({"operator"})
ACCESS = {"valve": OPERATORS}


def test_of_two_fitting_rules_the_stricter_value_of_each_counts() -> None:
    rules = (
        valve_rule(name="all", approvers=frozenset({"keeper", "chief"}), expires_after=timedelta(hours=1)),
        valve_rule(
            name="north", when={"site": frozenset({"north"})}, quorum=2, expires_after=timedelta(minutes=5)
        ),
    )
    judged = Policy(rules, ACCESS).judge("valve", {"site": "north"}, OPERATORS)
    assert judged.requirement.rule == "all + north"
    assert judged.requirement.approver_roles == {"keeper"}
    assert judged.requirement.quorum == 2
    assert judged.expires_after == timedelta(minutes=5)


def test_self_approval_needs_every_rule_to_allow_it() -> None:
    rules = (valve_rule(self_approval=True), valve_rule(name="other"))
    assert not Policy(rules, ACCESS).judge("valve", {}, OPERATORS).requirement.self_approval


@pytest.mark.parametrize(
    ("rules", "roles", "reason"),
    [
        ((), OPERATORS, Reason.NO_RULE),
        ((valve_rule(when={"site": frozenset({"south"})}),), OPERATORS, Reason.NO_RULE),
        ((valve_rule(), valve_rule(approvers=frozenset({"chief"}))), OPERATORS, Reason.NO_RULE),
        ((valve_rule(),), frozenset({"guest"}), Reason.NO_ACCESS),
    ],
)
def test_what_is_not_allowed_is_refused(
    rules: tuple[object, ...], roles: frozenset[str], reason: Reason
) -> None:
    with pytest.raises(ActionRefused) as caught:
        Policy(rules, ACCESS).judge("valve", {"site": "north"}, roles)  # type: ignore[arg-type]  # parametrized
    assert caught.value.refusal.reason is reason


def test_a_write_tool_without_a_rule_stops_the_start() -> None:
    with pytest.raises(PolicyGap, match="crane: no policy says who must approve"):
        Policy((valve_rule(),), ACCESS).refuse_gaps(["valve", "crane"])


def test_the_version_names_exactly_the_content() -> None:
    assert Policy((valve_rule(),), ACCESS).version == Policy((valve_rule(),), ACCESS).version
    assert Policy((valve_rule(quorum=2),), ACCESS).version != Policy((valve_rule(),), ACCESS).version
