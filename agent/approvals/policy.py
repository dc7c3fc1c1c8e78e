"""The policy: who may ask for which tool, and whose approval a write needs.

Of the rules that fit a call, every one must be satisfied, so the strictest wins: the largest quorum, the shortest
expiry, the people all of them accept, the freeze of any. A write that no rule fits is refused. Judging is a pure
function of the call and the time: adding a rule that fits never makes a call easier.

Errors::

    PolicyGap         a write tool has no rule at all, or a rule cannot mean what it says; the start is refused
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent.approvals.action import Groups, Requirement, belongs
from agent.approvals.refusal import ActionRefused, Reason, Refusal
from agent.approvals.rule import Rule
from agent.approvals.windows import Shut
from tools.contract import Json, digest

__all__ = ["Call", "Judgement", "Policy", "PolicyGap", "Rule"]


class PolicyGap(Exception):
    """A tool that can change the world is enabled, and no rule says who must approve it."""


class Member(Protocol):
    """Somebody who could approve."""

    @property
    def id(self) -> str: ...

    @property
    def roles(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """What is judged: a tool with its typed arguments, who asks, and which arguments nobody vouches for."""

    tool: str
    arguments: Mapping[str, Json]
    person: str
    roles: frozenset[str]
    untrusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the policy says of one call."""

    requirement: Requirement
    expires_after: timedelta
    rules: tuple[Rule, ...] = ()
    shut: tuple[Shut, ...] = ()  # what would be overridden


@dataclass(frozen=True, slots=True)
class _Demand:
    """What one rule asks at one moment."""

    group: frozenset[str]
    quorum: int
    reason_required: bool


class Policy:
    """All rules, and the version that names exactly them. `people` are those who could approve, where known."""

    def __init__(
        self, rules: Iterable[Rule], access: Mapping[str, frozenset[str]], people: Sequence[Member] = ()
    ) -> None:
        self.rules = tuple(rules)
        self._access = dict(access)
        self._people = tuple(people)
        self.version = digest(
            {
                "rules": [rule.as_json() for rule in self.rules],
                "access": {tool: sorted(roles) for tool, roles in self._access.items()},
            }
        )[:12]

    def may_use(self, tool: str, roles: frozenset[str]) -> bool:
        """Whether somebody with these roles may ask for the tool; one without an access rule is for nobody."""
        return not self._access.get(tool, frozenset()).isdisjoint(roles)

    def roles_for(self, tool: str) -> frozenset[str]:
        """The roles that may ask for the tool."""
        return self._access.get(tool, frozenset())

    def judge(self, call: Call, at: datetime) -> Judgement:
        """What a write needs at this moment. Raises `ActionRefused`, with the rule that says so."""
        fitting = self._fitting(call)
        shut = _overridable(fitting, at)
        judged = [rule for rule in fitting if not _runs_by_itself(rule, call, at)]
        demands = [_demand(rule, call, at) for rule in judged]
        groups = tuple(dict.fromkeys(demand.group for demand in demands))
        names = " + ".join(rule.name for rule in fitting)
        if not self._anybody(groups):
            who = " · ".join(", ".join(sorted(group)) for group in groups)
            raise ActionRefused(Refusal(Reason.NOBODY, {"rule": names, "roles": who}))
        glass = _glass(judged)
        within = [rule.break_glass.within for rule in judged if rule.break_glass]
        escalations = [rule.escalation for rule in judged if rule.escalation]
        requirement = Requirement(
            rule=names,
            approver_roles=_shown(groups),
            quorum=max((demand.quorum for demand in demands), default=0),
            self_approval=bool(judged) and all(rule.self_approval for rule in judged),
            reason_required=any(demand.reason_required for demand in demands),
            policy_version=self.version,
            groups=groups,
            distinct_teams=max((rule.distinct_teams for rule in judged), default=1),
            auto=not judged,
            override=", ".join(dict.fromkeys(one.name for one in shut)),
            break_glass=glass,
            countersign_within=min(within) if glass else None,
            confirm=any(rule.confirm for rule in judged),
            escalate_to=frozenset[str]().union(*(one.to for one in escalations)),
            escalate_after=min((one.after for one in escalations), default=None),
        )
        return Judgement(requirement, min(rule.expires_after for rule in fitting), fitting, shut)

    def refuse_gaps(self, write_tools: Iterable[str]) -> None:
        """Raises `PolicyGap` naming the write tools that no rule covers."""
        covered = frozenset[str]().union(*(rule.tools for rule in self.rules))
        if missing := sorted(set(write_tools) - covered):
            raise PolicyGap(
                f"tools.enabled: {', '.join(missing)}: no policy says who must approve; add a rule under `policies` "
                "whose `tools` names it, or take it out of `enabled`"
            )

    def _fitting(self, call: Call) -> tuple[Rule, ...]:
        """The rules for this call. Raises `ActionRefused` where there is none, or the person may not ask."""
        if not self.may_use(call.tool, call.roles):
            allowed = ", ".join(sorted(self._access.get(call.tool, ()))) or "-"
            raise ActionRefused(Refusal(Reason.NO_ACCESS, {"tool": call.tool, "roles": allowed}))
        fitting = tuple(rule for rule in self.rules if rule.fits(call.tool, call.arguments))
        if not fitting:
            others = ", ".join(rule.name for rule in self.rules if call.tool in rule.tools) or "-"
            raise ActionRefused(Refusal(Reason.NO_RULE, {"tool": call.tool, "rules": others}))
        for rule in fitting:
            if rule.askers and not belongs(call.person, call.roles, (rule.askers,)):
                fields = {"tool": call.tool, "rule": rule.name, "roles": ", ".join(sorted(rule.askers))}
                raise ActionRefused(Refusal(Reason.NOT_ASKER, fields))
        return fitting

    def _anybody(self, groups: Groups) -> bool:
        """Whether somebody is in every group; where no people are known, it is believed."""
        if not self._people:
            return True
        return any(belongs(person.id, person.roles, groups) for person in self._people)


