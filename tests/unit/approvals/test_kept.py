"""Actions as stores keep them: older ones still load, and newer ones come back whole."""

import json
from datetime import timedelta

from agent.approvals.action import Action, Verdict
from agent.approvals.rule import BreakGlass
from agent.approvals.windows import Freeze, Override, span
from agent.store.codec import action_of, action_text
from tests.fakes.office import Office, valve_rule

NEW = {
    "requirement": (
        "groups",
        "distinct_teams",
        "auto",
        "override",
        "break_glass",
        "countersign_within",
    ),
    "plan": ("matters",),
    "decisions": ("team",),
}


def older(action: Action) -> Action:
    """The action as it was written before policies had all they have now."""
    kept = json.loads(action_text(action))
    for name in ("glass", "drifted"):
        del kept[name]
    for section, names in NEW.items():
        for part in kept[section] if isinstance(kept[section], list) else [kept[section]]:
            for name in names:
                del part[name]
    return action_of(json.dumps(kept))


async def test_an_action_of_an_older_version_loads_and_is_decided_as_before() -> None:
    office = Office(rules=(valve_rule(quorum=2),))
    action = (await office.decisions.decide(await office.proposed(), "tom", Verdict.APPROVE)).action
    old = older(action)
    assert (old.digest, old.votes_missing, old.owed) == (action.digest, 1, False)
    assert old.requirement.approvers == (frozenset({"keeper"}),)
    assert not (await office.decisions.decide(old, "sam", Verdict.APPROVE)).action.votes_missing


async def test_an_action_with_everything_comes_back_whole() -> None:
    freeze = Freeze("f", span("mon 00:00", "tue 00:00"), "UTC", Override(2))
    glass = BreakGlass(frozenset({"operator", "person:raj"}), timedelta(hours=1))
    office = Office(rules=(valve_rule(quorum=2, distinct_teams=2, freezes=(freeze,), break_glass=glass),))
    office.valve.matters = ("position",)
    action = (await office.glasses.break_(await office.proposed(), "maya", "now")).action
    signed = (await office.glasses.countersign(action, "tom", "seen")).action
    assert action_of(action_text(signed)) == signed
