"""A store that the first version made is opened, goes on, and still proves what it holds."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from agent.store.sql.store import SqlStore
from tests.fakes.trails import FIRST_FORMAT, Signed, rows
from tools.contract import canonical

DUMP = (
    Path(__file__).parents[2] / "integration" / "store" / "version_1.sql"
)  # a store that the first version made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "sayso.db"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
        connection.execute("DELETE FROM audit")
        for line in FIRST_FORMAT.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            row["data"] = canonical(row["data"])
            connection.execute(
                "INSERT INTO audit VALUES (:seq, :at, :kind, :actor, :subject, :data, :previous, :hash)", row
            )
    return made


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqlStore]:
    opened = await SqlStore.open(file)
    yield opened
    await opened.close()


async def test_its_rows_verify_and_new_ones_follow_them(store: SqlStore) -> None:
    signed = Signed(store)
    await signed.happen(3)
    await signed.notary().sign()
    report = await signed.verified()
    assert (report.whole, report.rows, report.signed) == (True, 9, 9)


async def test_its_rows_keep_their_bodies_when_newer_ones_are_pruned(store: SqlStore) -> None:
    signed = Signed(store)
    await signed.happen(3)
    done = await store.prune(signed.now + timedelta(days=1), "nora", signed.now)
    assert (done.rows, done.kept) == (3, 6)
    assert [event.pruned for event in await rows(store)] == [False] * 6 + [True] * 3 + [False]
    assert (await signed.verified()).whole


async def test_a_change_to_one_of_its_rows_is_named(store: SqlStore, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET data = replace(data, 'fine', 'fire') WHERE seq = 4")
    report = await Signed(store).verified()
    assert (report.broken, report.problem) == (4, "its content was changed")


async def test_opening_it_twice_changes_it_once(store: SqlStore, file: Path) -> None:
    again = await SqlStore.open(file)
    assert len(await rows(again)) == 6
    await again.close()
