"""`sayso chat`: a conversation in the terminal."""

import argparse

from agent import verbs
from agent.verbs.exits import Exit


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "chat",
        help="a conversation in the terminal",
        description="A conversation in the terminal. /help says what it understands beside your own words.",
    )
    verb.add_argument("--thread", metavar="NAME", help="go on in this thread")
    verbs.add_asker(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal.chat import Chat
    from agent.surfaces.terminal.sitting import Sitting
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        await Chat(Sitting(session.app, session.person, thread=arguments.thread)).run()
    return Exit.DONE
