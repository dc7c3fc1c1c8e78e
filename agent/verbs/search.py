"""`sayso search`: passages from documents and chat history, with the asker's rights."""

import argparse
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from datetime import datetime

    from agent.verbs.opening import Session


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "search",
        help="find passages in documents and chat history",
        description="Finds passages in what is indexed and this person may read; best first, with links.",
    )
    verb.add_argument("text", nargs="+", help="what to look for, in your own words")
    verb.add_argument("--limit", type=int, default=5, metavar="N", help="how many documents (default 5)")
    verb.add_argument("--channel", metavar="NAME", help="only this channel or folder")
    verb.add_argument("--service", metavar="NAME", help="only what concerns this service")
    verb.add_argument("--source", metavar="NAME", help="only this source")
    verb.add_argument("--by", metavar="NAME", dest="author", help="only what this person wrote or owns")
    verb.add_argument("--kind", choices=("page", "chat", "incident"), help="only such documents")
    verb.add_argument("--since", metavar="WHEN", help="only what was written since: 30d, 2026-03-01")
    verb.add_argument("--until", metavar="WHEN", help="only what was written before: 7d, 2026-04-01")
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.recall import reader_of
    from agent.surfaces.terminal import passages
    from agent.verbs.opening import opened, print_json
    from knowledge.port import Genre, KnowledgeError, Query

    async with opened(arguments, context) as session:
        text = " ".join(arguments.text)
        query = Query(
            text=text,
            limit=arguments.limit,
            channel=arguments.channel,
            service=arguments.service,
            source=arguments.source,
            person=arguments.author,
            kind=Genre(arguments.kind) if arguments.kind else None,
            since=_moment(arguments.since, session),
            until=_moment(arguments.until, session),
            marks=await session.app.feedback.balance(text),
        )
        try:
            library = await session.app.knowledge.library()
            result = await library.search(query, reader_of(session.person))
            empty = "" if result.passages else await _empty(session)
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        if arguments.json:
            print_json({**passages.as_json(result), **({"nothing_to_search": empty} if empty else {})})
        elif empty:
            print(empty)
        else:
            passages.show(result, query.text, session.locale)
    return Exit.DONE if result.passages else Exit.NOT_FOUND


async def _empty(session: "Session") -> str:
    """Why there is nothing to search in at all, and what to do about it; "" where there is something."""
    from agent.words.catalogue import say

    app = session.app
    if (await (await app.knowledge.library()).status()).documents:
        return ""
    if not app.sources:
        return say("terminal.no_sources", session.locale, config=app.home.config)
    return say(
        "terminal.nothing_read", session.locale, sources=", ".join(source.name for source in app.sources)
    )


def _moment(said: str | None, session: "Session") -> "datetime | None":
    """A moment as people write it. Raises `Stop` for what is none."""
    from zoneinfo import ZoneInfo

    from tools.contract import BadArguments
    from tools.times import window

    if said is None:
        return None
    try:
        return window(said, None, session.app.now(), ZoneInfo(session.app.settings.time_zone)).start
    except BadArguments as error:
        raise Stop(f"{said!r}: {error}", Exit.USAGE) from error
