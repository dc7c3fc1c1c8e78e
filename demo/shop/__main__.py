"""One process of the shop: `python -m demo.shop SERVICE ...`; the supervisor starts it and reads its port."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from aiohttp import web

from demo.shop import catalog, checkout, payments
from demo.shop.behaviour import Behaviour
from demo.shop.live import CONDITIONS, Live
from demo.shop.log import logger
from demo.shop.orphan import orphaned
from demo.shop.service import SKEW, Place, Service

BUILD = {"checkout": checkout.build, "payments": payments.build, "catalog": catalog.build}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", choices=sorted(BUILD))
    parser.add_argument("--version", required=True)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--switch", action="append", default=[], help="a switch of this release's behaviour")
    arguments = parser.parse_args()
    identity = {name: getattr(arguments, name) for name in ("service", "environment", "version", "instance")}
    conditions = Live(arguments.home, CONDITIONS, arguments.environment, arguments.service)
    log = logger(arguments.home, identity, lambda: conditions.number(SKEW, 0))
    place = Place(arguments.home, **identity, behaviour=Behaviour.of(arguments.switch))
    service = Service(place, log)
    BUILD[arguments.service](service)
    runner = web.AppRunner(service.app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    port = runner.addresses[0][1]
    log.info("%s %s started", arguments.service, arguments.version)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(orphaned(arguments.parent))]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
