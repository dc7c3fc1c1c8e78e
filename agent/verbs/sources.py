"""`sayso sources`: where knowledge comes from, whether the indexes agree with it, and keeping them so."""

import argparse
import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.settings import SourceSettings
    from agent.verbs.opening import Session
    from knowledge.port import SourceReport, SourceStatus
    from tools.contract import Json

FAULTS_SHOWN = 20


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "sources",
        help="where knowledge comes from, and whether the indexes agree with it",
        description="The sources of `knowledge.sources`: how much is known of each, and keeping it up to date.",
    )
    sub = verb.add_subparsers(title="what to do", metavar="WHAT", required=True)
    list_ = sub.add_parser("list", help="how much is known of each source, and what could not be read")
    _finish(list_, list_sources)
    check = sub.add_parser(
        "verify", help="compare sources, catalogue, word index and vectors with each other"
    )
    check.add_argument("--repair", action="store_true", help="put right what does not agree")
    _finish(check, verify_sources)
    watch = sub.add_parser("watch", help="stay, and index what changes; stop it with Ctrl-C")
    watch.add_argument(
        "--every", type=float, metavar="SECONDS", help="look this often, whatever the settings say"
    )
    _finish(watch, watch_sources)


def _finish(verb: argparse.ArgumentParser, run: object) -> None:
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def list_sources(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened, print_json
    from knowledge.port import KnowledgeError

    async with opened(arguments, context, anybody=True) as session:
        try:
            status = await (await session.app.knowledge.library()).status()
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        known = {source.source: source for source in status.sources}
        named = session.app.settings.knowledge.sources if session.app.sources else _settings(session)
        kinds: dict[str, str] = {source.name: source.kind for source in named}
        kinds |= {one.name: "what is heard in Slack" for one in session.app.sources if one.name not in kinds}
        kinds |= {name: "not in the settings" for name in known if name not in kinds}
        rows = [_row(name, kind, known.get(name)) for name, kind in kinds.items()]
        if arguments.json:
            print_json({"sources": rows, "embedder": status.embedder, "notes": list(status.notes)})
            return Exit.DONE
        for row in rows:
            print(_line(row))
            for trouble in _troubles(known.get(str(row["source"]))):
                print(f"  not read: {trouble}")
        for note in status.notes:
            print(note)
    return Exit.DONE


async def verify_sources(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened, print_json
    from knowledge.port import KnowledgeError

    async with opened(arguments, context, anybody=True) as session:
        _settings(session)
        try:
            found = await session.app.knowledge.verify(repair=arguments.repair)
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        if arguments.json:
            faults: list[Json] = [{"where": f.where, "what": f.what, "said": f.said} for f in found.faults]
            print_json(
                {
                    "documents": found.documents,
                    "chunks": found.chunks,
                    "vectors": found.vectors,
                    "faults": faults,
                }
            )
        else:
            for fault in found.faults[:FAULTS_SHOWN]:
                print(f"{fault.where}: {fault.what} {fault.said}")
            if len(found.faults) > FAULTS_SHOWN:
                print(f"and {len(found.faults) - FAULTS_SHOWN} more; --json has all of them")
            compared = (
                f"{found.documents} documents, {found.chunks} passages, {found.vectors} vectors compared"
            )
            print(f"{compared}: {'they agree' if not found.faults else f'{len(found.faults)} faults'}")
            if found.faults and not arguments.repair:
                print(
                    "next: `sayso ingest` reads what changed; `sayso sources verify --repair` mends the rest"
                )
    return Exit.FAILED if found.faults else Exit.DONE


async def watch_sources(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened
    from knowledge.port import KnowledgeError, WriterBusy

    async with opened(arguments, context, anybody=True) as session:
        every = {
            source.name: arguments.every or source.every.total_seconds() for source in _settings(session)
        }
        due = dict.fromkeys(every, 0.0)
        print(f"watching {', '.join(every)}; Ctrl-C stops", flush=True)
        clock = asyncio.get_running_loop().time
        while True:
            now = clock()
            names = [name for name, at in due.items() if at <= now]
            try:
                for report in await session.app.ingest(lambda _: None, only=names) if names else ():
                    _tell(report, arguments, session)
            except WriterBusy:
                pass  # somebody else brings it up to date at this moment
            except KnowledgeError as error:
                print(f"not now: {error}", flush=True)
            due |= {name: clock() + every[name] for name in names}
            await asyncio.sleep(max(0.05, min(due.values()) - clock()))


def _tell(report: "SourceReport", arguments: argparse.Namespace, session: "Session") -> None:
    from agent.verbs.ingest import as_json, line
    from agent.verbs.opening import print_json

    moved = report.added or report.changed or report.removed or report.failed or report.troubles
    if moved and arguments.json:
        print_json(as_json(report))
    elif moved:
        print(f"{session.app.now():%H:%M:%S} {line(report)}", flush=True)


def _settings(session: "Session") -> "Sequence[SourceSettings]":
    sources = session.app.settings.knowledge.sources
    if not sources:
        raise Stop(f"no `knowledge.sources` in {session.app.home.config}; add one", Exit.USAGE)
    return sources


def _row(name: str, kind: str, known: "SourceStatus | None") -> "dict[str, Json]":
    return {
        "source": name,
        "kind": kind,
        "documents": known.documents if known else 0,
        "passages": known.chunks if known else 0,
        "places": known.places if known else 0,
        "read_at": known.read_at.isoformat() if known and known.read_at else None,
        "not_read": len(known.troubles) if known else 0,
    }


def _line(row: "dict[str, Json]") -> str:
    if row["read_at"] is None:
        return f"{row['source']} ({row['kind']}): never read; `sayso ingest` reads it"
    return (
        f"{row['source']} ({row['kind']}): {row['documents']:,} documents, {row['passages']:,} passages, "
        f"{row['places']:,} places, read {str(row['read_at'])[:16].replace('T', ' ')} UTC"
    )


def _troubles(known: "SourceStatus | None") -> list[str]:
    return [f"{trouble.file}: {trouble.reason}" for trouble in known.troubles] if known else []
