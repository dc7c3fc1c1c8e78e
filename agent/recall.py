"""The knowledge room as the knowledge tool wants it: searched with the asker's rights, wherever it is."""

from collections.abc import Awaitable, Callable

from agent.people.person import Directory
from knowledge.port import Kind, KnowledgeError, Passage, Query, Reader, SearchResult, Standing
from knowledge.port import Library as Shelves
from tools.contract import Asker, ToolUnavailable
from tools.knowledge import port

ENOUGH = 0.4  # confidence below which a passage is only "nearest" (measured in knowledge/README.md)


class Recall:
    """Implements `tools.knowledge.port.Library` on the knowledge room, which opens at the first question."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._open: Callable[[], Awaitable[Shelves]] | None = None

    def opens(self, library: Callable[[], Awaitable[Shelves]]) -> None:
        """Says how the library is opened; `agent.bootstrap` does, once there is an application around it."""
        self._open = library

    async def search(self, query: str, asker: Asker, filters: port.Filters) -> port.Searched:
        """The passages that answer the query, of those the asker may read. Raises `ToolUnavailable`."""
        if self._open is None:
            raise ToolUnavailable("the knowledge is not open")
        reader = Reader(asker.person, self._directory.get(asker.person).keys)
        try:
            library = await self._open()
            # Twice as many as wanted: a filter by kind leaves some out afterwards.
            found = await library.search(Query(query, limit=filters.limit * 2, since=filters.since), reader)
        except KnowledgeError as error:
            raise ToolUnavailable(f"the knowledge cannot be searched: {error}") from error
        return searched(found, filters)


def searched(found: SearchResult, filters: port.Filters) -> port.Searched:
    """What was found, in the tool's words; passages that are not sure enough are left out."""
    passages = [passage_of(passage) for passage in found.passages]
    fitting = [one for one in passages if filters.kind is None or one.kind is filters.kind]
    sure = [one for one in fitting if one.confidence >= ENOUGH]
    nearest = fitting[0].document if fitting and not sure else None
    return port.Searched(
        tuple(sure[: filters.limit]),
        sum(found.searched.documents.values()),
        tuple(found.searched.documents),
        nearest,
        "; ".join(found.searched.notes) or None,
    )


def passage_of(passage: Passage) -> port.Passage:
    """One passage with where it stands."""
    return port.Passage(
        document=passage.title,
        heading=" › ".join(passage.headings[1:]) or passage.title,
        place=passage.place,
        text=passage.quote,
        kind=kind_of(passage),
        confidence=passage.confidence,
        author=passage.author,
        date=passage.date,
        link=passage.link,
        status=None if passage.standing is Standing.CURRENT else passage.standing.value,
        pinned=passage.pinned,
    )


def kind_of(passage: Passage) -> port.PassageKind:
    """Post-mortems lie in a folder named so; conversations are threads; the rest are documents."""
    if passage.kind is Kind.CHAT:
        return port.PassageKind.THREAD
    if "incidents/" in passage.document or "postmortem" in passage.document.lower():
        return port.PassageKind.INCIDENT
    return port.PassageKind.DOCUMENT
