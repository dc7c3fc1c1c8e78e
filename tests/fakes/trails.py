"""Trails to verify: a store with a history, its key and its checkpoints, and everything one can do to its rows."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.audit.chain import ROOT, Report, hash_of
from agent.audit.event import Event, Fact, FactKind
from agent.audit.notary import Notary, Rhythm
from agent.audit.verification import Witness, each, verify
from agent.store.keys import PrivateKey, PublicKeys
from agent.store.memory import MemoryStore
from agent.store.port import Store
from tools.contract import Json, canonical

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIRST_FORMAT = Path(__file__).parents[1] / "unit" / "audit" / "first_format.jsonl"


@dataclass
class MemoryBook:
    """Implements `Book` in a list."""

    kept: list[str] = field(default_factory=list)
    name: str = "the file"

    def append(self, line: str) -> None:
        self.kept.append(line)

    def last(self) -> str | None:
        return self.kept[-1] if self.kept else None

    def lines(self) -> Iterator[str]:
        yield from self.kept


@dataclass
class Signed:
    """A store that a notary signs, with a clock that is moved by hand."""

    store: Store
    book: MemoryBook = field(default_factory=MemoryBook)
    key: PrivateKey = field(default_factory=lambda: PrivateKey(Ed25519PrivateKey.generate()))
    now: datetime = NOW

    def notary(self, rhythm: Rhythm | None = None) -> Notary:
        return Notary(self.store, lambda _fresh: self.key, self.book, lambda: self.now, rhythm)

    async def happen(self, count: int, data: str = "because") -> None:
        """Something happens so many times, a minute apart."""
        for number in range(count):
            self.now += timedelta(minutes=1)
            body: dict[str, Json] = {"reason": f"{data} {number}", "seconds": 0.5}
            await self.store.record(Fact(FactKind.DECIDED, "tom", f"A-{number}", self.now, body))

    async def verified(self, *keys: PrivateKey, book: MemoryBook | None = None) -> Report:
        return await verify(
            lambda after: self.store.events(after=after),
            await self.store.store_id(),
            (
                Witness("the store", self.store.checkpoints()),
                Witness("the file", each((book or self.book).lines())),
            ),
            PublicKeys(*(key.public() for key in keys or (self.key,))),
        )


async def lived(store: Store) -> Signed:
    """A store with thirty-odd rows, the first ones pruned, signed now and then and at its end."""
    signed = Signed(store)
    notary = signed.notary()
    for _ in range(3):
        await signed.happen(6)
        await notary.sign()
    await store.prune(signed.now - timedelta(minutes=10), "nora", signed.now)
    for _ in range(2):
        await signed.happen(6)
        await notary.sign()
    return signed


async def rows(store: Store) -> list[Event]:
    return [event async for event in store.events()]


def first_format() -> list[Event]:
    """A trail exactly as the first version wrote it."""
    events = []
    for line in FIRST_FORMAT.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        at = datetime.fromisoformat(row["at"])
        fact = Fact(FactKind(row["kind"]), row["actor"], row["subject"], at, row["data"])
        events.append(Event(row["seq"], fact, row["previous"], row["hash"]))
    return events


def recomputed(events: Sequence[Event]) -> list[Event]:
    """Rows numbered anew and with all hashes computed anew: what somebody does who knows the code, but has no key."""
    chained: list[Event] = []
    for number, event in enumerate(events, 1):
        body = event.body_hash
        if body is not None and not event.pruned:
            body = hashlib.sha256(canonical(event.fact.data).encode()).hexdigest()
        bare = replace(event, seq=number, previous=chained[-1].hash if chained else ROOT, body_hash=body)
        chained.append(replace(bare, hash=hash_of(bare)))
    return chained


def renumbered(events: Sequence[Event]) -> list[Event]:
    return [replace(event, seq=number) for number, event in enumerate(events, 1)]


Put = Callable[[Sequence[Event]], None]


def put_into_memory(store: MemoryStore) -> Put:
    """Puts other rows in the place of a store's own."""

    def put(events: Sequence[Event]) -> None:
        store._events[:] = events

    return put


COLUMNS = ("seq", "at", "kind", "actor", "subject", "data", "body_hash", "previous", "hash")


def put_into_sqlite(file: Path) -> Put:
    """The same in a file, behind the store's back."""

    def put(events: Sequence[Event]) -> None:
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("DELETE FROM audit")
        places = ", ".join("?" for _ in COLUMNS)
        connection.executemany(
            f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({places})", map(_columns, events)
        )
        connection.close()

    return put


def put_into_postgres(url: str) -> Put:
    """The same on a server."""

    def put(events: Sequence[Event]) -> None:
        with psycopg.connect(url.replace("+psycopg", "", 1)) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit")
            with cursor.copy("COPY audit (" + ", ".join(COLUMNS) + ") FROM STDIN") as rows_in:
                for event in events:
                    rows_in.write_row(_columns(event))

    return put


def _columns(event: Event) -> tuple[int | str | None, ...]:
    return (
        event.seq,
        event.fact.at.isoformat(timespec="microseconds"),
        event.fact.kind.value,
        event.fact.actor,
        event.fact.subject,
        "" if event.pruned else canonical(event.fact.data),
        event.body_hash,
        event.previous,
        event.hash,
    )
