"""What the policy would do with a call, and how two policies differ about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from agent.approvals.action import Groups, Requirement, belongs
from agent.approvals.policy import Call, Member, Policy
from agent.approvals.refusal import ActionRefused, Refusal
from agent.approvals.windows import Shut
from tools.contract import Json


class Outlook(StrEnum):
    """What would become of a call."""

    ALLOWED = "allowed"  # proposed, and it waits for approval
    AUTO = "auto"  # runs without anybody's approval
    REFUSED = "refused"


class TeamMember(Member, Protocol):
    """Somebody who could approve, with their team."""

    @property
    def team(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would happen, which rule says so, and who could have a say. People are ids, in their settings' order."""

    outlook: Outlook
    rule: str
    refusal: Refusal | None = None
    need: Requirement | None = None
    approvers: tuple[str, ...] = ()
    glass: tuple[str, ...] = ()
    expires_after: timedelta = timedelta()
    shut: tuple[Shut, ...] = ()
    teams: int = 0  # how many teams those people are of
    own: bool = False  # whether who asks could approve it, had somebody else asked

    @property
    def enough(self) -> bool:
        """Whether those people are as many, of as many teams, as it takes."""
        if self.need is None or self.need.auto:
            return True
        return len(self.approvers) >= self.need.quorum and self.enough_teams

    @property
    def enough_teams(self) -> bool:
        return self.need is None or self.need.distinct_teams == 1 or self.teams >= self.need.distinct_teams

    @property
    def quorum(self) -> int:
        return self.need.quorum if self.need else 0

    @property
    def override(self) -> str:
        return self.need.override if self.need else ""

    def as_json(self) -> dict[str, Json]:
        need, no = self.need, self.refusal
        return {
            "outcome": self.outlook.value,
            "rule": self.rule,
            "refused": {"reason": no.reason.value, **no.fields} if no else None,
            "approvers": list(self.approvers),
            "quorum": self.quorum,
            "distinct_teams": need.distinct_teams if need else 1,
            "groups": [sorted(group) for group in need.groups] if need else [],
            "self_approval": bool(need and need.self_approval),
            "reason_required": bool(need and need.reason_required),
            "expires_after": self.expires_after.total_seconds(),
            "override": [
                {"freeze": one.name, "until": one.until.isoformat()} for one in self.shut if self.override
            ],
            "break_glass": list(self.glass),
            "enough_approvers": self.enough,
        }


def forecast(policy: Policy, people: Sequence[TeamMember], call: Call, at: datetime) -> Forecast:
    """What would become of this call at this moment, if these were all the people."""
    try:
        judged = policy.judge(call, at)
    except ActionRefused as refused:
        no = refused.refusal
        return Forecast(Outlook.REFUSED, no.fields.get("rule", ""), no)
    need = judged.requirement
    fitting = [person for person in people if need.may_approve(person.id, person.roles)]
    able = [person for person in fitting if person.id != call.person or need.self_approval]
    return Forecast(
        Outlook.AUTO if need.auto else Outlook.ALLOWED,
        need.rule,
        need=need,
        approvers=tuple(person.id for person in able),
        glass=_members(people, need.break_glass),
        expires_after=judged.expires_after,
        shut=judged.shut,
        teams=len({person.team for person in able} - {""}),
        own=len(able) < len(fitting),
    )


def _members(people: Sequence[Member], groups: Groups) -> tuple[str, ...]:
    return tuple(person.id for person in people if groups and belongs(person.id, person.roles, groups))


@dataclass(frozen=True, slots=True)
class Difference:
    """One respect in which two forecasts differ; `what` is a key of `[policy_difference]` in the words."""

    what: str
    was: str
    now: str


def differences(was: Forecast, now: Forecast) -> tuple[Difference, ...]:
    """In which respects `now` treats a call differently. Names of rules are no difference."""
    views: tuple[tuple[str, Callable[[Forecast], str]], ...] = (
        ("outcome", lambda one: one.outlook.value),
        ("reason", lambda one: one.refusal.reason.value if one.refusal else "-"),
        ("quorum", lambda one: str(one.quorum)),
        ("approvers", lambda one: ", ".join(sorted(one.approvers)) or "-"),
        ("teams", lambda one: str(one.need.distinct_teams) if one.need else "-"),
        ("self_approval", lambda one: _yes(one.need and one.need.self_approval)),
        ("reason_required", lambda one: _yes(one.need and one.need.reason_required)),
        ("expires", lambda one: length(one.expires_after)),
        ("override", lambda one: one.override or "-"),
        ("break_glass", lambda one: ", ".join(sorted(one.glass)) or "-"),
    )
    if was.outlook is not now.outlook and Outlook.REFUSED in (was.outlook, now.outlook):
        views = views[:2]  # the rest follows from that
    found = [Difference(what, view(was), view(now)) for what, view in views]
    return tuple(one for one in found if one.was != one.now)


def length(duration: timedelta) -> str:
    """A length of time as settings write it."""
    seconds = round(duration.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _yes(value: object) -> str:
    return "yes" if value else "no"
