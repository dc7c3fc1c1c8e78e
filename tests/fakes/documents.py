"""A source for tests: documents and places held in memory, to be changed between two ingestions."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from knowledge.catalogue import fingerprint
from knowledge.port import Document, Place, Trouble, Unit
from knowledge.sources.markdown import page

OPEN = Place("notes:open", "#payments", "notes")


class Notes:
    """Short pages, each in a place; `troubles` are files that cannot be read this time."""

    def __init__(self, *pages: Document, places: Sequence[Place] = (OPEN,), name: str = "notes") -> None:
        self.name = name
        self.pages = {page.id: page for page in pages}
        self.open_places = list(places)
        self.troubles: list[Trouble] = []
        self.reads = 0

    async def places(self) -> Sequence[Place]:
        return tuple(self.open_places)

    async def units(self) -> Sequence[Unit]:
        kept = [trouble.keeps for trouble in self.troubles]
        return [Unit(key, stamp=fingerprint(held)) for key, held in self.pages.items()] + [
            Unit(key) for key in kept if key not in self.pages
        ]

    async def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        for trouble in self.troubles:
            if trouble.keeps == unit.key:
                yield trouble
        if unit.key in self.pages:
            self.reads += 1
            yield self.pages[unit.key]

    def put(self, *pages: Document) -> None:
        self.pages |= {page.id: page for page in pages}


def note(
    key: str, text: str, *, place: Place = OPEN, date: datetime | None = None, people: tuple[str, ...] = ()
) -> Document:
    """One page of a few words."""
    made = page(f"notes:{key}", source="notes", place=place.id, body=text, stem=key)
    return replace(made, date=date, people=people)
