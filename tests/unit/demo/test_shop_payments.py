"""The fault of payments 2.4.0, in one process: its retry path keeps connections until the pool has none left."""

import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from demo.shop.payments import SCHEMA, Payments
from demo.shop.pool import Connection, Pool, PoolExhausted
from demo.shop.releases import release
from demo.shop.service import Place, Service

Client = TestClient[Request, Application]


class Hesitant(random.Random):
    """A provider that always wants to be asked a second time."""

    def random(self) -> float:
        return 0.0


class Prompt(random.Random):
    """A provider that never hesitates."""

    def random(self) -> float:
        return 0.99


class Listening(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage()))


@asynccontextmanager
async def payments(
    folder: Path, version: str, chance: random.Random
) -> AsyncIterator[tuple[Client, Pool, Listening]]:
    """The service as the release builds it, over a pool that waits only a moment."""
    pool, heard, log = Pool(folder / "ledger.db", wait=0.02), Listening(), logging.getLogger("test.payments")
    log.addHandler(heard)
    log.setLevel(logging.INFO)
    behaviour = release("payments", version).behaviour
    service = Service(Place(folder, "payments", "production", version, "payments-1", behaviour), log)
    Payments(service, pool, chance)
    connection = await pool.acquire()
    connection.db.execute(SCHEMA)
    await pool.release(connection)
    try:
        async with TestClient(TestServer(service.app)) as client:
            yield client, pool, heard
    finally:
        pool.close()
        log.removeHandler(heard)


async def pay(client: Client, times: int) -> list[int]:
    statuses = []
    for number in range(times):
        async with client.post("/payments", json={"basket": f"B{number}", "cents": 1900}) as answer:
            statuses.append(answer.status)
    return statuses


async def scrape(client: Client) -> str:
    async with client.get("/metrics") as answer:
        return await answer.text()


async def test_under_hesitation_2_4_0_runs_out_of_connections(tmp_path: Path) -> None:
    async with payments(tmp_path, "2.4.0", Hesitant()) as (client, pool, heard):
        statuses = await pay(client, 10)
        assert statuses == [200] * 7 + [503] * 3
        assert pool.in_use == 8
        assert ("ERROR", "connection pool exhausted: 8 of 8 connections in use, waited 20 ms") in heard.lines
        text = await scrape(client)
        assert "db_pool_in_use 8.0" in text
        assert 'payments_total{outcome="failed"} 3.0' in text
        assert 'payments_total{outcome="succeeded"} 7.0' in text


@pytest.mark.parametrize("version", ["2.3.8", "2.3.9"])
async def test_under_hesitation_earlier_releases_give_every_connection_back(
    version: str, tmp_path: Path
) -> None:
    async with payments(tmp_path, version, Hesitant()) as (client, pool, heard):
        assert await pay(client, 30) == [200] * 30
        assert pool.in_use == 0
        assert not [line for level, line in heard.lines if level == "ERROR"]


async def test_2_4_0_is_well_while_the_provider_does_not_hesitate(tmp_path: Path) -> None:
    async with payments(tmp_path, "2.4.0", Prompt()) as (client, pool, _):
        assert await pay(client, 30) == [200] * 30
        assert pool.in_use == 0


async def test_a_payment_nobody_can_read_is_counted_and_holds_no_connection(tmp_path: Path) -> None:
    async with payments(tmp_path, "2.3.9", Prompt()) as (client, pool, _):
        async with client.post("/payments", data=b"{") as answer:
            assert answer.status == 500
        assert pool.in_use == 0
        assert 'http_requests_total{code="500",route="/payments"} 1.0' in await scrape(client)


async def take(pool: Pool, count: int) -> Sequence[Connection]:
    return [await pool.acquire() for _ in range(count)]


async def test_the_ninth_who_asks_a_pool_of_eight_is_told_so(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "ledger.db", wait=0.01)
    await take(pool, 8)
    with pytest.raises(PoolExhausted, match="8 of 8 connections in use, waited 10 ms"):
        await pool.acquire()
    pool.close()


async def test_a_connection_given_back_is_used_again(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "ledger.db")
    first = await pool.acquire()
    await pool.release(first)
    assert (await pool.acquire()).db is first.db
    pool.close()


async def test_connections_nobody_uses_come_back_when_the_database_has_closed_them(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "ledger.db", wait=0.01, lease=0.0)
    forgotten = await take(pool, 8)
    again = await pool.acquire()
    assert pool.in_use == 1
    await pool.release(forgotten[0])  # too late: it is not ours to give back any more
    assert pool.in_use == 1
    await pool.release(again)
    pool.close()
