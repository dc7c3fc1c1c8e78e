"""Rules that ask for more people than there are: what they cover can be proposed, and never approved."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.approvals.action import belongs
from agent.approvals.forecast import TeamMember
from agent.approvals.policy import Policy
from agent.approvals.rule import Rule


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A rule that cannot be met for what some people ask. People are ids, in their settings' order."""

    rule: Rule
    tools: tuple[str, ...]
    askers: tuple[str, ...]  # whose requests nobody can approve
    approvers: tuple[str, ...]  # who may approve, had somebody else asked
    whoever_asks: bool

    def said(self) -> str:
        """What cannot be approved, and why."""
        roles = " or ".join(sorted(self.rule.approvers))
        people = "one person" if self.rule.quorum == 1 else f"{self.rule.quorum} people"
        teams = f" from {self.rule.distinct_teams} different teams" if self.rule.distinct_teams > 1 else ""
        there = ", ".join(self.approvers) or "nobody"
        own = "; one's own yes does not count" if self.approvers and not self.rule.self_approval else ""
        when = "" if self.whoever_asks else f" when {' or '.join(self.askers)} asks for it"
        return (
            f"{self.rule.name}: {' or '.join(self.tools)} can never be approved{when}: it needs {people} of {roles}"
            f"{teams}, and of those there is {there}{own}"
        )


def shortfalls(policy: Policy, tools: Collection[str], people: Sequence[TeamMember]) -> Iterator[Shortfall]:
    """Every rule over one of these write tools that too few could meet, for all or for some who may ask."""
    for rule in policy.rules:
        covered = tuple(sorted(rule.tools & set(tools)))
        if rule.auto or not covered:
            continue
        askers = [person for person in people if _may_ask(policy, rule, covered, person)]
        fitting = [person for person in people if belongs(person.id, person.roles, (rule.approvers,))]
        stuck = [asker for asker in askers if not _enough(rule, fitting, asker)]
        if stuck:
            yield Shortfall(
                rule,
                covered,
                tuple(person.id for person in stuck),
                tuple(person.id for person in fitting),
                len(stuck) == len(askers),
            )


def _may_ask(policy: Policy, rule: Rule, tools: Sequence[str], person: TeamMember) -> bool:
    allowed = any(policy.may_use(tool, person.roles) for tool in tools)
    return allowed and (not rule.askers or belongs(person.id, person.roles, (rule.askers,)))


def _enough(rule: Rule, fitting: Sequence[TeamMember], asker: TeamMember) -> bool:
    """Whether those who may approve are as many, of as many teams, as the rule asks, when this person asks."""
    able = [person for person in fitting if rule.self_approval or person.id != asker.id]
    teams = {person.team for person in able} - {""}
    return len(able) >= rule.quorum and (rule.distinct_teams == 1 or len(teams) >= rule.distinct_teams)
