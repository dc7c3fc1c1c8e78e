"""What the library holds, in SQLite: places, documents, chunks. The indexes hold ids; this says what they mean.

A chunk an index finds and the catalogue does not know is passed over. So a batch is written in three steps, and a
crash between any two leaves the old documents or the new: add the new chunks to the indexes (noted as `staged`
before), turn the catalogue over to them in one transaction, sweep the chunks no document has any more.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.port import Document, Entry, Place, SourceStatus

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources(name TEXT PRIMARY KEY, read_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places(
    id TEXT PRIMARY KEY, source TEXT NOT NULL, name TEXT NOT NULL, public INTEGER NOT NULL, members TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents(
    id TEXT PRIMARY KEY, source TEXT NOT NULL, place TEXT NOT NULL, fingerprint TEXT NOT NULL, embedder TEXT NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_embedder ON documents(embedder);
CREATE INDEX IF NOT EXISTS documents_by_source ON documents(source, place);
CREATE TABLE IF NOT EXISTS chunks(
    id TEXT PRIMARY KEY, document TEXT NOT NULL REFERENCES documents(id), place TEXT NOT NULL, shelf TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, context TEXT NOT NULL,
    language TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_by_document ON chunks(document);
CREATE INDEX IF NOT EXISTS chunks_by_shelf ON chunks(shelf, place);
CREATE TABLE IF NOT EXISTS staged(chunk TEXT NOT NULL, shelf TEXT NOT NULL, PRIMARY KEY(chunk, shelf)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of a document without reading it."""

    fingerprint: str
    embedder: str  # "" when its chunks have no vectors


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where a chunk stands: enough to judge and group a hit."""

    chunk: str
    document: str
    place: str
    shelf: str
    start: int
    end: int
    context: str
    language: str


class Catalogue:
    """The catalogue in one file. Every method is one transaction on a connection of its own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._open() as db:
            db.executescript(_SCHEMA)

    def generation(self) -> int:
        """A number that grows whenever the indexes were written: a reader that has seen another one reopens them."""
        with self._open() as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
        return int(row[0]) if row else 0

    def advance(self) -> int:
        """Tells readers that the indexes have changed."""
        with self._open() as db:
            db.execute(
                "INSERT INTO meta VALUES ('generation', '1') "
                "ON CONFLICT(key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
            )
        return self.generation()

    def places(self) -> tuple[Place, ...]:
        """All places, with their members as last read."""
        with self._open() as db:
            rows = db.execute("SELECT id, name, source, public, members FROM places").fetchall()
        return tuple(Place(i, n, s, bool(p), frozenset(json.loads(m))) for i, n, s, p, m in rows)

    def put_places(self, source: str, places: Sequence[Place]) -> None:
        """The places of a source as they are now; one that is gone is readable to nobody from now on."""
        rows = [(p.id, source, p.name, int(p.public), json.dumps(sorted(p.members))) for p in places]
        with self._open() as db:
            db.execute("DELETE FROM places WHERE source = ?", (source,))
            db.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)", rows)

    def known(self, source: str) -> dict[str, Known]:
        """Every document of a source, by id."""
        with self._open() as db:
            rows = db.execute("SELECT id, fingerprint, embedder FROM documents WHERE source = ?", (source,))
            return {i: Known(f, e) for i, f, e in rows}

    def embedders(self) -> frozenset[str]:
        """The models the vectors were made with: one, or none yet."""
        with self._open() as db:
            rows = db.execute("SELECT DISTINCT embedder FROM documents WHERE embedder <> ''").fetchall()
        return frozenset(row[0] for row in rows)

    def stage(self, chunks: Iterable[tuple[str, str]]) -> None:
        """Notes (chunk, shelf) pairs about to be added to the indexes, so that a crash leaves nothing unswept."""
        with self._open() as db:
            db.executemany("INSERT OR IGNORE INTO staged VALUES (?, ?)", chunks)

    def turn_over(
        self,
        documents: Sequence[Document],
        entries: Sequence[Entry],
        *,
        embedder: str,
        removed: Sequence[str] = (),
    ) -> None:
        """Replaces documents and their chunks and removes others, at once; old chunks become staged, to be swept."""
        with self._open() as db:
            for key in (*removed, *(document.id for document in documents)):
                db.execute(
                    "INSERT OR IGNORE INTO staged SELECT id, shelf FROM chunks WHERE document = ?", (key,)
                )
                db.execute("DELETE FROM chunks WHERE document = ?", (key,))
            db.executemany("DELETE FROM documents WHERE id = ?", [(key,) for key in removed])
            db.executemany(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
                [(d.id, d.source, d.place, fingerprint(d), embedder, _dump(d)) for d in documents],
            )
            db.executemany(
                "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (e.chunk, e.document, e.place, e.shelf, e.start, e.end, e.context, e.language)
                    for e in entries
                ],
            )

    def strays(self) -> dict[str, list[str]]:
        """Staged chunks that no document has, by shelf: what is to be taken out of the indexes."""
        with self._open() as db:
            rows = db.execute(
                "SELECT s.chunk, s.shelf FROM staged s LEFT JOIN chunks c ON c.id = s.chunk AND c.shelf = s.shelf "
                "WHERE c.id IS NULL"
            ).fetchall()
        return _grouped(rows)

    def swept(self) -> None:
        """Forgets what was staged: it is in the catalogue, or out of the indexes."""
        with self._open() as db:
            db.execute("DELETE FROM staged")

    def read_at(self, source: str, moment: datetime) -> None:
        """Notes when a source was read to its end."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (source, moment.isoformat()))

    def shelved(self, chunks: Sequence[str]) -> dict[str, Shelved]:
        """Where chunks stand; those the catalogue does not know are left out."""
        with self._open() as db:
            rows = db.execute(
                'SELECT id, document, place, shelf, start, "end", context, language '
                "FROM chunks "
                "WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(chunks)),),
            ).fetchall()
        return {row[0]: Shelved(*row) for row in rows}

    def shelves(self) -> dict[str, frozenset[str]]:
        """The places whose chunks stand on each shelf."""
        with self._open() as db:
            rows = db.execute("SELECT DISTINCT place, shelf FROM chunks").fetchall()
        return {shelf: frozenset(places) for shelf, places in _grouped(rows).items()}

    def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """Documents, whole."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, value FROM documents WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            ).fetchall()
        return {key: _adapter().validate_json(value) for key, value in rows}

    def counts(self, places: frozenset[str]) -> dict[str, int]:
        """Documents by source, in these places only."""
        with self._open() as db:
            rows = db.execute(
                "SELECT source, count(*) FROM documents "
                "WHERE place IN (SELECT value FROM json_each(?)) GROUP BY source",
                (json.dumps(sorted(places)),),
            ).fetchall()
        return dict(rows)

    def sources(self) -> tuple[SourceStatus, ...]:
        """How much of each source is held."""
        with self._open() as db:
            rows = db.execute(
                "SELECT s.name, s.read_at, (SELECT count(*) FROM documents d WHERE d.source = s.name), "
                "(SELECT count(*) FROM chunks c JOIN documents d ON d.id = c.document WHERE d.source = s.name), "
                "(SELECT count(*) FROM places p WHERE p.source = s.name) FROM sources s ORDER BY s.name"
            ).fetchall()
        return tuple(SourceStatus(n, d, c, p, datetime.fromisoformat(at)) for n, at, d, c, p in rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            with db:
                yield db


def fingerprint(document: Document) -> str:
    """The hash of all that is kept of a document: the same hash, the same chunks."""
    return hashlib.sha256(_dump(document)).hexdigest()


def _grouped(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for value, key in rows:
        grouped.setdefault(key, []).append(value)
    return grouped


@cache
def _adapter() -> "TypeAdapter[Document]":
    from pydantic import TypeAdapter

    return TypeAdapter(Document)


def _dump(document: Document) -> bytes:
    return _adapter().dump_json(document)
