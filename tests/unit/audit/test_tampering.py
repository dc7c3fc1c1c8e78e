"""Whatever is done to the rows of a trail is found, and the row is named: in memory, in SQLite and in PostgreSQL."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit.chain import Report
from agent.audit.event import Event, FactKind
from agent.store.memory import MemoryStore
from agent.store.sql.store import SqlStore
from tests.fakes.postgres import PostgresServer
from tests.fakes.trails import (
    Signed,
    lived,
    put_into_memory,
    put_into_postgres,
    put_into_sqlite,
    recomputed,
    renumbered,
    rows,
)

CHECKPOINTS = (0, 6, 12, 18, 25, 31)  # rows that `lived` signs; the pruning is row 19
ROWS = 31
EXAMPLES = 150


@dataclass(frozen=True)
class Tampering:
    """Other rows, the first row that is not as it was, and whether the hashes were made to fit again."""

    what: str
    events: list[Event]
    row: int
    hidden: bool


def changed(event: Event, field: str) -> Event:
    """The row with one thing changed."""
    fact = event.fact
    match field:
        case "actor":
            return replace(event, fact=replace(fact, actor="mallory"))
        case "subject":
            return replace(event, fact=replace(fact, subject="A-999"))
        case "at":
            return replace(event, fact=replace(fact, at=fact.at + timedelta(microseconds=1)))
        case "kind":
            return replace(event, fact=replace(fact, kind=FactKind.WITHDRAWN))
        case "data":
            return replace(event, fact=replace(fact, data={**fact.data, "reason": "another"}), pruned=False)
        case "body":
            return replace(event, fact=replace(fact, data={}), pruned=True)
        case "body_hash":
            return replace(event, body_hash="0" * 63 + "f")
        case "previous":
            return replace(event, previous="0" * 63 + "f")
        case _:
            return replace(event, hash="0" * 63 + "f")


FIELDS = ("actor", "subject", "at", "kind", "data", "body_hash", "previous", "hash")


@st.composite
def tamperings(draw: st.DrawFn, events: list[Event]) -> Tampering:
    """Any single change, removal, insertion, move or cut; hashes left alone, or computed anew."""
    place = draw(st.integers(0, len(events) - 1))
    hidden = draw(st.booleans())
    what = draw(st.sampled_from(["change", "remove", "insert", "swap", "cut"]))
    match what:
        case "change":
            one = changed(events[place], draw(st.sampled_from(FIELDS[:5] if hidden else FIELDS)))
            other = [*events[:place], one, *events[place + 1 :]]
        case "remove":
            other = [*events[:place], *events[place + 1 :]]
            hidden = hidden and place < len(events) - 1
            if place < len(events) - 1 and not hidden and draw(st.booleans()):
                other = renumbered(other)
        case "insert":
            copy = events[draw(st.integers(0, len(events) - 1))]
            new = replace(copy, fact=replace(copy.fact, actor="mallory"))
            other = renumbered([*events[:place], new, *events[place:]])
        case "swap":
            partner = draw(st.integers(0, len(events) - 1).filter(lambda other: other != place))
            other = list(events)
            other[place], other[partner] = other[partner], other[place]
            other = renumbered(other)
            place = min(place, partner)
        case _:
            other, hidden = events[:place], False
    return Tampering(what, recomputed(other) if hidden else other, place + 1, hidden)


def named(report: Report, tampering: Tampering) -> None:
    """Asserts that the report says where."""
    assert not report.whole, tampering
    rows = {problem.row for problem in report.problems}
    if tampering.hidden:  # found by the next signature, which tells between which rows
        before = max(seq for seq in CHECKPOINTS if seq < tampering.row)
        said = any(f"{before + 1} to" in problem.said for problem in report.problems)
        assert said or before + 1 in rows, (tampering.what, report)
    else:
        assert rows & {tampering.row, tampering.row + 1}, (tampering.what, report)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Signed, list[Event]]:
    file = tmp_path_factory.mktemp("trail") / "sayso.db"

    async def live() -> tuple[Signed, list[Event]]:
        store = await SqlStore.open(file)
        signed = await lived(store)
        events = await rows(store)
        await store.close()
        return signed, events

    signed, events = asyncio.run(live())
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file, signed, events


async def verified_file(file: Path, signed: Signed) -> Report:
    store = await SqlStore.open(file)
    try:
        return await Signed(store, signed.book, signed.key).verified()
    finally:
        await store.close()


def test_a_trail_that_nobody_touched_is_whole(template: tuple[Path, Signed, list[Event]]) -> None:
    file, signed, events = template
    report = asyncio.run(verified_file(file, signed))
    assert (report.whole, report.rows, report.signed, report.pruned > 0) == (True, ROWS, ROWS, True)
    assert tuple(event.seq for event in events if event.fact.kind is FactKind.PRUNED) == (19,)


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_tampering_with_rows_in_memory_is_found_and_named(data: st.DataObject) -> None:
    async def story() -> None:
        store = MemoryStore()
        signed = await lived(store)
        tampering = data.draw(tamperings(await rows(store)))
        put_into_memory(store)(tampering.events)
        named(await signed.verified(), tampering)

    asyncio.run(story())


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_tampering_with_rows_in_sqlite_is_found_and_named(
    data: st.DataObject, template: tuple[Path, Signed, list[Event]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file, signed, events = template
    tampering = data.draw(tamperings(events))
    copy = tmp_path_factory.mktemp("copy") / "sayso.db"
    shutil.copy(file, copy)
    put_into_sqlite(copy)(tampering.events)
    named(asyncio.run(verified_file(copy, signed)), tampering)


@dataclass(frozen=True)
class Served:
    """A lived trail on a server, with a loop that its store belongs to."""

    loop: asyncio.Runner
    signed: Signed
    events: list[Event]
    url: str


@pytest.fixture(scope="module")
def served(postgres: PostgresServer) -> Iterator[Served]:
    url = postgres.database()
    with asyncio.Runner() as loop:
        store = loop.run(SqlStore.open(url))
        signed = loop.run(lived(store))
        yield Served(loop, signed, loop.run(rows(store)), url)
        loop.run(store.close())


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_tampering_with_rows_in_postgres_is_found_and_named(data: st.DataObject, served: Served) -> None:
    tampering = data.draw(tamperings(served.events))
    put_into_postgres(served.url)(tampering.events)
    named(served.loop.run(served.signed.verified()), tampering)


def test_a_trail_in_postgres_that_was_put_back_is_whole(served: Served) -> None:
    put_into_postgres(served.url)(served.events)
    report = served.loop.run(served.signed.verified())
    assert (report.whole, report.rows, report.signed) == (True, ROWS, ROWS)


COLUMNS = ("at", "kind", "actor", "subject", "data", "body_hash", "previous", "hash")


@settings(max_examples=EXAMPLES)
@given(
    seq=st.integers(1, ROWS),
    column=st.sampled_from(COLUMNS),
    place=st.floats(0, 1, exclude_max=True),
    sign=st.characters(min_codepoint=32, max_codepoint=126),
)
def test_a_single_character_changed_in_any_column_is_found(
    template: tuple[Path, Signed, list[Event]],
    tmp_path_factory: pytest.TempPathFactory,
    seq: int,
    column: str,
    place: float,
    sign: str,
) -> None:
    file, signed, _ = template
    copy = tmp_path_factory.mktemp("copy") / "sayso.db"
    shutil.copy(file, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        (text,) = connection.execute(f"SELECT {column} FROM audit WHERE seq = ?", (seq,)).fetchone()
        at = int(place * len(text))
        other = text[:at] + sign + text[at + 1 :]
        connection.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (other, seq))
    report = asyncio.run(verified_file(copy, signed))
    if other == text:
        assert report.whole
    else:
        assert {problem.row for problem in report.problems} & {seq, seq + 1}


def test_a_column_that_is_emptied_is_found(
    template: tuple[Path, Signed, list[Event]], tmp_path: Path
) -> None:
    file, signed, _ = template
    for column in COLUMNS:
        copy = tmp_path / f"{column}.db"
        shutil.copy(file, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute(f"UPDATE audit SET {column} = '' WHERE seq = 25")
        assert asyncio.run(verified_file(copy, signed)).broken in (25, 26), column
