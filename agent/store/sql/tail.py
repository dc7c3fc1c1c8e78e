"""The end of the audit chain, where facts are added."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Text, bindparam, cast, column, desc, func, insert, select
from sqlalchemy.dialects.postgresql import JSON

from agent.audit import chain
from agent.audit.event import Fact
from agent.store.sql.prepared import Prepared, Value
from agent.store.sql.schema import audit
from tools.contract import canonical

END = "sayso_end"  # where a connection that began with the lock keeps what it saw behind it
LAST_EVENT = Prepared(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1))
ADD_EVENT = Prepared(insert(audit).values({column.name: bindparam(column.name) for column in audit.columns}))
# All of them in one statement, which on a server is one way there and back.
ADD_EVENTS = Prepared(
    insert(audit).from_select(
        [column.name for column in audit.columns],
        select(
            func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
            .table_valued(*(column(one.name, one.type) for one in audit.columns), name="rows")
            .render_derived(with_types=True)
        ),
    )
)


def add(connection: Connection, facts: Sequence[Fact]) -> None:
    """Adds these facts to the end of the chain, which stays where it is until the transaction is over."""
    if not facts:
        return
    seq, previous = _end(connection)
    rows: list[dict[str, Value]] = []
    for fact in facts:
        event = chain.seal(seq + 1, fact, previous)
        seq, previous = event.seq, event.hash
        rows.append(
            {
                "seq": event.seq,
                "at": stamp(fact.at),
                "kind": fact.kind.value,
                "actor": fact.actor,
                "subject": fact.subject,
                "data": canonical(fact.data),
                "body_hash": event.body_hash,
                "previous": event.previous,
                "hash": event.hash,
            }
        )
    if connection.dialect.name == "postgresql":
        ADD_EVENTS.run(connection, {"rows": json.dumps(rows)})
        if END in connection.info:
            connection.info[END] = (seq, previous)
    else:
        ADD_EVENT.run_all(connection, rows)


def stamp(at: datetime) -> str:
    """A time as the trail has it: all in one zone and length, so that texts sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _end(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row, which stays the last until the transaction is over."""
    if END in connection.info:
        return connection.info[END] or (0, chain.ROOT)
    if connection.dialect.name == "postgresql":  # in SQLite, a transaction that writes has the lock already
        from agent.store.sql.postgres import LOCK

        connection.exec_driver_sql(LOCK)
    last = LAST_EVENT.run(connection, {}).one_or_none()
    return (last.seq, last.hash) if last else (0, chain.ROOT)
