"""The library: everything under one folder, opened, searched with the asker's rights, and brought up to date."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from knowledge import acl
from knowledge.belonging import NOTE, Belonging
from knowledge.catalogue import Catalogue, Database, SqliteFile
from knowledge.dense import SERVED_FROM, DenseIndex, Served
from knowledge.embed import middle
from knowledge.finding import Finder, searched
from knowledge.incidents import Rules
from knowledge.ingest import Clock, Shelving, Vectoring, ingest, refill, remove
from knowledge.lexical import PUBLIC_GROUP, LexicalIndex
from knowledge.lock import sole_writer
from knowledge.port import (
    By,
    Embedder,
    EmbedderMismatch,
    EmbedderUnavailable,
    Fault,
    KnowledgeError,
    LibraryStatus,
    OnProgress,
    Place,
    Query,
    Rationed,
    Reader,
    RecordDamaged,
    Scope,
    SearchResult,
    Source,
    SourceFailed,
    SourceReport,
    Structurer,
    Verified,
    Withdrawing,
)
from knowledge.record import Embedding, Record, give_up, is_whole, note_whole
from knowledge.scan import ScanWriter
from knowledge.verify import verify

if TYPE_CHECKING:
    from knowledge.lock import WriteLock
    from knowledge.port import Vectors

T = TypeVar("T")
_NO_MODEL = "lexical only: no embedding model"


@dataclass(frozen=True, slots=True)
class Server:
    """A Chroma server that keeps the record of vectors, and is searched when there are more than `above`."""

    url: str
    above: int = SERVED_FROM


async def open_library(
    folder: Path,
    *,
    embedder: Embedder | None,
    clock: Clock,
    why_not: str | None = None,
    rebuild: bool = False,
    roll: Sequence[Source] = (),
    server: Server | None = None,
    structurer: Structurer | None = None,
    database: str | None = None,
) -> "FolderLibrary":
    """Opens the library in a folder, which is made if it is not there.

    The catalogue is a file in that folder, or in the PostgreSQL of the URL `database`.

    Without an embedder it searches by words alone, and `why_not` is what it says about that. `rebuild` empties the
    library first. `structurer` tells what documents say of past incidents (by rules if None). The members of the
    places of `roll` are read again at every search. Raises `EmbedderMismatch` when
    the vectors in it were made with another model, `IndexDamaged` when its files cannot be read, `WriterBusy` when a
    rebuild finds another process writing, `RecordUnavailable` and `DatabaseUnavailable` when a server does not answer.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    if rebuild:
        async with sole_writer(folder):
            await asyncio.to_thread(_emptied, folder, server, kept_in(folder, database))
    return await asyncio.to_thread(
        FolderLibrary, folder, embedder, clock, why_not, roll, server, structurer, kept_in(folder, database)
    )


