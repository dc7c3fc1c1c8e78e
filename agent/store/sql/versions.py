"""Which revision the tables of a store have, and bringing them to the one this program knows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select, update

from agent.store.port import StoreNewer
from agent.store.sql import schema

Note = Callable[[str], None]  # tells a person about something that was done for them
Copy = Callable[[str], Path | None]  # keeps a copy of the store at this revision, where that can be done


@dataclass(frozen=True, slots=True)
class Scripts:
    """Migrations: a folder of Alembic's, and the newest revision in it. Revisions are numbers of four digits."""

    folder: Path
    head: str


SHIPPED = Scripts(Path(__file__).parent / "migrations", schema.HEAD)


def quiet(_line: str) -> None:
    """Nobody is told."""


def revision(connection: Connection) -> str | None:
    """The revision of the tables there are; None where there are none."""
    tables = inspect(connection)
    if tables.has_table(schema.revisions.name):
        return connection.execute(select(func.max(schema.revisions.c.version_num))).scalar()
    if tables.has_table(schema.meta.name):  # a store of the time before migrations
        query = select(schema.meta.c.value).where(schema.meta.c.name == "version")
        number = connection.execute(query).scalar()
        return None if number is None else f"{int(number):04d}"
    return None


def bring_up(connection: Connection, scripts: Scripts, *, name: str, note: Note, copy: Copy) -> None:
    """Makes or migrates the tables; the caller holds the lock of writers. Raises `StoreNewer`."""
    known = revision(connection)  # asked anew: another process may have done it while this one waited
    if known is not None and known > scripts.head:
        raise StoreNewer(
            f"{name} was made by a newer sayso (format {known}, this one knows {scripts.head}); "
            "upgrade sayso, or use another --home"
        )
    if known is None and scripts is SHIPPED:
        # The same tables as all migrations together make (a test compares them), without loading Alembic.
        schema.metadata.create_all(connection)
        mark(connection, scripts.head)
        return
    if known is not None and not inspect(connection).has_table(schema.revisions.name):
        mark(connection, known)
    if known != scripts.head:
        from agent.store.sql.migrate import migrate

        copied = copy(known) if known is not None else None
        migrate(connection, scripts, scripts.head)
        if known is not None:
            kept = f"; {copied} is a copy of it as it was before" if copied else ""
            note(f"{name} was brought from format {known} to {scripts.head}{kept}")


def mark(connection: Connection, head: str) -> None:
    """Writes down the revision: for Alembic, and as the number that earlier versions of sayso look at."""
    table = schema.revisions
    schema.bookkeeping.create_all(connection)
    connection.execute(table.delete())
    connection.execute(insert(table).values(version_num=head))
    number = {"value": str(int(head))}
    there = update(schema.meta).where(schema.meta.c.name == "version").values(number)
    if connection.execute(there).rowcount == 0:
        connection.execute(insert(schema.meta).values(name="version", **number))
