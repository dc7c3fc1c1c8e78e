"""`sayso ingest`: reads the sources of the settings and brings the indexes up to date."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from knowledge.port import SourceReport
    from tools.contract import Json


TROUBLES_SHOWN = 10


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "ingest",
        help="index the documents and chat exports named in the settings",
        description="Reads every source of `knowledge.sources`; what did not change costs nothing.",
    )
    verb.add_argument(
        "--rebuild", action="store_true", help="forget the index first (needed after a new embedder)"
    )
    verb.add_argument("--dry-run", action="store_true", help="say what would be read, and write nothing")
    verb.add_argument(
        "--source", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal.progress import Bar
    from agent.verbs.opening import opened, print_json
    from knowledge.port import KnowledgeError

    async with opened(arguments, context, anybody=True) as session:
        names = [source.name for source in session.app.settings.knowledge.sources]
        if not names:
            raise Stop(f"no `knowledge.sources` in {session.app.home.config}; add one", Exit.USAGE)
        for name in set(arguments.source) - set(names):
            raise Stop(
                f"--source {name!r}: there is no such source; there are {', '.join(names)}", Exit.USAGE
            )
        try:
            with Bar("indexing") as bar:
                reports = await session.app.ingest(
                    bar.step, rebuild=arguments.rebuild, dry=arguments.dry_run, only=arguments.source
                )
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        if arguments.json:
            print_json({"dry_run": arguments.dry_run, "sources": [as_json(report) for report in reports]})
        else:
            _show(reports, dry=arguments.dry_run)
    return Exit.FAILED if any(report.troubles or report.failed for report in reports) else Exit.DONE


def _show(reports: "Sequence[SourceReport]", *, dry: bool) -> None:
    for report in reports:
        print(line(report))
        for trouble in report.troubles[:TROUBLES_SHOWN]:
            print(f"  not read: {trouble.file}: {trouble.reason}")
        if len(report.troubles) > TROUBLES_SHOWN:
            more = len(report.troubles) - TROUBLES_SHOWN
            print(f"  and {more} more; `sayso sources list` has them all")
    if dry:
        print("nothing was written; without --dry-run this is what would be")


def line(report: "SourceReport") -> str:
    """What became of one source."""
    if report.failed:
        return f"{report.source}: {report.failed}"
    changes = f"{report.added:,} new, {report.changed:,} changed, {report.removed:,} removed"
    counts = f"{changes}, {report.unchanged:,} unchanged"
    work = (
        f"{report.chunks:,} passages, {report.seconds:.1f} s" if report.chunks else f"{report.seconds:.1f} s"
    )
    not_read = f"; {len(report.troubles)} could not be read" if report.troubles else ""
    return f"{report.source}: {counts} ({work}){not_read}"


def as_json(report: "SourceReport") -> "dict[str, Json]":
    """A report for a program."""
    return {
        "source": report.source,
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "passages": report.chunks,
        "seconds": round(report.seconds, 3),
        "failed": report.failed,
        "troubles": [{"file": trouble.file, "reason": trouble.reason} for trouble in report.troubles],
    }
