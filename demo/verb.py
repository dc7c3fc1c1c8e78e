"""`sayso demo`: the shop, and a conversation about it."""

import argparse
import sys
from pathlib import Path

from agent import home, verbs
from agent.verbs.exits import Exit, Stop

DEFAULT_ASKER = "maya"


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "demo",
        help="a small shop of real processes, and a conversation about it",
        description=(
            "Starts a small web shop of real processes on this machine, breaks it the way shops break, and puts you in "
            "a conversation about it. Needs no key, no network and no account; ends what it started."
        ),
        epilog=(
            "sayso demo                                     talk to it\n"
            'sayso demo --run "why are payments failing?"   one answer, then everything ends\n'
            "sayso demo start | status | stop               keep the shop in the background; ask, actions, search\n"
            "                                               and audit then work on it from other terminals"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("what", nargs="?", choices=("start", "status", "stop"), help="the shop in the background")
    verb.add_argument("--run", metavar="TEXT", action="append", help="ask this, print the answer, end (repeatable)")
    verb.add_argument("--home", type=Path, metavar="DIR", help="folder of the demo (default: ~/.sayso/demo)")
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verb.set_defaults(run=run, config=None)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    """Starts what is not running, does what was asked, ends what it started."""
    from demo import lifecycle

    folder = (arguments.home or home.default_folder() / home.DEMO).expanduser().absolute()
    arguments.home = folder
    arguments.person = arguments.person or context.environ.get("SAYSO_AS") or DEFAULT_ASKER
    match arguments.what:
        case "status":
            return await status(folder, as_json=arguments.json)
        case "stop":
            ended = await lifecycle.stop(folder)
            home.point_at_demo(None)
            print("The shop is closed." if ended else "The shop was not open.")
            return Exit.DONE
        case "start":
            await opened_shop(folder)
            print(f"The shop is open; its home is {folder}\nNext: sayso ask 'why are payments failing?' --as maya")
            return Exit.DONE
    return await visit(arguments, context, folder)
