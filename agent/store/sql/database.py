"""A database that runs short transactions off the event loop; which one it is, its adapters say."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from agent.store.sql.group import Group
from agent.store.sql.versions import SHIPPED, Note, Scripts

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome


class Database(ABC):
    """Kinds of transactions, and what each one promises once it is acknowledged.

    `read` changes nothing. `fast` survives a killed process, but a power cut may take its last moments: chat lines.
    `chained` is the same for what adds to the audit chain.
    `safe` is on disk: what people decided. At any moment one safe transaction runs, in whatever process, so that it
    may look and then write. A work may be run again from its start, in a new transaction, so it has no other effects.
    """

    def __init__(self, readers: Executor, fasts: Executor, writer: ThreadPoolExecutor) -> None:
        self._readers, self._fasts, self._writer = readers, fasts, writer
        self._fast_works: Group[Work, None] = Group(fasts, lambda works: self.fast_now(_each(works)))
        self._chained_works: Group[Work, None] = Group(writer, lambda works: self.chained_now(_each(works)))
        self._safe_works: Group[Work, None] = Group(writer, lambda works: self.safe_now(_each(works)))

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call it: a file or an address, without a password."""

    async def open(self, note: Note) -> None:
        """Makes the tables where there are none, and brings older ones up to date. Raises `StoreError`."""
        try:
            await self._off_loop(self._writer, lambda: self.open_now(note))
        except BaseException:
            await self.close()
            raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What this work finds. Raises `StoreError`."""
        return await self._off_loop(self._readers, lambda: self.read_now(work))

    async def fast(self, work: Callable[[Connection], T]) -> T:
        """One transaction that survives the process. Raises `StoreError`, with nothing half done."""
        return await _done(self._fast_works, work)

    async def chained(self, work: Callable[[Connection], T]) -> T:
        """As `fast`, with the end of the audit chain in its hands. Raises `StoreError`, with nothing half done."""
        return await _done(self._chained_works, work)

    async def safe(self, work: Callable[[Connection], T]) -> T:
        """One transaction that survives the machine. Raises `StoreError`, with nothing half done."""
        return await _done(self._safe_works, work)

    def grouped(self, work: Callable[[Connection, Sequence[I]], Sequence[O]]) -> Group[I, O]:
        """Items that share one safe transaction when they wait at the same moment."""
        return Group(self._writer, lambda items: self.safe_now(lambda connection: work(connection, items)))

    def grouped_reads(self, work: Callable[[Connection, Sequence[I]], Sequence[O]]) -> Group[I, O]:
        """Items that are looked up together when they are asked for at the same moment."""
        return Group(self._readers, lambda items: self.read_now(lambda connection: work(connection, items)))

    async def close(self) -> None:
        await self._off_loop(self._writer, self.close_now)
        for threads in (self._readers, self._fasts, self._writer):
            threads.shutdown()

    async def _off_loop(self, threads: Executor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    @abstractmethod
    def open_now(self, note: Note) -> None: ...

    @abstractmethod
    def read_now(self, work: Callable[[Connection], T]) -> T: ...

    @abstractmethod
    def fast_now(self, work: Callable[[Connection], T]) -> T: ...

    @abstractmethod
    def chained_now(self, work: Callable[[Connection], T]) -> T: ...

    @abstractmethod
    def safe_now(self, work: Callable[[Connection], T]) -> T: ...

    @abstractmethod
    def close_now(self) -> None: ...


Work = Callable[[Connection], None]


def _each(works: Sequence[Work]) -> Callable[[Connection], Sequence[None]]:
    def together(connection: Connection) -> Sequence[None]:
        for work in works:
            work(connection)
        return [None] * len(works)

    return together


async def _done(group: Group[Work, None], work: Callable[[Connection], T]) -> T:
    """What a work gives that shares its transaction with others that wait at the same moment."""
    given: list[T] = []

    def kept(connection: Connection) -> None:
        given[:] = [work(connection)]  # the last run counts: it is the one that was committed

    await group.do(kept)
    return given[0]


def database(place: Path | str, scripts: Scripts = SHIPPED) -> Database:
    """The database at this place: a file is SQLite, a text the URL of a PostgreSQL. Raises `StoreError`."""
    if isinstance(place, Path):
        from agent.store.sql.sqlite import Sqlite

        return Sqlite(place, scripts)
    from agent.store.sql.postgres import Postgres

    return Postgres(place, scripts)
