"""`sayso show`: the whole story of one answer or one action."""

import argparse

from agent import verbs
from agent.verbs.exits import Exit, Stop


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "show",
        help="the whole story of an answer (T-12), an action (A-3), or one piece of its evidence",
        description="Shows a turn with its question, evidence, answer and receipt, or an action with its decisions.",
    )
    verb.add_argument("id", metavar="ID", help="T-12 or A-3, as receipts and cards name them")
    verb.add_argument("--raw", type=int, metavar="N", help="print the whole raw result behind evidence [N]")
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal import record
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context) as session:
        name = arguments.id.upper()
        if name.startswith("A-"):
            from agent.verbs import actions

            return await actions.show(session, name, as_json=arguments.json)
        story = await session.app.turn_record(name, session.person)
        if story is None:
            raise Stop(
                f"there is no {arguments.id!r} that you may see; ids look like T-12 or A-3", Exit.NOT_FOUND
            )
        if arguments.raw is not None:
            handle = record.handle(story, arguments.raw)
            if handle is None:
                raise Stop(f"{name} has no whole result for evidence [{arguments.raw}]", Exit.NOT_FOUND)
            print(await session.app.shelf.read(handle))
        elif arguments.json:
            print_json(record.as_json(story))
        else:
            record.show(story, session.app.name(story.speaker))
    return Exit.DONE
