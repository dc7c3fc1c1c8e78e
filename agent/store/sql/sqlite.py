"""One SQLite file: opened with the right pragmas, written by one thread, its errors put into words."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from agent.store.port import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly
from agent.store.sql import versions
from agent.store.sql.database import Database
from agent.store.sql.turnstile import Turnstile
from agent.store.sql.versions import SHIPPED, Note, Scripts

T = TypeVar("T")
WRITING = "BEGIN IMMEDIATE"
BUSY_MS = 5000  # how long a transaction waits for another process before it gives up


class Sqlite(Database):
    """Three connections: one reads beside the others, two write in turn, in one thread.

    What people decided is synced to disk before it is acknowledged (`synchronous=FULL`); chat lines survive a killed
    process but may lose the last moments before a power cut (`synchronous=NORMAL`).
    """

    def __init__(self, file: Path, scripts: Scripts = SHIPPED, *, busy_ms: int = BUSY_MS) -> None:
        self.file, self._scripts, self._busy_ms = file, scripts, busy_ms
        writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-read")
        super().__init__(readers=reader, looks=reader, fasts=writer, writer=writer)
        self._turnstile = Turnstile(file.with_name(f"{file.name}-next"))
        self._read = self._engine("NORMAL", lambda connection: connection.exec_driver_sql("BEGIN"))
        self._fast = self._engine("NORMAL", self._begin_writing)
        self._safe = self._engine("FULL", self._begin_writing)

    @property
    def name(self) -> str:
        return str(self.file)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        return self._in_transaction(self._read, work)

    def fast_now(self, work: Callable[[Connection], T]) -> T:
        return self._in_transaction(self._fast, work)

    def chained_now(self, work: Callable[[Connection], T]) -> T:
        return self._in_transaction(self._fast, work)

    def safe_now(self, work: Callable[[Connection], T]) -> T:
        return self._in_transaction(self._safe, work)

    def open_now(self, note: Note) -> None:
        if not self.file.exists():
            # Made before SQLite does, so that the file is never readable by others, not even for a moment.
            try:
                os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as error:
                raise StoreReadOnly(f"{self.file} cannot be made: {error.strerror}") from error
        if self.read_now(versions.revision) != self._scripts.head:
            self.safe_now(
                lambda connection: versions.bring_up(
                    connection, self._scripts, name=self.name, note=note, copy=self._copy
                )
            )

    def close_now(self) -> None:
        for engine in (self._read, self._fast, self._safe):
            engine.dispose()
        self._turnstile.close()

    def _copy(self, revision: str) -> Path:
        """A copy of the file as it was before a migration, beside it. Its caller holds the write lock."""
        copy = self.file.with_name(f"{self.file.name}.before-{revision}")
        copy.unlink(missing_ok=True)
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy

    def _in_transaction(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with self._in_words(), engine.begin() as connection:
            return work(connection)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            raise in_words(error, self.file) from error

    def _begin_writing(self, connection: Connection) -> None:
        """With the write lock from the start: a read that turns into a write could fail half-way otherwise."""
        raw = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            raise TypeError(f"{raw!r} is no connection of SQLite's")
        if raw.in_transaction:  # half of what somebody else did must not be committed with this
            raise StoreError(f"{self.file}: a transaction was left open; start sayso again")
        raw.execute("PRAGMA busy_timeout=0")  # the pauses are ours
        try:
            self._turnstile.until(lambda: _tried(raw), self._busy_ms / 1000)
            if not raw.in_transaction:
                connection.exec_driver_sql(WRITING)  # once more, for its error
        finally:
            raw.execute(f"PRAGMA busy_timeout={self._busy_ms}")

    def _engine(self, synchronous: str, begin: Callable[[Connection], object]) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.file}",
            poolclass=StaticPool,
            connect_args={
                "check_same_thread": False,
                "isolation_level": None,
                "timeout": self._busy_ms / 1000,
            },
        )

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")

        event.listen(engine, "begin", begin)
        return engine


def _tried(connection: sqlite3.Connection) -> bool:
    """Begins to write; False where somebody else does, and there is use in trying again."""
    try:
        connection.execute(WRITING)
    except sqlite3.Error as error:
        return not error.sqlite_errorname.startswith("SQLITE_BUSY")
    return True


def in_words(error: DatabaseError, file: Path) -> StoreError:
    """What went wrong, for a person; by SQLite's own result codes (https://sqlite.org/rescode.html)."""
    name = getattr(error.orig, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy(f"{file} is locked by another process; try again. Nothing was lost")
    if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
        return StoreFull(
            f"{file}: the disk is full or failing ({name}). This was not accepted; what was accepted before is safe"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreReadOnly(f"{file} cannot be written by this user; check the owner and mode of its folder")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreDamaged(f"{file} is damaged ({name}); move it away and restore a copy")
    return StoreError(f"{file}: {error.orig}")
