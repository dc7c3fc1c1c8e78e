"""`sayso audit`: what happened, and whether the trail is whole."""

import argparse

from agent import verbs
from agent.verbs.exits import Exit


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
