"""The end of the audit chain, where facts are added."""

import json
from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import Connection, bindparam, desc, insert, select

from agent.audit import chain
from agent.audit.event import Fact
from agent.store.sql.prepared import Prepared, Value
from agent.store.sql.schema import audit

LAST_EVENT = Prepared(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1))
ADD_EVENT = Prepared(insert(audit).values({column.name: bindparam(column.name) for column in audit.columns}))


def add(connection: Connection, facts: Sequence[Fact]) -> None:
    """Adds these facts to the end of the chain, which stays where it is until the transaction is over."""
    if not facts:
        return
    if connection.dialect.name == "postgresql":  # in SQLite, a transaction that writes has the lock already
        from agent.store.sql.postgres import LOCK

        connection.exec_driver_sql(LOCK)
    last = LAST_EVENT.run(connection, {}).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, chain.ROOT)
    rows: list[dict[str, Value]] = []
    for fact in facts:
        event = chain.seal(seq + 1, fact, previous)
        seq, previous = event.seq, event.hash
        rows.append(
            {
                "seq": event.seq,
                "at": fact.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "kind": fact.kind.value,
                "actor": fact.actor,
                "subject": fact.subject,
                "data": json.dumps(fact.data, ensure_ascii=False, sort_keys=True),
                "previous": event.previous,
                "hash": event.hash,
            }
        )
    ADD_EVENT.run_all(connection, rows)
