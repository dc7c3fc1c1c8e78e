"""The policy: who may ask for which tool, and whose approval a write needs.

Of the rules that fit a call, every one must be satisfied, so the strictest wins: the largest quorum, the shortest
expiry, the roles all of them accept. A write that no rule fits is refused.

Errors::

    PolicyGap         a write tool has no rule at all; the start is refused
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from agent.approvals.action import Requirement
from agent.approvals.refusal import ActionRefused, Reason, Refusal
from tools.contract import Json, digest


class PolicyGap(Exception):
    """A tool that can change the world is enabled, and no rule says who must approve it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """For these tools, and these values of their arguments, these people must agree."""

    name: str
    tools: frozenset[str]
    approvers: frozenset[str]
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    quorum: int = 1
    self_approval: bool = False
    reason_required: bool = False
    expires_after: timedelta = timedelta(minutes=30)

    def fits(self, tool: str, arguments: Mapping[str, Json]) -> bool:
        """Whether the rule is for this call: exact values of typed arguments, never patterns over text."""
        return tool in self.tools and all(
            str(arguments.get(name)) in values for name, values in self.when.items()
        )

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "tools": sorted(self.tools),
            "approvers": sorted(self.approvers),
            "when": {name: sorted(values) for name, values in self.when.items()},
            "quorum": self.quorum,
            "self_approval": self.self_approval,
            "reason_required": self.reason_required,
            "expires_after": self.expires_after.total_seconds(),
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the policy says of one call."""

    requirement: Requirement
    expires_after: timedelta


class Policy:
    """All rules, and the version that names exactly them."""

    def __init__(self, rules: Iterable[Rule], access: Mapping[str, frozenset[str]]) -> None:
        self.rules = tuple(rules)
        self._access = dict(access)
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

    def judge(self, tool: str, arguments: Mapping[str, Json], roles: frozenset[str]) -> Judgement:
        """What a write by somebody with these roles needs. Raises `ActionRefused`."""
        if not self.may_use(tool, roles):
            allowed = ", ".join(sorted(self._access.get(tool, ()))) or "-"
            raise ActionRefused(Refusal(Reason.NO_ACCESS, {"tool": tool, "roles": allowed}))
        fitting = [rule for rule in self.rules if rule.fits(tool, arguments)]
        if not fitting:
            raise ActionRefused(Refusal(Reason.NO_RULE, {"tool": tool}))
        approvers = frozenset.intersection(*(rule.approvers for rule in fitting))
        if not approvers:
            # Rules that no single role satisfies leave nobody to say yes: refuse, rather than let one rule win.
            raise ActionRefused(Refusal(Reason.NO_RULE, {"tool": tool}))
        requirement = Requirement(
            rule=" + ".join(rule.name for rule in fitting),
            approver_roles=approvers,
            quorum=max(rule.quorum for rule in fitting),
            self_approval=all(rule.self_approval for rule in fitting),
            reason_required=any(rule.reason_required for rule in fitting),
            policy_version=self.version,
        )
        return Judgement(requirement, min(rule.expires_after for rule in fitting))

    def refuse_gaps(self, write_tools: Iterable[str]) -> None:
        """Raises `PolicyGap` naming the write tools that no rule covers."""
        covered = frozenset[str]().union(*(rule.tools for rule in self.rules))
        if missing := sorted(set(write_tools) - covered):
            raise PolicyGap(
                f"tools.enabled: {', '.join(missing)}: no policy says who must approve; add a rule under `policies` "
                "whose `tools` names it, or take it out of `enabled`"
            )
