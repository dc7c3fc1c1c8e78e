"""Reads sources into the indexes: only what changed, in batches that a crash leaves old or new, never in between."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from knowledge.analyzer import language_of
from knowledge.catalogue import Catalogue, Shelved, fingerprint
from knowledge.chunking import chunks_of, said, without_speakers
from knowledge.incidents import Rules
from knowledge.lexical import PUBLIC_GROUP, LexicalIndex
from knowledge.port import (
    Chunk,
    Document,
    Embedder,
    Entry,
    Incident,
    Kind,
    OnProgress,
    Place,
    Progress,
    Source,
    SourceReport,
    Structurer,
    Trouble,
    Unit,
)
from knowledge.record import Record
from knowledge.scan import Added, Scan, ScanWriter

_BATCH_LEAST = 128  # chunks embedded and written together
_BATCH_MOST = 4096
_BATCH_SECONDS = 5.0  # how long a batch may take: a crash loses that much, and progress is told as often
_SWEPT_SHARE = 0.2  # of all rows of the scan: when more are swept, the rest moves together
_SWEPT_LEAST = 5000
_REFILLED = 4096  # vectors put into a new record at a time
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Vectoring:
    """How vectors are made and kept."""

    embedder: Embedder
    record: Record
    scan: ScanWriter


@dataclass(frozen=True, slots=True)
class Shelving:
    """What an ingestion writes to. Without `vectoring` it writes words only."""

    catalogue: Catalogue
    lexical: LexicalIndex
    vectoring: Vectoring | None
    structurer: Structurer = field(default_factory=Rules)

    @property
    def model(self) -> str:
        return "" if self.vectoring is None else self.vectoring.embedder.name


@dataclass(slots=True)
class _Tally:
    """What has been done so far for one source."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    chunks: int = 0
    embedding: float = 0.0
    troubles: list[Trouble] = field(default_factory=list)
    done: int = 0  # weight of the units that are read
    whole: int = 0


def group_of(place: Place) -> str:
    """The part of the word index a place is in: what all may read together, each private place by itself."""
    return PUBLIC_GROUP if place.public else place.id


async def ingest(
    shelving: Shelving, source: Source, clock: Clock, on_progress: OnProgress | None, *, dry: bool = False
) -> SourceReport:
    """Brings the library up to date with one source. The caller holds the right to write.

    Raises `SourceFailed` when the source cannot be read at all; nothing is removed then. A file that cannot be read
    is named in the report, and what was known of it stays. A `dry` run reads and counts, and writes nothing.
    """
    run = _Run(shelving, source, clock, on_progress, dry)
    return await run.whole()


async def remove(shelving: Shelving, documents: Sequence[str]) -> None:
    """Takes documents out of the catalogue and every index."""
    if documents:
        await asyncio.to_thread(shelving.catalogue.turn_over, {}, [], embedder="", removed=documents)
        await sweep(shelving)


async def sweep(shelving: Shelving) -> None:
    """Takes out of the indexes what no document has any more, also what a crash left behind."""
    strays = await asyncio.to_thread(shelving.catalogue.strays)
    if strays:
        chunks = list(strays)
        await asyncio.to_thread(shelving.lexical.write, (), chunks)
        if shelving.vectoring is None:
            if any(row is not None for row in strays.values()):
                return  # their vectors wait, staged, for a run that has the model
        else:
            scanned = await asyncio.to_thread(shelving.catalogue.scanned)
            rows = [row for row in strays.values() if row is not None]
            await asyncio.to_thread(shelving.vectoring.scan.sweep, scanned, rows)
            await asyncio.to_thread(shelving.vectoring.record.remove, chunks)
    await asyncio.to_thread(shelving.catalogue.swept)


