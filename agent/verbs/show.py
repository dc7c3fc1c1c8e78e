"""`sayso show`: the whole story of one answer or one action."""

import argparse
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.verbs.opening import Session


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "show",
        help="the whole story of an answer (T-12), an action (A-3), or one piece of its evidence",
        description="Shows a turn with its question, evidence, answer and receipt, or an action with its decisions.",
    )
    verb.add_argument("id", metavar="ID", help="T-12 or A-3, as receipts and cards name them")
    verb.add_argument(
        "--raw",
        type=int,
        metavar="N",
        help="print the whole raw result behind evidence [N], or output N of an action",
    )
    verb.add_argument(
        "--lines", metavar="FROM-TO", help="with --raw: only these lines of it, such as 1-200 or 5000-"
    )
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal import record
    from agent.verbs.opening import opened, print_json

    page = wanted_lines(arguments)
    async with opened(arguments, context) as session:
        name = arguments.id.upper()
        if name.startswith("A-"):
            from agent.verbs import actions

            if arguments.raw is None:
                return await actions.show(session, name, as_json=arguments.json)
            kept = await session.app.actions.outputs(await actions.find(session, name), session.person)
            if not 0 < arguments.raw <= len(kept):
                raise Stop(f"{name} has no output {arguments.raw} that you may see", Exit.NOT_FOUND)
            return await _print(session, kept[arguments.raw - 1].handle, page, arguments)
        story = await session.app.requests.record(name, session.person)
        if story is None:
            raise Stop(
                f"there is no {arguments.id!r} that you may see; ids look like T-12 or A-3", Exit.NOT_FOUND
            )
        if arguments.raw is not None:
            handle = record.handle(story, arguments.raw)
            if handle is None:
                raise Stop(f"{name} has no whole result for evidence [{arguments.raw}]", Exit.NOT_FOUND)
            return await _print(session, handle, page, arguments)
        if arguments.json:
            print_json(record.as_json(story))
        else:
            record.show(story, session.app.name(story.speaker))
    return Exit.DONE


def wanted_lines(arguments: argparse.Namespace) -> tuple[int, int | None]:
    """The first and the last line that are wanted; no last one means to the end. Raises `Stop`."""
    if arguments.lines is None:
        return 1, None
    first, dash, last = arguments.lines.partition("-")
    numbers = [int(each) for each in (first, last) if each.isascii() and each.isdigit()]
    if arguments.raw is None or not dash or len(numbers) != 1 + bool(last) or numbers[0] < 1:
        raise Stop(
            f"--lines = {arguments.lines!r}: should be FROM-TO beside --raw, such as 1-200 or 5000-",
            Exit.USAGE,
        )
    return numbers[0], numbers[1] if last else None


async def _print(
    session: "Session", handle: str, page: tuple[int, int | None], arguments: argparse.Namespace
) -> Exit:
    """Prints a whole result or a part of it; what a terminal would obey is left out, JSON has it escaped."""
    from agent.surfaces.terminal.screen import margin, plain
    from agent.verbs.opening import print_json

    lines = (await session.app.shelf.read(handle)).splitlines()
    first, last = page[0], min(page[1] or len(lines), len(lines))
    shown = lines[first - 1 : last]
    if arguments.json:
        print_json(
            {"handle": handle, "lines": len(lines), "from": first, "to": last, "text": "\n".join(shown)}
        )
        return Exit.DONE
    print(plain("\n".join(shown)))
    if len(shown) < len(lines):
        rest = f"; go on with --lines {last + 1}-{2 * last - first + 1}" if last < len(lines) else ""
        margin().print(f"lines {first:,}-{last:,} of {len(lines):,}{rest}", style="dim")
    return Exit.DONE
