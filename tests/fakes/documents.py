"""A source for tests: documents and places held in memory, to be changed between two ingestions."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from knowledge.port import Document, Place, Trouble
from knowledge.sources.markdown import page

OPEN = Place("notes:open", "#payments", "notes")


class Notes:
    """Short pages, each in a place; `troubles` are files that cannot be read this time."""

    def __init__(self, *pages: Document, places: Sequence[Place] = (OPEN,), name: str = "notes") -> None:
        self.name = name
        self.pages = {page.id: page for page in pages}
        self.open_places = list(places)
        self.troubles: list[Trouble] = []

    async def places(self) -> Sequence[Place]:
        return tuple(self.open_places)

    async def documents(self) -> AsyncIterator[Document | Trouble]:
        for trouble in self.troubles:
            yield trouble
        for held in list(self.pages.values()):
            yield held

    def put(self, *pages: Document) -> None:
        self.pages |= {page.id: page for page in pages}


def note(
    key: str, text: str, *, place: Place = OPEN, date: datetime | None = None, people: tuple[str, ...] = ()
) -> Document:
    """One page of a few words."""
    made = page(f"notes:{key}", source="notes", place=place.id, body=text, stem=key)
    return replace(made, date=date, people=people)
