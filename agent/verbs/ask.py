"""`sayso ask`: one question, one answer."""

import argparse
import sys

from agent import verbs
from agent.verbs.exits import Exit, Stop


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "ask",
        help="ask one thing and print the answer",
        description="Asks one thing. Questions are answered with evidence; a change is proposed and waits.",
    )
    verb.add_argument(
        "text", nargs="+", help="what to ask, in your own words; - reads it from standard input"
    )
    verb.add_argument(
        "--thread", metavar="NAME", help="go on in this thread, so that 'and in staging?' is understood"
    )
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal.sitting import Sitting
    from agent.verbs.opening import opened, print_json

    text = sys.stdin.read() if arguments.text == ["-"] else " ".join(arguments.text)
    if not text.strip():
        raise Stop('nothing was asked; say it in quotes: sayso ask "why is checkout slow?"', Exit.USAGE)
    async with opened(arguments, context) as session:
        sitting = Sitting(session.app, session.person, thread=arguments.thread, quiet=arguments.json)
        document = await sitting.ask(text.strip())
        if arguments.json:
            print_json(document)
    return Exit.DONE
