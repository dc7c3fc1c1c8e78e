"""A database that runs short transactions off the event loop; which one it is, its adapters say."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, assert_never

from sqlalchemy import Connection

from agent.store.sql.group import Group
from agent.store.sql.operation import Operation, Part, Promise, Together, each, together_in
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

    def __init__(
        self, readers: Executor, looks: Executor, fasts: Executor, writer: ThreadPoolExecutor
    ) -> None:
        """`looks`, `fasts` and `writer` have one thread each, or are the same one."""
        self._threads, self._readers, self._writer = (readers, looks, fasts, writer), readers, writer
        self._looks: Group[Part, None] = Group(looks, lambda parts: self.read_now(_in_one(parts)))
        self._fasts: Group[Part, None] = Group(fasts, lambda parts: self.fast_now(_in_one(parts)))
        self._writes: Group[Part, None] = Group(writer, self._write)
        self._works = {kind: self.operation(kind, each) for kind in Promise}

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
        """In a transaction that survives the process. Raises `StoreError`, with nothing half done."""
        return await self._done(Promise.FAST, work)

    async def chained(self, work: Callable[[Connection], T]) -> T:
        """As `fast`, with the end of the audit chain in its hands. Raises `StoreError`, with nothing half done."""
        return await self._done(Promise.CHAINED, work)

    async def safe(self, work: Callable[[Connection], T]) -> T:
        """In a transaction that survives the machine. Raises `StoreError`, with nothing half done."""
        return await self._done(Promise.SAFE, work)

    def operation(self, promise: Promise, together: Together[I, O]) -> Operation[I, O]:
        """What is done together when it is asked for at the same moment, beside others with the same promise."""
        match promise:
            case Promise.READ:
                group = self._looks
            case Promise.FAST:
                group = self._fasts
            case Promise.CHAINED | Promise.SAFE:
                group = self._writes
            case _:
                assert_never(promise)
        return Operation(promise, group, together)

    def _write(self, parts: Sequence[Part]) -> Sequence[None]:
        """All that adds to the chain at this moment, on disk where one of them has to be."""
        safe = any(part.kind.promise is Promise.SAFE for part in parts)
        return (self.safe_now if safe else self.chained_now)(_in_one(parts))

    async def _done(self, promise: Promise, work: Callable[[Connection], T]) -> T:
        given: list[T] = []

        def kept(connection: Connection) -> None:
            given[:] = [work(connection)]  # the last run counts: it is the one that was committed

        await self._works[promise].do(kept)
        return given[0]

    async def close(self) -> None:
        """Lets end what is under way, and then lets go: a connection must not be closed while a thread is in it."""
        await self._off_loop(self._writer, self._end)
        self._writer.shutdown()

    def _end(self) -> None:
        for threads in self._threads:
            if threads is not self._writer:
                threads.shutdown()
        self.close_now()

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


def _in_one(parts: Sequence[Part]) -> Callable[[Connection], Sequence[None]]:
    return lambda connection: together_in(connection, parts)


def database(place: Path | str, scripts: Scripts = SHIPPED) -> Database:
    """The database at this place: a file is SQLite, a text the URL of a PostgreSQL. Raises `StoreError`."""
    if isinstance(place, Path):
        from agent.store.sql.sqlite import Sqlite

        return Sqlite(place, scripts)
    from agent.store.sql.postgres import Postgres

    return Postgres(place, scripts)
