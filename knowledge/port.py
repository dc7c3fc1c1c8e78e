"""The values knowledge is made of, and the ports its parts keep.

Errors of this room, by who should act::

    KnowledgeError
    ├── SourceFailed        the person who configured the source: the folder or archive cannot be read at all
    ├── EmbedderUnavailable whoever runs it: no embedding model on this machine, or the endpoint refuses
    ├── EmbedderMismatch    whoever runs it: the index was made with another model, and must be made again
    ├── WriterBusy          nobody: another process is writing this library now
    ├── RecordUnavailable   whoever runs it: the Chroma server of the settings does not answer
    ├── DatabaseUnavailable whoever runs it: the PostgreSQL of the settings does not answer, or its driver is missing
    └── IndexDamaged        whoever runs it: the files of the index are unreadable, and must be made again
        ├── LibraryOutdated an ingestion: it was made by another version of sayso, and is made again
        └── RecordDamaged   the next ingestion: a kill left Chroma's folder unreadable, and it is filled again
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]  # shape (texts, dims), each row of length one


class KnowledgeError(Exception):
    """Something in the knowledge room went wrong; the message says what would be right."""

    code = "knowledge"

    def __init__(self, message: str, **fields: str) -> None:
        super().__init__(message)
        self.fields: Mapping[str, str] = fields


class SourceFailed(KnowledgeError):
    """A source cannot be read at all."""

    code = "source_failed"


class EmbedderUnavailable(KnowledgeError):
    """There is no embedding model here, or it does not answer."""

    code = "embedder_unavailable"


class EmbedderMismatch(KnowledgeError):
    """The index was made with another embedding model than the one in use."""

    code = "embedder_mismatch"


class WriterBusy(KnowledgeError):
    """Another process holds the one right to write this library."""

    code = "writer_busy"


class RecordUnavailable(KnowledgeError):
    """The Chroma server does not answer."""

    code = "record_unavailable"


class DatabaseUnavailable(KnowledgeError):
    """The PostgreSQL server does not answer, or there is no driver for it."""

    code = "database_unavailable"


class IndexDamaged(KnowledgeError):
    """The files of an index cannot be read."""

    code = "index_damaged"


class LibraryOutdated(IndexDamaged):
    """The library was made by another version."""

    code = "library_outdated"


class RecordDamaged(IndexDamaged):
    """Chroma cannot read its own folder any more."""

    code = "record_damaged"


class Kind(StrEnum):
    """What a document is: a written page, or a conversation."""

    PAGE = "page"
    CHAT = "chat"


class Genre(StrEnum):
    """What kind of document a question is after."""

    PAGE = "page"
    CHAT = "chat"
    INCIDENT = "incident"


class By(StrEnum):
    """Which halves of a search count: the words, the meaning, or both."""

    BOTH = "both"
    WORDS = "words"
    MEANING = "meaning"


class Standing(StrEnum):
    """Whether a document still holds."""

    CURRENT = "current"
    OBSOLETE = "obsolete"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents live, and who may read there: a folder, a channel.

    `members` are identity keys (`person:raj`, `slack:U0RAJ`, `email:raj@example.com`); a public place is read by all.
    One that is `closed` is read by nobody for the time being: it is not known who may. Those `barred` may not read a
    public place either: the guests of a workspace.
    """

    id: str
    name: str
    source: str
    public: bool = True
    members: frozenset[str] = frozenset()
    closed: bool = False
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """One section or one message of a document: the span [start, end) of its text, and what to cite for it.

    `solves` is how strongly its readers marked it as what helped: 0 not at all, 1 thanks, 2 a tick or a cheer.
    """

    start: int
    end: int
    headings: tuple[str, ...] = ()
    author: str | None = None
    date: datetime | None = None
    link: str | None = None
    pinned: bool = False
    solves: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One page or one conversation, whole. `parts` cover `text` in order, without gaps."""

    id: str
    source: str
    kind: Kind
    title: str
    text: str
    place: str
    parts: tuple[Part, ...]
    author: str | None = None
    date: datetime | None = None
    link: str | None = None
    services: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    pinned: bool = False
    reactions: int = 0
    standing: Standing = Standing.CURRENT
    superseded_by: str | None = None


Extent = tuple[int, int]  # a span [start, end) of the text of a document


@dataclass(frozen=True, slots=True)
class Incident:
    """What a document tells of one past incident. A field is None, or empty, where the document does not say.

    `symptom`, `cause` and `fix` are what was written, character for character: `document.text[start:end]`.
    """

    document: str
    title: str
    key: str | None = None  # `INC-112`
    symptom: Extent | None = None
    cause: Extent | None = None
    fix: Extent | None = None
    services: tuple[str, ...] = ()
    began: datetime | None = None
    ended: datetime | None = None
    severity: str | None = None  # as it was written: `1`, `SEV2`, `critical`


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file a source could not read. Documents whose id starts with `keeps` stay as they were."""

    file: str
    reason: str
    keeps: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document that is found and quoted: `text` is exactly `document.text[start:end]`.

    `context` (title and headings, or the opening of the thread) is indexed with it and never quoted.
    """

    id: str
    document: str
    start: int
    end: int
    text: str
    context: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is asking: a person, and the keys this person is known by elsewhere (`slack:U0RAJ`, `email:...`)."""

    person: str
    keys: frozenset[str] = frozenset()

    @property
    def identities(self) -> frozenset[str]:
        return self.keys | {f"person:{self.person}"}


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. Filters narrow what the reader may read; they never widen it.

    `channel` is a place's id or name (`payments`, `#payments`); `person` a name or an identity key; `since` is
    included and `until` is not. Documents without a date are left out once a date is asked for. `sources` are those
    that are searched at all, every one if None. `marks` is what people said of documents as answers to this very
    question: how many more called it helpful than wrong.
    """

    text: str
    limit: int = 8
    service: str | None = None
    source: str | None = None
    sources: frozenset[str] | None = None
    channel: str | None = None
    person: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    by: By = By.BOTH
    kind: Genre | None = None
    marks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastIncident:
    """A past incident as somebody who asks is shown it: symptom, cause and fix are quotes, character for character."""

    key: str | None
    title: str
    symptom: str | None
    cause: str | None
    fix: str | None
    services: tuple[str, ...]
    began: datetime | None
    ended: datetime | None
    severity: str | None


@dataclass(frozen=True, slots=True)
class Copy:
    """Another document that says nearly the same as one found, among those the asker may read."""

    title: str
    place: str
    date: datetime | None
    link: str | None


@dataclass(frozen=True, slots=True)
class Passage:
    """The best chunk of one document found, and all that a citation needs.

    `quote` is the part of `text` (one section or message) that answers best: author, date, link and headings are
    its own; `answer` is the piece of it to quote when there is room for a sentence or two. `lexical` and `dense` are
    the two halves' normalised scores, `score` their weighted sum, `confidence` the chance that this document answers
    (see `knowledge.confidence`).
    """

    document: str
    title: str
    text: str
    start: int
    end: int
    quote: str
    headings: tuple[str, ...]
    kind: Kind
    source: str
    place: str
    author: str | None
    date: datetime | None
    link: str | None
    score: float
    lexical: float
    dense: float | None
    cosine: float | None
    coverage: float
    confidence: float
    services: tuple[str, ...] = ()
    pinned: bool = False
    standing: Standing = Standing.CURRENT
    superseded_by: str | None = None
    copies: tuple[Copy, ...] = ()
    past: PastIncident | None = None
    answer: str = ""
    shared: tuple[str, ...] = ()  # words of the question that it has, the rarest first
    marked: int = 0  # how many more people called it helpful for this question than wrong
    private: str | None = None  # the id of its place, where only members may read; None where all may


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search looked through: documents by source and the names of places, all of them readable to the asker."""

    documents: Mapping[str, int]
    places: tuple[str, ...]
    notes: tuple[str, ...] = ()  # "lexical only: ...": what a reader of the answer should know


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first, and what was searched. Below a confidence it chooses, a caller says it does not know."""

    passages: tuple[Passage, ...]
    searched: Searched
    confidence: float  # of the best passage; 0 when there is none


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a source that is read in one go: a file, a channel. Ids of its documents begin with its key.

    While `stamp` stays the same, nothing in it changed; an empty one says that nobody can tell without reading.
    `weight` (bytes, say) is how much of the whole work it is.
    """

    key: str
    stamp: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingestion is. `share` of the work done is 0 to 1, `rate` is chunks a second so far."""

    source: str
    share: float
    documents: int
    chunks: int
    rate: float
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this pace; None while there is nothing to go by."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0 else None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one ingestion did, or a dry run would do, for one source. `removed` documents are gone from the source.

    `failed` says why nothing of it could be read; all that was known of it stays then. `embedding` is how many of
    the `seconds` the embedder took.
    """

    source: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    chunks: int = 0
    seconds: float = 0.0
    embedding: float = 0.0
    troubles: tuple[Trouble, ...] = ()
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How much of one source is known, when it was last read, and what could not be read then."""

    source: str
    documents: int
    chunks: int
    places: int
    read_at: datetime | None
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement between a source, the catalogue and the indexes, found by a check."""

    where: str  # `source`, `catalogue`, `words`, `vectors`, `scan`
    what: str  # the document or chunk
    said: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the whole library compared, and every disagreement it found."""

    documents: int
    chunks: int
    vectors: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """What a library holds. `embedder` is None when it searches by words alone; `notes` says why."""

    sources: tuple[SourceStatus, ...]
    documents: int
    chunks: int
    embedder: str | None
    notes: tuple[str, ...] = field(default=())


OnProgress = Callable[[Progress], None]


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
