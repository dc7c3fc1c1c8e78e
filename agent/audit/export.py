"""The trail for another machine: JSON Lines or CSV, each row with its hashes, as it is read."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable

from agent.audit.event import Event
from tools.contract import Json

COLUMNS = ("seq", "at", "kind", "actor", "subject", "data", "body_hash", "previous", "hash")


def row(event: Event) -> dict[str, Json]:
    """One event as plain values; `data` is null where it was pruned."""
    return {
        "seq": event.seq,
        "at": event.fact.at.isoformat(timespec="microseconds"),
        "kind": event.fact.kind.value,
        "actor": event.fact.actor,
        "subject": event.fact.subject,
        "data": None if event.pruned else dict(event.fact.data),
        "body_hash": event.body_hash,
        "previous": event.previous,
        "hash": event.hash,
    }


async def json_lines(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    async for event in events:
        yield json.dumps(row(event), ensure_ascii=False) + "\n"


async def comma_separated(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """CSV with a header; `data` is a JSON text in its column, empty where it was pruned."""
    yield _csv_line(COLUMNS)
    async for event in events:
        values = row(event)
        if values["data"] is not None:
            values["data"] = json.dumps(values["data"], ensure_ascii=False, sort_keys=True)
        yield _csv_line(["" if values[column] is None else str(values[column]) for column in COLUMNS])


def _csv_line(values: Iterable[str]) -> str:
    out = io.StringIO()
    # A cell that starts like a formula is one in a spreadsheet; the quote keeps it text.
    csv.writer(out).writerow([f"'{value}" if value[:1] in "=+-@" else value for value in values])
    return out.getvalue()
