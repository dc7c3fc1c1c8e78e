"""Proposals: new actions, each with its card to show and its audit row."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from agent.approvals.action import Action, ActionId, Draft, State
from agent.audit.event import Fact, FactKind
from agent.conversation.outbox import Kind
from agent.store.codec import action_of
from agent.store.facts import proposed
from agent.store.scribe import Pen
from agent.store.sql import tail
from agent.store.sql.changes import Change, columns, find_all, put_all
from agent.store.sql.due import Thing, note_due
from agent.store.sql.prepared import Prepared, Value
from agent.store.sql.rows import Many
from agent.store.sql.schema import actions

KNOWN = Many(
    lambda given: select(actions.c.key, actions.c.body).where(actions.c.key.in_(select(given.c.key))),
    key=str,
)
LAST = Prepared(select(func.max(actions.c.id).label("last")))
ADD = Many(
    lambda given: given.into(actions, "id", "key", "state", "revision", "thread", "expires_at", "body"),
    id=int,
    key=str,
    state=str,
    revision=int,
    thread=str,
    expires_at=float,
    body=str,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft, and what finishes the facts about it."""

    draft: Draft
    pen: Pen


def propose_all(connection: Connection, proposals: Sequence[Proposal]) -> list[Action]:
    """Gives each draft an id and keeps it; the action that is there already when its key was seen before."""
    keys: list[dict[str, Value]] = [{"key": key} for key in {one.draft.key for one in proposals}]
    known = {str(row.key): action_of(str(row.body)) for row in KNOWN.run(connection, keys)}
    new: dict[str, Proposal] = {}
    for one in proposals:
        if one.draft.key not in known:
            new.setdefault(one.draft.key, one)
    first = int(LAST.run(connection, {}).one().last or 0) + 1
    made = {
        key: Action.from_draft(ActionId(f"A-{first + place}"), one.draft)
        for place, (key, one) in enumerate(new.items())
    }
    _keep(connection, first, made)
    facts: list[Fact] = []
    for key, one in new.items():
        facts += _superseded(connection, made[key], one)
        facts.append(one.pen.finished(proposed(made[key]), made[key]))
    tail.add(connection, facts)
    return [(known | made)[one.draft.key] for one in proposals]


def _keep(connection: Connection, first: int, made: dict[str, Action]) -> None:
    rows: list[dict[str, Value]] = [
        {"id": first + place, "key": key, **columns(action)}
        for place, (key, action) in enumerate(made.items())
    ]
    ADD.run(connection, rows)
    things: list[Thing] = [(Kind.CARD, one.id, one.thread, one.created_at) for one in made.values()]
    note_due(connection, things)


def _superseded(connection: Connection, by: Action, proposal: Proposal) -> list[Fact]:
    """Ends the action that this one is an edit of, if it still waits; otherwise the edit is only a new proposal."""
    old = proposal.draft.supersedes
    before = None if old is None else find_all(connection, [old])[0]
    if before is None or before.state is not State.AWAITING_APPROVAL:
        return []
    after = before.moved(State.SUPERSEDED, detail=f"edited as {by.id}", at=by.created_at)
    fact = Fact(FactKind.SUPERSEDED, by.requester, before.id, by.created_at, {"by": by.id})
    put_all(connection, [Change(fact, before, after)])
    note_due(connection, [(Kind.CARD, after.id, after.thread, by.created_at)])
    return [proposal.pen.finished(fact, after)]
