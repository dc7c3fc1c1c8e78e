"""A library whose catalogue is in a real PostgreSQL: one writer anywhere, one folder, and nothing half done."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from knowledge.belonging import NOTE
from knowledge.catalogue.postgres import SCHEMA, Postgres
from knowledge.library import FolderLibrary, open_library
from knowledge.port import (
    DatabaseUnavailable,
    IndexDamaged,
    LibraryOutdated,
    Place,
    Query,
    Reader,
    SearchResult,
    WriterBusy,
)
from tests.fakes.documents import OPEN, Notes, note
from tests.fakes.embedder import HashedWords
from tests.fakes.postgres import PostgresServer

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECRET = Place("notes:secret", "#secret", "notes", public=False, members=frozenset({"person:raj"}))
MAYA, RAJ = Reader("maya"), Reader("raj")
PAGES = [note(f"n{i}", f"note number{i} about tulips and the connection pool") for i in range(40)]
LEAK = note("leak", "the leaked key of the pool", place=SECRET, people=("raj",))


async def opened(folder: Path, database: str | None, *, rebuild: bool = False) -> FolderLibrary:
    return await open_library(
        folder, embedder=HashedWords(), clock=lambda: NOW, database=database, rebuild=rebuild
    )


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
async def library(tmp_path: Path, database: str) -> AsyncIterator[FolderLibrary]:
    made = await opened(tmp_path / "one", database)
    yield made
    await made.close()


def admin(postgres: PostgresServer, database: str) -> psycopg.Connection:
    return postgres.connect(database.rpartition("/")[2])


async def searched(library: FolderLibrary) -> list[SearchResult]:
    asked = (
        Query("connection pool"),
        Query("number7"),
        Query("leaked key"),
        Query("pool", person="raj"),
        Query("tulips", channel="#secret"),
    )
    return [await library.search(query, reader) for query in asked for reader in (MAYA, RAJ)]


async def test_rights_and_passages_are_the_same_in_both_databases(
    library: FolderLibrary, tmp_path: Path
) -> None:
    source = Notes(*PAGES, LEAK, places=[OPEN, SECRET])
    await library.ingest([source])
    beside = await opened(tmp_path / "two", None)
    await beside.ingest([source])
    there, here = await searched(library), await searched(beside)
    assert there == here
    assert [p.document for p in there[5].passages][:1] == [LEAK.id]
    assert LEAK.id not in {p.document for found in there[::2] for p in found.passages}
    assert (await library.verify([source])).faults == ()
    assert await library.status() == await beside.status()
    await beside.close()


async def test_a_second_writer_is_refused_whatever_folder_it_has(
    library: FolderLibrary, tmp_path: Path, database: str
) -> None:
    other = await opened(tmp_path / "two", database)
    with library._catalogue.sole_writer(), pytest.raises(WriterBusy, match="another process is writing"):
        await other.ingest([Notes(*PAGES)])
    await other.ingest([Notes(*PAGES)])
    await other.close()


async def test_a_writer_that_lost_its_connection_writes_no_more(
    library: FolderLibrary, postgres: PostgresServer, database: str
) -> None:
    catalogue = library._catalogue
    with catalogue.sole_writer():
        catalogue.stage({"one": None})
        with admin(postgres, database) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        with pytest.raises(DatabaseUnavailable):
            catalogue.stage({"two": None})
        with pytest.raises(WriterBusy, match="holds its lock"):
            catalogue.stage({"two": None})
    assert catalogue.strays() == {"one": None}


async def test_nothing_is_written_without_the_lock(library: FolderLibrary) -> None:
    with pytest.raises(WriterBusy, match="holds its lock"):
        library._catalogue.stage({"one": None})


async def test_a_reader_whose_connections_were_ended_goes_on(
    library: FolderLibrary, postgres: PostgresServer, database: str
) -> None:
    await library.ingest([Notes(*PAGES)])
    await library.search(Query("number7"), MAYA)
    with admin(postgres, database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert (await library.search(Query("number7"), MAYA)).passages[0].document == "notes:n7"


async def test_a_folder_the_writer_did_not_write_is_refused(
    library: FolderLibrary, tmp_path: Path, database: str
) -> None:
    await library.ingest([Notes(*PAGES)])
    with pytest.raises(IndexDamaged, match="is not the one that the library in 'postgresql://"):
        await opened(tmp_path / "two", database)


async def test_a_copy_that_fell_behind_is_refused_also_while_it_is_read(
    library: FolderLibrary, tmp_path: Path, database: str
) -> None:
    await library.ingest([Notes(*PAGES)])
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    copy = await opened(tmp_path / "copy", database)
    assert (await copy.search(Query("number7"), MAYA)).passages[0].document == "notes:n7"
    await library.ingest([Notes(note("new", "dahlias"))])
    with pytest.raises(IndexDamaged, match="a copy of it, perhaps"):
        await copy.search(Query("dahlias"), MAYA)
    with pytest.raises(IndexDamaged, match="a copy of it, perhaps"):
        await copy.ingest([Notes(*PAGES)])
    await copy.close()
    with pytest.raises(IndexDamaged, match="a copy of it, perhaps"):
        await opened(tmp_path / "copy", database)


async def test_a_folder_of_a_library_in_sqlite_is_refused_and_the_other_way_round(
    tmp_path: Path, database: str
) -> None:
    await (await opened(tmp_path / "file", None)).close()
    with pytest.raises(IndexDamaged, match="holds the indexes of another library"):
        await opened(tmp_path / "file", database)
    made = await opened(tmp_path / "server", database)
    await made.ingest([Notes(*PAGES)])
    await made.close()
    with pytest.raises(IndexDamaged, match="`knowledge.database` is not set"):
        await opened(tmp_path / "server", None)
    rebuilt = await opened(tmp_path / "server", None, rebuild=True)
    await rebuilt.ingest([Notes(*PAGES)])
    assert (await rebuilt.verify([Notes(*PAGES)])).faults == ()
    await rebuilt.close()


async def test_a_copy_made_of_what_a_killed_writer_left_is_refused_too(
    library: FolderLibrary, tmp_path: Path, database: str
) -> None:
    await library.ingest([Notes(*PAGES)])
    # As a writer leaves it that is killed after the note and before the catalogue turned over.
    library._belonging.about_to_be(library._catalogue.generation() + 1)
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    with library._catalogue.sole_writer():
        library._belonging.claim()
        library._catalogue.swept()
    with pytest.raises(IndexDamaged, match="a copy of it, perhaps"):
        await opened(tmp_path / "copy", database)


async def test_a_damaged_note_is_no_note(library: FolderLibrary, tmp_path: Path, database: str) -> None:
    await library.ingest([Notes(*PAGES)])
    (tmp_path / "one" / NOTE).write_text("{", encoding="utf-8")
    with pytest.raises(IndexDamaged, match="is not the one"):
        await opened(tmp_path / "one", database)


async def test_a_rebuild_makes_another_folder_the_one(
    library: FolderLibrary, tmp_path: Path, database: str, postgres: PostgresServer
) -> None:
    await library.ingest([Notes(*PAGES)])
    with admin(postgres, database) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    rebuilt = await opened(tmp_path / "two", database, rebuild=True)
    assert (await rebuilt.status()).documents == 0
    await rebuilt.ingest([Notes(*PAGES)])
    assert (await rebuilt.search(Query("number7"), MAYA)).passages[0].document == "notes:n7"
    await rebuilt.close()
    with pytest.raises(IndexDamaged, match="is not the one"):
        await library.search(Query("number7"), MAYA)
    with admin(postgres, database) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


async def test_a_library_of_another_version_says_how_to_make_it_again(
    library: FolderLibrary, tmp_path: Path, database: str, postgres: PostgresServer
) -> None:
    with admin(postgres, database) as connection:
        connection.execute(f"UPDATE {SCHEMA}.meta SET value = '2' WHERE key = 'version'")
    with pytest.raises(LibraryOutdated, match="`sayso ingest` makes it again"):
        await opened(tmp_path / "one", database)
    await (await opened(tmp_path / "one", database, rebuild=True)).close()


async def test_two_processes_may_make_the_tables_at_once(database: str) -> None:
    async def prepared() -> str:
        made = Postgres(database)
        await asyncio.to_thread(made.prepare)
        name = made.library()
        made.close()
        return name

    assert len(set(await asyncio.gather(*(prepared() for _ in range(4))))) == 1


async def test_a_reader_needs_no_right_to_write(
    library: FolderLibrary, tmp_path: Path, database: str, postgres: PostgresServer
) -> None:
    await library.ingest([Notes(*PAGES)])
    reader = f"reader_{database.rpartition('_')[2]}"
    with admin(postgres, database) as connection:
        for grant in (
            f"CREATE ROLE {reader} LOGIN",
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO {reader}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {reader}",
        ):
            connection.execute(grant)
    beside = await opened(tmp_path / "one", database.replace("//sayso@", f"//{reader}@"))
    assert (await beside.search(Query("number7"), MAYA)).passages[0].document == "notes:n7"
    with pytest.raises(IndexDamaged, match="check the rights of its user"):
        await beside.ingest([Notes(*PAGES, LEAK)])
    await beside.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:hush@127.0.0.1:1/db", "does not answer at 'postgresql://me@127.0.0.1:1/db'"),
        ("postgresql+psycopg://me@127.0.0.1:1/db?password=hush", "`knowledge.database`"),
        ("mysql://me:hush@127.0.0.1/db", "should be a URL such as .*, not 'mysql'"),
        ("me:hush@there", "should be a URL such as"),
        ("postgresql://me:hush@127.0.0.1:port/db", "should be a URL such as"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, url: str, said: str
) -> None:
    with pytest.raises(DatabaseUnavailable, match=said) as told:
        await opened(tmp_path, url)
    assert "knowledge.database" in str(told.value)
    cause: BaseException | None = told.value
    while cause is not None:
        assert "hush" not in str(cause)
        cause = cause.__cause__


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from knowledge.catalogue.catalogue import Catalogue
from knowledge.library import open_library
from tests.fakes.documents import Notes, note
from tests.fakes.embedder import HashedWords

STEP = sys.argv[3]

class Dying(Catalogue):
    def stage(self, added):
        super().stage(added)
        self.dies("staged")
    def turn_over(self, *given, **named):
        noted = self._before_turning
        def told(generation):
            noted(generation)
            self.dies("turning")
        self.before_turning(told)
        super().turn_over(*given, **named)
        self.dies("turned")
    def dies(self, step):
        if step == STEP:
            os.kill(os.getpid(), signal.SIGKILL)

import knowledge.library
knowledge.library.Catalogue = Dying

async def main():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    library = await open_library(Path(sys.argv[1]), embedder=HashedWords(), clock=lambda: now, database=sys.argv[2])
    await library.ingest([Notes(*(note(f"n{i}", f"after number{i} about dahlias") for i in range(40)))])

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("step", "word"), [("staged", "tulips"), ("turning", "tulips"), ("turned", "dahlias")]
)
async def test_a_killed_ingestion_leaves_the_old_or_the_new_and_the_next_one_heals(
    library: FolderLibrary, tmp_path: Path, database: str, step: str, word: str
) -> None:
    await library.ingest([Notes(*PAGES)])
    given = (str(tmp_path / "one"), database, step)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *given)
    assert await process.wait() == -9
    found = [(await library.search(Query(f"number{i}", limit=1), MAYA)).passages[0] for i in range(0, 40, 3)]
    assert [one.document for one in found] == [f"notes:n{i}" for i in range(0, 40, 3)]
    assert all(word in one.text for one in found)
    after = Notes(*(note(f"n{i}", f"after number{i} about dahlias") for i in range(40)))
    await library.ingest([after])
    assert (await library.verify([after])).faults == ()
    assert "dahlias" in (await library.search(Query("number7", limit=1), MAYA)).passages[0].text