async def tidy(shelving: Shelving) -> None:
    """Moves the vectors together when many rows hold nothing any more."""
    if shelving.vectoring is None:
        return
    scanned = await asyncio.to_thread(shelving.catalogue.scanned)
    rows = await asyncio.to_thread(shelving.catalogue.rows_in_order)
    if scanned.rows - len(rows) > max(_SWEPT_LEAST, _SWEPT_SHARE * scanned.rows):
        epoch = await asyncio.to_thread(shelving.vectoring.scan.move, scanned, rows)
        await asyncio.to_thread(shelving.catalogue.moved, epoch)
    await asyncio.to_thread(shelving.vectoring.scan.tidy, await asyncio.to_thread(shelving.catalogue.scanned))


def refill(catalogue: Catalogue, vectoring: Vectoring) -> None:
    """Puts the vectors that are scanned into a record that has none of them."""
    scan = Scan(vectoring.scan.folder, catalogue.scanned(), vectoring.embedder.dims)
    places = catalogue.chunk_places()
    held = [(chunk, row) for chunk, _, row in catalogue.every_chunk() if row is not None]
    for at in range(0, len(held), _REFILLED):
        part = held[at : at + _REFILLED]
        vectoring.record.fill(
            [(chunk, places[chunk]) for chunk, _ in part], scan.vectors([row for _, row in part])
        )


