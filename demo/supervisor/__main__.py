"""The supervisor as a process: `python -m demo.supervisor --home DIR [--owner PID]`."""

import argparse
import asyncio
import json
import os
import secrets
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from aiohttp import web

from demo.past import past_deployments
from demo.supervisor.api import Api
from demo.supervisor.fleet import Fleet
from demo.supervisor.processes import remember
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
    os.umask(0o077)
    home: Path = arguments.home
    remember(home, [os.getpid()])
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(serve(home, stop))
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(gone(arguments.owner))]
    await asyncio.wait([serving, *waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (serving, *waiting):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def serve(home: Path, stop: asyncio.Event) -> None:
    """Opens the shop and runs it until cancelled; then, or when it fails, everything it started ends."""
    fleet = Fleet(home, past_deployments())
    writer = RecorderWriter(home / "metrics.db")
    token = secrets.token_urlsafe(24)
    runner = web.AppRunner(Api(fleet, token, stop.set).app, access_log=None, shutdown_timeout=2)
    try:
        await fleet.open({**VERSIONS, **other_versions(home)}, ENVIRONMENTS)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await fleet.start_load()
        announce(home, runner.addresses[0][1], token)
        await scrape_for_ever(fleet, writer)
    finally:
        (home / FILE).unlink(missing_ok=True)
        await runner.cleanup()
        await fleet.close()
        writer.close()


def other_versions(home: Path) -> dict[str, str]:
    """Versions that a fault drill begins with."""
    try:
        found: dict[str, str] = json.loads((home / "versions.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def announce(home: Path, port: int, token: str) -> None:
    """Writes how to reach us, for our owner's eyes alone."""
    aside = home / f"{FILE}.new"
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        born = datetime.fromtimestamp(psutil.Process().create_time(), UTC).isoformat()
        json.dump({"port": port, "token": token, "pid": os.getpid(), "started_at": born}, out)
    aside.replace(home / FILE)


async def gone(owner: int | None) -> None:
    """Returns when whoever wanted the shop is gone; never, when nobody in particular did."""
    if owner is None:
        await asyncio.Event().wait()
    try:
        process = psutil.Process(owner)
        # A number alone may be another's later: psutil compares start times. A zombie runs no more.
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(1)
    except psutil.NoSuchProcess:
        return


if __name__ == "__main__":
    asyncio.run(main())
