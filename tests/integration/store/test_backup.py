"""A backup is one moment of a store that is being written, and comes back whole or not at all."""

import asyncio
import gzip
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.cli import main
from agent.home import Home
from agent.store import backup
from agent.store.backup import BackupError, back_up, restore
from agent.store.shelf import FolderShelf
from agent.store.sql.store import SqlStore
from tests.fakes.office import Office
from tests.fakes.postgres import PostgresServer

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WRITER = """
import asyncio, sys
from pathlib import Path
from agent.store.sql.store import SqlStore
from tests.fakes.office import Office
async def write():
    office = Office(store=await SqlStore.open(Path(sys.argv[1])))
    number = 0
    while True:
        number += 1
        await office.proposed(20 + number % 50, key=f"w{number}")
        print(number, flush=True)
asyncio.run(write())
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    (folder / "sayso.yaml").write_text("language: fr\nmodel: {api_key: sk-secret}\n", encoding="utf-8")
    asyncio.run(fill(folder / "sayso.db", folder))
    (folder / "knowledge").mkdir()
    (folder / "knowledge" / "catalogue.db").write_text("made again from the sources", encoding="utf-8")
    return Home(folder, folder / "sayso.yaml", "named")


async def fill(place: Path | str, folder: Path) -> None:
    office = Office(store=await SqlStore.open(place))
    await office.proposed()
    await office.store.close()
    await FolderShelf(folder / "evidence").keep("what a tool found")


def saved(home: Home, file: Path) -> Path:
    back_up(home, home.folder / "sayso.db", file, version="0.1.0", at=NOW)
    return file


def put_back(file: Path, folder: Path, *, replace: bool = False) -> backup.Restored:
    return restore(file, folder, replace=replace, at=NOW, place=lambda at: at.folder / "sayso.db")


def tampered(file: Path, name: str, change: bytes) -> Path:
    """The same backup with other bytes in one of its files."""
    other = file.with_name("tampered.tar.gz")
    with tarfile.open(file) as source, tarfile.open(other, "w:gz") as target:
        for entry in source:
            data = source.extractfile(entry)
            assert data is not None
            body = data.read()
            if entry.name == name:
                body = change
                entry.size = len(body)
            part = file.with_name("part")
            part.write_bytes(body)
            with part.open("rb") as again:
                target.addfile(entry, again)
            part.unlink()
    return other


def left_beside(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.name.startswith("."))


async def test_what_was_saved_comes_back(home: Home, tmp_path: Path) -> None:
    file = await asyncio.to_thread(saved, home, tmp_path / "b.tar.gz")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = await asyncio.to_thread(put_back, file, tmp_path / "new")
    assert (done.rows, done.aside) == (1, None)
    new = tmp_path / "new"
    assert sorted(entry.name for entry in new.iterdir()) == ["evidence", "sayso.db", "sayso.yaml"]
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in new.rglob("*") if one.is_file()} == {0o600}
    assert (new / "sayso.yaml").read_bytes() == home.config.read_bytes()
    assert [gzip.decompress(one.read_bytes()) for one in (new / "evidence").rglob("*.gz")] == [
        b"what a tool found"
    ]
    office = Office(store=await SqlStore.open(new / "sayso.db"))
    assert (await office.proposed(key="next")).id == "A-2"
    await office.store.close()
    assert left_beside(tmp_path) == []


def test_it_is_one_moment_of_a_store_that_is_being_written(home: Home, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(home.folder / "sayso.db")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for number in range(3):
            written = int(writer.stdout.readline())
            file = saved(home, tmp_path / f"b{number}.tar.gz")
            done = put_back(file, tmp_path / f"new{number}")
            assert done.rows >= written + 1
            time.sleep(0.1)
        assert writer.poll() is None
        writer.kill()


def test_a_home_that_is_not_empty_is_left_alone_or_put_aside(home: Home, tmp_path: Path) -> None:
    file = saved(home, tmp_path / "b.tar.gz")
    with pytest.raises(BackupError, match="--replace"):
        put_back(file, home.folder)
    done = put_back(file, home.folder, replace=True)
    assert done.aside == tmp_path / "home.replaced-20261123-120000"
    assert (done.aside / "knowledge" / "catalogue.db").is_file()
    assert not (home.folder / "knowledge").exists()


@pytest.mark.parametrize("name", ["store.db", "sayso.yaml"])
def test_a_backup_that_was_changed_is_not_put_back(home: Home, tmp_path: Path, name: str) -> None:
    other = tampered(saved(home, tmp_path / "b.tar.gz"), name, b"other")
    with pytest.raises(BackupError, match=f"{name}' is not as it was"):
        put_back(other, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert left_beside(tmp_path) == []


def test_a_trail_that_was_broken_before_the_backup_is_not_put_back(home: Home, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.folder / "sayso.db", isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET actor = 'eve'")
    file = saved(home, tmp_path / "b.tar.gz")
    with pytest.raises(BackupError, match="broken at row 1"):
        put_back(file, home.folder, replace=True)
    assert (home.folder / "knowledge").exists()


def test_half_a_file_and_no_backup_at_all_are_refused(home: Home, tmp_path: Path) -> None:
    file = saved(home, tmp_path / "b.tar.gz")
    half = tmp_path / "half.tar.gz"
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    for bad in (half, home.config, tmp_path / "missing"):
        with pytest.raises(BackupError, match="cannot be read as a backup"):
            put_back(bad, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_name_that_leads_elsewhere_is_refused(home: Home, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as archive:
        archive.add(home.config, "../sayso.yaml")
    with pytest.raises(BackupError, match="has no place in a backup"):
        put_back(evil, tmp_path / "new")


def test_nothing_is_overwritten_by_a_backup(home: Home, tmp_path: Path) -> None:
    file = saved(home, tmp_path / "b.tar.gz")
    with pytest.raises(BackupError, match="is there already"):
        saved(home, file)


def test_a_store_in_postgres_goes_the_same_way(
    home: Home, tmp_path: Path, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("no pg_dump here")
    url, elsewhere = postgres.database(), postgres.database()
    asyncio.run(fill(url, home.folder))
    (home.folder / "sayso.db").unlink()
    home.config.write_text(f"store: {{url: '{url}'}}\n", encoding="utf-8")
    file = tmp_path / "b.tar.gz"
    assert main(["backup", str(file), "--home", str(home.folder)]) == 0
    assert "`sayso ingest`" in capsys.readouterr().out

    def put(replace: bool) -> backup.Restored:
        return restore(file, tmp_path / "new", replace=replace, at=NOW, place=lambda _home: elsewhere)

    assert put(replace=False).rows == 1
    with pytest.raises(BackupError, match="not empty"):
        put(replace=False)
    shutil.rmtree(tmp_path / "new")
    with pytest.raises(BackupError, match="a store in this database already"):
        put(replace=False)
    asyncio.run(propose(elsewhere))
    assert put(replace=True).rows == 1
    # One whose trail is broken leaves everything as it was.
    asyncio.run(propose(elsewhere))
    with postgres.connect(url.rpartition("/")[2]) as connection:
        connection.execute("UPDATE sayso.audit SET actor = 'eve'")
    file.unlink()
    assert main(["backup", str(file), "--home", str(home.folder)]) == 0
    with pytest.raises(BackupError, match="broken at row 1"):
        put(replace=True)
    with postgres.connect(elsewhere.rpartition("/")[2]) as connection:
        assert connection.execute("SELECT count(*) FROM sayso.audit").fetchone() == (2,)


async def propose(url: str) -> None:
    office = Office(store=await SqlStore.open(url))
    await office.proposed(key="later")
    await office.store.close()


def test_the_verbs(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, new = tmp_path / "b.tar.gz", tmp_path / "new"
    assert main(["backup", str(file), "--home", str(home.folder)]) == 0
    assert main(["restore", str(file), "--home", str(new)]) == 0
    said = capsys.readouterr().out
    assert "1 audit rows, all whole" in said
    assert "sk-secret" not in said
    assert main(["restore", str(file), "--home", str(new)]) == 5
    assert "--replace" in capsys.readouterr().err
    assert main(["restore", str(file), "--home", str(new), "--replace", "--json"]) == 0
    assert '"audit_rows": 1' in capsys.readouterr().out
