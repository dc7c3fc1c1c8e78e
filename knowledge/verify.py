"""Compares a library with its sources, and its parts with each other: what should agree, and does not."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from knowledge.catalogue import Catalogue, fingerprint
from knowledge.ingest import Shelving, Vectoring
from knowledge.lexical import LexicalIndex
from knowledge.port import Document, Fault, Source, SourceFailed, Verified
from knowledge.scan import NOWHERE, Scan

if TYPE_CHECKING:
    from knowledge.port import Vectors

_NEARLY = 0.999  # cosine of a vector to itself after half precision


async def verify(shelving: Shelving, sources: Sequence[Source]) -> Verified:
    """Every disagreement there is. The caller holds the right to write, so that nothing moves meanwhile."""
    faults: list[Fault] = []
    documents = 0
    for source in sources:
        told, counted = await _against_source(shelving.catalogue, source)
        faults += told
        documents += counted
    faults += await asyncio.to_thread(lambda: list(_leftovers(shelving.catalogue)))
    faults += await asyncio.to_thread(lambda: list(_words(shelving.catalogue, shelving.lexical)))
    vectors = 0
    if shelving.vectoring is not None:
        vectors = await asyncio.to_thread(shelving.vectoring.record.count)
        vectoring = shelving.vectoring
        faults += await asyncio.to_thread(lambda: list(_vectors(shelving.catalogue, vectoring)))
    chunks = await asyncio.to_thread(lambda: sum(1 for _ in shelving.catalogue.every_chunk()))
    return Verified(documents, chunks, vectors, tuple(faults))


async def _against_source(catalogue: Catalogue, source: Source) -> tuple[list[Fault], int]:
    held = {
        i: print_
        for i, _, print_ in await asyncio.to_thread(lambda: list(catalogue.every_document(source.name)))
    }
    faults: list[Fault] = []
    kept: list[str] = []
    try:
        units = await source.units()
    except SourceFailed as error:
        return [Fault("source", source.name, str(error))], len(held)
    seen: set[str] = set()
    for unit in units:
        async for found in source.read(unit):
            if not isinstance(found, Document):
                kept.append(found.keeps)
                continue
            seen.add(found.id)
            if found.id not in held:
                faults.append(Fault("source", found.id, "is in the source and not in the library"))
            elif held[found.id] != fingerprint(found):
                faults.append(Fault("source", found.id, "differs from what the library has of it"))
    gone = (key for key in held.keys() - seen if not key.startswith(tuple(kept)))
    faults += [Fault("source", key, "is in the library and no longer in the source") for key in sorted(gone)]
    return faults, len(held)


def _leftovers(catalogue: Catalogue) -> Iterator[Fault]:
    for chunk in catalogue.strays():
        yield Fault("catalogue", chunk, "was begun and never finished")


def _words(catalogue: Catalogue, lexical: LexicalIndex) -> Iterator[Fault]:
    indexed = lexical.every_chunk()
    held = {chunk for chunk, _, _ in catalogue.every_chunk()}
    for chunk in sorted(held | indexed.keys()):
        if chunk not in held:
            yield Fault("words", chunk, "is in the word index and in no document")
        elif indexed[chunk] != 1:
            yield Fault("words", chunk, f"is {indexed[chunk]} times in the word index, not once")


def _vectors(catalogue: Catalogue, vectoring: Vectoring) -> Iterator[Fault]:
    scanned = catalogue.scanned()
    scan = Scan(vectoring.scan.folder, scanned, vectoring.embedder.dims)
    codes, places = catalogue.codes(), catalogue.chunk_places()
    rows = {chunk: row for chunk, _, row in catalogue.every_chunk()}
    placed = scan.placed()
    live = {row for row in rows.values() if row is not None}
    for chunk, row in rows.items():
        if row is None:
            yield Fault("scan", chunk, "has no vector")
        elif row >= scanned.rows:
            yield Fault("scan", chunk, f"stands at row {row} of {scanned.rows}")
        elif placed[row] != codes.get(places[chunk]):
            yield Fault("scan", chunk, "stands in another place in the scan than in the catalogue")
    for row in range(scanned.rows):
        if placed[row] != NOWHERE and row not in live:
            yield Fault("scan", f"row {row}", "is scanned and belongs to no chunk")
    yield from _recorded(
        vectoring, scan, {c: r for c, r in rows.items() if r is not None and r < scanned.rows}
    )


def _recorded(vectoring: Vectoring, scan: Scan, rows: dict[str, int]) -> Iterator[Fault]:
    missing = set(rows)
    for some in vectoring.record.vectors():
        for chunk, vector in some.items():
            if chunk not in rows:
                yield Fault("vectors", chunk, "is in the record of vectors and in no document")
                continue
            missing.discard(chunk)
            if _differ(vector, scan.vectors([rows[chunk]])[0]):
                yield Fault("vectors", chunk, "has another vector in the record than in the scan")
    for chunk in sorted(missing):
        yield Fault("vectors", chunk, "is not in the record of vectors")


def _differ(one: "Vectors", other: "Vectors") -> bool:
    return float(one @ other) < _NEARLY * float((one @ one) ** 0.5 * (other @ other) ** 0.5)
