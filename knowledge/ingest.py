"""Reads sources into the indexes: only what changed, in batches that a crash leaves old or new, never in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from knowledge.catalogue import Catalogue, Known, fingerprint
from knowledge.chunking import chunks_of, said, without_speakers
from knowledge.dense import DenseIndex, shelf_of
from knowledge.lexical import LexicalIndex, language_of
from knowledge.port import (
    Chunk,
    Document,
    Embedder,
    Entry,
    Kind,
    OnProgress,
    Place,
    Progress,
    Source,
    SourceReport,
    Trouble,
    WriterBusy,
)

_BATCH_CHUNKS = 128
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Shelving:
    """What an ingestion writes to. `dense` and `embedder` are both there, or neither."""

    catalogue: Catalogue
    lexical: LexicalIndex
    dense: DenseIndex | None
    embedder: Embedder | None


@dataclass(slots=True)
class _Survey:
    """What one pass over a source found: what to write, what to take out, and what could not be read."""

    known: Mapping[str, Known]
    wanted: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    troubles: list[Trouble] = field(default_factory=list)

    def gone(self) -> list[str]:
        """Documents the source no longer has; those of a file that could not be read are not gone."""
        kept = tuple(trouble.keeps for trouble in self.troubles)
        return sorted(key for key in self.known.keys() - self.seen if not key.startswith(kept))


@asynccontextmanager
async def sole_writer(lock_file: Path) -> AsyncIterator[None]:
    """The one right to write a library, for as long as the block lasts. Raises `WriterBusy` at once when it is taken.

    Two writers of one Chroma folder lose vectors without a word; the operating system frees the lock of a dead one.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(lock_file, blocking=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise WriterBusy(
            f"another process is writing the library in {str(lock_file.parent)!r}; try again when it is done",
            folder=str(lock_file.parent),
        ) from error
    try:
        yield
    finally:
        lock.release()


async def ingest(
    shelving: Shelving, source: Source, clock: Clock, on_progress: OnProgress | None
) -> SourceReport:
    """Brings the library up to date with one source. The caller holds the right to write.

    Raises `SourceFailed` when the source cannot be read at all; nothing is removed then. A file that cannot be read
    is named in the report, and what was known of it stays.
    """
    began = clock()
    places = {place.id: place for place in await source.places()}
    await asyncio.to_thread(shelving.catalogue.put_places, source.name, tuple(places.values()))
    await sweep(shelving)
    survey = await _survey(shelving, source)
    chunks = await _write(shelving, source, survey, places, clock, on_progress)
    gone = survey.gone()
    if gone:
        await asyncio.to_thread(shelving.catalogue.turn_over, (), (), embedder="", removed=gone)
        await sweep(shelving)
    await asyncio.to_thread(shelving.catalogue.read_at, source.name, clock())
    await asyncio.to_thread(shelving.catalogue.advance)
    return SourceReport(
        source=source.name,
        added=len(survey.wanted - survey.known.keys()),
        changed=len(survey.wanted & survey.known.keys()),
        unchanged=len(survey.seen - survey.wanted),
        removed=len(gone),
        chunks=chunks,
        seconds=(clock() - began).total_seconds(),
        troubles=tuple(survey.troubles),
    )


async def sweep(shelving: Shelving) -> None:
    """Takes out of the indexes what no document has any more, also what a crash left behind."""
    strays = await asyncio.to_thread(shelving.catalogue.strays)
    if strays:
        everything = [chunk for chunks in strays.values() for chunk in chunks]
        held = await asyncio.to_thread(shelving.catalogue.shelved, everything)
        await asyncio.to_thread(shelving.lexical.write, (), [c for c in everything if c not in held])
        if shelving.dense is None:
            return  # their vectors wait, staged, for a run that has the model
        await asyncio.to_thread(shelving.dense.remove, strays)
    await asyncio.to_thread(shelving.catalogue.swept)


async def _survey(shelving: Shelving, source: Source) -> _Survey:
    survey = _Survey(await asyncio.to_thread(shelving.catalogue.known, source.name))
    async for found in source.documents():
        if isinstance(found, Trouble):
            survey.troubles.append(found)
            continue
        survey.seen.add(found.id)
        before = survey.known.get(found.id)
        has_vectors = shelving.embedder is None or (
            before is not None and before.embedder == shelving.embedder.name
        )
        if before is None or before.fingerprint != fingerprint(found) or not has_vectors:
            survey.wanted.add(found.id)
    return survey


async def _write(
    shelving: Shelving,
    source: Source,
    survey: _Survey,
    places: Mapping[str, Place],
    clock: Clock,
    on_progress: OnProgress | None,
) -> int:
    """Second pass: writes what the first one wanted, a batch at a time. Returns the number of chunks written."""
    if not survey.wanted:
        return 0
    began, written, done = clock(), 0, 0
    batch: list[tuple[Document, tuple[Chunk, ...]]] = []

    async def flush() -> None:
        nonlocal written, done
        await _store(shelving, batch, places)
        written += sum(len(chunks) for _, chunks in batch)
        done += len(batch)
        batch.clear()
        if on_progress is not None:
            seconds = (clock() - began).total_seconds()
            on_progress(
                Progress(source.name, done, len(survey.wanted), written / seconds if seconds > 0 else 0.0)
            )

    async for found in source.documents():
        if isinstance(found, Trouble) or found.id not in survey.wanted:
            continue
        batch.append((found, chunks_of(found)))
        if sum(len(chunks) for _, chunks in batch) >= _BATCH_CHUNKS:
            await flush()
    if batch:
        await flush()
    return written


async def _store(
    shelving: Shelving, batch: Sequence[tuple[Document, tuple[Chunk, ...]]], places: Mapping[str, Place]
) -> None:
    entries = [entry_of(document, chunk, places) for document, chunks in batch for chunk in chunks]
    stage = [(entry.chunk, entry.shelf) for entry in entries]
    await asyncio.to_thread(shelving.catalogue.stage, stage)
    if shelving.embedder is not None and shelving.dense is not None:
        vectors = await shelving.embedder.embed_passages([entry.meaning for entry in entries])
        await asyncio.to_thread(shelving.dense.write, entries, vectors)
    await asyncio.to_thread(shelving.lexical.write, entries, ())
    documents = [document for document, _ in batch]
    name = "" if shelving.embedder is None else shelving.embedder.name
    await asyncio.to_thread(shelving.catalogue.turn_over, documents, entries, embedder=name)
    await sweep(shelving)


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
        shelf=shelf_of(places[document.place]),
        source=document.source,
        services=document.services,
        people=document.people,
        date=None if dated is None else int(dated.timestamp()),
    )