class _Run:
    """One ingestion of one source."""

    def __init__(
        self, shelving: Shelving, source: Source, clock: Clock, on_progress: OnProgress | None, dry: bool
    ) -> None:
        self._shelving, self._source, self._clock, self._dry = shelving, source, clock, dry
        self._on_progress = on_progress
        self._tally = _Tally()
        self._began = clock()
        self._batch = _Batch(shelving, {}, clock, self._tally)
        self._finished: list[Unit] = []  # read whole, and waiting for their batch to be written

    async def whole(self) -> SourceReport:
        """Reads what changed, takes out what is gone."""
        catalogue, source = self._shelving.catalogue, self._source
        units = await source.units()  # first: a channel that appears meanwhile has a place and no unit yet
        places = {place.id: place for place in await source.places()}
        if not self._dry:
            await self._places(places)
            await sweep(self._shelving)
        self._batch.places = places
        await self._read_changed(units)
        gone = await self._gone(units)
        self._tally.removed += len(gone)
        if not self._dry:
            await remove(self._shelving, gone)
            troubles = tuple(self._tally.troubles)
            await asyncio.to_thread(catalogue.read_at, source.name, self._clock(), troubles)
            await tidy(self._shelving)
        return self._report()

    async def _places(self, places: Mapping[str, Place]) -> None:
        """Takes up who may read what; a place that changed sides is indexed anew among its equals."""
        catalogue = self._shelving.catalogue
        groups = {place.id: group_of(place) for place in places.values()}
        before = await asyncio.to_thread(catalogue.groups)
        await asyncio.to_thread(catalogue.put_places, self._source.name, groups, tuple(places.values()))
        for place, group in groups.items():
            if before.get(place, group) != group:
                held = await asyncio.to_thread(catalogue.in_place, place)
                documents = await asyncio.to_thread(catalogue.documents, held)
                entries = [entry_of(d, c, places) for d in documents.values() for c in chunks_of(d)]
                await asyncio.to_thread(self._shelving.lexical.write, entries, ())
                await asyncio.to_thread(catalogue.regrouped, place, group)

    async def _read_changed(self, units: Sequence[Unit]) -> None:
        catalogue, tally = self._shelving.catalogue, self._tally
        stamps = await asyncio.to_thread(catalogue.units, self._source.name)
        held = await asyncio.to_thread(catalogue.held, self._source.name)
        bare: frozenset[str] = frozenset()
        if self._shelving.vectoring is not None:
            bare = await asyncio.to_thread(catalogue.without_vectors, self._source.name, self._shelving.model)
        changed = [u for u in units if not u.stamp or stamps.get(u.key) != u.stamp or u.key in bare]
        tally.whole = sum(unit.weight for unit in changed)
        tally.unchanged = sum(held.get(u.key, 0) for u in units) - sum(held.get(u.key, 0) for u in changed)
        for unit in changed:
            if unit.key in stamps and not self._dry:
                await asyncio.to_thread(catalogue.unit_begun, self._source.name, unit.key)
            await self._read(unit)
        await self._flush()

    async def _read(self, unit: Unit) -> None:
        known = await asyncio.to_thread(self._shelving.catalogue.known, self._source.name, unit.key)
        seen: set[str] = set()
        troubled = False
        async for found in self._source.read(unit):
            if isinstance(found, Trouble):
                self._tally.troubles.append(found)
                troubled = True
                continue
            seen.add(found.id)
            before = known.get(found.id)
            if before and before.fingerprint == fingerprint(found) and self._embedded(before.embedder):
                self._tally.unchanged += 1
                continue
            self._tally.changed += before is not None
            self._tally.added += before is None
            told = None if self._dry else await self._shelving.structurer.structure(found)
            self._batch.add(unit.key, found, told)
            if self._batch.due:
                await self._flush()
        if not troubled:
            self._batch.removed += sorted(known.keys() - seen)
            self._finished.append(unit)
        self._tally.removed += 0 if troubled else len(known.keys() - seen)
        self._tally.done += unit.weight
        await self._tell()

    def _embedded(self, embedder: str) -> bool:
        return self._shelving.vectoring is None or embedder == self._shelving.model

    async def _flush(self) -> None:
        if self._dry:
            self._batch.count()
        else:
            await self._batch.write()
            for unit in self._finished:
                await asyncio.to_thread(
                    self._shelving.catalogue.unit_read, self._source.name, unit.key, unit.stamp
                )
        self._finished.clear()
        await self._tell()

    async def _gone(self, units: Sequence[Unit]) -> list[str]:
        """Documents of units the source no longer has; those of a file that could not be read are not gone."""
        catalogue, name = self._shelving.catalogue, self._source.name
        held = await asyncio.to_thread(catalogue.held, name)
        kept = tuple(trouble.keeps for trouble in self._tally.troubles)
        gone = [key for key in held.keys() - {unit.key for unit in units} if not key.startswith(kept)]
        if self._dry:
            return [f"{key}/{i}" for key in gone for i in range(held[key])]
        return await asyncio.to_thread(catalogue.units_gone, name, gone)

    async def _tell(self) -> None:
        if self._on_progress is None:
            return
        tally, seconds = self._tally, (self._clock() - self._began).total_seconds()
        share = tally.done / tally.whole if tally.whole else 1.0
        rate = tally.chunks / seconds if seconds > 0 else 0.0
        self._on_progress(
            Progress(self._source.name, share, tally.added + tally.changed, tally.chunks, rate, seconds)
        )

    def _report(self) -> SourceReport:
        tally = self._tally
        return SourceReport(
            source=self._source.name,
            added=tally.added,
            changed=tally.changed,
            unchanged=tally.unchanged,
            removed=tally.removed,
            chunks=tally.chunks,
            seconds=(self._clock() - self._began).total_seconds(),
            embedding=tally.embedding,
            troubles=tuple(tally.troubles),
        )


