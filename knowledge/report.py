"""What is told of a library: how far an ingestion is and what it did, what it holds, and what a check found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from knowledge.document import Trouble


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
