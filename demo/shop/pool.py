"""A bounded pool of database connections: whoever finds none free waits a little, then fails."""

import asyncio
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

SIZE = 8
WAIT_SECONDS = 0.75
LEASE_SECONDS = 20.0  # the database closes a connection that was silent for so long; the pool opens another


class PoolExhausted(Exception):
    """No connection became free in time."""


@dataclass(eq=False)
class Connection:
    """One leased connection."""

    db: sqlite3.Connection
    since: float = 0.0


@dataclass
class Pool:
    """Leases connections to one SQLite file. `in_use` is what the gauge shows."""

    file: Path
    size: int = SIZE
    wait: float = WAIT_SECONDS
    lease: float = LEASE_SECONDS
    most_pages: int | None = None  # of the volume that the file is on
    leased: list[Connection] = field(default_factory=list)
    _idle: list[sqlite3.Connection] = field(default_factory=list)
    _free: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def in_use(self) -> int:
        return len(self.leased)

    async def acquire(self) -> Connection:
        """A connection, for the caller to release. Raises `PoolExhausted`."""
        async with self._free:
            self._reap()
            try:
                await asyncio.wait_for(self._free.wait_for(lambda: self.in_use < self.size), self.wait)
            except TimeoutError as error:
                raise PoolExhausted(
                    f"connection pool exhausted: {self.in_use} of {self.size} connections in use, "
                    f"waited {self.wait * 1000:.0f} ms"
                ) from error
            db = self._idle.pop() if self._idle else self._connected()
            connection = Connection(db, monotonic())
            self.leased.append(connection)
            return connection

    async def release(self, connection: Connection) -> None:
        """Gives a connection back."""
        async with self._free:
            if connection in self.leased:
                self.leased.remove(connection)
                self._idle.append(connection.db)
            self._free.notify()

    def _connected(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, isolation_level=None)
        if self.most_pages is not None:
            db.execute(f"PRAGMA max_page_count={self.most_pages}")
        return db

    def close(self) -> None:
        """Closes every connection, leased or not."""
        for db in [*self._idle, *(held.db for held in self.leased)]:
            db.close()
        self._idle.clear()
        self.leased.clear()

    def _reap(self) -> None:
        """Takes back what the database has closed by itself, because nobody used it any more."""
        now = monotonic()
        for connection in [held for held in self.leased if now - held.since > self.lease]:
            self.leased.remove(connection)
            connection.db.close()  # its holder finds it closed
