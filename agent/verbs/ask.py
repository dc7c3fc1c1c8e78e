"""`sayso ask`: one question, one answer."""

import argparse
import sys
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.conversation.turn import Answer
    from agent.verbs.opening import Session


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "ask",
        help="ask one thing and print the answer",
        description="Asks one thing. Questions are answered with evidence; a change is proposed and waits for approval.",
    )
    verb.add_argument(
        "text", nargs="+", help="what to ask, in your own words; - reads it from standard input"
    )
    verb.add_argument(
        "--thread", metavar="NAME", help="go on in this thread, so that 'and in staging?' is understood"
    )
    verb.add_argument(
        "--files", metavar="DIR", help="where charts and tables are written (default: the home folder)"
    )
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        await answer(session, question(arguments.text), arguments)
    return Exit.DONE


def question(words: list[str]) -> str:
    text = sys.stdin.read() if words == ["-"] else " ".join(words)
    if not text.strip():
        raise Stop('nothing was asked; say it in quotes: sayso ask "why is checkout slow?"', Exit.USAGE)
    return text.strip()
