"""An action: a proposed write, from the proposal to its outcome.

::

    AWAITING_APPROVAL ─▶ APPROVED ─▶ RUNNING ─▶ SUCCEEDED | FAILED
        │                    │           └────▶ UNKNOWN ─▶ SUCCEEDED | FAILED
        └▶ REJECTED | EXPIRED | WITHDRAWN | SUPERSEDED
                             └▶ STALE | EXPIRED | WITHDRAWN
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tools.contract import Json, Plan, digest

ActionId = NewType("ActionId", str)  # "A-17"


class State(StrEnum):
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    STALE = "stale"


NEXT: Mapping[State, frozenset[State]] = {
    State.AWAITING_APPROVAL: frozenset(
        {State.APPROVED, State.REJECTED, State.EXPIRED, State.WITHDRAWN, State.SUPERSEDED}
    ),
    State.APPROVED: frozenset({State.RUNNING, State.STALE, State.EXPIRED, State.WITHDRAWN}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.SUCCEEDED, State.FAILED}),
}


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's word on one action, for exactly the content its digest stands for."""

    action: ActionId
    digest: str
    person: str
    verdict: Verdict
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Requirement:
    """What policy asks of an action, fixed when it was proposed."""

    rule: str  # the name of the policy rule that says so
    approver_roles: frozenset[str]
    quorum: int = 1
    self_approval: bool = False
    reason_required: bool = False
    policy_version: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A proposed write with everything its approvers were shown. `revision` grows with every change."""

    id: ActionId
    key: str  # turn and position: the same turn started over makes no second action
    tool: str
    tool_version: str
    arguments: Mapping[str, Json]
    provenance: Mapping[str, str]
    requester: str
    thread: str
    why: str
    plan: Plan
    requirement: Requirement
    created_at: datetime
    expires_at: datetime
    state: State = State.AWAITING_APPROVAL
    revision: int = 0
    decisions: tuple[Decision, ...] = field(default=())
    supersedes: ActionId | None = None
    superseded_by: ActionId | None = None
    detail: str = ""  # what the outcome was, or why it ended
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over tool, version, arguments, the world the plan rests on, and the policy: what a decision is for."""
        return digest(
            {
                "tool": self.tool,
                "tool_version": self.tool_version,
                "arguments": dict(self.arguments),
                "observed": dict(self.plan.observed),
                "policy_version": self.requirement.policy_version,
            }
        )
