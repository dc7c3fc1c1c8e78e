"""What readers ask the catalogue, and what a check compares: every method is one statement."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import and_, bindparam, func, select

from knowledge.catalogue.database import Database
from knowledge.catalogue.packing import unpack, unpack_incident
from knowledge.catalogue.schema import (
    among,
    chunks,
    documents,
    incidents,
    meta,
    models,
    place_codes,
    places,
    sources,
    tags,
    tallies,
    units,
)
from knowledge.catalogue.values import Scanned, Shelved
from knowledge.port import Document, Incident, Place, SourceStatus, Trouble

_PAGE = 20_000  # rows that are read together where all are read

_META = select(meta.c.value).where(meta.c.key == bindparam("named"))
_SCANNED = select(meta.c.key, meta.c.value).where(meta.c.key.in_(("epoch", "rows")))
_PLACES = select(places.c.id, places.c.name, places.c.source, places.c.public, places.c.members)
_CODES = select(place_codes.c.id, place_codes.c.code)
_GROUPS = select(place_codes.c.id, place_codes.c.group)
_CHUNKS = (
    select(
        chunks.c.id,
        documents.c.id,
        place_codes.c.id,
        chunks.c.row,
        chunks.c.start,
        chunks.c.end,
        chunks.c.context,
        chunks.c.language,
    )
    .join_from(chunks, documents, documents.c.number == chunks.c.document)
    .join(place_codes, place_codes.c.code == documents.c.place)
)
_SHELVED = _CHUNKS.where(among(chunks.c.id))
_AT_ROWS = _CHUNKS.where(among(chunks.c.row))
_TAGGED = (
    select(chunks.c.row)
    .join_from(tags, chunks, chunks.c.document == tags.c.document)
    .where(tags.c.tag == bindparam("tag"), chunks.c.row.is_not(None))
)
_DOCUMENTS = select(documents.c.id, documents.c.value).where(among(documents.c.id))
_INCIDENTS = (
    select(documents.c.id, incidents.c.value)
    .join_from(documents, incidents, incidents.c.document == documents.c.number)
    .where(among(documents.c.id))
)
_COUNTS = (
    select(tallies.c.source, func.sum(tallies.c.documents))
    .join(place_codes, place_codes.c.code == tallies.c.place)
    .where(among(place_codes.c.id))
    .group_by(tallies.c.source)
    .having(func.sum(tallies.c.documents) > 0)
)
_HELD_OF_SOURCES = select(
    tallies.c.source, func.sum(tallies.c.documents), func.sum(tallies.c.chunks)
).group_by(tallies.c.source)
_PLACES_OF_SOURCES = select(places.c.source, func.count()).group_by(places.c.source)
_MODELS = select(models.c.name).distinct().join_from(tallies, models, models.c.number == tallies.c.model).where(
    tallies.c.documents > 0, models.c.name != ""
)  # fmt: skip
_CHUNK_PLACES = (
    select(chunks.c.number, chunks.c.id, place_codes.c.id)
    .join_from(chunks, documents, documents.c.number == chunks.c.document)
    .join(place_codes, place_codes.c.code == documents.c.place)
    .where(chunks.c.number > bindparam("after"))
    .order_by(chunks.c.number)
    .limit(_PAGE)
)
_EVERY_CHUNK = (
    select(chunks.c.number, chunks.c.id, documents.c.id, chunks.c.row)
    .join_from(chunks, documents, documents.c.number == chunks.c.document)
    .where(chunks.c.number > bindparam("after"))
    .order_by(chunks.c.number)
    .limit(_PAGE)
)
_EVERY_DOCUMENT = (
    select(documents.c.number, documents.c.id, units.c.key, documents.c.fingerprint)
    .join_from(documents, units, units.c.number == documents.c.unit)
    .where(and_(units.c.source == bindparam("source"), documents.c.number > bindparam("after")))
    .order_by(documents.c.number)
    .limit(_PAGE)
)


class Reading:
    """A catalogue as readers see it. Raises `IndexDamaged`, `LibraryOutdated` and `DatabaseUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        try:
            database.prepare()
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Lets go of the database."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Where it is, for people: a file, or a server without its password."""
        return self._db.name

    @property
    def elsewhere(self) -> bool:
        """Whether it is kept apart from the folder of the indexes."""
        return self._db.elsewhere

    def claimed(self) -> bool:
        """Whether a folder of indexes belongs to it already."""
        return bool(self._meta("claimed"))

    def generation(self) -> int:
        """A number that grows whenever the indexes were written: a reader that has seen another one reopens them."""
        return int(self._meta("generation") or 0)

    def library(self) -> str:
        """A name of this library that no other has."""
        return self._meta("library")

    def scanned(self) -> Scanned:
        """Where the vectors stand now."""
        kept = {key: int(value) for key, value in self._db.rows(_SCANNED)}
        return Scanned(kept.get("epoch", 0), kept.get("rows", 0))

    def places(self) -> tuple[Place, ...]:
        """All places, with their members as last read."""
        return tuple(Place(i, n, s, p, frozenset(json.loads(m))) for i, n, s, p, m in self._db.rows(_PLACES))

    def codes(self) -> dict[str, int]:
        """The number each place has in the scan."""
        return dict(self._db.rows(_CODES))

    def groups(self) -> dict[str, str]:
        """The group of the word index each place's chunks were put in."""
        return dict(self._db.rows(_GROUPS))

    def shelved(self, chunks: Sequence[str]) -> dict[str, Shelved]:
        """Where chunks stand; those the catalogue does not know are left out."""
        found = self._db.rows(_SHELVED, {"keys": chunks}) if chunks else ()
        return {row[0]: Shelved(*row) for row in found}

    def at_rows(self, rows: Sequence[int]) -> dict[int, Shelved]:
        """The chunks whose vectors stand at these rows; rows of nothing are left out."""
        found = self._db.rows(_AT_ROWS, {"keys": rows}) if rows else ()
        return {row[3]: Shelved(*row) for row in found}

    def tagged(self, tag: str) -> list[int]:
        """The rows of chunks whose document has a tag, such as `service=payments`."""
        return [row for (row,) in self._db.rows(_TAGGED, {"tag": tag})]

    def documents(self, ids: Iterable[str]) -> dict[str, Document]:
        """Documents, whole."""
        return {key: unpack(value) for key, value in self._db.rows(_DOCUMENTS, {"keys": list(ids)})}

    def incidents(self, documents: Iterable[str]) -> dict[str, Incident]:
        """What is known of the incidents that some documents tell of."""
        found = self._db.rows(_INCIDENTS, {"keys": list(documents)})
        return {key: unpack_incident(value) for key, value in found}

    def counts(self, places: frozenset[str]) -> dict[str, int]:
        """Documents by source, in these places only."""
        return {source: int(count) for source, count in self._db.rows(_COUNTS, {"keys": sorted(places)})}

    def sources(self) -> tuple[SourceStatus, ...]:
        """How much of each source is held."""
        held = {source: (int(d), int(c)) for source, d, c in self._db.rows(_HELD_OF_SOURCES)}
        spread: dict[str, int] = dict(self._db.rows(_PLACES_OF_SOURCES))
        return tuple(
            SourceStatus(
                name,
                *held.get(name, (0, 0)),
                places=spread.get(name, 0),
                read_at=datetime.fromisoformat(at),
                troubles=tuple(Trouble(*one) for one in json.loads(troubles)),
            )
            for name, at, troubles in sorted(self._db.rows(select(sources)))
        )

    def embedders(self) -> frozenset[str]:
        """The models the vectors were made with: one, or none yet."""
        return frozenset(name for (name,) in self._db.rows(_MODELS))

    # --- what a check compares ---------------------------------------------------------------------------------------

    def chunk_places(self) -> dict[str, str]:
        """The place of every chunk."""
        found: dict[str, str] = {}
        after = -1
        while rows := self._db.rows(_CHUNK_PLACES, {"after": after}):
            found |= {chunk: place for _, chunk, place in rows}
            after = rows[-1][0]
        return found

    def every_chunk(self) -> Iterator[tuple[str, str, int | None]]:
        """Every chunk with its document and row."""
        after = -1
        while rows := self._db.rows(_EVERY_CHUNK, {"after": after}):
            yield from ((chunk, document, row) for _, chunk, document, row in rows)
            after = rows[-1][0]

    def every_document(self, source: str) -> Iterator[tuple[str, str, str]]:
        """Every document of a source with its unit and fingerprint."""
        after = -1
        while rows := self._db.rows(_EVERY_DOCUMENT, {"source": source, "after": after}):
            yield from ((key, unit, mark.hex()) for _, key, unit, mark in rows)
            after = rows[-1][0]

    def _meta(self, key: str) -> str:
        rows = self._db.rows(_META, {"named": key})
        return rows[0][0] if rows else ""
