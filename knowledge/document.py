"""Documents: where they live, their parts and chunks, and what one of them tells of a past incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a document is: a written page, or a conversation."""

    PAGE = "page"
    CHAT = "chat"


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
class Unit:
    """A piece of a source that is read in one go: a file, a channel. Ids of its documents begin with its key.

    While `stamp` stays the same, nothing in it changed; an empty one says that nobody can tell without reading.
    `weight` (bytes, say) is how much of the whole work it is.
    """

    key: str
    stamp: str = ""
    weight: int = 1
