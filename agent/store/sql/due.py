"""Notes what is still to be told, in the transaction that it comes from."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from agent.conversation.outbox import Kind, attended
from agent.store.sql.prepared import Value
from agent.store.sql.rows import Many
from agent.store.sql.schema import outbox

# What is due already stays where it is in the row of things to tell, and becomes newer.
DUE = Many(
    lambda given: given.into(outbox, "kind", "subject", "thread", "version", "at").on_conflict_do_update(
        index_elements=["kind", "subject"], set_={"version": outbox.c.version + 1}
    ),
    kind=str,
    subject=str,
    thread=str,
    version=int,
    at=float,
)
Thing = tuple[Kind, str, str, datetime]  # of this kind, about this subject, in this thread, since this moment


def note_due(connection: Connection, things: Iterable[Thing]) -> None:
    """Each thing once, however often it changed in this transaction."""
    rows: dict[tuple[Kind, str], dict[str, Value]] = {
        (kind, subject): {
            "kind": kind.value,
            "subject": subject,
            "thread": thread,
            "version": 1,
            "at": at.timestamp(),
        }
        for kind, subject, thread, at in things
        if not attended(thread)
    }
    DUE.run(connection, list(rows.values()))
