"""`sayso audit`: what happened, whether the trail is whole, and what keeps it so."""

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.audit.chain import Report
    from agent.audit.event import Event
    from agent.audit.story import Paragraph
    from agent.verbs.opening import Session


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "audit",
        help="what happened, and whether the trail is whole",
        description="The audit trail: one row for each fact, chained by hashes, with signed checkpoints.",
    )
    sub = verb.add_subparsers(title="what to do", metavar="WHAT", required=True)
    show = sub.add_parser("show", help="the latest facts, or the whole story of one action or turn")
    show.add_argument("id", nargs="?", metavar="ID", help="A-17 or T-12; without it, the latest facts")
    show.add_argument("--limit", type=int, default=30, metavar="N", help="at most so many (default 30)")
    _finish(show, show_)
    check = sub.add_parser(
        "verify", help="check the chain and its signatures; names the rows that do not fit"
    )
    check.add_argument(
        "--key",
        type=Path,
        action="append",
        metavar="PUBLIC",
        help="a public key, as `sayso audit key` prints it; once for each key that was ever used",
    )
    check.add_argument(
        "--checkpoints", type=Path, metavar="FILE", help="a copy of the checkpoints that was kept elsewhere"
    )
    _finish(check, verify_)
    export = sub.add_parser("export", help="every row, for another machine to keep")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="JSON Lines or CSV")
    export.add_argument(
        "--since", metavar="WHEN", help="rows from then on: 2026-11-23, or with a time, or 7d"
    )
    export.add_argument("--until", metavar="WHEN", help="rows before then")
    export.add_argument("--subject", metavar="ID", help="only about this action or turn")
    export.add_argument(
        "--checkpoints", action="store_true", help="the signed checkpoints instead of the rows"
    )
    _finish(export, export_)
    prune = sub.add_parser("prune", help="take away what old rows say; their hashes stay, and the chain")
    prune.add_argument("--older-than", required=True, metavar="TIME", help="such as 400d")
    _finish(prune, prune_)
    key = sub.add_parser("key", help="the public key that the checkpoints are signed with")
    _finish(key, key_)


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
        subject = _subject(arguments.id)
        if subject is None:
            events = await session.app.trail.latest(arguments.limit, session.person)
        else:
            events = [event async for event in session.app.trail.events(subject, reader=session.person)]
        if subject and not events:
            raise Stop(f"the trail has nothing about {arguments.id!r}", Exit.NOT_FOUND)
        if arguments.json:
            print_json({"events": [row(event) for event in events]})
        elif subject is None:
            trail.show(events, session.app.name)
        else:
            trail.tell(await _story(session, subject, events), session.app.zone)
    return Exit.DONE


def _subject(named: str | None) -> str | None:
    """Ids of actions and turns in any case; a tool or `trail` as they are."""
    return named.upper() if named and named[:2].upper() in ("A-", "T-") else named


async def _story(session: "Session", subject: str, events: "list[Event]") -> "list[Paragraph]":
    from agent.approvals.card import title
    from agent.audit.story import Paragraph, Teller
    from agent.words.catalogue import say

    locale = session.locale
    told = Teller(locale, session.app.name, session.app.zone).story(events)
    for undo in await session.app.actions.undone_by(subject, session.person):
        state = say(f"state.{undo.state.value}", locale)
        text = say("story.undone_by", locale, action=undo.id, title=title(undo, locale), state=state)
        told.append(Paragraph(None, text))
    return told


async def verify_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened, print_json

    if arguments.checkpoints is not None and not arguments.checkpoints.is_file():
        raise Stop(f"{arguments.checkpoints}: there is no such file", Exit.USAGE)
    async with opened(arguments, context, anybody=True) as session:
        report = await _verified(session, arguments.key or (), arguments.checkpoints)
        if arguments.json:
            print_json(
                {
                    "whole": report.whole,
                    "checked": report.checked,
                    "last_hash": report.last_hash,
                    "broken_row": report.broken,
                    "problem": report.problem or None,
                    "problems": [{"row": one.row, "said": one.said} for one in report.problems],
                    "rows": report.rows,
                    "pruned": report.pruned,
                    "signed_until": report.signed,
                    "checkpoints": report.checkpoints,
                }
            )
        else:
            print("\n".join(_told(report)))
    return Exit.DONE if report.whole else Exit.FAILED


