"""Statements over many rows: the rows go to the database as one parameter, and one way there and back is paid for all.

The parameter is a JSON array that is a table inside the statement. So a statement is written, compiled and prepared
once, however many rows there are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Float,
    FromClause,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from agent.store.sql.prepared import Prepared, Value

Type = type[int] | type[float] | type[str]
TYPES: Mapping[Type, Integer | Float[float] | Text] = {int: Integer(), float: Float(), str: Text()}
Found = Sequence[Row[tuple[object, ...]]]
Query = Select[tuple[object, ...]]
Values = Mapping[str, ColumnElement[object]]
GIVEN = "given"  # what the rows are called inside a statement
PLACE = "place"  # of a row among those given


@dataclass(frozen=True, slots=True)
class Given:
    """The rows inside a statement, in the words of one database."""

    dialect: str
    table: FromClause

    @property
    def c(self) -> "ReadOnlyColumnCollection[str, KeyedColumnElement[object]]":
        return self.table.c

    def into(self, table: Table, *names: str) -> "postgresql.Insert | sqlite.Insert":
        """Inserts these columns of them, in the order in which they were given."""
        insert = sqlite.insert if self.dialect == "sqlite" else postgresql.insert
        # With a condition, SQLite does not take ON CONFLICT for a part of the query.
        chosen = select(*(self.c[name] for name in names)).where(self.c[PLACE] >= 0).order_by(self.c[PLACE])
        return insert(table).from_select(list(names), chosen)


class Many:
    """A statement over rows of these columns, which `build` writes for each database."""

    def __init__(self, build: Callable[[Given], Executable], **columns: Type) -> None:
        shape: dict[str, Type] = {PLACE: int, **columns}
        self._prepared = Prepared(
            {
                "sqlite": build(Given("sqlite", _sqlite(shape))),
                "postgresql": build(Given("postgresql", _postgresql(shape))),
            }
        )

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Value]], **others: Value) -> Found:
        """Runs it over these rows, where there are any, and gives what it returns; `others` are no rows' values.

        Raises `sqlalchemy.exc.DatabaseError`.
        """
        if not rows:
            return []
        given = json.dumps([{PLACE: place, **row} for place, row in enumerate(rows)])
        found = self._prepared.run(connection, {"rows": given, **others})
        return found.all() if found.returns_rows else []


class Each:
    """A query that is asked once for each of many rows; `build` writes it around the values of one.

    A server answers them all at once. SQLite, which is in this process, is asked for one after the other.
    """

    def __init__(self, build: Callable[[Values], Query], **columns: Type) -> None:
        alone: dict[str, ColumnElement[object]] = {
            name: bindparam(name, type_=TYPES[type_]) for name, type_ in columns.items()
        }
        given = _postgresql({PLACE: int, **columns})
        # By name alone: however deep a query uses a value, it is that of the one row, and never all rows once more.
        outer: dict[str, ColumnElement[object]] = {
            name: literal_column(f"{GIVEN}.{name}", type_=TYPES[type_]) for name, type_ in columns.items()
        }
        found = build(outer).lateral("found")
        joined = given.join(found, true())
        self._alone = Prepared(build(alone))
        self._together = Prepared(select(given.c[PLACE], *found.c).select_from(joined))

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Value]]) -> Sequence[Found]:
        """What is found for each of these rows, in its order. Raises `sqlalchemy.exc.DatabaseError`."""
        if connection.dialect.name == "sqlite":
            return [self._alone.run(connection, row).all() for row in rows]
        found: list[list[Row[tuple[object, ...]]]] = [[] for _ in rows]
        given = json.dumps([{PLACE: place, **row} for place, row in enumerate(rows)])
        for row in self._together.run(connection, {"rows": given}):
            found[row.place].append(row)
        return found


def _postgresql(shape: Mapping[str, Type]) -> FromClause:
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    columns = (column(name, TYPES[type_]) for name, type_ in shape.items())
    return rows.table_valued(*columns).render_derived(name=GIVEN, with_types=True)


def _sqlite(shape: Mapping[str, Type]) -> FromClause:
    each = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="each")
    return select(
        *(
            func.json_extract(each.c.value, f"$.{name}", type_=TYPES[type_]).label(name)
            for name, type_ in shape.items()
        )
    ).subquery(GIVEN)
