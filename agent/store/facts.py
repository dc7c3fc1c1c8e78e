"""The audit rows that every store writes by itself, and the states it guards."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter

from agent.approvals.action import Action, State
from agent.audit.event import TRAIL, Fact, FactKind, Pruning
from tools.contract import Json, Plan, digest

GUARDED = frozenset({State.APPROVED, State.RUNNING})  # may only be entered before the action expires


def answered(speaker: str, turn: str, at: datetime, record: Mapping[str, Json]) -> Fact:
    """The audit row of a finished turn: what was asked, by which model and prompt it was answered, on which evidence.

    The answer itself stays out, and so does what the evidence says: a hash and handles tie them to the row.
    """
    receipt = record.get("receipt")
    taken = receipt if isinstance(receipt, Mapping) else {}
    data: dict[str, Json] = {
        "question": record.get("question"),
        "thread": record.get("thread"),
        "asked_at": record.get("asked_at"),
        "answer_sha256": record.get("answer_sha256"),
        "model": taken.get("model"),
        "prompt": record.get("prompt"),
        "calls": _parts(record, "calls", ("tool", "arguments", "result", "evidence", "action")),
        "evidence": [
            {"id": f"{turn}[{item.get('number')}]", **item}
            for item in _parts(record, "evidence", ("number", "tool", "source", "query", "handle"))
        ],
        "actions": record.get("actions", []),
        "files": record.get("files", []),
        "timings": {"seconds": taken.get("seconds")},
        "receipt": receipt,
    }
    return Fact(FactKind.ANSWERED, speaker, turn, at, data)


def _parts(record: Mapping[str, Json], name: str, fields: tuple[str, ...]) -> list[dict[str, Json]]:
    """These fields of every entry of a list in the record."""
    entries = record.get(name)
    if isinstance(entries, str) or not isinstance(entries, Sequence):
        return []
    return [{field: entry.get(field) for field in fields} for entry in entries if isinstance(entry, Mapping)]


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
            "changes": [
                {"what": one.what, "before": one.before, "after": one.after} for one in action.plan.changes
            ],
            "touches": list(action.plan.touches),
            "undo": action.plan.undo_text,
            "observed": dict(action.plan.observed),
            "plan_digest": plan_digest(action.plan),
            "digest": action.digest,
            "rule": action.requirement.rule,
            "approver_roles": sorted(action.requirement.approver_roles),
            "quorum": action.requirement.quorum,
            "policy_version": action.requirement.policy_version,
            "expires_at": action.expires_at.isoformat(),
            "override": action.requirement.override or None,
            "supersedes": action.supersedes,
            "thread": action.thread,
            "why": action.why,
            "turn": action.origin.turn,
            "model": action.origin.model,
            "prompt": action.origin.prompt,
            "evidence": list(action.origin.evidence),
            "undo_of": action.origin.undo_of,
            "renews": action.origin.renews,
        },
    )


def plan_digest(plan: Plan) -> str:
    """SHA-256 (hex) of the whole plan as its approvers saw it."""
    shown: Json = _plans().dump_python(plan, mode="json")
    return digest({"plan": shown})


@cache
def _plans() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


def pruned(done: Pruning, until: datetime, by: str, at: datetime) -> Fact:
    """The audit row of a pruning: what explains the bodies that are gone."""
    data: dict[str, Json] = {
        "rows": done.rows,
        "first": done.first,
        "last": done.last,
        "until": until.isoformat(),
    }
    return Fact(FactKind.PRUNED, by, TRAIL, at, data)
