"""Claims: actions that begin to run, each if there is room for it beside all that runs at that moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from agent.approvals.action import Action, State
from agent.approvals.ports import Room
from agent.approvals.refusal import Refusal
from agent.audit.event import Fact
from agent.store.codec import action_of
from agent.store.sql.changes import Change, apply_all
from agent.store.sql.prepared import Prepared
from agent.store.sql.schema import actions

RUNNING = Prepared(select(actions.c.body).where(actions.c.state == State.RUNNING.value))


@dataclass(frozen=True, slots=True)
class Claim:
    """A change into RUNNING, if there is room."""

    fact: Fact
    before: Action
    after: Action
    room: Room


def claim_all(connection: Connection, claims: Sequence[Claim]) -> list[bool | Refusal]:
    """Lets in one after the other, each beside what runs and those let in before it, as far as there is room."""
    running = [action_of(str(body)) for body in RUNNING.run(connection, {}).scalars()]
    outcomes: dict[int, bool | Refusal] = {}
    left = list(range(len(claims)))
    while left:
        let_in, kept_out = _by_room(claims, left, running, outcomes)
        changes = [Change(claims[place].fact, claims[place].before, claims[place].after) for place in let_in]
        done = apply_all(connection, changes)
        outcomes.update(zip(let_in, done, strict=True))
        running += [claims[place].after for place in let_in if outcomes[place] is True]
        # Where one was overtaken, somebody may have been kept out for nothing.
        left = [] if all(done) else kept_out
    return [outcomes[place] for place in range(len(claims))]


def _by_room(
    claims: Sequence[Claim],
    places: Sequence[int],
    running: Sequence[Action],
    outcomes: dict[int, bool | Refusal],
) -> tuple[list[int], list[int]]:
    """Which of these there is room for, and which not, with the refusal as their outcome."""
    beside, let_in, kept_out = list(running), list[int](), list[int]()
    for place in places:
        refusal = claims[place].room(beside)
        if refusal is None:
            beside.append(claims[place].after)
            let_in.append(place)
        else:
            outcomes[place] = refusal
            kept_out.append(place)
    return let_in, kept_out
