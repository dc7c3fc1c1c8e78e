"""payments: takes money through a provider that hesitates now and then, and books it in a database."""

import logging
import random
import sqlite3

from aiohttp import web
from prometheus_client import Counter

from demo.shop.pool import Connection, Pool, PoolExhausted
from demo.shop.service import REQUEST_ID, Service

HESITATION = 0.2  # share of charges for which the provider says "not yet, ask again"
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS bookings(id INTEGER PRIMARY KEY, basket TEXT, cents INTEGER, tries INTEGER)"
)


class ProviderHesitates(Exception):
    """The provider wants to be asked again."""


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
            await self._charge(str(order["basket"]), int(order["cents"]))
        except PoolExhausted as error:
            self._paid.labels("failed").inc()
            fields = {"request_id": request[REQUEST_ID], "pool": "ledger"}
            self._service.log.log(logging.ERROR, "%s", error, extra={"fields": fields})
            return web.json_response({"error": str(error)}, status=503)
        self._paid.labels("succeeded").inc()
        return web.json_response({"paid": order["cents"]})

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


def build(service: Service) -> Payments:
    """The service with its pool over a ledger of this instance."""
    folder = service.place.home / "ledgers"
    folder.mkdir(exist_ok=True, mode=0o700)
    file = folder / f"{service.place.instance}.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")  # pretend money: nothing is lost that anybody misses
        db.execute(SCHEMA)
    return Payments(service, Pool(file), random.Random())
