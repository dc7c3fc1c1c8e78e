"""Backups: one file with the store, the evidence and the settings, taken while sayso runs, and put back whole.

::

    BackupError         it was not made, or not put back; the message says why, and nothing was changed
"""

import asyncio
import hashlib
import io
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.audit import chain
from agent.home import CONFIG, Home, make_private
from agent.store.port import StoreError
from agent.store.shelf import HANDLE
from agent.store.sql.store import SqlStore

FORMAT = 1
MANIFEST = "manifest.json"
EVIDENCE = "evidence"
SQLITE, POSTGRES = "store.db", "store.dump"  # what the store is called in a backup
ASIDE = "sayso_replaced"  # the schema of a store in PostgreSQL while another one takes its place
Place = Path | str  # of a store: a file, or the URL of a PostgreSQL database


class BackupError(Exception):
    """It was not made, or not put back; nothing was changed."""


class Content(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size: int


class Manifest(BaseModel):
    """What a backup says about itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    sayso: str  # the version that made it
    made_at: datetime
    last_row: int | None  # of the audit trail, and its hash; None where the database dumped it by itself
    last_hash: str | None
    files: Mapping[str, Content]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and where the folder is that was there before."""

    manifest: Manifest
    rows: int  # of the audit trail
    aside: Path | None


def back_up(home: Home, store: Place, to: Path, *, version: str, at: datetime) -> Manifest:
    """Writes a backup to a new file that only its owner may read. Blocking. Raises `BackupError`."""
    if to.exists():
        raise BackupError(f"{to} is there already, and was left as it is; name another file")
    with _working(to.parent, f".{to.name}-") as folder:
        # The store first: what it speaks of was on the shelf before it spoke of it.
        kept = _dump(store, folder)
        last = _last_row(kept) if kept.name == SQLITE else None
        aside, files = folder / "backup", dict[str, Content]()
        with aside.open("xb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=5) as archive:
            os.fchmod(raw.fileno(), 0o600)
            for name, file in ((kept.name, kept), (CONFIG, home.config), *_evidence(home.folder / EVIDENCE)):
                files[name] = _add(archive, name, file)
            manifest = Manifest(
                format=FORMAT,
                sayso=version,
                made_at=at,
                last_row=last[0] if last else None,
                last_hash=last[1] if last else None,
                files=files,
            )
            said = manifest.model_dump_json(indent=2).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size, entry.mode = len(said), 0o600
            archive.addfile(entry, io.BytesIO(said))
        _sync(aside)
        aside.rename(to)
    return manifest


def restore(
    backup: Path,
    folder: Path,
    *,
    replace: bool,
    at: datetime,
    place: Callable[[Home], Place],
) -> Restored:
    """Puts a backup into a home folder: looks through all of it first, then takes the place in one step. Blocking.

    `place` says where the settings keep the store. A folder that was there before is kept beside it.
    Raises `BackupError`.
    """
    if folder.exists() and any(folder.iterdir()) and not replace:
        raise BackupError(f"{folder} is not empty, and was left as it is; --replace puts it aside")
    with _working(folder.parent, f".{folder.name}-") as working:
        staged = make_private(working / "home")
        manifest = _unpack(backup, staged)
        home = Home(staged, staged / CONFIG, "named")
        where = place(home)
        rows = 0
        if isinstance(where, Path):
            if SQLITE not in manifest.files:
                raise BackupError(f"{backup} holds a PostgreSQL store; set `store.url` to where it shall go")
            if not where.is_relative_to(staged):
                raise BackupError(
                    f"the settings keep the store at {where}, outside the home; set SAYSO_STORE__PATH"
                )
            where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (staged / SQLITE).rename(where)
            rows = _verified(where, manifest, backup)
            aside = _take_place(staged, folder, at)
        else:
            if POSTGRES not in manifest.files:
                raise BackupError(
                    f"{backup} holds a SQLite store, and `store.url` names a PostgreSQL database"
                )
            dump = working / POSTGRES
            (staged / POSTGRES).rename(dump)
            with _in_postgres(where, dump, replace=replace):
                rows = _verified(where, manifest, backup)
                aside = _take_place(staged, folder, at)
    return Restored(manifest, rows, aside)


# --- making one -------------------------------------------------------------------------------------------------------


def _dump(store: Place, folder: Path) -> Path:
    """The store as it is at one moment, whoever writes to it."""
    if isinstance(store, Path):
        if not store.is_file():
            raise BackupError(f"{store}: there is no such file, so there is nothing to back up yet")
        target = folder / SQLITE
        try:
            with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
        except sqlite3.Error as error:
            raise BackupError(f"{store} cannot be copied: {error}") from error
        return target
    target = folder / POSTGRES
    _run(store, "pg_dump", "--format=custom", "--schema=sayso", f"--file={target}")
    return target


def _last_row(store: Path) -> tuple[int, str] | None:
    with closing(sqlite3.connect(store)) as connection:
        found: tuple[int, str] | None = connection.execute(
            "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    return found


def _evidence(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.glob("*/*.gz")):
        if HANDLE.match(file.name.removesuffix(".gz")):
            yield f"{EVIDENCE}/{file.parent.name}/{file.name}", file


def _add(archive: tarfile.TarFile, name: str, file: Path) -> Content:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = file.stat().st_size, 0o600
    with file.open("rb") as source:
        read = _Hashed(source)
        archive.addfile(entry, read)
    return Content(sha256=read.hash.hexdigest(), size=entry.size)


class _Hashed:
    """Reads a file and hashes what it reads."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.hash = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.hash.update(data)
        return data


def _sync(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())


# --- putting one back -------------------------------------------------------------------------------------------------


def _unpack(backup: Path, folder: Path) -> Manifest:
    """The files of a backup, each one as its manifest says. Raises `BackupError`."""
    found: dict[str, Content] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(backup, mode="r:gz") as archive:
            for entry in archive:
                source = archive.extractfile(entry)
                if source is None:
                    raise BackupError(f"{backup}: {entry.name!r} is no file, and has no place in a backup")
                if entry.name == MANIFEST:
                    manifest = Manifest.model_validate_json(source.read())
                else:
                    found[entry.name] = _write(source, folder / _allowed(entry.name, backup))
    except (OSError, EOFError, tarfile.TarError, ValidationError) as error:
        raise BackupError(f"{backup} cannot be read as a backup: {error}") from error
    if manifest is None:
        raise BackupError(f"{backup} cannot be read as a backup: its manifest is missing")
    if manifest.format > FORMAT:
        raise BackupError(f"{backup} was made by a newer sayso ({manifest.sayso}); upgrade sayso first")
    for name in sorted(manifest.files.keys() | found.keys()):
        if manifest.files.get(name) != found.get(name):
            raise BackupError(f"{backup}: {name!r} is not as it was when the backup was made")
    return manifest


def _allowed(name: str, backup: Path) -> Path:
    parts = name.split("/")
    evidence = len(parts) == 3 and parts[0] == EVIDENCE and parts[2].endswith(".gz")
    if name in (SQLITE, POSTGRES, CONFIG):
        return Path(name)
    if evidence and HANDLE.match(parts[2].removesuffix(".gz")) and parts[1] == parts[2][:2]:
        return Path(name)
    raise BackupError(f"{backup}: {name!r} has no place in a backup")


def _write(source: IO[bytes], file: Path) -> Content:
    make_private(file.parent)
    read = _Hashed(source)
    with file.open("xb") as out:
        os.fchmod(out.fileno(), 0o600)
        shutil.copyfileobj(read, out, 1 << 20)
        size = out.tell()
        out.flush()
        os.fsync(out.fileno())
    return Content(sha256=read.hash.hexdigest(), size=size)


def _verified(store: Place, manifest: Manifest, backup: Path) -> int:
    """How many rows the audit trail has. Raises `BackupError` when it is not whole."""

    async def verify() -> chain.Report:
        opened = await SqlStore.open(store)
        try:
            return chain.verify([event async for event in opened.events()])
        finally:
            await opened.close()

    try:
        report = asyncio.run(verify())
    except StoreError as error:
        raise BackupError(str(error)) from error
    if not report.whole:
        raise BackupError(f"{backup}: its audit trail is broken at row {report.broken}: {report.problem}")
    if manifest.last_row is not None and (report.checked, report.last_hash) != (
        manifest.last_row,
        manifest.last_hash,
    ):
        raise BackupError(f"{backup}: its audit trail does not end at row {manifest.last_row}, as it should")
    return report.checked


def _take_place(staged: Path, folder: Path, at: datetime) -> Path | None:
    """Puts the staged folder where the home is; the one that was there goes beside it."""
    aside = None
    if folder.exists():
        aside = folder.with_name(f"{folder.name}.replaced-{at:%Y%m%d-%H%M%S}")
        folder.rename(aside)
    try:
        staged.rename(folder)
    except OSError as error:
        if aside is not None:
            aside.rename(folder)
        raise BackupError(f"{folder} cannot be written: {error.strerror}") from error
    if aside is not None and not any(aside.iterdir()):
        aside.rmdir()
        return None
    return aside


@contextmanager
def _in_postgres(url: str, dump: Path, *, replace: bool) -> Iterator[None]:
    """The store of this dump in the place of the one that is there, which comes back if the block fails."""
    with _postgres(url) as do:
        there = do("SELECT to_regnamespace('sayso') IS NOT NULL")
        aside = do(f"SELECT to_regnamespace('{ASIDE}') IS NOT NULL")
        if aside and not there:  # an earlier one was killed before it had put its own there
            do(f"ALTER SCHEMA {ASIDE} RENAME TO sayso")
            there, aside = True, False
        if (
            there
            and not replace
            and do("SELECT to_regclass('sayso.audit') IS NOT NULL")
            and do("SELECT EXISTS (SELECT FROM sayso.audit UNION ALL SELECT FROM sayso.turns)")
        ):
            raise BackupError(
                "there is a store in this database already; --replace puts this one in its place"
            )
        if aside:
            do(f"DROP SCHEMA {ASIDE} CASCADE")
        if there:
            do(f"ALTER SCHEMA sayso RENAME TO {ASIDE}")
        try:
            _run(
                url,
                "pg_restore",
                "--single-transaction",
                "--exit-on-error",
                "--no-owner",
                "--no-acl",
                str(dump),
            )
            yield
        except BaseException:
            do("DROP SCHEMA IF EXISTS sayso CASCADE")
            if there:
                do(f"ALTER SCHEMA {ASIDE} RENAME TO sayso")
            raise
        do(f"DROP SCHEMA IF EXISTS {ASIDE} CASCADE")


@contextmanager
def _postgres(url: str) -> Iterator[Callable[[str], object]]:
    """Runs statements, each on its own; gives the first value of what comes back."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    from agent.store.sql.postgres import in_words, parsed

    engine = create_engine(parsed(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:

            def do(statement: str) -> object:
                result = connection.exec_driver_sql(statement)
                return result.scalar() if result.returns_rows else None

            yield do
    except DBAPIError as error:
        raise BackupError(str(in_words(error, "the database of `store.url`"))) from error
    finally:
        engine.dispose()


def _run(url: str, program: str, *arguments: str) -> None:
    """A program of PostgreSQL on this database; the password goes where other users cannot read it."""
    from agent.store.sql.postgres import parsed

    at = parsed(url)
    address = at.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"a store in PostgreSQL needs {program!r}, which is not here: install the package `postgresql-client`"
        )
    environment = {"PATH": os.defpath, "PGPASSWORD": at.password or ""}
    done = subprocess.run(  # noqa: S603 - found by name, with arguments of ours
        [found, f"--dbname={address}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise BackupError(f"{program}: {said[0]}")


@contextmanager
def _working(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder of our own, where what is made can be moved to its place in one step. Raises `BackupError`."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=prefix) as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(f"{parent}: {error.strerror or error}") from error
