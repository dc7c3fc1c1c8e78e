"""The library: everything under one folder, opened, searched with the asker's rights, and brought up to date."""

import asyncio
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge import acl
from knowledge.catalogue import Catalogue, Shelved
from knowledge.chunking import said
from knowledge.confidence import confidence
from knowledge.dense import DenseIndex
from knowledge.hybrid import LEXICAL_WEIGHT, Found, fuse, rise
from knowledge.ingest import Clock, Shelving, ingest, sole_writer
from knowledge.lexical import LexicalIndex, Question, language_of
from knowledge.port import (
    By,
    Document,
    Embedder,
    EmbedderMismatch,
    EmbedderUnavailable,
    LibraryStatus,
    OnProgress,
    Part,
    Passage,
    Place,
    Query,
    Reader,
    Scope,
    Searched,
    SearchResult,
    Source,
    SourceFailed,
    SourceReport,
    Standing,
)

if TYPE_CHECKING:
    from knowledge.port import Vectors

_DEPTH = 100  # chunks each half hands to the fusion
_STANDING_WEIGHT = {Standing.CURRENT: 1.0, Standing.SUPERSEDED: 0.8, Standing.OBSOLETE: 0.7}
_NO_MODEL = "lexical only: no embedding model"


async def open_library(
    folder: Path,
    *,
    embedder: Embedder | None,
    clock: Clock,
    why_not: str | None = None,
    rebuild: bool = False,
) -> "FolderLibrary":
    """Opens the library in a folder, which is made if it is not there.

    Without an embedder it searches by words alone, and `why_not` is what it says about that. `rebuild` empties the
    library first. Raises `EmbedderMismatch` when the vectors in it were made with another model, `IndexDamaged` when
    its files cannot be read, `WriterBusy` when a rebuild finds another process writing.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    if rebuild:
        async with sole_writer(folder / "writer.lock"):
            await asyncio.to_thread(_emptied, folder)
    return await asyncio.to_thread(FolderLibrary, folder, embedder, clock, why_not)


class FolderLibrary:
    """A `Library` in a folder: the catalogue, the word index and the vectors. Any number of processes may read it."""

    def __init__(self, folder: Path, embedder: Embedder | None, clock: Clock, why_not: str | None) -> None:
        self._folder, self._embedder, self._clock = folder, embedder, clock
        self._notes = () if embedder is not None else (why_not or _NO_MODEL,)
        self._catalogue = Catalogue(folder / "catalogue.db")
        self._refuse_other_model()
        self._lexical = LexicalIndex(folder / "words")
        self._dense: DenseIndex | None = None
        self._seen = self._catalogue.generation()
        self._reading = threading.Lock()  # one thread at a time: `reopen` must not meet a search

    async def search(self, query: Query, reader: Reader) -> SearchResult:
        """The best passages for a question among what the reader may read now, one for each document."""
        vector, notes = None, self._notes
        if self._embedder is not None and query.by is not By.WORDS and query.text.strip():
            try:
                vector = (await self._embedder.embed_queries([query.text]))[0]
            except EmbedderUnavailable as error:
                notes = (f"lexical only: {error}",)
        return await asyncio.to_thread(self._find, query, reader, vector, notes)

    async def ingest(
        self, sources: Sequence[Source], on_progress: OnProgress | None = None
    ) -> tuple[SourceReport, ...]:
        """Brings the library up to date with these sources.

        A source that cannot be read at all says so in its report, and the others go on. Raises `WriterBusy` and
        `EmbedderUnavailable`; what was written before stays.
        """
        async with sole_writer(self._folder / "writer.lock"):
            shelving = await asyncio.to_thread(self._shelving)
            reports = tuple([await self._from(shelving, source, on_progress) for source in sources])
            self._seen = await asyncio.to_thread(self._catalogue.generation)
            return reports

    async def _from(self, shelving: Shelving, source: Source, on_progress: OnProgress | None) -> SourceReport:
        try:
            return await ingest(shelving, source, self._clock, on_progress)
        except SourceFailed as error:
            return SourceReport(source.name, failed=str(error))

    async def status(self) -> LibraryStatus:
        """What the library holds, whoever may read it: for its operator."""
        sources = await asyncio.to_thread(self._catalogue.sources)
        name = None if self._embedder is None else self._embedder.name
        documents, chunks = sum(s.documents for s in sources), sum(s.chunks for s in sources)
        return LibraryStatus(sources, documents, chunks, name, self._notes)

    async def close(self) -> None:
        """Lets go of the files."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._reading:
            if self._dense is not None:
                self._dense.close()
                self._dense = None

    def _refuse_other_model(self) -> None:
        made_with = self._catalogue.embedders()
        if self._embedder is not None and made_with - {self._embedder.name}:
            other = min(made_with - {self._embedder.name})
            raise EmbedderMismatch(
                f"the library in {str(self._folder)!r} was made with the embedding model {other!r}, and the "
                f"settings say {self._embedder.name!r}; set the first again, or rebuild the library",
                made_with=other,
                wanted=self._embedder.name,
            )

    def _shelving(self) -> Shelving:
        with self._reading:
            self._lexical.reload()
            dense = self._vectors()
            if dense is not None:
                dense.reopen()
            return Shelving(self._catalogue, self._lexical, dense, self._embedder)

    def _vectors(self) -> DenseIndex | None:
        """The vector index, opened at first need: it costs half a second that a question without it need not pay."""
        if self._dense is None and self._embedder is not None:
            self._dense = DenseIndex(
                self._folder / "vectors", model=self._embedder.name, dims=self._embedder.dims
            )
        return self._dense

    def _refresh(self) -> None:
        generation = self._catalogue.generation()
        if generation != self._seen:
            self._lexical.reload()
            if self._dense is not None:
                self._dense.reopen()
            self._seen = generation

    def _find(
        self, query: Query, reader: Reader, vector: "Vectors | None", notes: tuple[str, ...]
    ) -> SearchResult:
        with self._reading:
            self._refresh()
            places = self._catalogue.places()
            scope = scope_of(query, places, reader)
            question = self._lexical.ask(query.text)
            searched = self._searched(places, scope, notes)
            found = self._fused(query, question, scope, vector) if scope.places and query.text.strip() else []
            passages = self._passages(query, question, found, {place.id: place for place in places})
        return SearchResult(passages, searched, max((p.confidence for p in passages), default=0.0))

    def _searched(self, places: Sequence[Place], scope: Scope, notes: tuple[str, ...]) -> Searched:
        names = tuple(sorted(place.name for place in places if place.id in scope.places))
        return Searched(self._catalogue.counts(scope.places), names, notes)

    def _fused(self, query: Query, question: Question, scope: Scope, vector: "Vectors | None") -> list[Found]:
        depth = max(_DEPTH, 10 * query.limit)
        by_words: dict[str, float] = {}
        if vector is None or query.by is By.BOTH:
            by_words = {hit.chunk: hit.score for hit in self._lexical.search(question, scope, depth)}
        cosines: dict[str, float] | None = None
        dense = self._vectors() if vector is not None else None
        if vector is not None and dense is not None:
            hits = dense.search(vector, scope, self._catalogue.shelves(), depth)
            cosines = {hit.chunk: hit.score for hit in hits}
        # What an index finds and the catalogue does not know is half-written or swept: it does not exist.
        known = {
            c: s
            for c, s in self._catalogue.shelved([*by_words, *(cosines or ())]).items()
            if s.place in scope.places
        }
        if vector is None or query.by is By.BOTH:
            by_words |= self._lexical.scores(question, scope, [c for c in known if c not in by_words])
        if vector is not None and dense is not None and cosines is not None:
            cosines |= dense.scores(vector, _by_shelf([s for c, s in known.items() if c not in cosines]))
        weight = LEXICAL_WEIGHT if query.by is By.BOTH else 0.0
        floor = 0.0 if self._embedder is None else self._embedder.floor
        spoken = language_of(query.text)
        foreign = {c for c, s in known.items() if spoken and s.language and s.language != spoken}
        owners = {chunk: shelved.document for chunk, shelved in known.items()}
        return fuse(owners, by_words, cosines, floor=floor, foreign=foreign, weight=weight)

    def _passages(
        self, query: Query, question: Question, found: Sequence[Found], places: Mapping[str, Place]
    ) -> tuple[Passage, ...]:
        considered = found[: 2 * query.limit]  # what no longer holds may fall behind what stands below it
        documents = self._catalogue.documents([f.document for f in considered])
        spans = self._catalogue.shelved([f.chunk for f in considered])
        held = [f for f in considered if f.document in documents and f.chunk in spans]
        held.sort(key=lambda f: -weighed(f, documents[f.document]))
        return tuple(
            self._passage(question, f, documents[f.document], spans[f.chunk], places)
            for f in held[: query.limit]
        )

    def _passage(
        self, question: Question, found: Found, document: Document, span: Shelved, places: Mapping[str, Place]
    ) -> Passage:
        text = document.text[span.start : span.end]
        part = self._cited(question, document, span)
        coverage = question.coverage(self._lexical.terms(f"{span.context}\n{text}"))
        near = (
            None
            if found.cosine is None or self._embedder is None
            else rise(found.cosine, self._embedder.floor)
        )
        return Passage(
            document=document.id,
            title=document.title,
            text=text,
            start=span.start,
            end=span.end,
            quote=said(document.text[part.start : part.end], part),
            headings=part.headings,
            kind=document.kind,
            source=document.source,
            place=places[document.place].name,
            author=part.author or document.author,
            date=part.date or document.date,
            link=part.link or document.link,
            score=weighed(found, document),
            lexical=found.lexical,
            dense=found.dense,
            cosine=found.cosine,
            coverage=coverage,
            confidence=confidence(near, coverage, foreign=found.foreign),
            services=document.services,
            pinned=document.pinned,
            standing=document.standing,
            superseded_by=document.superseded_by,
        )

    def _cited(self, question: Question, document: Document, span: Shelved) -> Part:
        """The section or message of a chunk that has most of the question, cut to the chunk."""
        inside = [
            replace(part, start=max(part.start, span.start), end=min(part.end, span.end))
            for part in document.parts
            if part.start < span.end and part.end > span.start
        ]
        return max(
            inside,
            key=lambda part: question.overlap(self._lexical.terms(document.text[part.start : part.end])),
        )


def scope_of(query: Query, places: Sequence[Place], reader: Reader) -> Scope:
    """What this reader may search now, narrowed by the question's own filters."""
    allowed = acl.readable(places, reader)
    if query.channel is not None:
        allowed &= acl.named(places, query.channel)
    return Scope(
        places=allowed,
        source=query.source,
        service=query.service,
        person=query.person,
        since=None if query.since is None else int(query.since.timestamp()),
        until=None if query.until is None else int(query.until.timestamp()),
    )


def weighed(found: Found, document: Document) -> float:
    """A score that counts less when the document no longer holds."""
    return found.score * _STANDING_WEIGHT[document.standing]


def _by_shelf(chunks: Sequence[Shelved]) -> dict[str, list[str]]:
    shelves: dict[str, list[str]] = {}
    for chunk in chunks:
        shelves.setdefault(chunk.shelf, []).append(chunk.chunk)
    return shelves


def _emptied(folder: Path) -> None:
    for part in ("words", "vectors"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for file in folder.glob("catalogue.db*"):
        file.unlink()
