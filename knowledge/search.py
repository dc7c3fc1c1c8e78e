"""One search: who asks, what is looked for, and the passages that were found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from knowledge.document import Kind, Standing


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
