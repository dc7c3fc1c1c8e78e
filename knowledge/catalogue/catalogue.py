"""The catalogue as its one writer changes it. The indexes hold ids and rows; the catalogue gives them meaning.

A chunk an index finds and the catalogue does not know is passed over. So a batch is written in three steps, and a
crash between any two leaves the old documents or the new: add the new chunks to the indexes (noted as `staged`
before), turn the catalogue over to them in one transaction, sweep the chunks no document has any more.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from knowledge.catalogue.database import Database, run
from knowledge.catalogue.reading import Reading
from knowledge.catalogue.schema import (
    among,
    chunks,
    documents,
    meta,
    models,
    place_codes,
    places,
    sources,
    staged,
    tallies,
    units,
)
from knowledge.catalogue.turning import Change, next_number, put_meta, stage, unit_numbers
from knowledge.catalogue.values import Known
from knowledge.port import Document, Entry, Incident, Place, Trouble

_TROUBLES_KEPT = 200  # of one source; a report of ten thousand unreadable files helps nobody
_OF_SOURCE = units.c.source == bindparam("of_source")
_KNOWN = (
    select(documents.c.id, documents.c.fingerprint, models.c.name)
    .join_from(documents, units, units.c.number == documents.c.unit)
    .join(models, models.c.number == documents.c.model)
    .where(_OF_SOURCE, units.c.key == bindparam("unit"))
)
_HELD = (
    select(units.c.key, func.count())
    .join_from(units, documents, documents.c.unit == units.c.number)
    .where(_OF_SOURCE)
    .group_by(units.c.key)
)
_OTHER_MODELS = (
    select(func.count())
    .select_from(tallies)
    .join(models, models.c.number == tallies.c.model)
    .where(tallies.c.source == bindparam("of_source"), tallies.c.documents > 0)
    .where(models.c.name != bindparam("model"))
)
_BARE_UNITS = (
    select(units.c.key)
    .distinct()
    .join_from(units, documents, documents.c.unit == units.c.number)
    .join(models, models.c.number == documents.c.model)
    .where(_OF_SOURCE, models.c.name != bindparam("model"))
)
_IN_PLACE = (
    select(documents.c.id)
    .join(place_codes, place_codes.c.code == documents.c.place)
    .where(place_codes.c.id == bindparam("place"))
)
_STRAYS = (
    select(staged.c.chunk, staged.c.row)
    .join_from(staged, chunks, chunks.c.id == staged.c.chunk, isouter=True)
    .where(chunks.c.id.is_(None))
)
_OF_UNITS = (
    select(documents.c.id)
    .join(units, units.c.number == documents.c.unit)
    .where(_OF_SOURCE, among(units.c.key))
)
_ROWS = select(chunks.c.row).where(chunks.c.row.is_not(None)).order_by(chunks.c.row)


class Catalogue(Reading):
    """All of a library's catalogue; every method is one transaction, whole or not at all."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._before_turning: Callable[[int], None] = lambda _: None

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """The right to write, beyond that of the folder. Raises `WriterBusy`."""
        with self._db.sole_writer():
            yield

    def before_turning(self, told: Callable[[int], None]) -> None:
        """Has somebody told the generation that is about to be, each time just before it is."""
        self._before_turning = told

    # --- what a source has -------------------------------------------------------------------------------------------

    def units(self, source: str) -> dict[str, str]:
        """The stamps of a source's units when they were last read without trouble."""
        stamped = select(units.c.key, units.c.stamp).where(_OF_SOURCE, units.c.stamp.is_not(None))
        return dict(self._db.rows(stamped, {"of_source": source}))

    def known(self, source: str, unit: str) -> dict[str, Known]:
        """The documents of one unit, by id."""
        rows = self._db.rows(_KNOWN, {"of_source": source, "unit": unit})
        return {key: Known(mark.hex(), model) for key, mark, model in rows}

    def held(self, source: str) -> dict[str, int]:
        """How many documents are held of each unit of a source."""
        return dict(self._db.rows(_HELD, {"of_source": source}))

    def without_vectors(self, source: str, embedder: str) -> frozenset[str]:
        """The units of a source with documents that this model has not embedded yet."""
        asked = {"of_source": source, "model": embedder}
        if not self._db.rows(_OTHER_MODELS, asked)[0][0]:
            return frozenset()
        return frozenset(unit for (unit,) in self._db.rows(_BARE_UNITS, asked))

    def in_place(self, place: str) -> list[str]:
        """The ids of the documents in a place."""
        return sorted(key for (key,) in self._db.rows(_IN_PLACE, {"place": place}))

    def put_places(self, source: str, groups: Mapping[str, str], as_read: Sequence[Place]) -> None:
        """The places of a source as they are now; one that is gone is readable to nobody from now on.

        `groups` are those of places not seen before.
        """
        rows = {
            p.id: {
                "id": p.id,
                "source": source,
                "name": p.name,
                "public": p.public and not p.closed,
                "members": json.dumps([] if p.closed else sorted(p.members)),
            }
            for p in as_read
        }
        with self._db.writing() as db:
            db.execute(delete(places).where(places.c.source == source))
            db.execute(delete(places).where(among(places.c.id)), {"keys": list(rows)})
            run(db, insert(places), list(rows.values()))
            coded = {code.id for code in db.execute(select(place_codes.c.id))}
            first = next_number(db, place_codes.c.code)
            fresh = [(place, group) for place, group in groups.items() if place not in coded]
            run(
                db,
                insert(place_codes),
                [
                    {"code": code, "id": place, "group": group}
                    for code, (place, group) in enumerate(fresh, start=first)
                ],
            )

    def regrouped(self, place: str, group: str) -> None:
        """Notes that a place's chunks stand in another group of the word index now."""
        with self._turning() as db:
            db.execute(update(place_codes).where(place_codes.c.id == place).values(group=group))

    def unit_begun(self, source: str, unit: str) -> None:
        """Notes that a unit is being read: until it is read whole, no stamp speaks for it."""
        with self._db.writing() as db:
            db.execute(update(units).where(units.c.source == source, units.c.key == unit).values(stamp=None))

    def unit_read(self, source: str, unit: str, stamp: str) -> None:
        """Notes that a unit was read without trouble as it was at `stamp`."""
        with self._db.writing() as db:
            number = unit_numbers(db, [(source, unit)])[source, unit]
            db.execute(update(units).where(units.c.number == number).values(stamp=stamp))

    def units_gone(self, source: str, gone: Collection[str]) -> list[str]:
        """Forgets the stamps of units; returns the documents that are held of them."""
        asked = {"of_source": source, "keys": list(gone)}
        with self._db.writing() as db:
            db.execute(update(units).where(_OF_SOURCE, among(units.c.key)).values(stamp=None), asked)
            return [key for (key,) in db.execute(_OF_UNITS, asked)]

    def read_at(self, source: str, moment: datetime, troubles: Sequence[Trouble]) -> None:
        """Notes when a source was read to its end, and what could not be read."""
        said = json.dumps([[t.file, t.reason, t.keeps] for t in troubles[:_TROUBLES_KEPT]])
        empty = ~select(documents.c.number).where(documents.c.unit == units.c.number).exists()
        with self._db.writing() as db:
            db.execute(delete(units).where(units.c.source == source, units.c.stamp.is_(None), empty))
            db.execute(delete(sources).where(sources.c.name == source))
            row = {"name": source, "read_at": moment.isoformat(), "troubles": said}
            db.execute(insert(sources), row)

    def forget(self, source: str) -> list[str]:
        """Forgets that a source was ever read; returns the documents that are held of it, still to be removed."""
        of_source = select(documents.c.id).join(units, units.c.number == documents.c.unit).where(_OF_SOURCE)
        with self._db.writing() as db:
            db.execute(update(units).where(units.c.source == source).values(stamp=None))
            db.execute(delete(sources).where(sources.c.name == source))
            db.execute(delete(places).where(places.c.source == source))
            return [key for (key,) in db.execute(of_source, {"of_source": source})]

    def distrust(self, named: Collection[str]) -> None:
        """Makes the next ingestion read everything of some sources again, whatever the stamps say."""
        with self._db.writing() as db:
            db.execute(update(units).where(among(units.c.source)).values(stamp=None), {"keys": list(named)})

    # --- a batch -----------------------------------------------------------------------------------------------------

    def stage(self, added: Mapping[str, int | None]) -> None:
        """Notes chunks, and their rows in the scan, about to be added, so that a crash leaves nothing unswept."""
        with self._db.writing() as db:
            stage(db, added)

    def turn_over(
        self,
        pages: Mapping[str, Sequence[Document]],
        entries: Collection[tuple[Entry, int | None]],
        *,
        embedder: str,
        removed: Sequence[str] = (),
        rows: int | None = None,
        told: Sequence[Incident] = (),
    ) -> None:
        """Replaces documents (by unit) and their chunks and removes others, at once; old chunks become staged.

        `entries` have all chunks of these documents with their rows; `rows` is how many rows of the scan count now.
        """
        with self._turning() as db:
            change = Change(db)
            change.take_out([*removed, *(page.id for group in pages.values() for page in group)])
            if pages:
                change.put_in(pages, embedder)
                change.put_chunks(entries)
                change.put_incidents(told)
            change.tally()
            if rows is not None:
                put_meta(db, rows=rows)

    def strays(self) -> dict[str, int | None]:
        """Staged chunks that no document has, with their rows: what is to be taken out of the indexes."""
        return dict(self._db.rows(_STRAYS))

    def swept(self) -> None:
        """Forgets what was staged: it is in the catalogue, or out of the indexes."""
        with self._turning() as db:
            db.execute(delete(staged))

    def rows_in_order(self) -> list[int]:
        """The rows of the scan that chunks stand at, ascending."""
        return [row for (row,) in self._db.rows(_ROWS)]

    def moved(self, epoch: int) -> None:
        """Turns over to new files of vectors, where the rows of chunks have moved together in their order."""
        ranks = (
            select(chunks.c.number, (func.row_number().over(order_by=chunks.c.row) - 1).label("rank"))
            .where(chunks.c.row.is_not(None))
            .subquery()
        )
        with self._turning() as db:
            # Two steps: `row` is unique, and a row may move to where another one still stands.
            db.execute(update(chunks).where(chunks.c.number == ranks.c.number).values(row=-1 - ranks.c.rank))
            moved = db.execute(update(chunks).where(chunks.c.row < 0).values(row=-1 - chunks.c.row))
            put_meta(db, epoch=epoch, rows=moved.rowcount)

    def claim(self) -> None:
        """Notes that a folder of indexes belongs to it."""
        with self._db.writing() as db:
            put_meta(db, claimed=1)

    def turned_to(self, generation: int) -> None:
        """Takes up a generation that was noted and never came to be."""
        with self._db.writing() as db:
            put_meta(db, generation=generation)

    @contextmanager
    def _turning(self) -> Iterator[Connection]:
        """A transaction after which readers open the indexes anew."""
        with self._db.writing() as db:
            yield db
            held = db.execute(select(meta.c.value).where(meta.c.key == "generation")).scalar_one_or_none()
            generation = int(held or 0) + 1
            self._before_turning(generation)
            put_meta(db, generation=generation)
