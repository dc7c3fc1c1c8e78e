"""Health over HTTP: 200 while all is well, 503 with the reason where it is not, metrics as Prometheus reads them."""

import socket
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import ClientSession

from agent.serving.health import Health


class Patient:
    """Somebody whose health a test decides."""

    def __init__(self) -> None:
        self.alive: dict[str, str | None] = {"rounds": None}
        self.ready: dict[str, str | None] = {"store": None}

    async def is_alive(self) -> Mapping[str, str | None]:
        return self.alive

    async def is_ready(self) -> Mapping[str, str | None]:
        return self.ready

    async def metrics(self) -> bytes:
        return b"sayso_turns_waiting 0.0\n"


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
async def address(patient: Patient) -> AsyncIterator[str]:
    health = Health("127.0.0.1:0", alive=patient.is_alive, ready=patient.is_ready, metrics=patient.metrics)
    yield await health.start()
    await health.stop()


async def asked(url: str) -> tuple[int, dict[str, object]]:
    async with ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def test_who_is_well_says_so(address: str) -> None:
    assert await asked(f"{address}/healthz") == (200, {"ok": True, "checks": {"rounds": "ok"}})
    assert await asked(f"{address}/readyz") == (200, {"ok": True, "checks": {"store": "ok"}})


async def test_who_is_not_says_why(address: str, patient: Patient) -> None:
    patient.ready["store"] = "it does not answer"
    patient.ready["draining"] = None
    checks = {"store": "it does not answer", "draining": "ok"}
    assert await asked(f"{address}/readyz") == (503, {"ok": False, "checks": checks})
    assert (await asked(f"{address}/healthz"))[0] == 200


async def test_metrics_are_text(address: str) -> None:
    async with ClientSession() as session, session.get(f"{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert await answer.text() == "sayso_turns_waiting 0.0\n"


async def test_a_port_in_use_is_an_error_at_once(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        listen = f"127.0.0.1:{held.getsockname()[1]}"
        health = Health(listen, alive=patient.is_alive, ready=patient.is_ready, metrics=patient.metrics)
        with pytest.raises(OSError, match="in use"):
            await health.start()
        await health.stop()
