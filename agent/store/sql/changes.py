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
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSON

from agent.approvals.action import Action, ActionId
from agent.approvals.ports import Judge, Ruling
from agent.audit.event import Fact
from agent.conversation.outbox import Kind
from agent.store.codec import action_of, action_text
from agent.store.facts import GUARDED
from agent.store.port import StoreError
from agent.store.scribe import Pen
from agent.store.sql import tail
from agent.store.sql.due import note_due
from agent.store.sql.prepared import Prepared, Value, number
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
FIND = Prepared(
    {
        "sqlite": select(actions.c.id, actions.c.body).where(
            actions.c.id.in_(select(func.json_each(bindparam("wanted")).table_valued("value").c.value))
        ),
        "postgresql": select(actions.c.id, actions.c.body).where(
            actions.c.id.in_(
                select(
                    cast(
                        func.json_array_elements_text(
                            cast(bindparam("wanted", type_=Text), JSON)
                        ).column_valued("one"),
                        Integer,
                    )
                )
            )
        ),
    }
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
    left = list(range(len(changes)))
    while left:
        # One statement must not change a row twice: of several changes of an action, the first has its turn first.
        wave, later = _firsts(changes, left)
        for place, applied in zip(wave, _update(connection, [changes[place] for place in wave]), strict=True):
            done[place] = applied
        moved = {_start(change) for change in _applied(changes, done)} - {None}
        left = [place for place in later if _start(changes[place]) not in moved]  # those were overtaken
    made = _applied(changes, done)
    _note_cards(connection, made)
    tail.add(connection, [change.fact for change in made])
    return done


@dataclass(frozen=True, slots=True)
class Case:
    """An action to be judged as it stands."""

    action: ActionId
    judge: Judge
    pen: Pen


def judge_all(connection: Connection, cases: Sequence[Case]) -> list[Ruling | None]:
    """Judges one after the other, each on what the one before it left, and keeps what came of it."""
    asked = [case.action for case in cases]
    before = dict(zip(asked, find_all(connection, asked), strict=True))
    now, rulings, facts = dict(before), list[Ruling | None](), list[Fact]()
    for case in cases:
        action = now[case.action]
        ruling = None if action is None else case.judge(action)
        rulings.append(ruling)
        if ruling is not None:
            now[case.action] = ruling.action
            facts += [case.pen.finished(fact, ruling.action) for fact in ruling.facts]
    latest = {fact.subject: fact for fact in facts}
    changes = [
        Change(latest[id_], old, new)
        for id_, new in now.items()
        if (old := before[id_]) is not None and new is not old
    ]
    if not all(_update(connection, changes)):
        raise StoreError("an action was changed by something that does not keep the lock of writers")
    _note_cards(connection, changes)
    tail.add(connection, facts)
    return rulings


def find_all(connection: Connection, ids: Sequence[ActionId]) -> list[Action | None]:
    """These actions, with None for those that are not there."""
    wanted = json.dumps(sorted({number(id_) for id_ in ids}))
    found = {row.id: action_of(row.body) for row in FIND.run(connection, {"wanted": wanted})}
    return [found.get(number(id_)) for id_ in ids]


def columns(action: Action) -> dict[str, Value]:
    """An action's row without its id and key."""
    return {
        "state": action.state.value,
        "revision": action.revision,
        "thread": action.thread,
        "expires_at": action.expires_at.timestamp(),
        "body": action_text(action),
    }


def _note_cards(connection: Connection, changes: Sequence[Change]) -> None:
    """Their cards are not as they were shown any more."""
    changed = [(change.after, change.fact.at) for change in changes if change.after is not None]
    note_due(connection, Kind.CARD, [(action.id, action.thread, at) for action, at in changed])


def _start(change: Change) -> tuple[str, int] | None:
    """What it wants to change: an action as it was at a revision, which happens once."""
    return None if change.before is None else (change.before.id, change.before.revision)


def _applied(changes: Sequence[Change], done: Sequence[bool]) -> list[Change]:
    return [change for change, applied in zip(changes, done, strict=True) if applied]


def _firsts(changes: Sequence[Change], places: Sequence[int]) -> tuple[list[int], list[int]]:
    """Of these places, the first of each action and all that only record a fact; and the others."""
    firsts, others = [], []
    seen: set[str] = set()
    for place in places:
        before = changes[place].before
        if before is not None and before.id in seen:
            others.append(place)
            continue
        firsts.append(place)
        if before is not None:
            seen.add(before.id)
    return firsts, others


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
