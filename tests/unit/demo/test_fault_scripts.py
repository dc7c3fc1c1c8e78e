"""The fault drills: what is played when, and what the shop's processes really do when the world is against them."""

import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from demo.faults.fault import Deploy, Fault
from demo.faults.play import HERRINGS, script
from demo.faults.ten import TEN
from demo.faults.variants import VARIANTS
from demo.shop import catalog, certificate, live, payments
from demo.shop.live import CONDITIONS, CONFIG, Live
from demo.shop.releases import release, releases
from demo.shop.service import SIGNED_AT, Place, Service

ALL = (*TEN, *VARIANTS)
ORDER = {"basket": "B1", "cents": 1900}
Client = TestClient[Request, Application]


class Listening(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


@asynccontextmanager
async def shop(
    home: Path, name: str, version: str, conditions: Mapping[str, str | float] | None = None
) -> AsyncIterator[tuple[Client, Listening]]:
    """One service of the shop, under these conditions from the start."""
    if conditions is not None:
        live.write(home, CONDITIONS, {"production": {name: conditions}})
    heard, log = Listening(), logging.getLogger(f"test.{name}")
    log.handlers, log.propagate = [heard], False
    log.setLevel(logging.INFO)
    behaviour = release(name, version).behaviour
    service = Service(Place(home, name, "production", version, f"{name}-1", behaviour), log)
    {"payments": payments.build, "catalog": catalog.build}[name](service)
    async with TestClient(TestServer(service.app)) as client:
        yield client, heard


def test_there_are_ten_and_no_two_have_one_name() -> None:
    assert len(TEN) == 10
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_a_seed_plays_the_same_and_another_one_otherwise(fault: Fault) -> None:
    assert script(fault, 1) == script(fault, 1)
    assert script(fault, 1).strikes != script(fault, 2).strikes


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_every_play_has_its_herrings_and_leaves_time_before_and_after(fault: Fault) -> None:
    for seed in range(20):
        played = script(fault, seed)
        assert len(played.herrings) == HERRINGS + len(played.fault.always)
        assert min(at for at, _ in played.herrings) > 10
        assert max(at for at, _ in played.herrings) < played.ends - 20
        assert played.ends - played.strikes > 60


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_what_is_deployed_in_a_drill_exists(fault: Fault) -> None:
    steps = [*fault.strike, *(step for each in fault.herrings for step in each.steps)]
    for step in steps:
        if isinstance(step, Deploy):
            assert release(step.service, step.version).version == step.version


def test_releases_of_drills_are_not_among_those_of_the_shop() -> None:
    assert "3.2.2" not in [one.version for one in releases()["catalog"]]


def test_values_are_read_again_when_they_change(tmp_path: Path) -> None:
    values = Live(tmp_path, CONFIG, "production", "catalog")
    assert values.text("page_cache", "on") == "on"
    live.write(tmp_path, CONFIG, {"production": {"catalog": {"page_cache": "off"}}})
    assert values.text("page_cache", "on") == "off"
    assert Live(tmp_path, CONFIG, "staging", "catalog").text("page_cache", "on") == "on"


def test_a_certificate_ends_when_it_was_issued_to(tmp_path: Path) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=40)
    file = certificate.file_of(tmp_path, "production", "payments")
    certificate.issue(file, "payments.harbourlane.example", until)
    assert certificate.expiry(file) == until


async def test_a_service_tells_of_its_certificate(tmp_path: Path) -> None:
    until = datetime.now(UTC) + timedelta(hours=40)
    certificate.issue(certificate.file_of(tmp_path, "production", "catalog"), "catalog", until)
    async with shop(tmp_path, "catalog", "3.2.0") as (client, heard):
        text = await (await client.get("/metrics")).text()
    assert "probe_ssl_earliest_cert_expiry" in text
    assert heard.lines == [
        "WARNING certificate of catalog.harbourlane.example expires in 40 hours, and was not renewed"
    ]


async def test_a_wrong_merchant_account_is_refused_by_the_provider(tmp_path: Path) -> None:
    async with shop(tmp_path, "payments", "2.3.9") as (client, heard):
        assert (await client.post("/payments", json=ORDER)).status == 200
        live.write(tmp_path, CONFIG, {"production": {"payments": {"merchant_account": "hl-mian"}}})
        assert (await client.post("/payments", json=ORDER)).status == 502
    assert "ERROR Corvid Pay refused the payment: unknown merchant account 'hl-mian'" in heard.lines


async def test_a_clock_that_is_wrong_refuses_signatures_and_says_how_far_off_it_is(tmp_path: Path) -> None:
    signed = {SIGNED_AT: str(datetime.now(UTC).timestamp())}
    async with shop(tmp_path, "payments", "2.3.9", {"clock_skew": 95}) as (client, heard):
        assert (await client.post("/payments", json=ORDER, headers=signed)).status == 401
        text = await (await client.get("/metrics")).text()
    assert any("request refused: signed 95 s in the past" in line for line in heard.lines)
    assert "node_timex_offset_seconds 95.0" in text


async def test_a_full_volume_is_sqlites_own_error(tmp_path: Path) -> None:
    small = {"volume_mb": 0.1, "ledger_trace_bytes": 40_000}
    async with shop(tmp_path, "payments", "2.3.9", small) as (client, heard):
        statuses = [(await client.post("/payments", json=ORDER)).status for _ in range(5)]
        text = await (await client.get("/metrics")).text()
    assert statuses[-1] == 500
    assert "ERROR cannot book the payment: database or disk is full" in heard.lines
    assert "node_filesystem_size_bytes" in text


async def test_without_conditions_the_ledger_keeps_no_traces(tmp_path: Path) -> None:
    async with shop(tmp_path, "payments", "2.3.9") as (client, _):
        await client.post("/payments", json=ORDER)
    with sqlite3.connect(tmp_path / "ledgers" / "payments-1.db") as db:
        assert db.execute("SELECT COUNT(*) FROM traces").fetchone() == (0,)
    db.close()


async def test_noise_is_logged_and_the_request_is_served(tmp_path: Path) -> None:
    noisy: dict[str, str | float] = {"noise": "thumbnail of lamp-% could not be made", "noise_share": 1.0}
    async with shop(tmp_path, "catalog", "3.2.0", noisy) as (client, heard):
        assert (await client.get("/items/lamp-3")).status == 200
    assert any(line.startswith("ERROR thumbnail of lamp-") for line in heard.lines)


async def test_the_leaking_release_keeps_what_it_made(tmp_path: Path) -> None:
    async with shop(tmp_path, "catalog", "3.2.1") as (client, _):
        for _ in range(3):
            assert (await client.get("/items/lamp-3")).status == 200
