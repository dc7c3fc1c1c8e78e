"""`sayso audit`: what happened, and whether the trail is whole."""

import argparse
import sys

from agent import verbs
from agent.verbs.exits import Exit, Stop


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "audit",
        help="what happened, and whether the trail is whole",
        description="The audit trail: one row for each fact, chained by hashes.",
    )
    sub = verb.add_subparsers(title="what to do", metavar="WHAT", required=True)
    show = sub.add_parser("show", help="the latest facts, or the whole story of one action or turn")
    show.add_argument("id", nargs="?", metavar="ID", help="A-17 or T-12; without it, the latest facts")
    show.add_argument("--limit", type=int, default=30, metavar="N", help="at most so many (default 30)")
    _finish(show, show_)
    check = sub.add_parser("verify", help="recompute the chain; names the first broken row")
    _finish(check, verify_)
    export = sub.add_parser("export", help="every row, for another machine to keep")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="JSON Lines or CSV")
    _finish(export, export_)


def _finish(verb: argparse.ArgumentParser, run: object) -> None:
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def show_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.audit.export import row
    from agent.surfaces.terminal import trail
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context) as session:
        subject = arguments.id.upper() if arguments.id else None
        events = [event async for event in session.app.events(subject)]
        if subject and not events:
            raise Stop(f"the trail has nothing about {arguments.id!r}", Exit.NOT_FOUND)
        if arguments.json:
            print_json({"events": [row(event) for event in events[-arguments.limit :]]})
        else:
            trail.show(events[-arguments.limit :], session.app.name)
    return Exit.DONE


async def verify_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.audit.chain import verify
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context) as session:
        report = verify([event async for event in session.app.events()])
        if arguments.json:
            print_json(
                {
                    "whole": report.whole,
                    "checked": report.checked,
                    "last_hash": report.last_hash,
                    "broken_row": report.broken,
                    "problem": report.problem or None,
                }
            )
        elif report.whole:
            print(f"{report.checked} rows, the chain is whole; the last hash is {report.last_hash}")
        else:
            print(f"row {report.broken}: {report.problem}; {report.checked} rows before it are whole")
    return Exit.DONE if report.whole else Exit.FAILED


async def export_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.audit.export import comma_separated, json_lines
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        events = [event async for event in session.app.events()]
        lines = (
            comma_separated(events)
            if arguments.format == "csv" and not arguments.json
            else json_lines(events)
        )
        sys.stdout.writelines(lines)
    return Exit.DONE
