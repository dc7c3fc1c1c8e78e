"""An action: a proposed write, from the proposal to its outcome.

::

    AWAITING_APPROVAL ─▶ APPROVED ─▶ RUNNING ─▶ SUCCEEDED | FAILED
        │                    │           └────▶ UNKNOWN ─▶ SUCCEEDED | FAILED
        └▶ REJECTED | EXPIRED | WITHDRAWN | SUPERSEDED
                             └▶ STALE | EXPIRED | WITHDRAWN
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tools.contract import Json, Plan, digest


class ImpossibleStep(Exception):
    """A state was asked for that the action cannot go to: an error of the program, not of a person."""


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
class Origin:
    """How a proposal came about, for the trail: in which turn, by which model and prompt, on which evidence.

    Empty where a person proposed it directly; `undo_of` names the failed action that it takes back.
    """

    turn: str = ""
    model: str = ""
    prompt: str = ""  # name, version and hash
    evidence: tuple[str, ...] = ()  # "T-12[3]"
    undo_of: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal before it has an id."""

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
    supersedes: ActionId | None = None
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Action:
    """A proposed write with everything its approvers were shown. `revision` grows with every change."""

    id: ActionId
    key: str
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
    worker: str | None = None  # who claimed it
    origin: Origin = Origin()

    @classmethod
    def from_draft(cls, id_: ActionId, draft: Draft) -> "Action":
        return cls(
            id=id_,
            key=draft.key,
            tool=draft.tool,
            tool_version=draft.tool_version,
            arguments=draft.arguments,
            provenance=draft.provenance,
            requester=draft.requester,
            thread=draft.thread,
            why=draft.why,
            plan=draft.plan,
            requirement=draft.requirement,
            created_at=draft.created_at,
            expires_at=draft.expires_at,
            supersedes=draft.supersedes,
            origin=draft.origin,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of tool, version, arguments, the observed world and the policy: what a decision is for."""
        return digest(
            {
                "tool": self.tool,
                "tool_version": self.tool_version,
                "arguments": dict(self.arguments),
                "observed": dict(self.plan.observed),
                "policy_version": self.requirement.policy_version,
            }
        )

    @property
    def approvals(self) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.verdict is Verdict.APPROVE)

    @property
    def votes_missing(self) -> int:
        """How many more people have to approve."""
        return max(0, self.requirement.quorum - len(self.approvals))

    @property
    def over(self) -> bool:
        return self.state not in NEXT

    def moved(self, state: State, *, detail: str | None = None, at: datetime | None = None) -> "Action":
        """The action in its next state. Raises `ImpossibleStep` where the diagram has no arrow."""
        if state not in NEXT.get(self.state, frozenset()):
            raise ImpossibleStep(f"{self.id}: {self.state.value} cannot become {state.value}")
        ended = at if state not in NEXT else None
        return replace(
            self,
            state=state,
            revision=self.revision + 1,
            detail=self.detail if detail is None else detail,
            started_at=at if state is State.RUNNING else self.started_at,
            ended_at=ended or self.ended_at,
        )

    def voted(self, decision: Decision) -> "Action":
        """The action with one more vote: approved at the quorum, rejected at the first no, else still waiting."""
        counted = replace(self, decisions=(*self.decisions, decision))
        if decision.verdict is Verdict.REJECT:
            return counted.moved(State.REJECTED, detail=decision.reason, at=decision.at)
        if counted.votes_missing:
            return replace(counted, revision=self.revision + 1)
        return counted.moved(State.APPROVED)
