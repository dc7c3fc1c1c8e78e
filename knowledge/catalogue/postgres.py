"""A catalogue in PostgreSQL: for a library whose readers are on several machines, or that is too much for one file.

Everything the writer does goes through the one connection that holds the lock: when that connection is lost, so is
the right to write, and the next transaction fails instead of meeting another writer's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVarTuple

from sqlalchemy import URL, Connection, MetaData, NullPool, Row, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateSchema
from sqlalchemy.sql import Select

from knowledge.catalogue.database import Database
from knowledge.port import DatabaseUnavailable, IndexDamaged, KnowledgeError, WriterBusy

Ts = TypeVarTuple("Ts")
SCHEMA = "sayso_knowledge"
_WRITER = int.from_bytes(b"sayso-kw")  # keys of advisory locks are 64 bits, one space for each database
_MAKER = int.from_bytes(b"sayso-km")
# The server lets go of a killed writer's lock as soon as it sees its connection closed, which takes an instant.
_PATIENCE = "2s"
_LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
_DRIVERS = ("postgresql", "postgresql+psycopg")
_NOT_AS_MADE = (ProgrammingError, IntegrityError, DataError)  # tables that are not there, or not ours to read
_PLANNING = ("random_page_cost = 1.1", "jit = off")
# A writer whose machine is gone without a word is noticed after a minute, not after the two hours of TCP.
_KEEPALIVE = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")


class Postgres(Database):
    """A schema of its own, `sayso_knowledge`, in one database of a PostgreSQL server: one library a database."""

    elsewhere = True

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.name = URL.create(
            "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database
        ).render_as_string()
        named = {None: SCHEMA}
        told = {"connect_timeout": "5", "application_name": "sayso", **parsed.query}
        parsed = parsed.set(drivername="postgresql+psycopg", query=told)
        try:
            reads = create_engine(parsed, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
            writes = create_engine(parsed, poolclass=NullPool)
            event.listen(reads, "connect", _plans_for_keys)
        except ImportError as error:
            raise DatabaseUnavailable(
                "`knowledge.database` needs the driver of PostgreSQL: pip install 'sayso[postgres]'"
            ) from error
        super().__init__(
            reads.execution_options(schema_translate_map=named),
            writes.execution_options(schema_translate_map=named),
        )
        self._held: Connection | None = None

    def rows(
        self, statement: "Select[*Ts]", values: Mapping[str, object] | None = None
    ) -> Sequence[Row[*Ts]]:
        try:
            with self._reads.connect() as connection:
                return connection.execute(statement, values).all()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise self._said(error) from error
        # The server was started anew meanwhile: the pool is emptied by now, so this is a fresh connection.
        return super().rows(statement, values)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if self._held is None or self._held.invalidated:
            raise WriterBusy(
                f"{self.name!r} may be written only by the process that holds its lock", database=self.name
            )
        with self._in_words(), self._held.begin():
            yield self._held

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        with self._in_words():
            held = self._writes.connect()
        try:
            with self._in_words():
                self._lock(held)
            self._held = held
            yield
        finally:
            self._held = None
            held.close()  # the session ends, and the lock with it

    def drop(self) -> None:
        """Drops the tables, and leaves the schema to whoever made it. Raises `WriterBusy` where another one writes."""
        with self.sole_writer(), self.writing() as connection:
            there = MetaData()
            there.reflect(connection, schema=SCHEMA)
            there.drop_all(connection)

    def _lock(self, connection: Connection) -> None:
        for setting in _KEEPALIVE:
            connection.execute(text(f"SET {setting}"))
        connection.commit()
        try:
            with connection.begin():
                connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _WRITER})
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise WriterBusy(
                f"another process is writing the library in {self.name!r}; try again when it is done",
                database=self.name,
            ) from error

    @contextmanager
    def _making(self) -> Iterator[Connection]:
        with self._in_words(), self._writes.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKER})
            if SCHEMA not in inspect(connection).get_schema_names():
                connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
            yield connection

    def _has_tables(self, connection: Connection) -> bool:
        return inspect(connection).has_table("meta", schema=SCHEMA)

    def _said(self, error: SQLAlchemyError) -> KnowledgeError:
        why = str(getattr(error, "orig", None) or type(error).__name__).strip()
        if isinstance(error, _NOT_AS_MADE):
            return IndexDamaged(
                f"the catalogue in {self.name!r} cannot be used ({why}); check the rights of its user, "
                "or rebuild the library",
                database=self.name,
            )
        return DatabaseUnavailable(
            f"PostgreSQL does not answer at {self.name!r} ({why}); start it, or correct `knowledge.database`",
            database=self.name,
        )


def _plans_for_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Has the planner look up a hundred keys in an index, not read a table that is in memory anyway from end to end."""
    cursor = connection.cursor()
    for setting in _PLANNING:
        cursor.execute(f"SET {setting}")
    cursor.close()


def _parsed(url: str) -> URL:
    wanted = "`knowledge.database` should be a URL such as postgresql+psycopg://user@host/database"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUnavailable(wanted) from None  # the cause would show the URL, password and all
    if parsed.drivername not in _DRIVERS:
        raise DatabaseUnavailable(f"{wanted}, not {parsed.drivername!r}")
    return parsed
