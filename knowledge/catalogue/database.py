"""Where a catalogue is kept: what every database does, and the one file that it is by default."""

import secrets
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVarTuple

from sqlalchemy import Connection, Engine, Executable, Row, create_engine, event, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import Select

from knowledge.catalogue import schema
from knowledge.port import IndexDamaged, KnowledgeError, LibraryOutdated

Ts = TypeVarTuple("Ts")
_BUSY_SECONDS = 30  # how long a transaction waits for another process
_MAPPED = 2**30  # bytes of the file that are read without copying them
_CACHED = 32_768  # KiB of pages that a connection keeps
_BROKEN = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")  # https://sqlite.org/rescode.html
_VERSION = select(schema.meta.c.value).where(schema.meta.c.key == "version")
_LIBRARY = select(schema.meta.c.value).where(schema.meta.c.key == "library")


class Database(ABC):
    """Statements for any number of readers, and transactions of the one writer. Every error is a `KnowledgeError`."""

    name: str  # for people: a file, or a server without its password
    elsewhere: bool  # not in the folder of the indexes, so that the two might not belong together

    def __init__(self, reads: Engine, writes: Engine) -> None:
        self._reads, self._writes = reads, writes

    def rows(
        self, statement: "Select[*Ts]", values: Mapping[str, object] | None = None
    ) -> Sequence[Row[*Ts]]:
        """What a query finds."""
        with self._in_words(), self._reads.connect() as connection:
            return connection.execute(statement, values).all()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all that is done in the block, or nothing."""
        with self._in_words(), self._writes.begin() as connection:
            yield connection

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """The right to write, beyond that of the folder. Raises `WriterBusy`."""
        yield

    def prepare(self) -> None:
        """Makes what is not there. Raises `LibraryOutdated` when it was made by another version."""
        if self._version() == schema.VERSION:
            return
        with self._making() as connection:
            if self._has_tables(connection):
                known = connection.execute(_VERSION).scalar_one_or_none()
                if known not in (None, schema.VERSION):
                    raise LibraryOutdated(
                        f"the library in {self.name!r} was made by another version of sayso; "
                        "`sayso ingest` makes it again",
                        database=self.name,
                    )
            schema.metadata.create_all(connection)
            if connection.execute(_VERSION).scalar_one_or_none() is None:
                made = {"version": schema.VERSION, "library": secrets.token_hex(8)}
                rows = [{"key": key, "value": value} for key, value in made.items()]
                connection.execute(insert(schema.meta), rows)

    def library(self) -> str:
        """The name of the library in it, whatever its version; nothing when there is none or it cannot be told."""
        try:
            return self._told(_LIBRARY)
        except IndexDamaged:
            return ""

    def close(self) -> None:
        """Lets go of every connection."""
        self._reads.dispose()
        self._writes.dispose()

    @abstractmethod
    def drop(self) -> None:
        """Forgets everything of the library."""

    @abstractmethod
    def _has_tables(self, connection: Connection) -> bool: ...

    @abstractmethod
    def _said(self, error: SQLAlchemyError) -> KnowledgeError: ...

    @contextmanager
    def _making(self) -> Iterator[Connection]:
        """The transaction in which tables are made, by one process at a time."""
        with self.writing() as connection:
            yield connection

    def _version(self) -> str:
        return self._told(_VERSION)

    def _told(self, statement: "Select[str]") -> str:
        with self._in_words(), self._reads.connect() as connection:
            return (
                (connection.execute(statement).scalar_one_or_none() or "")
                if self._has_tables(connection)
                else ""
            )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._said(error) from error


def run(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
    """Runs a statement once for each row; not at all for none."""
    if rows:
        connection.execute(statement, rows)


class SqliteFile(Database):
    """A file in the folder of the library. The folder's own lock is all that a writer needs."""

    elsewhere = False

    def __init__(self, file: Path) -> None:
        self.name, self._file = str(file), file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(self._engine(5), self._engine(1))

        @event.listens_for(self._writes, "begin")
        def begin(connection: Connection) -> None:
            # A write lock from the start: a read that turns into a write could fail half-way otherwise.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def drop(self) -> None:
        self.close()
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink()

    def library(self) -> str:
        return super().library() if self._file.is_file() else ""

    def _engine(self, connections: int) -> Engine:
        engine = create_engine(
            f"sqlite:///{self._file}",
            pool_size=connections,
            max_overflow=-1 if connections > 1 else 0,
            pool_reset_on_return=None,
            connect_args={"check_same_thread": False, "isolation_level": None, "timeout": _BUSY_SECONDS},
        )

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            with closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=NORMAL")
                cursor.execute(f"PRAGMA mmap_size={_MAPPED}")
                cursor.execute(f"PRAGMA cache_size=-{_CACHED}")

        return engine

    def _has_tables(self, connection: Connection) -> bool:
        found = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'meta'")
        return bool(found.scalar_one())

    def _said(self, error: SQLAlchemyError) -> KnowledgeError:
        why = getattr(error, "orig", None) or error
        broken = getattr(why, "sqlite_errorname", "") in _BROKEN
        advice = "rebuild the library" if broken else "check its folder and the space on the disk"
        return IndexDamaged(f"the catalogue {self.name!r} cannot be used ({why}); {advice}", file=self.name)
