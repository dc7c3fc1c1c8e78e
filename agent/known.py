"""The knowledge as the application holds it: opened at first use, brought up to date, compared with its sources."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from knowledge.port import Library, LibraryOutdated, OnProgress, Source, SourceReport, Verified


class Knowledge:
    """The library and the sources of the settings; `opening` is held while anything is opened."""

    def __init__(
        self,
        open_library: Callable[[bool], Awaitable[Library]],
        sources: Sequence[Source],
        opening: asyncio.Lock,
    ) -> None:
        self._open_library, self.sources, self._opening = open_library, sources, opening
        self._library: Library | None = None

    async def close(self) -> None:
        """Closes the library, if it was opened."""
        if self._library is not None:
            await self._library.close()

    async def library(self) -> Library:
        """The knowledge, opened at first use: its packages take a while to load."""
        async with self._opening:
            self._library = self._library or await self._open_library(False)
        return self._library

    async def ingest(
        self, on_progress: OnProgress, *, rebuild: bool = False, dry: bool = False, only: Collection[str] = ()
    ) -> tuple[SourceReport, ...]:
        """Brings the indexes up to date with the sources of the settings; what is not in the settings is forgotten.

        A `dry` run counts what it would do; `only` names some of the sources. Raises `KnowledgeError`.
        """
        if rebuild:
            if self._library is not None:
                await self._library.close()
            self._library = await self._open_library(True)
        try:
            library = await self.library()
        except LibraryOutdated:  # nothing in it was said by anybody: it is made again from the sources
            library = self._library = await self._open_library(True)
        chosen = [source for source in self.sources if not only or source.name in only]
        reports = await library.ingest(chosen, on_progress, dry=dry)
        forgotten = () if dry or only else await library.forget([source.name for source in self.sources])
        return (*reports, *forgotten)

    async def verify(self, *, repair: bool = False) -> Verified:
        """Compares the sources with the indexes. Raises `KnowledgeError`."""
        return await (await self.library()).verify(self.sources, repair=repair)
