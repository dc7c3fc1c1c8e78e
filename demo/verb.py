"""`sayso demo`: the shop, and a conversation about it."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent import home, verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.verbs.opening import Session
    from demo.lifecycle import Shop

DEFAULT_ASKER = "maya"
SEED = 1  # of the fault that is played


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "demo",
        help="a small shop of real processes, and a conversation about it",
        description=(
            "Opens a small web shop of real processes on this machine, breaks it the way shops break,\n"
            "and puts you in a conversation about it. Needs no key, no network and no account; ends what it started."
        ),
        epilog=(
            "sayso demo                                     talk to it\n"
            'sayso demo --run "why are payments failing?"   one answer, then everything ends\n'
            "sayso demo start | status | stop               keep the shop in the background; ask, actions, search\n"
            "                                               and audit then work on it from other terminals"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument(
        "what", nargs="?", choices=("start", "status", "stop"), help="the shop in the background"
    )
    verb.add_argument(
        "--run", metavar="TEXT", dest="questions", action="append", help="ask this, then end (repeatable)"
    )
    verb.add_argument(
        "--fault", metavar="NAME", help="another fault than the bad release; `python -m demo.faults list`"
    )
    verb.add_argument("--home", type=Path, metavar="DIR", help="folder of the demo (default: ~/.sayso/demo)")
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verb.set_defaults(run=run, config=None)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    """Opens what is not open, does what was asked, closes what it opened."""
    from demo import lifecycle

    folder = (arguments.home or home.default_folder() / home.DEMO).expanduser().absolute()
    arguments.home = folder
    arguments.person = arguments.person or context.environ.get("SAYSO_AS") or DEFAULT_ASKER
    try:
        match arguments.what:
            case "status":
                return await status(folder, as_json=arguments.json)
            case "stop":
                closed = await lifecycle.stop(folder)
                home.point_at_demo(None)
                print("The shop is closed." if closed else "The shop was not open.")
                return Exit.DONE
            case "start":
                await opened_shop(arguments, owner=None)
                home.point_at_demo(folder)
                await learn(arguments, context)
                print(f"The shop is open; its home is {folder}")
                print(
                    'Next: sayso ask "why are payments failing?" --as maya      (sayso demo stop closes it)'
                )
                return Exit.DONE
        return await visit(arguments, context)
    except lifecycle.ShopTrouble as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error


async def visit(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    """A conversation, or the questions of `--run`; the shop closes afterwards if it was opened for this."""
    from agent.surfaces.terminal.chat import Chat
    from agent.surfaces.terminal.sitting import Sitting
    from agent.verbs.opening import opened, print_json
    from demo import lifecycle

    # The supervisor watches our process: however we end, the shop ends with us.
    shop = await opened_shop(arguments, owner=os.getpid())
    try:
        async with opened(arguments, context) as session:
            await index(session)
            if not arguments.questions:
                await Chat(Sitting(session.app, session.person)).run()
                return Exit.DONE
            sitting = Sitting(session.app, session.person, thread="demo-run", quiet=arguments.json)
            for question in arguments.questions:
                document = await sitting.ask(question)
                if arguments.json:
                    print_json(document)
    finally:
        if shop.started:
            await lifecycle.stop(arguments.home)
    return Exit.DONE


async def opened_shop(arguments: argparse.Namespace, *, owner: int | None) -> "Shop":
    """The shop with the bad release, or with the fault of `--fault`. Raises `ShopTrouble`."""
    from demo import lifecycle

    if arguments.fault is None:
        return await lifecycle.start(arguments.home, _say, owner=owner)
    from demo.faults.play import play, script
    from demo.faults.ten import TEN

    fault = next((each for each in TEN if each.name == arguments.fault), None)
    if fault is None:
        names = ", ".join(each.name for each in TEN)
        raise Stop(f"there is no fault {arguments.fault!r}; there are {names}", Exit.USAGE)
    return await play(arguments.home, script(fault, SEED), _say, owner=owner)


async def learn(arguments: argparse.Namespace, context: verbs.Context) -> None:
    """Indexes the shop's documents and chat, so that the first question finds them."""
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        await index(session)


async def index(session: "Session") -> None:
    """Brings the demo's knowledge up to date; unchanged documents cost nothing."""
    from agent.surfaces.terminal.progress import Bar
    from knowledge.port import KnowledgeError

    try:
        with Bar("reading") as bar:
            await session.app.ingest(bar.step)
    except KnowledgeError as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error


async def status(folder: Path, *, as_json: bool) -> Exit:
    """Prints what runs; exit code 4 when the shop is closed."""
    from demo import lifecycle

    services = await lifecycle.status(folder)
    if as_json:
        print(
            json.dumps(
                {"open": services is not None, "home": str(folder), "services": services or []}, indent=2
            )
        )
    elif services is None:
        print(f"The shop in {folder} is closed. `sayso demo start` opens it.")
    for service in services or () if not as_json else ():
        name = f"{service['service']} {service['version']}"
        healthy = f"{service['healthy_replicas']}/{service['replicas']} healthy"
        print(f"{service['environment']:12} {name:18} {healthy:14} since {str(service['since'])[:19]}")
    return Exit.NOT_FOUND if services is None else Exit.DONE


async def _say(line: str) -> None:
    from agent.surfaces.terminal.screen import margin

    margin().print(f"  {line}", style="dim")
