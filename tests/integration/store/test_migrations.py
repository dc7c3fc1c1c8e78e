"""Stores of other versions: taken over, migrated once, under a lock, with a copy, up and down, or refused."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, text

from agent.approvals.action import ActionId, State
from agent.audit.chain import verify
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.store.port import StoreError, StoreNewer
from agent.store.sql import schema, versions
from agent.store.sql.database import Database, database
from agent.store.sql.migrate import NOTHING, migrate
from agent.store.sql.store import SqlStore
from agent.store.sql.versions import SHIPPED, Scripts
from tests.fakes.office import Office
from tests.fakes.postgres import PostgresServer

ROOT = Path(__file__).parents[3]
OLD = Path(__file__).with_name("version_1.sql")  # a dump of a store that the first version made
NEXT = f"{int(schema.HEAD) + 1:04d}"
MIGRATION = f'''"""A step of tomorrow."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{schema.HEAD}"


def upgrade() -> None:
    op.add_column("turns", sa.Column("length", sa.Integer))
    op.execute("UPDATE turns SET length = length(question)")


def downgrade() -> None:
    op.drop_column("turns", "length")
'''


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "sayso.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The file that the first version made."""
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
    return file


@pytest.fixture
def tomorrow(tmp_path: Path) -> Scripts:
    """The migrations that there are, and one more."""
    return scripts(tmp_path / "tomorrow", MIGRATION)


def scripts(folder: Path, migration: str) -> Scripts:
    shutil.copytree(SHIPPED.folder / "versions", folder / "versions")
    (folder / "versions" / "next.py").write_text(migration, encoding="utf-8")
    return Scripts(folder, NEXT)


async def opened(place: Path | str, scripts: Scripts = SHIPPED) -> tuple[Database, list[str]]:
    notes: list[str] = []
    found = database(place, scripts)
    await found.open(notes.append)
    return found, notes


async def test_a_store_of_the_first_version_is_taken_over_whole(old: Path) -> None:
    office = Office(store=await SqlStore.open(old))
    done, waiting = await office.store.action(ActionId("A-1")), await office.store.action(ActionId("A-2"))
    assert done is not None
    assert waiting is not None
    assert (done.state, waiting.state) == (State.SUCCEEDED, State.AWAITING_APPROVAL)
    assert [turn.question for turn in await office.store.unfinished()] == ["and then?"]
    assert len(await office.store.replies(TurnId("T-1"))) == 1
    lines = [line.text for line in await office.store.history(ThreadId("terminal:maya"), TurnId("T-2"), 10)]
    assert lines == ["move the valve to 20, s'il vous plaît", "A-1 waits for approval", "A-1 is done"]
    # It goes on where it was: the same chain, the next numbers.
    assert (await office.proposed(60, key="T-3/0")).id == "A-3"
    report = verify([event async for event in office.store.events()])
    assert (report.whole, report.checked) == (True, 8)
    await office.store.close()


async def test_the_tables_that_are_made_at_once_are_those_of_all_migrations(place: Path | str) -> None:
    made, _ = await opened(place, Scripts(SHIPPED.folder, schema.HEAD))  # from nothing, step by step

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, schema.metadata)
        return found

    assert await made.safe(differences) == []
    assert await made.read(versions.revision) == schema.HEAD
    await made.close()


async def test_a_migration_goes_up_and_down_and_keeps_what_is_there(
    place: Path | str, tomorrow: Scripts
) -> None:
    office = Office(store=await SqlStore.open(place))
    said = Said("e1", ThreadId("terminal:maya"), "maya", "hello", office.clock())
    await office.store.hear(said)
    await office.proposed()
    await office.store.close()

    newer, notes = await opened(place, tomorrow)
    assert len(notes) == 1
    assert f"from format {schema.HEAD} to {NEXT}" in notes[0]
    length = text("SELECT length FROM turns")
    assert await newer.read(lambda connection: connection.execute(length).scalars().all()) == [5]
    await newer.safe(lambda connection: migrate(connection, tomorrow, schema.HEAD))
    await newer.close()

    office.store = await SqlStore.open(place)
    assert [turn.question for turn in await office.store.unfinished()] == ["hello"]
    kept = await office.store.action(ActionId("A-1"))
    assert kept is not None
    assert verify([event async for event in office.store.events()]).checked == 1
    await office.store.close()

    again, notes = await opened(place, tomorrow)
    assert len(notes) == 1
    await again.safe(lambda connection: migrate(connection, tomorrow, NOTHING))
    assert await again.read(lambda connection: inspect(connection).get_table_names()) in (
        ["alembic_version"],
        [],
    )
    await again.close()


async def test_before_a_migration_the_file_is_copied(old: Path, tomorrow: Scripts) -> None:
    newer, notes = await opened(old, tomorrow)
    await newer.close()
    copy = old.with_name("old.db.before-0001")
    assert str(copy) in notes[0]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    store = await SqlStore.open(copy)
    assert len(await store.actions()) == 2
    assert verify([event async for event in store.events()]).checked == 7
    await store.close()


async def test_a_migration_that_fails_changes_nothing(place: Path | str, tmp_path: Path) -> None:
    office = Office(store=await SqlStore.open(place))
    await office.proposed()
    await office.store.close()
    broken = scripts(
        tmp_path / "broken",
        MIGRATION.replace("def downgrade", '    op.execute("DROP nonsense")\n\n\ndef downgrade'),
    )
    with pytest.raises(StoreError, match="nonsense"):
        await opened(place, broken)
    office.store = await SqlStore.open(place)
    assert len(await office.store.actions()) == 1
    await office.store.close()


async def test_a_store_of_a_newer_version_is_refused(place: Path | str, tomorrow: Scripts) -> None:
    newer, _ = await opened(place, tomorrow)
    # Versions of sayso from before there were migrations look at this number.
    number = select(schema.meta.c.value).where(schema.meta.c.name == "version")
    assert await newer.read(lambda connection: connection.execute(number).scalar()) == str(int(NEXT))
    await newer.close()
    with pytest.raises(StoreNewer, match="upgrade sayso"):
        await SqlStore.open(place)


async def test_processes_that_start_at_once_migrate_once(place: Path | str, tomorrow: Scripts) -> None:
    store = await SqlStore.open(place)
    await store.close()
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from agent.store.sql.database import database\n"
        "from agent.store.sql.versions import Scripts\n"
        "kind, place, folder, head = sys.argv[1:]\n"
        "found = database(Path(place) if kind == 'file' else place, Scripts(Path(folder), head))\n"
        "asyncio.run(found.open(print))\n"
    )
    kind = "file" if isinstance(place, Path) else "url"
    command = [sys.executable, "-c", script, kind, str(place), str(tomorrow.folder), NEXT]
    started = [
        await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [(await process.communicate())[0].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert sorted(bool(line) for line in said) == [False, False, True]
    newer, notes = await opened(place, tomorrow)
    assert notes == []
    marks = select(func.count()).select_from(schema.revisions)
    assert await newer.read(lambda connection: connection.execute(marks).scalar()) == 1
    await newer.close()


def test_opening_a_store_does_not_load_alembic(tmp_path: Path) -> None:
    """It takes half a second, and is needed once in a year."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from agent.store.sql.store import SqlStore\n"
        "async def twice():\n"
        "    for _ in range(2):\n"
        "        await (await SqlStore.open(Path(sys.argv[1]))).close()\n"
        "asyncio.run(twice())\n"
        "print([name for name in ('alembic', 'psycopg') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "sayso.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
