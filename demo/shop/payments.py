"""payments: takes money through a provider that hesitates now and then, and books it in a database."""

import asyncio
import logging
import random
import sqlite3
from pathlib import Path
from time import perf_counter

from aiohttp import web
from prometheus_client import Counter

from demo.shop.pool import Connection, Pool, PoolExhausted
from demo.shop.service import REQUEST_ID, SIGNED_AT, Service

PROVIDER, PROVIDER_SECONDS = "corvid-pay", 0.02
LIMIT_SECONDS, LONG_SECONDS = 4.0, 1.0  # what is waited for an answer, and what is worth a warning
ACCOUNTS = frozenset({"hl-main", "hl-sandbox"})
OLDEST_SECONDS = 30.0  # how far a signature's time may be from ours
VOLUME_MB, PAGE_BYTES = 1024, 4096
HESITATION = 0.2  # share of charges for which the provider says "not yet, ask again"
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS bookings(id INTEGER PRIMARY KEY, basket TEXT, cents INTEGER, tries INTEGER)"
)


class ProviderHesitates(Exception):
    """The provider wants to be asked again."""


class NotPaid(Exception):
    """No payment came about; the message says why, `status` is answered."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Payments:
    """The routes of payments."""

    def __init__(self, service: Service, pool: Pool, chance: random.Random) -> None:
        self._service, self._pool, self._chance = service, pool, chance
        self._paid = Counter("payments", "Payments", ("outcome",), registry=service.registry)
        for outcome in ("succeeded", "failed"):
            self._paid.labels(outcome)
        service.gauge("db_pool_in_use", "Connections in use", lambda: pool.in_use)
        service.gauge("db_pool_size", "Connections at most", lambda: pool.size)
        service.app.router.add_post("/payments", self.pay)

    async def pay(self, request: web.Request) -> web.Response:
        """Charges a basket. 503 when no connection is to be had."""
        order = await request.json()
        try:
            self._check_signature(request)
            await self._authorise()
            await self._charge(str(order["basket"]), int(order["cents"]))
        except (PoolExhausted, NotPaid, sqlite3.OperationalError) as error:
            self._paid.labels("failed").inc()
            fields = {"request_id": request[REQUEST_ID], "pool": "ledger"}
            self._service.log.log(logging.ERROR, "%s", _told(error), extra={"fields": fields})
            return web.json_response({"error": str(error)}, status=_status(error))
        self._paid.labels("succeeded").inc()
        return web.json_response({"paid": order["cents"]})

    def _check_signature(self, request: web.Request) -> None:
        """Old signatures could be replayed. Raises `NotPaid`."""
        signed = request.headers.get(SIGNED_AT)
        if signed is None:
            return
        apart = float(signed) - self._service.clock()
        if abs(apart) > OLDEST_SECONDS:
            when = f"{abs(apart):.0f} s in the {'future' if apart > 0 else 'past'}"
            raise NotPaid(f"request refused: signed {when}, {OLDEST_SECONDS:.0f} s are allowed", 401)

    async def _authorise(self) -> None:
        """Asks the provider, which takes as long as it takes. Raises `NotPaid`."""
        account = self._service.config.text("merchant_account", "hl-main")
        usual = self._service.conditions.number("provider_seconds", PROVIDER_SECONDS)
        began = perf_counter()
        with self._service.calls.labels(PROVIDER).time():
            # Few answers take very long; they are not waited for.
            long = random.lognormvariate(0, 0.35) * usual
            await asyncio.sleep(min(long, LIMIT_SECONDS))
        if account not in ACCOUNTS:
            raise NotPaid(f"Corvid Pay refused the payment: unknown merchant account {account!r}", 502)
        if long > LIMIT_SECONDS:
            raise NotPaid(f"Corvid Pay gave no answer within {LIMIT_SECONDS:.0f} s", 504)
        if (took := perf_counter() - began) > LONG_SECONDS:
            self._service.log.warning("Corvid Pay answered after %.0f ms", 1000 * took)

    async def _charge(self, basket: str, cents: int) -> None:
        connection, kept = await self._pool.acquire(), False
        try:
            self._book(connection, basket, cents, first=True)
        except ProviderHesitates:
            fields = {"basket": basket}
            self._service.log.warning("provider hesitates, asking again", extra={"fields": fields})
            if self._service.place.behaviour.retry_keeps_connection:
                # What 2.4.0 got wrong: the second try takes a connection of its own, and the first one is kept
                # "for the settlement" that never comes.
                kept = True
                await self._again(basket, cents)
            else:
                self._book(connection, basket, cents, first=False)
        finally:
            if not kept:
                await self._pool.release(connection)

    async def _again(self, basket: str, cents: int) -> None:
        second = await self._pool.acquire()
        try:
            self._book(second, basket, cents, first=False)
        finally:
            await self._pool.release(second)

    def _book(self, connection: Connection, basket: str, cents: int, *, first: bool) -> None:
        if first and self._chance.random() < HESITATION:
            raise ProviderHesitates
        row = (basket, cents, 1 if first else 2)
        connection.db.execute("INSERT INTO bookings(basket, cents, tries) VALUES (?, ?, ?)", row)
        trace = int(self._service.conditions.number("ledger_trace_bytes", 0))
        if trace:
            connection.db.execute("INSERT INTO traces VALUES (?)", (b"\0" * trace,))


def _told(error: Exception) -> str:
    return f"cannot book the payment: {error}" if isinstance(error, sqlite3.Error) else str(error)


def _status(error: Exception) -> int:
    if isinstance(error, NotPaid):
        return error.status
    return 503 if isinstance(error, PoolExhausted) else 500


class Volume:
    """The volume that the ledger is on: SQLite holds itself to its size."""

    def __init__(self, service: Service, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self.pages = int(service.conditions.number("volume_mb", VOLUME_MB) * 1e6 / PAGE_BYTES)
        service.gauge("node_filesystem_size_bytes", "The ledger's volume", lambda: self.pages * PAGE_BYTES)
        service.gauge("node_filesystem_avail_bytes", "Left of it", self._left)

    def _left(self) -> float:
        (used,) = self._db.execute("PRAGMA page_count").fetchone()
        return float(max(self.pages - used, 0) * PAGE_BYTES)


def build(service: Service) -> Payments:
    """The service with its pool over a ledger of this instance."""
    folder = service.place.home / "ledgers"
    folder.mkdir(exist_ok=True, mode=0o700)
    file = folder / f"{service.place.instance}.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")  # pretend money: nothing is lost that anybody misses
        db.execute(SCHEMA)
        db.execute("CREATE TABLE IF NOT EXISTS traces(text BLOB)")
    volume = Volume(service, file)
    return Payments(service, Pool(file, most_pages=volume.pages), random.Random())