def _overridable(rules: Sequence[Rule], at: datetime) -> tuple[Shut, ...]:
    """What shuts these rules and can be overridden. Raises `ActionRefused` for what cannot."""
    found = [(rule, one) for rule in rules for one in rule.shut(at)]
    firm = [(rule, one) for rule, one in found if one.override is None]
    if firm:
        rule, last = max(firm, key=lambda pair: pair[1].until)
        fields = {"rule": rule.name, "freeze": last.name, "until": last.until.strftime("%Y-%m-%d %H:%M UTC")}
        raise ActionRefused(Refusal(Reason.SHUT, fields))
    return tuple(one for _, one in found)


def _runs_by_itself(rule: Rule, call: Call, at: datetime) -> bool:
    """Whether the rule asks for nobody: never in a freeze, and never for a target that untrusted text named."""
    return rule.auto and not call.untrusted and not rule.shut(at)


def _demand(rule: Rule, call: Call, at: datetime) -> _Demand:
    """Whom the rule asks for now, with what an override adds. Raises `ActionRefused` where it names nobody."""
    overrides = [one.override for one in rule.shut(at) if one.override]
    named = [override.approvers for override in overrides if override.approvers]
    group = frozenset.intersection(*named) if named else rule.approvers
    if not group:
        if named:  # freezes at once whose overrides have nobody in common
            who = " · ".join(", ".join(sorted(one)) for one in named)
            raise ActionRefused(Refusal(Reason.NOBODY, {"rule": rule.name, "roles": who}))
        fields = {"rule": rule.name, "arguments": ", ".join(call.untrusted) or "-"}
        raise ActionRefused(Refusal(Reason.UNTRUSTED_AUTO, fields))
    return _Demand(
        group,
        max([rule.quorum, *(override.quorum for override in overrides)]),
        rule.reason_required or any(override.reason_required for override in overrides),
    )


def _glass(rules: Sequence[Rule]) -> Groups:
    """Who may break the glass: the people all rules allow to; nobody where one rule allows it to none."""
    if not all(rule.break_glass for rule in rules):
        return ()
    return tuple(dict.fromkeys(rule.break_glass.roles for rule in rules if rule.break_glass))


def _shown(groups: Groups) -> frozenset[str]:
    """The approvers as a card names them: those all groups have, else all that are named."""
    if not groups:
        return frozenset()
    return frozenset.intersection(*groups) or frozenset[str]().union(*groups)
