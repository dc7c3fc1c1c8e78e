"""A real Prometheus over the shop's processes: it and the embedded recorder give the same answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo import lifecycle
from tests.fakes.prometheus import Server, prometheus_server
from tools.contract import Window
from tools.metrics.named import METRICS, Scope
from tools.metrics.prometheus import Prometheus
from tools.metrics.recorder import RecorderStore

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(180)]
WATCHED = 40.0  # seconds of load that both have seen, or more


async def silence(line: str) -> None:
    """Hears what the shop says while it opens."""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    folder = tmp_path / "home"
    yield folder
    await lifecycle.stop(folder)


def discovery(home: Path) -> dict[str, object]:
    """How a Prometheus finds the shop: the supervisor tells it what runs."""
    found = json.loads((home / "supervisor.json").read_text())
    url = f"http://127.0.0.1:{found['port']}/v1/targets"
    source = {
        "url": url,
        "refresh_interval": "1s",
        "authorization": {"type": "Bearer", "credentials": found["token"]},
    }
    return {"job_name": "shop", "http_sd_configs": [source]}


async def watched(server: Server, store: Prometheus) -> datetime:
    """The end of a time in which the server has scraped long enough."""
    scope, begun = Scope("production"), datetime.now(UTC)
    while True:
        now = datetime.now(UTC)
        window = Window(now - timedelta(seconds=WATCHED), now)
        whole = await store.evaluate(METRICS["request_rate"].formula, scope, (window,))
        if whole[0] and now - begun > timedelta(seconds=WATCHED + 5):
            return now
        assert now - begun < timedelta(seconds=120), (server.folder / "log").read_text()[-2000:]
        await asyncio.sleep(1)


async def test_the_shop_feels_the_same_to_prometheus_and_to_the_recorder(
    prometheus: None, home: Path
) -> None:
    await lifecycle.start(home, silence)
    recorder = RecorderStore(home / "metrics.db")
    with prometheus_server(scrape=[discovery(home)]) as server:
        store = Prometheus(server.url, finest=timedelta(seconds=5))
        end = await watched(server, store)
        window = Window(end - timedelta(seconds=WATCHED), end)
        for service in ("payments", "checkout", "catalog"):
            for name in ("request_rate", "error_rate", "latency_p95", "saturation", "memory", "payments"):
                formula, scope = METRICS[name].formula, Scope("production", service)
                (real,) = await store.evaluate(formula, scope, (window,))
                (own,) = await recorder.evaluate(formula, scope, (window,))
                assert (real is None) == (own is None), (service, name)
                if real is not None:
                    assert own == pytest.approx(real, rel=0.15, abs=0.05), (service, name)
