"""Statements that are built and compiled once: building them anew costs more than running them."""

from collections.abc import Mapping

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Value = str | int | float | None


class Prepared:
    """One statement for SQLite with named parameters (`bindparam`)."""

    def __init__(self, statement: Executable) -> None:
        if not isinstance(statement, ClauseElement):
            raise TypeError(f"{statement!r} cannot be compiled")
        compiled = statement.compile(dialect=sqlite.dialect())
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{statement!r} is no statement")
        self._text = compiled.string
        self._order = tuple(compiled.positiontup or ())
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: Connection, values: Mapping[str, Value]) -> CursorResult[tuple[object, ...]]:
        """Runs it with these values. Raises `sqlalchemy.exc.DatabaseError`."""
        given = {**self._fixed, **values}
        return connection.exec_driver_sql(self._text, tuple(given[name] for name in self._order))
