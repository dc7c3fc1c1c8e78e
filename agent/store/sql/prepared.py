"""Statements that are built and compiled once: building them anew costs more than running them."""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import BindParameter, Connection, CursorResult, Executable, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Value = str | int | float | None


class Prepared:
    """One statement with named parameters (`bindparam`), for every database the store knows.

    Where they need different ones, a mapping names them by dialect.
    """

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Mapping[str, Value]) -> CursorResult[tuple[object, ...]]:
        """Runs it with these values. Raises `sqlalchemy.exc.DatabaseError`."""
        compiled = self._for(connection)
        return connection.exec_driver_sql(compiled.text, compiled.arguments(values))

    def run_all(self, connection: Connection, rows: Sequence[Mapping[str, Value]]) -> None:
        """Runs it once for each of these rows; nothing comes back. Raises `sqlalchemy.exc.DatabaseError`."""
        compiled = self._for(connection)
        if rows:
            connection.exec_driver_sql(compiled.text, [compiled.arguments(row) for row in rows])

    def _for(self, connection: Connection) -> "_Compiled":
        name = connection.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            chosen = self._statement[name] if isinstance(self._statement, Mapping) else self._statement
            compiled = self._compiled[name] = _Compiled(chosen, _dialect(name))
        return compiled


class _Compiled:
    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        if not isinstance(statement, ClauseElement):
            raise TypeError(f"{statement!r} cannot be compiled")
        compiled = statement.compile(dialect=dialect)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{statement!r} is no statement")
        self.text = compiled.string
        self._order = None if compiled.positiontup is None else tuple(compiled.positiontup)
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, values: Mapping[str, Value]) -> tuple[Value, ...] | dict[str, Value]:
        given = {**self._fixed, **values}
        return given if self._order is None else tuple(given[name] for name in self._order)


def once(table: Table, *columns: str, on: str | None = None) -> dict[str, Executable]:
    """Inserts a row, if none of its key is there: gives its id then, and nothing otherwise."""
    values: dict[str, BindParameter[Value]] = {name: bindparam(name) for name in columns}
    elements = None if on is None else [on]
    made: dict[str, Executable] = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        statement = insert(table).values(values).on_conflict_do_nothing(index_elements=elements)
        made[name] = statement if on is None else statement.returning(table.c.id)
    return made


def plain(text: str) -> str:
    """A text without what no database takes: the character 0, and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def number(id_: str) -> int:
    """The row number in `A-17` or `T-12`; 0, which no row has, for anything else."""
    digits = id_.partition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


@cache
def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        return sqlite.dialect()
    from sqlalchemy.dialects.postgresql import psycopg

    return psycopg.dialect()  # type: ignore[no-untyped-call]
