"""What the library holds, in SQLite: places, documents, chunks. The indexes hold ids and rows; this gives them meaning.

A chunk an index finds and the catalogue does not know is passed over. So a batch is written in three steps, and a
crash between any two leaves the old documents or the new: add the new chunks to the indexes (noted as `staged`
before), turn the catalogue over to them in one transaction, sweep the chunks no document has any more.
"""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING

from knowledge.port import (
    Document,
    Entry,
    Incident,
    IndexDamaged,
    LibraryOutdated,
    Place,
    SourceStatus,
    Trouble,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

VERSION = "2"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources(
    name TEXT PRIMARY KEY, read_at TEXT NOT NULL, troubles TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS units(
    source TEXT NOT NULL, unit TEXT NOT NULL, stamp TEXT NOT NULL, PRIMARY KEY(source, unit)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places(
    id TEXT PRIMARY KEY, source TEXT NOT NULL, name TEXT NOT NULL, public INTEGER NOT NULL, members TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS place_codes(code INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "group" TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents(
    id TEXT PRIMARY KEY, source TEXT NOT NULL, unit TEXT NOT NULL, place TEXT NOT NULL, fingerprint TEXT NOT NULL,
    embedder TEXT NOT NULL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_embedder ON documents(embedder);
CREATE INDEX IF NOT EXISTS documents_by_unit ON documents(source, unit);
CREATE INDEX IF NOT EXISTS documents_by_place ON documents(place);
CREATE TABLE IF NOT EXISTS chunks(
    id TEXT PRIMARY KEY, document TEXT NOT NULL REFERENCES documents(id), row INTEGER UNIQUE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, context TEXT NOT NULL, language TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_by_document ON chunks(document);
CREATE TABLE IF NOT EXISTS tags(
    tag TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY(tag, document)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tags_by_document ON tags(document);
CREATE TABLE IF NOT EXISTS incidents(document TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS staged(chunk TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies(
    place TEXT NOT NULL, source TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY(place, source)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS tally_up AFTER INSERT ON documents BEGIN
    INSERT INTO tallies VALUES (new.place, new.source, 1)
    ON CONFLICT(place, source) DO UPDATE SET documents = documents + 1;
END;
CREATE TRIGGER IF NOT EXISTS tally_down AFTER DELETE ON documents BEGIN
    UPDATE tallies SET documents = documents - 1 WHERE place = old.place AND source = old.source;
END;
"""
_TROUBLES_KEPT = 200  # of one source; a report of ten thousand unreadable files helps nobody


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of a document without reading it."""

    fingerprint: str
    embedder: str  # "" when its chunks have no vectors


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where a chunk stands: enough to judge and group a hit. `row` is its vector's in the scan, if it has one."""

    chunk: str
    document: str
    place: str
    row: int | None
    start: int
    end: int
    context: str
    language: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """Which files hold the vectors to scan, and how many of their rows count."""

    epoch: int
    rows: int


class Catalogue:
    """The catalogue in one file; every method is one transaction. Raises `IndexDamaged`, `LibraryOutdated`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with self._open() as db:
                self._refuse_other_version(db)
                db.executescript(_SCHEMA)
                db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (VERSION,))
                db.execute("INSERT OR IGNORE INTO meta VALUES ('library', lower(hex(randomblob(8))))")
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(
                f"the catalogue {str(file)!r} cannot be read ({error}); rebuild the library", file=str(file)
            ) from error

    def close(self) -> None:
        """Lets go of the file."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    # --- what readers ask --------------------------------------------------------------------------------------------

    def generation(self) -> int:
        """A number that grows whenever the indexes were written: a reader that has seen another one reopens them."""
        return int(self._meta("generation") or 0)

    def library(self) -> str:
        """A name of this library that no other has."""
        return self._meta("library") or ""

    @staticmethod
    def library_in(file: Path) -> str:
        """The name of the library whose catalogue this is, whatever its version; nothing when it cannot be told."""
        try:
            with closing(sqlite3.connect(file)) as db:
                row = db.execute("SELECT value FROM meta WHERE key = 'library'").fetchone()
        except sqlite3.DatabaseError:
            return ""
        return str(row[0]) if row else ""

    def scanned(self) -> Scanned:
        """Where the vectors stand now."""
        with self._open() as db:
            kept = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('epoch', 'rows')").fetchall())
        return Scanned(int(kept.get("epoch", 0)), int(kept.get("rows", 0)))

    def places(self) -> tuple[Place, ...]:
        """All places, with their members as last read."""
        with self._open() as db:
            rows = db.execute("SELECT id, name, source, public, members FROM places").fetchall()
        return tuple(Place(i, n, s, bool(p), frozenset(json.loads(m))) for i, n, s, p, m in rows)

    def codes(self) -> dict[str, int]:
        """The number each place has in the scan."""
        with self._open() as db:
            return dict(db.execute("SELECT id, code FROM place_codes").fetchall())

    def groups(self) -> dict[str, str]:
        """The group of the word index each place's chunks were put in."""
        with self._open() as db:
            return dict(db.execute('SELECT id, "group" FROM place_codes').fetchall())

    def shelved(self, chunks: Sequence[str]) -> dict[str, Shelved]:
        """Where chunks stand; those the catalogue does not know are left out."""
        return {one.chunk: one for one in self._shelved("c.id", list(chunks))}

    def at_rows(self, rows: Sequence[int]) -> dict[int, Shelved]:
        """The chunks whose vectors stand at these rows; rows of nothing are left out."""
        return {one.row: one for one in self._shelved("c.row", list(rows)) if one.row is not None}

    def tagged(self, tag: str) -> list[int]:
        """The rows of chunks whose document has a tag, such as `service=payments`."""
        with self._open() as db:
            found = db.execute(
                "SELECT c.row FROM tags t JOIN chunks c ON c.document = t.document "
                "WHERE t.tag = ? AND c.row IS NOT NULL",
                (tag,),
            )
            return [row for (row,) in found]

    def documents(self, ids: Iterable[str]) -> dict[str, Document]:
        """Documents, whole."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, value FROM documents WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            ).fetchall()
        return {key: _adapter().validate_json(value) for key, value in rows}

    def incidents(self, documents: Iterable[str]) -> dict[str, Incident]:
        """What is known of the incidents that some documents tell of."""
        with self._open() as db:
            rows = db.execute(
                "SELECT document, value FROM incidents WHERE document IN (SELECT value FROM json_each(?))",
                (json.dumps(list(documents)),),
            ).fetchall()
        return {key: _incidents().validate_json(value) for key, value in rows}

    def counts(self, places: frozenset[str]) -> dict[str, int]:
        """Documents by source, in these places only."""
        with self._open() as db:
            rows = db.execute(
                "SELECT source, sum(documents) FROM tallies "
                "WHERE place IN (SELECT value FROM json_each(?)) GROUP BY source HAVING sum(documents) > 0",
                (json.dumps(sorted(places)),),
            ).fetchall()
        return dict(rows)

    def sources(self) -> tuple[SourceStatus, ...]:
        """How much of each source is held."""
        with self._open() as db:
            rows = db.execute(
                "SELECT s.name, s.read_at, s.troubles, (SELECT count(*) FROM documents d WHERE d.source = s.name), "
                "(SELECT count(*) FROM chunks c JOIN documents d ON d.id = c.document WHERE d.source = s.name), "
                "(SELECT count(*) FROM places p WHERE p.source = s.name) FROM sources s ORDER BY s.name"
            ).fetchall()
        return tuple(
            SourceStatus(n, d, c, p, datetime.fromisoformat(at), tuple(Trouble(*t) for t in json.loads(said)))
            for n, at, said, d, c, p in rows
        )

    def embedders(self) -> frozenset[str]:
        """The models the vectors were made with: one, or none yet."""
        with self._open() as db:
            rows = db.execute("SELECT DISTINCT embedder FROM documents WHERE embedder <> ''").fetchall()
        return frozenset(row[0] for row in rows)

    # --- what the one writer does ------------------------------------------------------------------------------------

    def units(self, source: str) -> dict[str, str]:
        """The stamps of a source's units when they were last read without trouble."""
        with self._open() as db:
            return dict(db.execute("SELECT unit, stamp FROM units WHERE source = ?", (source,)).fetchall())

    def known(self, source: str, unit: str) -> dict[str, Known]:
        """The documents of one unit, by id."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, fingerprint, embedder FROM documents WHERE source = ? AND unit = ?",
                (source, unit),
            )
            return {i: Known(f, e) for i, f, e in rows}

    def held(self, source: str) -> dict[str, int]:
        """How many documents are held of each unit of a source."""
        with self._open() as db:
            rows = db.execute(
                "SELECT unit, count(*) FROM documents WHERE source = ? GROUP BY unit", (source,)
            )
            return dict(rows.fetchall())

    def without_vectors(self, source: str, embedder: str) -> frozenset[str]:
        """The units of a source with documents that this model has not embedded yet."""
        with self._open() as db:
            rows = db.execute(
                "SELECT DISTINCT unit FROM documents WHERE source = ? AND embedder <> ?", (source, embedder)
            )
            return frozenset(unit for (unit,) in rows)

    def put_places(self, source: str, places: Mapping[str, str], as_read: Sequence[Place]) -> None:
        """The places of a source as they are now; one that is gone is readable to nobody from now on.

        `places` are the groups of places not seen before.
        """
        rows = [(p.id, source, p.name, int(p.public), json.dumps(sorted(p.members))) for p in as_read]
        with self._open() as db:
            db.execute("DELETE FROM places WHERE source = ?", (source,))
            db.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany('INSERT OR IGNORE INTO place_codes(id, "group") VALUES (?, ?)', places.items())

    def regrouped(self, place: str, group: str) -> None:
        """Notes that a place's chunks stand in another group of the word index now."""
        with self._open() as db:
            db.execute('UPDATE place_codes SET "group" = ? WHERE id = ?', (group, place))
            _advance(db)

    def in_place(self, place: str) -> list[str]:
        """The ids of the documents in a place."""
        with self._open() as db:
            return [
                i for (i,) in db.execute("SELECT id FROM documents WHERE place = ? ORDER BY id", (place,))
            ]

    def stage(self, chunks: Mapping[str, int | None]) -> None:
        """Notes chunks, and their rows in the scan, about to be added, so that a crash leaves nothing unswept."""
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO staged VALUES (?, ?)", chunks.items())

    def turn_over(
        self,
        documents: Mapping[str, Sequence[Document]],
        entries: Mapping[str, tuple[Entry, int | None]],
        *,
        embedder: str,
        removed: Sequence[str] = (),
        rows: int | None = None,
        incidents: Sequence[Incident] = (),
    ) -> None:
        """Replaces documents (by unit) and their chunks and removes others, at once; old chunks become staged.

        `entries` have all chunks of these documents with their rows; `rows` is how many rows of the scan count now.
        """
        with self._open() as db:
            keep = {document.id for group in documents.values() for document in group}
            for key in (*removed, *keep):
                db.execute(
                    "INSERT OR REPLACE INTO staged SELECT id, row FROM chunks WHERE document = ?", (key,)
                )
                db.execute("DELETE FROM chunks WHERE document = ?", (key,))
                db.execute("DELETE FROM tags WHERE document = ?", (key,))
                db.execute("DELETE FROM incidents WHERE document = ?", (key,))
                db.execute("DELETE FROM documents WHERE id = ?", (key,))
            for unit, group in documents.items():
                db.executemany(
                    "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(d.id, d.source, unit, d.place, fingerprint(d), embedder, _dump(d)) for d in group],
                )
                tags = [(tag, d.id) for d in group for tag in tags_of(d)]
                db.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", tags)
            db.executemany(
                "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (e.chunk, e.document, row, e.start, e.end, e.context, e.language)
                    for e, row in entries.values()
                ],
            )
            db.executemany(
                "INSERT INTO incidents VALUES (?, ?)",
                [(one.document, _incidents().dump_json(one)) for one in incidents],
            )
            if rows is not None:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('rows', ?)", (str(rows),))
            _advance(db)

    def strays(self) -> dict[str, int | None]:
        """Staged chunks that no document has, with their rows: what is to be taken out of the indexes."""
        with self._open() as db:
            return dict(
                db.execute(
                    "SELECT s.chunk, s.row FROM staged s LEFT JOIN chunks c ON c.id = s.chunk WHERE c.id IS NULL"
                ).fetchall()
            )

    def swept(self) -> None:
        """Forgets what was staged: it is in the catalogue, or out of the indexes."""
        with self._open() as db:
            db.execute("DELETE FROM staged")
            _advance(db)

    def unit_begun(self, source: str, unit: str) -> None:
        """Notes that a unit is being read: until it is read whole, no stamp speaks for it."""
        with self._open() as db:
            db.execute("DELETE FROM units WHERE source = ? AND unit = ?", (source, unit))

    def unit_read(self, source: str, unit: str, stamp: str) -> None:
        """Notes that a unit was read without trouble as it was at `stamp`."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO units VALUES (?, ?, ?)", (source, unit, stamp))

    def units_gone(self, source: str, units: Collection[str]) -> list[str]:
        """Forgets the stamps of units; returns the documents that are held of them."""
        with self._open() as db:
            named = json.dumps(list(units))
            db.execute(
                "DELETE FROM units WHERE source = ? AND unit IN (SELECT value FROM json_each(?))",
                (source, named),
            )
            found = db.execute(
                "SELECT id FROM documents WHERE source = ? AND unit IN (SELECT value FROM json_each(?))",
                (source, named),
            )
            return [i for (i,) in found]

    def read_at(self, source: str, moment: datetime, troubles: Sequence[Trouble]) -> None:
        """Notes when a source was read to its end, and what could not be read."""
        said = json.dumps([[t.file, t.reason, t.keeps] for t in troubles[:_TROUBLES_KEPT]])
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (source, moment.isoformat(), said))

    def forget(self, source: str) -> list[str]:
        """Forgets that a source was ever read; returns the documents that are held of it, still to be removed."""
        with self._open() as db:
            for table, column in (("units", "source"), ("sources", "name"), ("places", "source")):
                db.execute(f"DELETE FROM {table} WHERE {column} = ?", (source,))  # noqa: S608 - names of ours
            return [i for (i,) in db.execute("SELECT id FROM documents WHERE source = ?", (source,))]

    def rows_in_order(self) -> list[int]:
        """The rows of the scan that chunks stand at, ascending."""
        with self._open() as db:
            return [row for (row,) in db.execute("SELECT row FROM chunks WHERE row IS NOT NULL ORDER BY row")]

    def moved(self, epoch: int, rows: Sequence[int]) -> None:
        """Turns over to new files of vectors, where the row `rows[i]` stands at `i`."""
        with self._open() as db:
            # Two steps: `row` is unique, and a row may move to where another one still stands.
            db.executemany(
                "UPDATE chunks SET row = ? WHERE row = ?", ((-1 - i, row) for i, row in enumerate(rows))
            )
            db.execute("UPDATE chunks SET row = -1 - row WHERE row < 0")
            for key, value in (("epoch", epoch), ("rows", len(rows))):
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(value)))
            _advance(db)

    def distrust(self, sources: Collection[str]) -> None:
        """Makes the next ingestion read everything of some sources again, whatever the stamps say."""
        with self._open() as db:
            db.executemany("DELETE FROM units WHERE source = ?", [(source,) for source in sources])

    # --- what a check compares ---------------------------------------------------------------------------------------

    def chunk_places(self) -> dict[str, str]:
        """The place of every chunk."""
        with self._open() as db:
            rows = db.execute("SELECT c.id, d.place FROM chunks c JOIN documents d ON d.id = c.document")
            return dict(rows.fetchall())

    def every_chunk(self) -> Iterator[tuple[str, str, int | None]]:
        """Every chunk with its document and row."""
        with self._open() as db:
            yield from db.execute("SELECT id, document, row FROM chunks")

    def every_document(self, source: str) -> Iterator[tuple[str, str, str]]:
        """Every document of a source with its unit and fingerprint."""
        with self._open() as db:
            yield from db.execute("SELECT id, unit, fingerprint FROM documents WHERE source = ?", (source,))

    def _shelved(self, column: str, keys: Sequence[str | int]) -> list[Shelved]:
        with self._open() as db:
            rows = db.execute(
                'SELECT c.id, c.document, d.place, c.row, c.start, c."end", c.context, c.language '  # noqa: S608 - two names of ours
                "FROM chunks c JOIN documents d ON d.id = c.document "
                f"WHERE {column} IN (SELECT value FROM json_each(?))",
                (json.dumps(keys),),
            ).fetchall()
        return [Shelved(*row) for row in rows]

    def _meta(self, key: str) -> str | None:
        with self._open() as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def _refuse_other_version(self, db: sqlite3.Connection) -> None:
        made = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
        if not made:
            return
        row = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
        if row is None or row[0] != VERSION:
            raise LibraryOutdated(
                f"the library in {str(self._file.parent)!r} was made by another version of sayso; "
                "`sayso ingest` makes it again",
                folder=str(self._file.parent),
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.get_nowait()
        except Empty:
            db = sqlite3.connect(self._file, timeout=30, check_same_thread=False)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA mmap_size=1073741824")
            db.execute("PRAGMA cache_size=-32768")
        try:
            with db:
                yield db
        finally:
            self._idle.put(db)


def fingerprint(document: Document) -> str:
    """The hash of all that is kept of a document: the same hash, the same chunks."""
    return hashlib.sha256(_dump(document)).hexdigest()


def tags_of(document: Document) -> list[str]:
    """What a question may narrow by: services and people, in lower case."""
    services = [f"service={service.lower()}" for service in document.services]
    return [*services, *(f"person={person.lower()}" for person in document.people)]


def _advance(db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT INTO meta VALUES ('generation', '1') "
        "ON CONFLICT(key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


@cache
def _adapter() -> "TypeAdapter[Document]":
    from pydantic import TypeAdapter

    return TypeAdapter(Document)


@cache
def _incidents() -> "TypeAdapter[Incident]":
    from pydantic import TypeAdapter

    return TypeAdapter(Incident)


def _dump(document: Document) -> bytes:
    return _adapter().dump_json(document)
