"""Lines that sayso says by itself, such as the outcome of an action."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from agent.approvals.action import ActionId
from agent.conversation.outbox import Kind
from agent.conversation.thread import ThreadId
from agent.store.sql.due import Thing, note_due
from agent.store.sql.prepared import Value
from agent.store.sql.rows import Each, Many
from agent.store.sql.schema import notices, turns

SAY = Many(
    lambda given: (
        given.into(notices, "thread", "after", "text", "at", "key")
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(notices.c.id, notices.c.key)
    ),
    thread=str,
    after=int,
    text=str,
    at=float,
    key=str,
)
LAST_TURNS = Each(
    lambda values: select(func.max(turns.c.id).label("turn")).where(turns.c.thread == values["thread"]),
    thread=str,
)


@dataclass(frozen=True, slots=True)
class OwnLine:
    """One of them: with a key it is said once, and with `card` that card is shown anew."""

    thread: ThreadId
    text: str
    at: datetime
    key: str | None
    card: ActionId | None


def say_all(connection: Connection, lines: Sequence[OwnLine]) -> list[None]:
    """Says each behind the last turn of its thread, those with a key once."""
    last = LAST_TURNS.run(connection, [{"thread": line.thread} for line in lines])
    rows: list[dict[str, Value]] = [
        {
            "thread": line.thread,
            "after": found[0].turn or 0,
            "text": line.text,
            "at": line.at.timestamp(),
            "key": line.key,
        }
        for line, found in zip(lines, last, strict=True)
    ]
    keyed = {row.key: row.id for row in SAY.run(connection, [row for row in rows if row["key"] is not None])}
    things: list[Thing] = []
    for line, row in zip(lines, rows, strict=True):
        made = SAY.run(connection, [row])[0].id if line.key is None else keyed.pop(line.key, None)
        if made is not None:
            things.append((Kind.NOTICE, f"N-{made}", line.thread, line.at))
            things += [] if line.card is None else [(Kind.CARD, line.card, line.thread, line.at)]
    note_due(connection, things)
    return [None] * len(lines)
