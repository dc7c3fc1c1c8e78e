"""Exports carry every row with its hashes, and nothing that a spreadsheet would run."""

import csv
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from agent.audit.chain import ROOT, seal
from agent.audit.event import Event, Fact, FactKind
from agent.audit.export import comma_separated, json_lines
from agent.store.memory import MemoryStore
from tests.fakes.trails import lived, rows

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


async def test_both_formats_have_every_row_with_its_hash() -> None:
    store = MemoryStore()
    await lived(store)
    events = await rows(store)
    lines = [json.loads(line) async for line in json_lines(store.events())]
    table = list(csv.DictReader([line async for line in comma_separated(store.events())]))
    hashes = [event.hash for event in events]
    assert [line["hash"] for line in lines] == hashes
    assert [line["hash"] for line in table] == hashes


async def test_a_pruned_row_has_its_hashes_and_no_data() -> None:
    store = MemoryStore()
    await lived(store)
    first = json.loads(await anext(json_lines(store.events())))
    assert first["data"] is None
    assert first["body_hash"]


async def test_a_cell_that_looks_like_a_formula_stays_text() -> None:
    async def one() -> AsyncIterator[Event]:
        yield seal(1, Fact(FactKind.HEARD, "=cmd()", "T-1", NOW), ROOT)

    assert "'=cmd()" in [line async for line in comma_separated(one())][1]
