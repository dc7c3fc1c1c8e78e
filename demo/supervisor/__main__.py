"""The supervisor as a process: `python -m demo.supervisor --home DIR [--owner PID]`."""

import argparse
import asyncio
import json
import os
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path

import psutil
from aiohttp import web

from demo.past import past_deployments
from demo.supervisor.api import Api
from demo.supervisor.fleet import Fleet
from demo.supervisor.scraper import scrape_for_ever
from tools.metrics.recorder import RecorderWriter

VERSIONS = {"catalog": "3.2.0", "payments": "2.3.9", "checkout": "1.8.2"}
ENVIRONMENTS = ("production", "staging")
FILE = "supervisor.json"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--owner", type=int, help="end when this process is gone")
    arguments = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    home: Path = arguments.home
    fleet = Fleet(home, past_deployments())
    writer = RecorderWriter(home / "metrics.db")
    token = secrets.token_urlsafe(24)
    runner = web.AppRunner(Api(fleet, token, stop.set).app, access_log=None, shutdown_timeout=2)
    try:
        await fleet.open(VERSIONS, ENVIRONMENTS)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await fleet.start_load()
        announce(home, runner.addresses[0][1], token)
        scraping = asyncio.create_task(scrape_for_ever(fleet, writer))
        watching = asyncio.create_task(watch(arguments.owner, stop))
        await stop.wait()
        for task in (scraping, watching):
            task.cancel()
    finally:
        (home / FILE).unlink(missing_ok=True)
        await runner.cleanup()
        await fleet.close()
        writer.close()


def announce(home: Path, port: int, token: str) -> None:
    """Writes how to reach us, for our owner's eyes alone."""
    aside = home / f"{FILE}.new"
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        pid, at = os.getpid(), datetime.now(UTC).isoformat()
        json.dump({"port": port, "token": token, "pid": pid, "started_at": at}, out)
    aside.replace(home / FILE)


async def watch(owner: int | None, stop: asyncio.Event) -> None:
    """Ends us when whoever wanted the shop is gone."""
    while owner is None or psutil.pid_exists(owner):
        await asyncio.sleep(1)
    stop.set()


if __name__ == "__main__":
    asyncio.run(main())
