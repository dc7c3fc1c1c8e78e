"""One SQLite file: opened with the right pragmas, written by one thread, its errors put into words."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from agent.store.port import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreNewer, StoreReadOnly
from agent.store.sql import schema

T = TypeVar("T")
BUSY_MS = 5000  # how long a transaction waits for another process before it gives up


class Database:
    """Runs short transactions, one after the other, off the event loop.

    Two connections: what people decided is synced to disk before it is acknowledged (`synchronous=FULL`); chat lines
    survive a killed process but may lose the last moments before a power cut (`synchronous=NORMAL`).
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._fast = self._engine("NORMAL")
        self._safe = self._engine("FULL")

    async def open(self) -> None:
        """Makes the tables where there are none. Raises `StoreError`."""
        await self._off_loop(self._prepare)

    async def fast(self, work: Callable[[Connection], T]) -> T:
        """One transaction that survives the process. Raises `StoreError`, with nothing half done."""
        return await self._off_loop(lambda: self._in_transaction(self._fast, work))

    async def safe(self, work: Callable[[Connection], T]) -> T:
        """One transaction that survives the machine. Raises `StoreError`, with nothing half done."""
        return await self._off_loop(lambda: self._in_transaction(self._safe, work))

    async def close(self) -> None:
        await self._off_loop(self._fast.dispose)
        await self._off_loop(self._safe.dispose)
        self._thread.shutdown()

    async def _off_loop(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except DatabaseError as error:
            raise in_words(error, self.file) from error

    def _in_transaction(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with engine.begin() as connection:
            return work(connection)

    def _prepare(self) -> None:
        if not self.file.exists():
            # Made before SQLite does, so that the file is never readable by others, not even for a moment.
            try:
                os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as error:
                raise StoreReadOnly(f"{self.file} cannot be made: {error.strerror}") from error
        with self._safe.begin() as connection:
            schema.metadata.create_all(connection)
            known = connection.execute(
                select(schema.meta.c.value).where(schema.meta.c.name == "version")
            ).scalar_one_or_none()
            if known is None:
                connection.execute(insert(schema.meta).values(name="version", value=str(schema.VERSION)))
            elif int(known) == 1:
                connection.execute(text("ALTER TABLE audit ADD COLUMN body_hash VARCHAR"))
                connection.execute(
                    update(schema.meta)
                    .where(schema.meta.c.name == "version")
                    .values(value=str(schema.VERSION))
                )
            elif int(known) > schema.VERSION:
                raise StoreNewer(
                    f"{self.file} was made by a newer sayso (format {known}, this one knows {schema.VERSION}); "
                    "upgrade sayso, or use another --home"
                )

    def _engine(self, synchronous: str) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.file}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "isolation_level": None, "timeout": BUSY_MS / 1000},
        )

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # A write lock from the start: a read that turns into a write could fail half-way otherwise.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine


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