async def _verified(
    session: "Session", keys: Sequence[Path] = (), checkpoints: Path | None = None
) -> "Report":
    from agent.store.keys import KeyMissing

    try:
        texts = [file.read_text(encoding="utf-8") for file in keys]
        return await session.app.trail.verify(texts, checkpoints)
    except (KeyMissing, OSError, UnicodeDecodeError) as error:
        raise Stop(f"the signatures cannot be checked: {error}", Exit.USAGE) from error


def _told(report: "Report") -> list[str]:
    lines = [f"row {one.row}: {one.said}" for one in report.problems]
    if report.whole:
        pruned = f" ({report.pruned} of them pruned)" if report.pruned else ""
        lines.append(
            f"{report.checked} rows{pruned}, the chain is whole; the last hash is {report.last_hash}"
        )
    else:
        lines.append(f"{report.checked} rows before that are whole")
    unsigned = report.rows - report.signed
    if not report.signed:
        lines.append(
            "no signed checkpoint vouches for it: rewriting it or cutting its end off would not show"
        )
    else:
        rest = f"; the {unsigned} after it are not signed yet" if report.whole and unsigned > 0 else ""
        lines.append(f"signed up to row {report.signed} by {report.checkpoints} checkpoints that fit{rest}")
    return lines


async def export_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.audit.export import comma_separated, json_lines
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        if arguments.checkpoints:
            async for line in session.app.store.checkpoints():
                sys.stdout.write(f"{line}\n")
            return Exit.DONE
        events = session.app.trail.events(
            _subject(arguments.subject),
            reader=session.person,
            since=_when(arguments.since, session),
            until=_when(arguments.until, session),
        )
        as_csv = arguments.format == "csv" and not arguments.json
        await _written(comma_separated(events) if as_csv else json_lines(events))
    return Exit.DONE


async def _written(lines: AsyncIterator[str]) -> None:
    async for line in lines:
        sys.stdout.write(line)


def _when(text: str | None, session: "Session") -> datetime | None:
    """A day or a time where people are, or a length of time before now. Raises `Stop`."""
    from datetime import timedelta

    from agent.settings.section import duration

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return at.replace(tzinfo=session.app.zone) if at.tzinfo is None else at
    try:
        ago = duration(text)
    except ValueError:
        ago = None
    if not isinstance(ago, timedelta):
        raise Stop(f"{text!r} is no time; try 2026-11-23, 2026-11-23T14:00 or 7d", Exit.USAGE)
    return session.app.now() - ago


async def prune_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.approvals.sight import AUDITOR
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context) as session:
        until = _when(arguments.older_than, session)
        if AUDITOR not in session.person.roles:
            raise Stop(f"taking rows away is for people with the role {AUDITOR!r}", Exit.REFUSED)
        if until is None or until > session.app.now():
            raise Stop("--older-than is a length of time such as 400d", Exit.USAGE)
        if not (await _verified(session)).whole:
            raise Stop("the trail is not whole, and the rows that go may be what shows it", Exit.FAILED)
        done = await session.app.store.prune(until, session.person.id, session.app.now())
        if arguments.json:
            print_json({"rows": done.rows, "last": done.last, "kept": done.kept, "until": until.isoformat()})
        elif done.rows:
            print(f"{done.rows} rows up to row {done.last} say nothing any more; the chain stays whole")
        else:
            print("there is nothing that old; nothing was taken away")
        if done.kept and not arguments.json:
            print(f"{done.kept} rows of an earlier format keep what they say: their hashes cover it")
    return Exit.DONE


async def key_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.store.keys import KeyMissing
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context, anybody=True) as session:
        seal = session.app.seal
        fresh = await session.app.store.last_checkpoint() is None and seal.book.last() is None
        try:
            key = seal.signer(fresh)
        except (KeyMissing, OSError) as error:
            raise Stop(str(error), Exit.NOT_FOUND) from error
        if arguments.json:
            print_json({"key": key.public(), "fingerprint": key.fingerprint, "private": str(seal.key)})
        else:
            print(key.public(), end="")
    return Exit.DONE
