"""One worker of the stamp world, in a process of its own; a line on its output says that it works."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from agent.bootstrap import utc_now
from agent.jobs.station import Role, Station
from agent.store.fleet import PATIENCE
from evals.bench.durability.stamps import SURFACE, Stamp, StampModel, WitnessVoice, opened


async def work(arguments: argparse.Namespace) -> None:
    """Works until it is told to stop, or killed."""
    folder = arguments.folder
    place = arguments.url or folder / "sayso.db"
    app = await opened(
        folder,
        place,
        machine=arguments.machine,
        patience=arguments.patience,
        model=StampModel(arguments.pause),
        stamp=Stamp(folder / "witness", arguments.longest),
    )
    voices = {SURFACE: WitnessVoice(folder / "told")}
    jobs = arguments.url or folder / "jobs.db"
    station = Station(app, jobs, Role.WORKER, voices, utc_now)
    await station.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sys.stdout.write(f"{app.fleet.me}\n")
    sys.stdout.flush()
    await stop.wait()
    await station.stop(10.0)
    await app.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url")
    parser.add_argument("--machine")
    parser.add_argument("--patience", type=float, default=PATIENCE)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--longest", type=float, default=0.02)
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
