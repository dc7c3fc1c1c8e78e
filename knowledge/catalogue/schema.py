"""The tables, the same in SQLite and PostgreSQL, and the version of their shape.

Documents are known by a number inside, so that an id is written once and not again for every chunk, tag and index.
Numbers are given by the one writer. What is counted often is counted in `tallies`, which the writer keeps in step.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

VERSION = "3"  # goes up with every change of a table; a catalogue of another one is made again

metadata = MetaData()


class Words(TypeDecorator[str]):
    """Text without the one character that PostgreSQL does not take."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as it is called
        return value.replace("\0", "\ufffd") if value is not None and "\0" in value else value


class _Keys(TypeDecorator[Sequence[str] | Sequence[int]]):
    """Any number of keys as one value: JSON for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Text] | type[Integer]) -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.kind()))
        return dialect.type_descriptor(Text())

    def process_bind_param(
        self, value: Sequence[str] | Sequence[int] | None, dialect: Dialect
    ) -> Sequence[str | int] | str:
        keys = [key.replace("\0", "\ufffd") if isinstance(key, str) else key for key in value or ()]
        return keys if dialect.name == "postgresql" else json.dumps(keys)


class _Among(FunctionElement[bool]):
    """Whether a column is one of many keys given as one value: one statement for two and for two hundred."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> "_Among":  # noqa: ARG002 - as it is called
        return self  # else SQLite is asked whether it `= 1`, and looks into no index


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: object) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608 - two names of ours


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: object) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({keys})"


def among(column: ColumnElement[str] | ColumnElement[int], keys: str = "keys") -> ColumnElement[bool]:
    """Whether a column is one of the values of the parameter `keys`."""
    kind = Integer if isinstance(column.type, Integer) else Text
    return _Among(column, bindparam(keys, type_=_Keys(kind)))


def _number(name: str = "number") -> "Column[int]":
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _words(name: str, *, key: bool = False) -> "Column[str]":
    return Column(name, Words, nullable=False, primary_key=key)


meta = Table("meta", metadata, _words("key", key=True), _words("value"), sqlite_with_rowid=False)

sources = Table("sources", metadata, _words("name", key=True), _words("read_at"), _words("troubles"))

# Without a stamp a unit is read again: it was begun and not read whole.
units = Table(
    "units",
    metadata,
    _number(),
    _words("source"),
    _words("key"),
    Column("stamp", Words),
    UniqueConstraint("source", "key"),
)

places = Table(
    "places",
    metadata,
    _words("id", key=True),
    _words("source"),
    _words("name"),
    Column("public", Boolean, nullable=False),
    _words("members"),
)

# Kept for ever: a place that is gone and comes back has the same number in the scan.
place_codes = Table(
    "place_codes",
    metadata,
    _number("code"),
    Column("id", Words, nullable=False, unique=True),
    _words("group"),
)

models = Table("models", metadata, _number(), Column("name", Words, nullable=False, unique=True))

documents = Table(
    "documents",
    metadata,
    _number(),
    Column("id", Words, nullable=False, unique=True),
    Column("unit", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("model", Integer, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("documents_by_unit", "unit"),
    Index("documents_by_place", "place"),
)

chunks = Table(
    "chunks",
    metadata,
    _number(),
    Column("id", Words, nullable=False, unique=True),
    Column("document", Integer, nullable=False),
    Column("row", Integer, unique=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    _words("context"),
    _words("language"),
    Index("chunks_by_document", "document"),
)

tags = Table(
    "tags",
    metadata,
    _words("tag"),
    Column("document", Integer, nullable=False),
    PrimaryKeyConstraint("tag", "document"),
    Index("tags_by_document", "document"),
    sqlite_with_rowid=False,
)

incidents = Table("incidents", metadata, _number("document"), Column("value", LargeBinary, nullable=False))

staged = Table("staged", metadata, _words("chunk", key=True), Column("row", Integer))

tallies = Table(
    "tallies",
    metadata,
    Column("place", Integer, nullable=False),
    _words("source"),
    Column("model", Integer, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    PrimaryKeyConstraint("place", "source", "model"),
)
