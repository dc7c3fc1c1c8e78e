"""The `sayso` command: its verbs and options. Nothing heavy is imported before a verb needs it."""

import argparse
import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from agent import verbs
from agent.verbs import (
    actions,
    ask,
    audit,
    backup,
    chat,
    doctor,
    ingest,
    init,
    knowledge,
    mcp,
    policy,
    search,
    serve,
    show,
    slack,
    sources,
    tools,
)
from agent.verbs.exits import Exit, Stop

DESCRIPTION = """\
sayso runs operations by conversation: it answers with evidence,
and changes nothing before somebody approved exactly that change."""
FIRST = f"""\
{DESCRIPTION}

begin with:  sayso demo            a small shop of real processes, and a conversation about it
             sayso init            write a commented sayso.yaml for your own systems
             sayso chat            talk about your own systems, in this terminal
help:        sayso --help          every verb
             sayso VERB --help     what a verb takes
"""
EPILOG = """\
start here:  sayso demo            a small shop of real processes, and a conversation about it
             sayso init            write a commented sayso.yaml for your own systems
             sayso VERB --help     what a verb takes
exit codes:  0 done  1 could not  2 wrong use or settings  3 refused  4 not found  5 try again later"""
VERBS = (
    ask,
    chat,
    actions,
    policy,
    search,
    show,
    audit,
    tools,
    mcp,
    ingest,
    sources,
    knowledge,
    serve,
    slack,
    doctor,
    backup,
    init,
)


class Line(argparse.ArgumentParser):
    """A parser that names the nearest verb instead of all of them where one is not there."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.nargs != argparse.PARSER or action.choices is None or value in action.choices:
            super()._check_value(action, value)
            return
        import difflib

        near = difflib.get_close_matches(str(value), [str(verb) for verb in action.choices], n=1)
        meant = f" Did you mean `{self.prog} {near[0]}`?" if near else ""
        self.exit(
            Exit.USAGE, f"{self.prog}: there is no verb {value!r}.{meant} `{self.prog} --help` lists them\n"
        )


def parser() -> argparse.ArgumentParser:
    """The whole command line, with the verbs that other packages add (entry points `sayso.verbs`)."""
    top = Line(
        prog="sayso",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"sayso {metadata.version('sayso')}")
    group = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add(group)
    for entry in sorted(metadata.entry_points(group="sayso.verbs"), key=lambda entry: entry.name):
        entry.load().add(group)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb and returns its exit code; without one, says where to begin."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words:
        sys.stdout.write(FIRST)
        return Exit.DONE
    chosen = parser().parse_args(words)
    context = verbs.Context(environ=dict(os.environ), cwd=Path.cwd())  # noqa: TID251 - read once, here
    # A closed pipe (`sayso ... | head`) ends the program quietly, as with other commands.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return int(asyncio.run(chosen.run(chosen, context)))
    except Stop as stop:
        sys.stderr.write(f"sayso: {stop}\n")
        return int(stop.code)
    except (OSError, sqlite3.Error) as error:
        # The outermost edge: a disk that is full or gone shows in any of the files below the home folder.
        sys.stderr.write(
            f"sayso: the disk or a file on it does not cooperate: {error}. Nothing accepted was lost\n"
        )
        return Exit.UNAVAILABLE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
