"""The ports of the knowledge room; the values and errors that they speak of are handed out with them.

Those stand in `document.py`, `search.py`, `report.py` and `errors.py`. All of it is light to import.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from knowledge.document import Chunk, Document, Extent, Incident, Kind, Part, Place, Standing, Trouble, Unit
from knowledge.errors import (
    DatabaseUnavailable,
    EmbedderMismatch,
    EmbedderUnavailable,
    IndexDamaged,
    KnowledgeError,
    LibraryOutdated,
    RecordDamaged,
    RecordUnavailable,
    SourceFailed,
    WriterBusy,
)
from knowledge.report import Fault, LibraryStatus, OnProgress, Progress, SourceReport, SourceStatus, Verified
from knowledge.search import By, Copy, Genre, Passage, PastIncident, Query, Reader, Searched, SearchResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]  # shape (texts, dims), each row of length one

__all__ = [
    "By",
    "Chunk",
    "Copy",
    "DatabaseUnavailable",
    "Document",
    "Embedder",
    "EmbedderMismatch",
    "EmbedderUnavailable",
    "Entry",
    "Extent",
    "Fault",
    "Genre",
    "Incident",
    "IndexDamaged",
    "Kind",
    "KnowledgeError",
    "Library",
    "LibraryOutdated",
    "LibraryStatus",
    "OnProgress",
    "Part",
    "Passage",
    "PastIncident",
    "Place",
    "Progress",
    "Query",
    "Rationed",
    "Reader",
    "RecordDamaged",
    "RecordUnavailable",
    "Scope",
    "SearchResult",
    "Searched",
    "Source",
    "SourceFailed",
    "SourceReport",
    "SourceStatus",
    "Standing",
    "Structurer",
    "Trouble",
    "Unit",
    "Verified",
    "Withdrawing",
    "WriterBusy",
]


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the library one search may touch: readable places, then the asker's own filters.

    `places` is always obeyed, in both halves, before anything is scored or counted. `groups` are the parts of the
    index whose words say how rare a word is: what all may read, and the reader's own private places.
    """

    places: frozenset[str]
    groups: frozenset[str] = frozenset()
    service: str | None = None
    person: str | None = None
    since: int | None = None  # unix seconds
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk as an index takes it: what is searched, and the fields a scope filters by.

    `meaning` is what is embedded: the text without what says nothing of its meaning, such as who spoke.
    """

    chunk: str
    document: str
    start: int
    end: int
    text: str
    context: str
    meaning: str
    language: str  # `en`, `fr`, or "" when it cannot be told
    place: str
    group: str
    services: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    date: int | None = None


class Source(Protocol):
    """Where documents come from."""

    @property
    def name(self) -> str: ...

    async def places(self) -> Sequence[Place]:
        """The places of this source, with who may read them now. Raises `SourceFailed`."""
        ...

    async def units(self) -> Sequence[Unit]:
        """What there is to read, without reading it. Raises `SourceFailed`."""
        ...

    def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        """The documents of one unit; a file that cannot be read is a `Trouble`, and the rest goes on."""
        ...


@runtime_checkable
class Withdrawing(Protocol):
    """A source that knows at once what was taken back, before anything is indexed again."""

    async def withdrawn(self, links: Collection[str]) -> frozenset[str]:
        """Those of these links behind which nothing stands any more."""
        ...


class Structurer(Protocol):
    """Tells what a document says of a past incident: by rules, or with a language model."""

    async def structure(self, document: Document) -> Incident | None:
        """The incident a document tells of, or None when it tells of none."""
        ...


@runtime_checkable
class Rationed(Protocol):
    """A structurer that may only do so much in one ingestion."""

    def begins(self) -> None:
        """Another ingestion begins: what it may do is counted anew."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors of length one."""

    @property
    def name(self) -> str: ...

    @property
    def dims(self) -> int: ...

    @property
    def floor(self) -> float:
        """The cosine that unrelated texts have with this model: what lies below it says nothing."""
        ...

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of questions, shape (texts, dims). Raises `EmbedderUnavailable`."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of passages, shape (texts, dims). Raises `EmbedderUnavailable`."""
        ...


class Library(Protocol):
    """All that is known, searched with the rights of whoever asks."""

    async def search(self, query: Query, reader: Reader) -> SearchResult: ...

    async def version(self) -> str: ...

    async def titles(self, documents: Sequence[str], reader: Reader) -> Mapping[str, str]: ...

    async def ingest(
        self, sources: Sequence[Source], on_progress: OnProgress | None = None, *, dry: bool = False
    ) -> tuple[SourceReport, ...]: ...

    async def forget(self, keep: Sequence[str]) -> tuple[SourceReport, ...]: ...

    async def verify(self, sources: Sequence[Source], *, repair: bool = False) -> Verified: ...

    async def status(self) -> LibraryStatus: ...

    async def close(self) -> None: ...
