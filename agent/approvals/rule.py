"""One rule of the policy: which calls it is for, who may ask, who must agree, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.approvals.conditions import Condition
from agent.approvals.windows import Freeze, Hours, Shut
from tools.contract import Json


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who may run at once with a reason, and within what time somebody else must sign afterwards."""

    roles: frozenset[str]
    within: timedelta

    def as_json(self) -> dict[str, Json]:
        return {"roles": sorted(self.roles), "within": self.within.total_seconds()}


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom to ask as well when nobody has decided after this long. They get no right by it."""

    to: frozenset[str]
    after: timedelta

    def as_json(self) -> dict[str, Json]:
        return {"to": sorted(self.to), "after": self.after.total_seconds()}


@dataclass(frozen=True, slots=True)
class Rule:
    """For these tools, and these values of their arguments, these people must agree.

    People are named by role, or as `person:maya`. `askers` empty: everybody who has access to the tool.
    """

    name: str
    tools: frozenset[str]
    approvers: frozenset[str] = frozenset()
    when: Mapping[str, Condition] = field(default_factory=dict)
    quorum: int = 1
    self_approval: bool = False
    reason_required: bool = False
    expires_after: timedelta = timedelta(minutes=30)
    askers: frozenset[str] = frozenset()
    distinct_teams: int = 1
    hours: Hours | None = None
    freezes: tuple[Freeze, ...] = ()
    auto: bool = False
    break_glass: BreakGlass | None = None
    confirm: bool = False
    escalation: Escalation | None = None

    def fits(self, tool: str, arguments: Mapping[str, Json]) -> bool:
        """Whether the rule is for this call; an argument that is not given satisfies no condition."""
        return tool in self.tools and all(
            name in arguments and condition.holds(arguments[name]) for name, condition in self.when.items()
        )

    def shut(self, at: datetime) -> tuple[Shut, ...]:
        """Everything that shuts it at this moment."""
        found = [self.hours.shut(at)] if self.hours else []
        found += [freeze.shut(at) for freeze in self.freezes]
        return tuple(one for one in found if one is not None)

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "tools": sorted(self.tools),
            "approvers": sorted(self.approvers),
            "when": {name: condition.as_json() for name, condition in sorted(self.when.items())},
            "quorum": self.quorum,
            "self_approval": self.self_approval,
            "reason_required": self.reason_required,
            "expires_after": self.expires_after.total_seconds(),
            "askers": sorted(self.askers),
            "distinct_teams": self.distinct_teams,
            "hours": self.hours.as_json() if self.hours else None,
            "freezes": [freeze.as_json() for freeze in self.freezes],
            "auto": self.auto,
            "break_glass": self.break_glass.as_json() if self.break_glass else None,
            # Left out where unset: a policy that says nothing new keeps its version.
            **({"confirm": True} if self.confirm else {}),
            **({"escalation": self.escalation.as_json()} if self.escalation else {}),
        }
