"""An action: a proposed write, from the proposal to its outcome.

::

    AWAITING_APPROVAL ─▶ APPROVED ─▶ RUNNING ─▶ SUCCEEDED | FAILED
        │                    │           └────▶ UNKNOWN ─▶ SUCCEEDED | FAILED
        └▶ REJECTED | EXPIRED | WITHDRAWN | SUPERSEDED
                             └▶ STALE | EXPIRED | WITHDRAWN
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, TypeAlias

from tools.contract import Change, Json, Plan, digest


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
    team: str = ""  # the person's team when they decided; empty where none is known


Groups: TypeAlias = tuple[frozenset[str], ...]  # a person must belong to every one: roles, or `person:maya`


def belongs(person: str, roles: frozenset[str], groups: Groups) -> bool:
    """Whether somebody with these roles is in every group."""
    keys = roles | {f"person:{person}"}
    return all(not group.isdisjoint(keys) for group in groups)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What policy asks of an action, fixed when it was proposed.

    `approver_roles` is for readers; who may decide is in `groups`, of which an older action has none.
    """

    rule: str  # the name of the policy rule that says so
    approver_roles: frozenset[str]
    quorum: int = 1
    self_approval: bool = False
    reason_required: bool = False
    policy_version: str = ""
    groups: Groups = ()
    distinct_teams: int = 1  # from how many different teams the approvers must come; 1 asks for none
    auto: bool = False  # it needs nobody's approval
    override: str = ""  # the freeze or hours it would override; empty where nothing is shut
    break_glass: Groups = ()  # who may run it at once and have it signed afterwards; empty: nobody
    countersign_within: timedelta | None = None
    confirm: bool = False  # a yes is asked for twice, where it is a click
    escalate_to: frozenset[str] = frozenset()  # roles and people to ask as well, if nobody decides
    escalate_after: timedelta | None = None

    @property
    def approvers(self) -> Groups:
        """The groups that an approver must all belong to."""
        return self.groups or (self.approver_roles,)

    def may_approve(self, person: str, roles: frozenset[str]) -> bool:
        return belongs(person, roles, self.approvers)

    def may_break_glass(self, person: str, roles: frozenset[str]) -> bool:
        return bool(self.break_glass) and belongs(person, roles, self.break_glass)


@dataclass(frozen=True, slots=True)
class Glass:
    """A run without approval: who took it on themselves, why, and until when a second signature is due."""

    person: str
    reason: str
    at: datetime
    due_at: datetime
    signed: Decision | None = None  # the second signature


@dataclass(frozen=True, slots=True)
class Origin:
    """How a proposal came about, for the trail: in which turn, by which model and prompt, on which evidence.

    Empty where a person proposed it directly; `undo_of` names the failed action that it takes back, `renews` the stale
    one that it is the same as.
    """

    turn: str = ""
    model: str = ""
    prompt: str = ""  # name, version and hash
    evidence: tuple[str, ...] = ()  # "T-12[3]"
    undo_of: str = ""
    renews: str = ""


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
    glass: Glass | None = None  # it ran without approval; a second signature is due
    drifted: tuple[Change, ...] = ()  # STALE: what the world was when it was approved, and what it was then
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
        """How many more people have to approve, at least: each can bring one more team."""
        people = self.requirement.quorum - len(self.approvals)
        return max(0, people, self.teams_missing)

    @property
    def teams_missing(self) -> int:
        """From how many more teams somebody has to approve."""
        wanted = self.requirement.distinct_teams
        return max(0, wanted - len({vote.team for vote in self.approvals if vote.team})) if wanted > 1 else 0

    @property
    def owed(self) -> bool:
        """Whether it ran without approval and its second signature is missing."""
        return self.glass is not None and self.glass.signed is None

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

    def broken(self, person: str, reason: str, at: datetime) -> "Action":
        """The action approved by one person's word alone, with the signature that is due for it."""
        due = at + (self.requirement.countersign_within or timedelta())
        return replace(self.moved(State.APPROVED), glass=Glass(person, reason, at, due))

    def signed(self, decision: Decision) -> "Action":
        """The action with its second signature. Only for one that owes it."""
        if self.glass is None:
            raise ImpossibleStep(f"{self.id}: nothing is owed")
        return replace(self, revision=self.revision + 1, glass=replace(self.glass, signed=decision))

    def voted(self, decision: Decision) -> "Action":
        """The action with one more vote: approved at the quorum, rejected at the first no, else still waiting."""
        counted = replace(self, decisions=(*self.decisions, decision))
        if decision.verdict is Verdict.REJECT:
            return counted.moved(State.REJECTED, detail=decision.reason, at=decision.at)
        if counted.votes_missing:
            return replace(counted, revision=self.revision + 1)
        return counted.moved(State.APPROVED)
