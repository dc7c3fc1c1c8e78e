"""Notes what is still to be told, in the transaction that it comes from."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from agent.conversation.outbox import Kind, attended
from agent.store.sql.prepared import Prepared, Value
from agent.store.sql.schema import outbox

_COLUMNS = ("kind", "subject", "thread", "version", "at")
# What is due already stays where it is in the row of things to tell, and becomes newer.
DUE = Prepared(
    {
        name: insert(outbox)
        .values({column: bindparam(column) for column in _COLUMNS})
        .on_conflict_do_update(index_elements=["kind", "subject"], set_={"version": outbox.c.version + 1})
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)


def note_due(connection: Connection, kind: Kind, things: Sequence[tuple[str, str, datetime]]) -> None:
    """Subject, thread and moment of each thing."""
    rows: list[dict[str, Value]] = [
        {"kind": kind.value, "subject": subject, "thread": thread, "version": 1, "at": at.timestamp()}
        for subject, thread, at in dict.fromkeys(things)
        if not attended(thread)
    ]
    DUE.run_all(connection, rows)
