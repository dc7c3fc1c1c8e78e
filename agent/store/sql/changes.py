"""Changes of actions: each one a conditional update and its audit row, many of them in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    Float,
    Integer,
    String,
    Text,
    bindparam,
    cast,
    column,
    func,
    or_,
    update,
)
from sqlalchemy.dialects.postgresql import JSON

from agent.approvals.action import Action
from agent.audit.event import Fact
from agent.store.codec import action_text
from agent.store.facts import GUARDED
from agent.store.sql import tail
from agent.store.sql.prepared import Prepared, Value
from agent.store.sql.schema import actions

_NEW = ("state", "revision", "thread", "expires_at", "body")
CHANGE = Prepared(
    update(actions)
    .where(
        actions.c.id == bindparam("of"),
        actions.c.revision == bindparam("old_revision"),
        actions.c.state == bindparam("old_state"),
        or_(bindparam("not_before", type_=Float) == 0, actions.c.expires_at > bindparam("not_before")),
    )
    .values({name: bindparam(name) for name in _NEW})
)
# The same condition for many at once, in one round trip.
_ROWS = (
    func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    .table_valued(
        column("of", Integer),
        column("old_revision", Integer),
        column("old_state", String),
        column("not_before", Float),
        column("state", String),
        column("revision", Integer),
        column("thread", String),
        column("expires_at", Float),
        column("body", Text),
        name="rows",
    )
    .render_derived(with_types=True)
)
CHANGES = Prepared(
    update(actions)
    .where(
        actions.c.id == _ROWS.c.of,
        actions.c.revision == _ROWS.c.old_revision,
        actions.c.state == _ROWS.c.old_state,
        or_(_ROWS.c.not_before == 0, actions.c.expires_at > _ROWS.c.not_before),
    )
    .values({name: _ROWS.c[name] for name in _NEW})
    .returning(actions.c.id)
)


@dataclass(frozen=True, slots=True)
class Change:
    """A fact, and the action's change that it is about; without one it is only recorded."""

    fact: Fact
    before: Action | None = None
    after: Action | None = None


def apply_all(connection: Connection, changes: Sequence[Change]) -> list[bool]:
    """Applies those whose action is still as it was before, and adds their facts; says which ones."""
    done: list[bool] = [False] * len(changes)
    for wave in _waves(changes):
        for place, applied in zip(wave, _update(connection, [changes[place] for place in wave]), strict=True):
            done[place] = applied
    facts = [change.fact for change, applied in zip(changes, done, strict=True) if applied]
    tail.add(connection, facts)
    return done


def columns(action: Action) -> dict[str, Value]:
    """An action's row without its id and key."""
    return {
        "state": action.state.value,
        "revision": action.revision,
        "thread": action.thread,
        "expires_at": action.expires_at.timestamp(),
        "body": action_text(action),
    }


def number(id_: str) -> int:
    """The row number in `A-17` or `T-12`; 0, which no row has, for anything else."""
    digits = id_.partition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _waves(changes: Sequence[Change]) -> list[list[int]]:
    """Their places, in rounds that have each action once: one statement must not change a row twice."""
    rounds: list[list[int]] = []
    seen: dict[str, int] = {}
    for place, change in enumerate(changes):
        turn = 0 if change.before is None else seen.get(change.before.id, 0)
        if change.before is not None:
            seen[change.before.id] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(place)
    return rounds


def _update(connection: Connection, changes: Sequence[Change]) -> list[bool]:
    rows = [_row(change.before, change.after, change.fact) for change in changes]
    if connection.dialect.name == "sqlite":
        return [row is None or CHANGE.run(connection, row).rowcount == 1 for row in rows]
    asked = [row for row in rows if row is not None]
    if not asked:
        return [True] * len(rows)
    found = {row.id for row in CHANGES.run(connection, {"rows": json.dumps(asked)})}
    return [row is None or row["of"] in found for row in rows]


def _row(before: Action | None, after: Action | None, fact: Fact) -> dict[str, Value] | None:
    if before is None or after is None:
        return None
    guard = fact.at.timestamp() if after.state in GUARDED else 0.0
    old: dict[str, Value] = {
        "of": number(before.id),
        "old_revision": before.revision,
        "old_state": before.state.value,
        "not_before": guard,
    }
    return {**old, **columns(after)}
