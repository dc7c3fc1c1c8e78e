"""`sayso ingest`: reads the sources of the settings and brings the indexes up to date."""

import argparse
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from knowledge.port import SourceReport
    from tools.contract import Json


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "ingest",
        help="index the documents and chat exports named in the settings",
        description="Reads every source of `knowledge.sources`; what did not change costs nothing.",
    )
    verb.add_argument(
        "--rebuild", action="store_true", help="forget the index first (needed after a new embedder)"
    )
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal.progress import Bar
    from agent.verbs.opening import opened, print_json
    from knowledge.port import KnowledgeError

    async with opened(arguments, context) as session:
        if not session.app.settings.knowledge.sources:
            raise Stop(f"no `knowledge.sources` in {session.app.home.config}; add one", Exit.USAGE)
        try:
            with Bar("indexing") as bar:
                reports = await session.app.ingest(bar.step, rebuild=arguments.rebuild)
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        if arguments.json:
            print_json({"sources": [_as_json(report) for report in reports]})
            return Exit.DONE
        for report in reports:
            print(
                f"{report.source}: {report.added} new, {report.changed} changed, {report.removed} removed, "
                f"{report.unchanged} unchanged ({report.seconds:.1f} s)"
            )
            for trouble in report.troubles:
                print(f"  not read: {trouble.file}: {trouble.reason}")
    return Exit.FAILED if any(report.troubles for report in reports) else Exit.DONE


def _as_json(report: "SourceReport") -> "dict[str, Json]":
    return {
        "source": report.source,
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "seconds": round(report.seconds, 3),
        "troubles": [{"file": trouble.file, "reason": trouble.reason} for trouble in report.troubles],
    }
