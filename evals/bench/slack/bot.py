"""One bot of the stamp world in a process of its own; a line on its output says that it hears."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from agent.approvals.conditions import OneOf
from agent.approvals.policy import Policy, Rule
from agent.bootstrap import utc_now
from agent.conversation.messages import Reply, Request, Role, ToolCall
from agent.conversation.ports import OnText
from agent.jobs.desk import Desk
from agent.jobs.station import Role as Part
from agent.jobs.station import Station
from agent.people.person import Directory, Person
from agent.settings import SlackSettings
from agent.surfaces.slack.surface import SlackSurface
from evals.bench.durability.stamps import EXPIRY, Stamp, StampModel, opened
from evals.bench.slack.workspace import SECRET
from tools.contract import Arguments, Asker, Effect, File, Finding, Outcome, Spec

PEOPLE = Directory(
    [
        Person("maya", "Maya", frozenset({"op"}), identities={"slack": "UMAYA"}),
        Person("tom", "Tom", frozenset({"op", "keeper"}), identities={"slack": "UTOM"}),
    ]
)
KEEPER = frozenset({"keeper"})
SOON = timedelta(seconds=2)
LINK = "https://harbourlane.slack.com/archives/C1/p1700000000000001"
POLICY = Policy(
    [
        Rule("soon", frozenset({"stamp"}), KEEPER, when={"text": OneOf(("soon",))}, expires_after=SOON),
        Rule("all", frozenset({"stamp"}), KEEPER, expires_after=EXPIRY),
    ],
    {"stamp": frozenset({"op"}), "status": frozenset({"op"})},
)


@dataclass
class Status:
    """Looks at nothing, and finds one thing with a link, and a table."""

    spec: Spec = field(
        default_factory=lambda: Spec("status", "Says what runs", Arguments, Effect.READ, target=())
    )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        found = Finding("status", "What runs", "platform", "status", "payments 2.4.0: 8 of 8", link=LINK)
        table = File("what-runs.csv", "text/csv", b"service,version\npayments,2.4.0\n")
        return Outcome(True, "one service", (found,), (table,))


@dataclass
class StatusModel(StampModel):
    """Stamps what it is told to; asked what runs, it looks and says so with its evidence."""

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        last = request.messages[-1]
        if last.role is Role.PERSON and "what runs" in last.text:
            return Reply("", (ToolCall("s", "status", json.dumps({})),))
        if last.role is not Role.PERSON and last.evidence:
            return Reply("payments 2.4.0 runs [1].")
        return await super().complete(request, on_text)


async def work(folder: Path, api: str, role: Part, mode: str, listen: str) -> None:
    """Hears, or works, or both, until it is told to stop, or killed."""
    stamp, more = Stamp(folder / "witness", 0.0), [Status()]
    app = await opened(
        folder,
        folder / "sayso.db",
        people=PEOPLE,
        stamp=stamp,
        model=StatusModel(),
        policy=POLICY,
        more=more,
    )
    settings = SlackSettings.model_validate(
        {
            "bot_token": "xoxb-1",
            "app_token": "xapp-1",
            "signing_secret": SECRET,
            "api": api,
            "mode": mode,
            "listen": listen,
            "listening": {"roles": ["keeper"]},
        }
    )
    surface = SlackSurface(app, settings, utc_now)
    station = Station(
        app, folder / "jobs.db", role, {surface.name: surface.voice}, utc_now, heard_here=role is Part.ALL
    )
    await station.start()
    if role is not Part.WORKER:
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
    parser.add_argument("--role", type=Part, choices=list(Part), default=Part.ALL)
    parser.add_argument("--mode", choices=("socket", "http"), default="socket")
    parser.add_argument("--listen", default="127.0.0.1:0")
    logging.basicConfig(level=logging.ERROR)
    arguments = parser.parse_args()
    asyncio.run(work(arguments.folder, arguments.api, arguments.role, arguments.mode, arguments.listen))


if __name__ == "__main__":
    main()
