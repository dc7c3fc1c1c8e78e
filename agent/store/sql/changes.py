"""Changes of actions: each one a conditional update and its audit row, many of them in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, update

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
from agent.store.sql.prepared import Value, number
from agent.store.sql.rows import Many
from agent.store.sql.schema import actions

_NEW = ("state", "revision", "thread", "expires_at", "body")
# Into some states an action goes only before it expires: those rows say what it must not have expired by.
CHANGE = Many(
    lambda given: (
        update(actions)
        .where(
            actions.c.id == given.c.of,
            actions.c.revision == given.c.old_revision,
            actions.c.state == given.c.old_state,
            or_(given.c.not_before == 0, actions.c.expires_at > given.c.not_before),
        )
        .values({name: given.c[name] for name in _NEW})
        .returning(actions.c.id)
    ),
    of=int,
    old_revision=int,
    old_state=str,
    not_before=float,
    state=str,
    revision=int,
    thread=str,
    expires_at=float,
    body=str,
)
FIND = Many(
    lambda given: select(actions.c.id, actions.c.body).where(actions.c.id.in_(select(given.c.action))),
    action=int,
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
        for place, applied in zip(wave, put_all(connection, [changes[place] for place in wave]), strict=True):
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
    if not all(put_all(connection, changes)):
        raise StoreError("an action was changed by something that does not keep the lock of writers")
    _note_cards(connection, changes)
    tail.add(connection, facts)
    return rulings


def find_all(connection: Connection, ids: Sequence[ActionId]) -> list[Action | None]:
    """These actions, with None for those that are not there."""
    wanted: list[dict[str, Value]] = [{"action": one} for one in {number(id_) for id_ in ids}]
    found = {row.id: action_of(str(row.body)) for row in FIND.run(connection, wanted)}
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
    note_due(connection, [(Kind.CARD, action.id, action.thread, at) for action, at in changed])


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


def put_all(connection: Connection, changes: Sequence[Change]) -> list[bool]:
    """Puts what is after in the place of what was before, where that is still there; notes no fact."""
    rows = [_row(change.before, change.after, change.fact) for change in changes]
    found = {row.id for row in CHANGE.run(connection, [row for row in rows if row is not None])}
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
