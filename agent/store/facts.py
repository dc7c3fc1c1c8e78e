"""The audit rows that every store writes by itself, and the states it guards."""

from collections.abc import Mapping
from datetime import datetime

from agent.approvals.action import Action, State
from agent.audit.event import Fact, FactKind
from tools.contract import Json

GUARDED = frozenset({State.APPROVED, State.RUNNING})  # may only be entered before the action expires


def answered(speaker: str, turn: str, at: datetime, record: Mapping[str, Json]) -> Fact:
    """The audit row of a finished turn: its receipt, and a hash that ties the kept answer to it."""
    data = {"receipt": record.get("receipt"), "answer_sha256": record.get("answer_sha256")}
    return Fact(FactKind.ANSWERED, speaker, turn, at, data)


def proposed(action: Action) -> Fact:
    """The audit row of a new action: everything its approvers were asked to agree to."""
    return Fact(
        FactKind.PROPOSED,
        action.requester,
        action.id,
        action.created_at,
        {
            "tool": action.tool,
            "tool_version": action.tool_version,
            "arguments": dict(action.arguments),
            "provenance": dict(action.provenance),
            "title": action.plan.title,
            "observed": dict(action.plan.observed),
            "digest": action.digest,
            "rule": action.requirement.rule,
            "policy_version": action.requirement.policy_version,
            "override": action.requirement.override or None,
            "supersedes": action.supersedes,
            "why": action.why,
        },
    )
