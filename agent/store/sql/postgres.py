"""A PostgreSQL database, in a schema of its own: for several workers, on one machine or on many.

What the server or the network takes away before a commit was sent is done again, for a while. When the connection
goes away during the commit itself, the server is asked afterwards what became of that transaction; nothing is ever
done again that may have been done.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from agent.store.port import (
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)
from agent.store.sql import tail, versions
from agent.store.sql.database import Database
from agent.store.sql.versions import SHIPPED, Note, Scripts

T = TypeVar("T")
Start = Callable[[Connection], str]  # the first words of a transaction; gives its number
SCHEMA = "sayso"
PATIENCE = 10.0  # seconds that a transaction is tried again for
READERS = 4  # connections for reads that are for one alone
CONNECTIONS = READERS + 3  # one for what is looked up in company, one for chat lines, one for the audit chain
PAUSES = (0.02, 0.1, 0.3, 1.0)  # seconds between tries; the last one is repeated
# Advisory locks live in one space of 64 bits for each database.
WRITER = int.from_bytes(b"sayso-wr")
LOCK = f"SELECT pg_advisory_xact_lock({WRITER})"
# What a transaction is known by when its commit is never answered.
NUMBER = "SELECT pg_current_xact_id()::text"
# Both, and the end of the audit chain as it stands behind the lock: statements that go there and back together.
LOCKED = (
    f"{LOCK}; "  # noqa: S608 - a number of ours
    "SELECT pg_current_xact_id()::text, last.seq, last.hash FROM (SELECT 1) AS always "
    "LEFT JOIN (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1) AS last ON true"
)
OUTCOME = "SELECT pg_xact_status(%(number)s::xid8)"
# Seconds without an answer after which a connection counts as cut, at both of its ends. Without them TCP waits hours.
TOLD = {
    "connect_timeout": "5",
    "application_name": "sayso",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
SESSION = (
    f"SET search_path = {SCHEMA}",
    "SET lock_timeout = '5s'",
    "SET random_page_cost = 1.1",  # a handful of keys is looked up in an index, however small the table is
    "SET jit = off",
    "SET synchronous_commit = on",
    # A worker that is stopped with the lock in its hand holds the others up no longer than this.
    "SET idle_in_transaction_session_timeout = '10s'",
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 3",
    "SET tcp_keepalives_count = 3",
)
# https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock, too many
# connections, the server is going down, went down or is coming up, and sessions it ended for being idle.
PASSING = frozenset({"40001", "40P01", "53300", "57P01", "57P02", "57P03", "25P03"})


class Postgres(Database):
    """Safe transactions wait for one lock, so that at any moment one process adds to the audit chain.

    Whatever was acknowledged is on the server's disk, chat lines too: many share one commit, so that waiting for the
    disk costs little.
    """

    def __init__(self, url: str, scripts: Scripts = SHIPPED, patience: float = PATIENCE) -> None:
        self._scripts, self._patience = scripts, patience
        at = parsed(url)
        self._name = URL.create(
            "postgresql", at.username, None, at.host, at.port, at.database
        ).render_as_string()
        writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        fasts = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-fast")
        looks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-look")
        readers = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="store-read")
        super().__init__(readers=readers, looks=looks, fasts=fasts, writer=writer)
        at = at.set(drivername="postgresql+psycopg", query={**TOLD, **at.query})
        self._engine = self._connected(at)
        self._read = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def name(self) -> str:
        return self._name

    def open_now(self, note: Note) -> None:
        with self._in_words():
            if self.read_now(versions.revision) == self._scripts.head:
                return
        self._persistently(
            lambda: self._transaction(_numbered, lambda connection: self._bring_up(connection, note))
        )

    def read_now(self, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with self._read.connect() as connection:
                return work(connection)

        return self._persistently(once)

    def fast_now(self, work: Callable[[Connection], T]) -> T:
        return self._persistently(lambda: self._transaction(_numbered, work))

    def chained_now(self, work: Callable[[Connection], T]) -> T:
        return self.safe_now(work)

    def safe_now(self, work: Callable[[Connection], T]) -> T:
        return self._persistently(lambda: self._transaction(_locked, work))

    def close_now(self) -> None:
        self._engine.dispose()

    def _bring_up(self, connection: Connection, note: Note) -> None:
        connection.exec_driver_sql(LOCK)
        there = connection.exec_driver_sql("SELECT to_regnamespace(%s)", (SCHEMA,)).scalar()
        if there is None:  # asked first: a user who may not make schemas may use one that is there
            connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        versions.bring_up(connection, self._scripts, name=self.name, note=note, copy=lambda _revision: None)

    def _transaction(self, start: Start, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            transaction = connection.begin()
            number = start(connection)
            result = work(connection)
            try:
                transaction.commit()
            except DBAPIError as error:
                if not error.connection_invalidated or not self._was_committed(number, error):
                    raise
        return result

    def _was_committed(self, number: str, error: DBAPIError) -> bool:
        """What became of a transaction whose commit was sent and never answered. Raises `StoreUnreachable`."""

        def ask() -> str | None:
            with self._read.connect() as connection:
                return connection.exec_driver_sql(OUTCOME, {"number": number}).scalar()

        for _ in self._tries():
            try:
                outcome = ask()
            except DBAPIError as cut:
                if not _passing(cut):
                    raise
                continue
            if outcome != "in progress":
                return outcome == "committed"
        raise StoreUnreachable(
            f"{self.name} went away while it was storing this, and it is not known whether it was stored; "
            "look before you do it again"
        ) from error

    def _persistently(self, once: Callable[[], T]) -> T:
        """Does it until the server lets it through. Raises `StoreError`."""
        with self._in_words():
            last: DBAPIError | None = None
            for _ in self._tries():
                try:
                    return once()
                except DBAPIError as error:
                    if not _passing(error):
                        raise
                    last = error
            raise last or StoreUnreachable(self.name)

    def _tries(self) -> Iterator[int]:
        """Counts, with a pause between, until patience is at its end."""
        until, count = time.monotonic() + self._patience, 0
        while True:
            yield count
            pause = PAUSES[min(count, len(PAUSES) - 1)]
            if time.monotonic() + pause > until:
                return
            time.sleep(pause)
            count += 1

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise in_words(error, self.name) from error

    def _connected(self, url: URL) -> Engine:
        try:
            # Parameters are what people said: they do not belong into an error's text.
            engine = create_engine(
                url,
                pool_size=CONNECTIONS,
                max_overflow=0,
                hide_parameters=True,
                # Whatever the server's own is: what is read behind the lock is what was written before it.
                isolation_level="READ COMMITTED",
            )
        except ImportError as error:
            raise StoreError(
                "`store.url` needs the driver of PostgreSQL: pip install 'sayso[postgres]'"
            ) from error

        @event.listens_for(engine, "connect")
        def configure(connection: DBAPIConnection, _record: object) -> None:
            cursor = connection.cursor()
            cursor.execute("; ".join(SESSION))
            cursor.close()
            connection.commit()

        return engine


def _numbered(connection: Connection) -> str:
    """The number of this transaction."""
    return str(connection.exec_driver_sql(NUMBER).scalar_one())


def _locked(connection: Connection) -> str:
    """The number of this transaction, which nobody else adds to the audit chain beside; knows where that one ends."""
    cursor = connection.exec_driver_sql(LOCKED).cursor
    cursor.nextset()
    number, seq, hash_ = cursor.fetchall()[0]
    connection.info[tail.END] = None if seq is None else (seq, hash_)
    return str(number)


def parsed(url: str) -> URL:
    """The parts of a URL. Raises `StoreError`, which does not show it."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # The cause would show the URL, password and all.
        raise StoreError(
            "`store.url` should be a URL such as postgresql+psycopg://user@host/database"
        ) from None


def _passing(error: DBAPIError) -> bool:
    """Whether it may go well the next time: the connection was cut, or the server asks to come again."""
    state = _state(error)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return error.connection_invalidated or state in PASSING or state.startswith("08")


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def in_words(error: DBAPIError, name: str) -> StoreError:
    """What went wrong, for a person; by PostgreSQL's own codes."""
    state = _state(error) or ""
    why = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if state in ("55P03", "40001", "40P01"):
        return StoreBusy(f"{name} is locked by another worker; try again. Nothing was lost")
    if state.startswith("53") and state != "53300":
        return StoreFull(
            f"{name}: the server is out of disk or memory ({why}). This was not accepted; "
            "what was accepted before is safe"
        )
    if state in ("25006", "42501"):
        return StoreReadOnly(f"{name} cannot be written by this user ({why}); check its rights")
    if _passing(error):
        return StoreUnreachable(f"{name} does not answer ({why}); start it, or correct `store.url`")
    return StoreError(f"{name}: {why}")