class _Batch:
    """Documents collected until it is worth writing them."""

    def __init__(self, shelving: Shelving, places: Mapping[str, Place], clock: Clock, tally: _Tally) -> None:
        self._shelving, self._clock, self._tally = shelving, clock, tally
        self.places = places
        self.removed: list[str] = []
        self._documents: dict[str, list[Document]] = {}
        self._chunks: list[tuple[Document, Chunk]] = []
        self._incidents: list[Incident] = []
        self._enough = _BATCH_LEAST

    def add(self, unit: str, document: Document, incident: Incident | None) -> None:
        """Takes a document that is new or changed, and what it tells of an incident."""
        if incident is not None:
            self._incidents.append(incident)
        self._documents.setdefault(unit, []).append(document)
        self._chunks += [(document, chunk) for chunk in chunks_of(document)]

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        return len(self._chunks) >= self._enough

    def count(self) -> None:
        """Counts what would be written, and forgets it."""
        self._tally.chunks += len(self._chunks)
        self._clear()

    async def write(self) -> None:
        """Adds the new chunks to the indexes, turns the catalogue over, sweeps the old."""
        if not self._documents and not self.removed:
            return
        catalogue, began = self._shelving.catalogue, self._clock()
        entries = {chunk.id: entry_of(document, chunk, self.places) for document, chunk in self._chunks}
        held = await asyncio.to_thread(catalogue.shelved, list(entries))
        fresh = [entry for key, entry in entries.items() if not self._whole(held.get(key))]
        scanned = await asyncio.to_thread(catalogue.scanned)
        rows = {entry.chunk: scanned.rows + i for i, entry in enumerate(fresh)}
        if self._shelving.vectoring is None:
            await asyncio.to_thread(catalogue.stage, dict.fromkeys(rows))
        else:
            await asyncio.to_thread(catalogue.stage, rows)
            await self._vectors(self._shelving.vectoring, fresh)
        # All of them: context words may change around a text that did not.
        await asyncio.to_thread(self._shelving.lexical.write, list(entries.values()), ())
        await asyncio.to_thread(
            catalogue.turn_over,
            self._documents,
            [(entry, self._row(rows, held, key)) for key, entry in entries.items()],
            embedder=self._shelving.model,
            removed=self.removed,
            rows=None if self._shelving.vectoring is None else scanned.rows + len(fresh),
            told=self._incidents,
        )
        await sweep(self._shelving)
        self._tally.chunks += len(entries)
        seconds = max(0.01, (self._clock() - began).total_seconds())
        self._enough = min(_BATCH_MOST, max(_BATCH_LEAST, int(len(entries) / seconds * _BATCH_SECONDS)))
        self._clear()

    def _whole(self, held: Shelved | None) -> bool:
        return held is not None and (held.row is not None or self._shelving.vectoring is None)

    def _row(self, rows: Mapping[str, int], held: Mapping[str, Shelved], key: str) -> int | None:
        if key in held and held[key].row is not None:
            return held[key].row
        return None if self._shelving.vectoring is None else rows[key]

    async def _vectors(self, vectoring: Vectoring, fresh: Sequence[Entry]) -> None:
        if not fresh:
            return
        catalogue, began = self._shelving.catalogue, self._clock()
        vectors = await vectoring.embedder.embed_passages([entry.meaning for entry in fresh])
        self._tally.embedding += (self._clock() - began).total_seconds()
        codes, scanned = await asyncio.to_thread(catalogue.codes), await asyncio.to_thread(catalogue.scanned)
        await asyncio.to_thread(vectoring.record.put, fresh, vectors)
        added = [Added(codes[entry.place], entry.date) for entry in fresh]
        await asyncio.to_thread(vectoring.scan.add, scanned, vectors, added)

    def _clear(self) -> None:
        self._documents, self._chunks, self.removed, self._incidents = {}, [], [], []


def meaning_of(document: Document, chunk: Chunk) -> str:
    """What is embedded for a chunk: what it is about and what it says; names before each message only blur it."""
    text = chunk.text
    if document.kind is Kind.CHAT:
        spans = [(max(part.start, chunk.start), min(part.end, chunk.end), part) for part in chunk.parts]
        text = "\n".join(said(document.text[start:end], part) for start, end, part in spans)
    elif document.kind is Kind.PAGE:
        text = without_speakers(text)
    return f"{chunk.context}\n{text}" if chunk.context else text


def entry_of(document: Document, chunk: Chunk, places: Mapping[str, Place]) -> Entry:
    """A chunk as the indexes take it."""
    dated = chunk.parts[0].date or document.date
    return Entry(
        chunk=chunk.id,
        document=document.id,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        context=chunk.context,
        meaning=meaning_of(document, chunk),
        language=language_of(chunk.text),
        place=document.place,
        group=group_of(places[document.place]),
        services=document.services,
        people=document.people,
        date=None if dated is None else int(dated.timestamp()),
    )