class FolderLibrary:
    """A `Library` in a folder: the catalogue, the word index and the vectors. Any number of processes may read it."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder | None,
        clock: Clock,
        why_not: str | None,
        roll: Sequence[Source],
        server: Server | None,
        structurer: Structurer | None,
        database: Database,
    ) -> None:
        self._folder, self._embedder, self._clock, self._roll = folder, embedder, clock, roll
        self._server, self._structurer = server, structurer or Rules()
        self._notes = () if embedder is not None else (why_not or _NO_MODEL,)
        self._catalogue = Catalogue(database)
        try:
            self._belonging = Belonging(folder, self._catalogue)
            self._catalogue.before_turning(self._belonging.about_to_be)
            self._seen = self._catalogue.generation()
            self._belonging.check(self._seen)
            self._refuse_other_model()
            self._lexical = LexicalIndex(folder / "words")
        except KnowledgeError:
            self._catalogue.close()
            raise
        self._dense: DenseIndex | None = None
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="nearest")  # starts with the first search
        self._reading = threading.Lock()  # one thread at a time: `refresh` must not meet a search

    async def search(self, query: Query, reader: Reader) -> SearchResult:
        """The best passages for a question among what the reader may read now, one for each document."""
        places, (vector, notes) = await asyncio.gather(self._places(), self._question(query))
        found = await asyncio.to_thread(self._find, query, reader, places, vector, notes)
        return await self._standing(found)

    async def _standing(self, found: SearchResult) -> SearchResult:
        """What of it was not taken back since it was indexed: a document with a part that was is not shown any more."""
        sources = [source for source in self._roll if isinstance(source, Withdrawing)]
        if not sources or not found.passages:
            return found
        named = [passage.document for passage in found.passages]
        held = await asyncio.to_thread(self._catalogue.documents, named)
        links = {id_: {part.link for part in one.parts if part.link} for id_, one in held.items()}
        gone = [await source.withdrawn(frozenset().union(*links.values())) for source in sources]
        if not any(gone):
            return found
        nothing: frozenset[str] = frozenset()
        kept = tuple(
            one for one in found.passages if links.get(one.document, nothing).isdisjoint(nothing.union(*gone))
        )
        return replace(found, passages=kept, confidence=max((one.confidence for one in kept), default=0.0))

    async def version(self) -> str:
        """Another one whenever documents were added, changed or removed, and whenever it was made again."""
        held = self._catalogue
        return await asyncio.to_thread(lambda: f"{held.library()}/{held.generation()}")

    async def titles(self, documents: Sequence[str], reader: Reader) -> Mapping[str, str]:
        """What those of these documents are called that are still there and that the reader may read now."""
        allowed = acl.readable(await self._places(), reader)
        held = await asyncio.to_thread(self._catalogue.documents, documents)
        return {id_: document.title for id_, document in held.items() if document.place in allowed}

    async def ingest(
        self, sources: Sequence[Source], on_progress: OnProgress | None = None, *, dry: bool = False
    ) -> tuple[SourceReport, ...]:
        """Brings the library up to date with these sources; a `dry` run only counts what it would do.

        A source that cannot be read at all says so in its report, and the others go on. Raises `WriterBusy` and
        `EmbedderUnavailable`; what was written before stays.
        """

        async def work(shelving: Shelving) -> tuple[SourceReport, ...]:
            return tuple([await self._from(shelving, source, on_progress, dry) for source in sources])

        return await self._as_writer(work)

    async def forget(self, keep: Sequence[str]) -> tuple[SourceReport, ...]:
        """Takes out everything of sources that are not among those to keep; says how much that was."""
        others = [s.source for s in await asyncio.to_thread(self._catalogue.sources) if s.source not in keep]
        if not others:
            return ()

        async def work(shelving: Shelving) -> tuple[SourceReport, ...]:
            reports = []
            for name in others:
                documents = await asyncio.to_thread(self._catalogue.forget, name)
                await remove(shelving, documents)
                reports.append(SourceReport(name, removed=len(documents)))
            return tuple(reports)

        return await self._as_writer(work)

    async def verify(self, sources: Sequence[Source], *, repair: bool = False) -> Verified:
        """Compares sources, catalogue and indexes with each other; `repair` puts right what does not agree.

        Raises `WriterBusy`: what is being written now cannot be compared.
        """

        async def work(shelving: Shelving) -> Verified:
            found = await verify(shelving, sources)
            if repair and found.faults:
                await self._repair(shelving, sources, found.faults)
                found = await verify(shelving, sources)
            return found

        return await self._as_writer(work)

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
            self._beside.shutdown()
            self._dense = None
            self._catalogue.close()

    # --- searching ---------------------------------------------------------------------------------------------------

    async def _question(self, query: Query) -> "tuple[Vectors | None, tuple[str, ...]]":
        if self._embedder is None or query.by is By.WORDS or not query.text.strip():
            return None, self._notes
        # A small model is farther from itself across languages: half of a French question's vector is its English.
        texts = [text for text in (query.text, self._lexical.in_english(query.text)) if text]
        try:
            return middle(await self._embedder.embed_queries(texts)), self._notes
        except EmbedderUnavailable as error:
            return None, (f"lexical only: {error}",)

    async def _places(self) -> tuple[Place, ...]:
        """All places, with their members as the sources have them at this moment."""
        held = await asyncio.to_thread(self._catalogue.places)
        if not self._roll:
            return held
        present: dict[str, Place] = {}
        read: set[str] = set()
        for source in self._roll:
            try:
                present |= {place.id: place for place in await source.places()}
                read.add(source.name)
            except SourceFailed:
                continue  # as it was last read
        return tuple(
            present.get(place.id, place) for place in held if place.id in present or place.source not in read
        )

    def _find(
        self,
        query: Query,
        reader: Reader,
        places: Sequence[Place],
        vector: "Vectors | None",
        notes: tuple[str, ...],
    ) -> SearchResult:
        with self._reading:
            self._refresh()
            scope = scope_of(query, places, reader, self._catalogue.groups())
            about = searched(self._catalogue, places, scope, notes)
            if not scope.places or not query.text.strip():
                return SearchResult((), about, 0.0)
            finder = Finder(
                self._catalogue,
                self._lexical,
                self._vectors(),
                self._embedder,
                places,
                self._clock(),
                self._beside,
            )
            passages = finder.find(query, scope, vector)
        return SearchResult(passages, about, max((p.confidence for p in passages), default=0.0))

    def _refresh(self) -> None:
        generation = self._catalogue.generation()
        if generation != self._seen:
            self._belonging.check(generation)
            self._lexical.reload()
            if self._dense is not None:
                self._dense.refresh()
            self._seen = generation

    def _vectors(self) -> DenseIndex | None:
        if self._dense is None and self._embedder is not None:
            served = None
            if self._server is not None and self._catalogue.scanned().rows > self._server.above:
                served = Served(self._connected(self._server), self._server.above)
            self._dense = DenseIndex(
                self._folder / "scan", self._catalogue, dims=self._embedder.dims, served=served
            )
        return self._dense

    # --- writing -----------------------------------------------------------------------------------------------------

    async def _as_writer(self, work: Callable[[Shelving], Awaitable[T]]) -> T:
        """Does something with the one right to write; once more when a kill has left Chroma's folder unreadable.

        All that is done this way may be done again: what the first attempt wrote is found as done by the second.
        """
        try:
            async with self._writing() as shelving:
                return await work(shelving)
        except RecordDamaged:
            await asyncio.to_thread(give_up, self._folder / "vectors")
            async with self._writing() as shelving:
                return await work(shelving)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Shelving]:
        async with sole_writer(self._folder) as lock, _held(self._catalogue):
            await asyncio.to_thread(self._belonging.claim)
            if isinstance(self._structurer, Rationed):
                self._structurer.begins()
            shelving = await asyncio.to_thread(self._shelving, lock)
            try:
                yield shelving
            finally:
                if shelving.vectoring is not None:
                    await asyncio.to_thread(shelving.vectoring.record.close)

    def _shelving(self, lock: "WriteLock") -> Shelving:
        self._lexical.tidy()
        self._lexical.reload()
        if self._embedder is None:
            return Shelving(self._catalogue, self._lexical, None, self._structurer)
        scan = ScanWriter(self._folder / "scan", self._embedder.dims)
        if self._server is not None:
            vectoring = Vectoring(self._embedder, self._connected(self._server), scan)
        else:
            folder = self._folder / "vectors"
            vectoring = Vectoring(self._embedder, Record.open(folder, self._embedding(), lock), scan)
            if not is_whole(folder):
                refill(self._catalogue, vectoring)
                note_whole(folder)
        return Shelving(self._catalogue, self._lexical, vectoring, self._structurer)

    def _connected(self, server: Server) -> Record:
        return Record.connect(server.url, self._embedding(), library=self._catalogue.library())

    def _embedding(self) -> Embedding:
        if self._embedder is None:
            raise EmbedderUnavailable("there is no embedding model here")
        return Embedding(self._embedder.name, self._embedder.dims)

    async def _from(
        self, shelving: Shelving, source: Source, on_progress: OnProgress | None, dry: bool
    ) -> SourceReport:
        try:
            return await ingest(shelving, source, self._clock, on_progress, dry=dry)
        except SourceFailed as error:
            return SourceReport(source.name, failed=str(error))

    async def _repair(self, shelving: Shelving, sources: Sequence[Source], faults: Sequence[Fault]) -> None:
        chunks = [fault.what for fault in faults if fault.where in ("words", "vectors", "scan")]
        held = await asyncio.to_thread(self._catalogue.shelved, chunks)
        documents = {one.document for one in held.values()}
        documents |= {fault.what for fault in faults if fault.where in ("source", "catalogue")}
        strays = {chunk: None for chunk in chunks if chunk not in held}
        await asyncio.to_thread(self._catalogue.stage, strays)
        await remove(shelving, sorted(documents))
        await asyncio.to_thread(self._catalogue.distrust, [source.name for source in sources])
        for source in sources:
            await self._from(shelving, source, None, dry=False)

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


def scope_of(query: Query, places: Sequence[Place], reader: Reader, groups: Mapping[str, str]) -> Scope:
    """What this reader may search now, narrowed by the question's own filters; `groups` are those of places."""
    allowed = acl.readable(places, reader)
    weighed_by = frozenset(groups[place] for place in allowed if place in groups) | {PUBLIC_GROUP}
    if query.channel is not None:
        allowed &= acl.named(places, query.channel)
    if query.sources is not None:
        allowed &= frozenset(place.id for place in places if place.source in query.sources)
    if query.source is not None:
        allowed &= frozenset(place.id for place in places if place.source == query.source)
    return Scope(
        places=allowed,
        groups=weighed_by,
        service=query.service,
        person=query.person,
        since=None if query.since is None else int(query.since.timestamp()),
        until=None if query.until is None else int(query.until.timestamp()),
    )


def kept_in(folder: Path, database: str | None) -> Database:
    """Where the catalogue of a library is: a file in its folder, or the PostgreSQL of a URL."""
    if database is None:
        return SqliteFile(folder / "catalogue.db")
    from knowledge.catalogue.postgres import Postgres

    return Postgres(database)


@asynccontextmanager
async def _held(catalogue: Catalogue) -> AsyncIterator[None]:
    held = ExitStack()
    await asyncio.to_thread(held.enter_context, catalogue.sole_writer())
    try:
        yield
    finally:
        await asyncio.to_thread(held.close)


def _emptied(folder: Path, server: Server | None, database: Database) -> None:
    try:
        if server is not None and (library := database.library()):
            Record.drop(server.url, library=library)
        database.drop()
    finally:
        database.close()
    for part in ("words", "vectors", "scan"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for file in (*folder.glob("catalogue.db*"), folder / NOTE):
        file.unlink(missing_ok=True)
