"""What the knowledge tool needs: a library that can be asked, with the asker's rights."""

from dataclasses import dataclass
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
    """What to leave out: other kinds than this, everything older."""

    kind: PassageKind | None = None
    since: datetime | None = None
    limit: int = 5


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text with where it is from. `confidence` (0 to 1) is how surely it is about the question."""

    document: str
    heading: str
    place: str  # the source's name, or the channel
    text: str
    kind: PassageKind
    confidence: float
    author: str | None = None
    date: datetime | None = None
    link: str | None = None
    status: str | None = None  # current, superseded, ... where the document says so
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found, best first, and what it looked through. `nearest` names what came close but not enough."""

    passages: tuple[Passage, ...]
    documents: int
    sources: tuple[str, ...]
    nearest: str | None = None
    note: str | None = None  # "by words only: there is no embedding model here"


class Library(Protocol):
    """What is known."""

    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        """The passages that answer the query, of those the asker may read. Raises `ToolUnavailable`."""
        ...
