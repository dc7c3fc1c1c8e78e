"""One bot of the stamp world in a process of its own; a line on its output says that it hears."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from agent.bootstrap import utc_now
from agent.jobs.desk import Desk
from agent.jobs.station import Role, Station
from agent.people.person import Directory, Person
from agent.settings import SlackSettings
from agent.surfaces.slack.surface import SlackSurface
from evals.bench.durability.stamps import Stamp, opened
from evals.bench.slack.workspace import SECRET

PEOPLE = Directory(
    [
        Person("maya", "Maya", frozenset({"op"}), identities={"slack": "UMAYA"}),
        Person("tom", "Tom", frozenset({"op", "keeper"}), identities={"slack": "UTOM"}),
    ]
)


async def work(folder: Path, api: str, role: Role) -> None:
    """Hears, or works, or both, until it is told to stop, or killed."""
    app = await opened(folder, folder / "sayso.db", people=PEOPLE, stamp=Stamp(folder / "witness", 0.0))
    settings = SlackSettings.model_validate(
        {
            "bot_token": "xoxb-1",
            "app_token": "xapp-1",
            "signing_secret": SECRET,
            "api": api,
            "listening": {"roles": ["keeper"]},
        }
    )
    surface = SlackSurface(app, settings, utc_now)
    station = Station(app, folder / "jobs.db", role, {surface.name: surface.voice}, utc_now)
    await station.start()
    if role is not Role.WORKER:
        await surface.start(Desk(app, station.worker))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sys.stdout.write(f"{app.fleet.me}\n")
    sys.stdout.flush()
    await stop.wait()
    await surface.stop()
    await station.stop(10.0)
    await app.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("api")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.ALL)
    logging.basicConfig(level=logging.ERROR)
    arguments = parser.parse_args()
    asyncio.run(work(arguments.folder, arguments.api, arguments.role))


if __name__ == "__main__":
    main()
