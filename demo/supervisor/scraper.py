"""The recorder's scraper: reads every instance's metrics each second and writes them into the local store."""

import asyncio
import sqlite3
import sys
from collections.abc import Iterable
from time import time

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from demo.supervisor.fleet import Fleet
from demo.supervisor.processes import Instance
from tools.metrics.recorder import RecorderWriter

EVERY_SECONDS = 1.0
CLOSELY_ROUNDS = (
    1800  # half an hour of every second is 6 MB; a shop left open for days is looked at less often
)
LATER_SECONDS = 5.0
KEPT_SECONDS = 21 * 86_400.0
WANTED = (
    "http_requests_total",
    "http_request_duration_seconds",
    "db_pool_",
    "payments_total",
    "process_cpu",
    "process_res",
    "http_client_request_duration_seconds",
    "node_",
    "probe_ssl",
)
Sample = tuple[str, dict[str, str], float]


async def scrape_for_ever(fleet: Fleet, writer: RecorderWriter) -> None:
    """Runs until it is cancelled. An instance that does not answer is recorded as down."""
    async with ClientSession(timeout=ClientTimeout(total=0.8)) as http:
        rounds = 0
        while True:
            at = time()
            scraped = await asyncio.gather(*(_scrape(http, instance) for instance in fleet.instances()))
            samples = [sample for part in scraped for sample in part]
            try:
                await asyncio.to_thread(writer.append, at, samples)
                if rounds % 3600 == 0:
                    await asyncio.to_thread(writer.forget_before, at - KEPT_SECONDS)
            except sqlite3.Error as error:  # a full disk: this round is lost, the next may fit again
                print(f"not recorded: {error}", file=sys.stderr, flush=True)
            rounds += 1
            every = EVERY_SECONDS if rounds < CLOSELY_ROUNDS else LATER_SECONDS
            await asyncio.sleep(max(0.05, every - (time() - at)))


async def _scrape(http: ClientSession, instance: Instance) -> list[Sample]:
    labels = {
        "service": instance.service,
        "environment": instance.environment,
        "version": instance.version,
        "instance": instance.name,
    }
    try:
        async with http.get(f"{instance.url}/metrics") as answer:
            text = await answer.text()
    except (ClientError, TimeoutError, OSError):
        return [("up", labels, 0.0)]
    return [("up", labels, 1.0), *samples_in(text, labels)]


def samples_in(text: str, labels: dict[str, str]) -> Iterable[Sample]:
    """The wanted samples of one scrape, with the labels that say whose they are."""
    wanted = "\n".join(
        line for line in text.splitlines() if line.startswith(WANTED) or line.startswith("# TYPE")
    )
    for family in text_string_to_metric_families(wanted + "\n"):
        for sample in family.samples:
            if sample.name.startswith(WANTED) and not sample.name.endswith("_created"):
                yield sample.name, {**sample.labels, **labels}, float(sample.value)
