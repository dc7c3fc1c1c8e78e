"""The knowledge room as the knowledge tool wants it: searched with the asker's rights, wherever it is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from agent.conversation.asked import Asked, balance
from agent.people.person import Directory, Person
from knowledge.confidence import NEAR, SURE
from knowledge.port import Genre, Kind, KnowledgeError, Passage, Query, Reader, SearchResult, Standing
from knowledge.port import Library as Shelves
from tools.contract import Asker, Reach, ToolUnavailable
from tools.knowledge import port

_GENRE = {
    port.PassageKind.DOCUMENT: Genre.PAGE,
    port.PassageKind.THREAD: Genre.CHAT,
    port.PassageKind.INCIDENT: Genre.INCIDENT,
}
EVERYBODY = Reader("")  # may read what all may
_KNOWING = 3  # people and channels named, at most


class Recall:
    """Implements `tools.knowledge.port.Library` on the knowledge room, which opens at the first question."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._asked: Asked | None = None
        self._open: Callable[[], Awaitable[Shelves]] | None = None

    def opens(self, library: Callable[[], Awaitable[Shelves]]) -> None:
        """Says how the library is opened; `agent.bootstrap` does, once there is an application around it."""
        self._open = library

    def heeds(self, asked: Asked) -> None:
        """Says where people's marks are kept: what helped with the same question goes ahead."""
        self._asked = asked

    async def search(self, query: str, asker: Asker, filters: port.Filters) -> port.Searched:
        """The passages nearest to the query, of those the asker may read. Raises `ToolUnavailable`."""
        if self._open is None:
            raise ToolUnavailable("the knowledge is not open")
        asked = Query(
            query,
            limit=filters.limit,
            sources=asker.sources,
            channel=filters.place,
            person=filters.person,
            since=filters.since,
            until=filters.until,
            kind=None if filters.kind is None else _GENRE[filters.kind],
            marks=await self._marks(query),
        )
        try:
            library = await self._open()
            reader = (
                EVERYBODY
                if asker.reach is Reach.SHARED_ONLY
                else reader_of(self._directory.get(asker.person))
            )
            return searched(await library.search(asked, reader))
        except KnowledgeError as error:
            raise ToolUnavailable(f"the knowledge cannot be searched: {error}") from error

    async def _marks(self, query: str) -> Mapping[str, int]:
        if self._asked is None:
            return {}
        from knowledge.gist import gist

        return balance(await self._asked.marks(await asyncio.to_thread(gist, query)))


def reader_of(person: Person) -> Reader:
    """A person as the knowledge room knows readers: by identities elsewhere, and by roles."""
    return Reader(person.id, person.keys | {f"role:{role}" for role in person.roles})


def searched(found: SearchResult) -> port.Searched:
    """What was found, in the tool's words; passages that are far from the question are left out."""
    least = max(NEAR, found.confidence / 2)
    near = [passage for passage in found.passages if passage.confidence >= least]
    sure = found.confidence >= SURE
    return port.Searched(
        # Stable: the best of the sure ones stay in front.
        tuple(sorted(map(passage_of, near), key=lambda passage: -passage.sure)),
        found.searched.documents,
        len(found.searched.places),
        () if sure else who_knows(near or found.passages[:1]),
        "; ".join(found.searched.notes) or None,
    )


def who_knows(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Whom to ask: authors of the closest passages, and the channels they stand in."""
    names: dict[str, None] = {}
    for passage in passages[:_KNOWING]:
        if passage.author:
            names[passage.author] = None
        if passage.kind is Kind.CHAT:
            names[passage.place] = None
    return tuple(names)[: 2 * _KNOWING]


def passage_of(passage: Passage) -> port.Passage:
    """One passage with where it stands."""
    past = passage.past
    return port.Passage(
        id=passage.document,
        document=passage.title,
        heading=" › ".join(passage.headings[1:]) or passage.title,
        place=passage.place,
        text=passage.quote,
        kind=kind_of(passage),
        confidence=passage.confidence,
        sure=passage.confidence >= SURE,
        answer=passage.answer,
        author=passage.author,
        date=passage.date,
        link=passage.link,
        status=None if passage.standing is Standing.CURRENT else passage.standing.value,
        superseded_by=passage.superseded_by,
        pinned=passage.pinned,
        shared=passage.shared,
        copies=tuple(copy.title for copy in passage.copies),
        marked=passage.marked,
        private=passage.private,
        past=None
        if past is None
        else port.PastIncident(
            past.key, past.title, past.symptom, past.cause, past.fix, past.services, past.began, past.severity
        ),
    )


def kind_of(passage: Passage) -> port.PassageKind:
    """What tells of a past incident is one; other conversations are threads, other pages documents."""
    if passage.past is not None:
        return port.PassageKind.INCIDENT
    return port.PassageKind.THREAD if passage.kind is Kind.CHAT else port.PassageKind.DOCUMENT
