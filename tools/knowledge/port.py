"""What the knowledge tool needs: a library that can be asked, with the asker's rights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tools.contract import Asker


class PassageKind(StrEnum):
    """What a passage is from."""

    DOCUMENT = "doc"
    THREAD = "thread"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Filters:
    """What to leave out: other kinds than this, other places and people, everything older or younger."""

    kind: PassageKind | None = None
    place: str | None = None
    person: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 5


@dataclass(frozen=True, slots=True)
class PastIncident:
    """What a past incident looked like, what it was and what fixed it: quotes, or None where nobody wrote it."""

    key: str | None
    title: str
    symptom: str | None
    cause: str | None
    fix: str | None
    services: tuple[str, ...] = ()
    began: datetime | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text with where it is from. `confidence` (0 to 1) is how surely it answers the question.

    `sure` passages may be told as the answer, others only as the nearest that was found. `shared` are words of the
    question that it has; `copies` name documents that say nearly the same; `marked` is how many more people called
    it helpful for the same question than wrong.
    """

    id: str  # of the document, in the library
    document: str
    heading: str
    place: str  # the source's name, or the channel
    text: str
    kind: PassageKind
    confidence: float
    sure: bool
    answer: str = ""  # the piece of `text` that answers best, in a sentence or two
    author: str | None = None
    date: datetime | None = None
    link: str | None = None
    status: str | None = None  # current, superseded, ... where the document says so
    superseded_by: str | None = None
    pinned: bool = False
    shared: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    past: PastIncident | None = None
    marked: int = 0
    private: str | None = None  # the id of the place whose members alone may read it; None where all may


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found, best first, and what it looked through, all of it readable to the asker.

    `knows` are people and channels close to the question, where nothing sure was found.
    """

    passages: tuple[Passage, ...]
    documents: Mapping[str, int] = field(default_factory=dict)  # by source
    places: int = 0
    knows: tuple[str, ...] = ()
    note: str | None = None  # "by words only: there is no embedding model here"

    @property
    def sure(self) -> bool:
        return any(passage.sure for passage in self.passages)


class Library(Protocol):
    """What is known."""

    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        """The passages nearest to the query, of those the asker may read. Raises `ToolUnavailable`."""
        ...
