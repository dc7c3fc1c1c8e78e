"""The trail for another machine: JSON Lines or CSV, each row with its hashes."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from agent.audit.event import Event
from tools.contract import Json

COLUMNS = ("seq", "at", "kind", "actor", "subject", "data", "previous", "hash")


def row(event: Event) -> dict[str, Json]:
    """One event as plain values."""
    return {
        "seq": event.seq,
        "at": event.fact.at.isoformat(timespec="microseconds"),
        "kind": event.fact.kind.value,
        "actor": event.fact.actor,
        "subject": event.fact.subject,
        "data": dict(event.fact.data),
        "previous": event.previous,
        "hash": event.hash,
    }


def json_lines(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield json.dumps(row(event), ensure_ascii=False) + "\n"


def comma_separated(events: Iterable[Event]) -> Iterator[str]:
    """CSV with a header; `data` is a JSON text in its column."""
    yield _csv_line(COLUMNS)
    for event in events:
        values = row(event)
        values["data"] = json.dumps(values["data"], ensure_ascii=False, sort_keys=True)
        yield _csv_line([str(values[column]) for column in COLUMNS])


def _csv_line(values: Iterable[str]) -> str:
    out = io.StringIO()
    # A cell that starts like a formula is one in a spreadsheet; the quote keeps it text.
    csv.writer(out).writerow([f"'{value}" if value[:1] in "=+-@" else value for value in values])
    return out.getvalue()
