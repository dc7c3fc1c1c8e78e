"""`sayso knowledge`: what was asked in vain, and which answers people called helpful or wrong."""

import argparse
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.conversation.asked import Gap
    from agent.feedback import ClosedGap, Marked, OpenGap
    from agent.verbs.opening import Session
    from tools.contract import Json


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "knowledge",
        help="questions nobody could answer yet, and marks on answers",
        description="What was asked in vain, so that somebody can write it down, and what people said of answers.",
    )
    sub = verb.add_subparsers(title="what to do", metavar="WHAT", required=True)
    gaps = sub.add_parser("gaps", help="questions without a clear answer, the most asked first")
    gaps.add_argument(
        "--all", action="store_true", help="also those that are closed, with who said so and why"
    )
    gaps.add_argument("--close", metavar="ID", help="this one has its answer, or needs none: Q-12")
    gaps.add_argument("--reason", default="", metavar="TEXT", help="why it is closed")
    _finish(gaps, gaps_)
    mark = sub.add_parser("mark", help="say whether an answer helped: what did goes first the next time")
    mark.add_argument("turn", metavar="ID", help="the answer: T-12, as its receipt names it")
    mark.add_argument("verdict", choices=("helpful", "wrong"), help="whether it answered the question")
    mark.add_argument(
        "--passage", type=int, metavar="N", help="the passage [N] (default: the first one cited)"
    )
    mark.add_argument("--reason", default="", metavar="TEXT", help="why")
    _finish(mark, mark_)
    marks = sub.add_parser("marks", help="your marks, or everybody's for the roles of `knowledge.gaps`")
    _finish(marks, marks_)


def _finish(verb: argparse.ArgumentParser, run: object) -> None:
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def gaps_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened, print_json
    from agent.words.catalogue import say
    from knowledge.port import KnowledgeError

    async with opened(arguments, context) as session:
        if arguments.close is not None:
            return await _closed(session, arguments.close, arguments.reason)
        feedback = session.app.feedback
        try:
            found = await feedback.gaps(session.person)
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        closed = await feedback.closed(session.person) if arguments.all else ()
        if arguments.json:
            document: dict[str, Json] = {"gaps": [_row(one) for one in found.shown], "more": found.more}
            print_json(document | ({"closed": [_closed_row(one) for one in closed]} if arguments.all else {}))
            return Exit.DONE
        for one in found.shown:
            print(_told(one, session))
        if found.more:
            print(say("terminal.gaps_more", session.locale, count=found.more))
        print(say("terminal.gaps_next" if found.shown else "terminal.no_gaps", session.locale))
        for gap in closed:
            print(_told_closed(gap, session))
    return Exit.DONE


def _told_closed(one: "ClosedGap", session: "Session") -> str:
    from agent.feedback import SAYSO
    from agent.surfaces.terminal.screen import plain
    from agent.words.catalogue import say

    key = "terminal.gap_answered" if one.by == SAYSO else "terminal.gap_closed_by"
    who = session.app.name(one.by)
    told = say(key, session.locale, at=f"{one.at:%Y-%m-%d}", who=who, reason=one.reason)
    return plain("\n".join((*_asked(one.gap, session), f"  {told}")))


async def _closed(session: "Session", name: str, reason: str) -> Exit:
    from agent.surfaces.terminal.screen import plain
    from agent.words.catalogue import say

    if not reason.strip():
        raise Stop(f"--close {name}: say why with --reason TEXT, for whoever asked", Exit.USAGE)
    gap = await session.app.feedback.close(session.person, name, reason)
    if gap is None:
        raise Stop(f"there is no open gap {name!r} that you may see; ids look like Q-12", Exit.NOT_FOUND)
    print(plain(say("terminal.gap_closed", session.locale, gap=gap.id, question=gap.question)))
    return Exit.DONE


async def mark_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.feedback import NothingToMark
    from agent.surfaces.terminal.screen import plain
    from agent.verbs.opening import opened
    from agent.words.catalogue import say

    async with opened(arguments, context) as session:
        name = arguments.turn.upper()
        record = await session.app.requests.record(name, session.person)
        if record is None:
            raise Stop(f"there is no {arguments.turn!r} that you may see; ids look like T-12", Exit.NOT_FOUND)
        helpful = arguments.verdict == "helpful"
        try:
            title = await session.app.feedback.mark(
                session.person, record, helpful=helpful, number=arguments.passage, reason=arguments.reason
            )
        except NothingToMark as error:
            raise Stop(
                say("terminal.nothing_to_mark", session.locale, turn=name, numbers=str(error)), Exit.NOT_FOUND
            ) from error
        key = "terminal.marked_helpful" if helpful else "terminal.marked_wrong"
        print(plain(say(key, session.locale, title=title)))
    return Exit.DONE


async def marks_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.terminal.screen import plain
    from agent.verbs.opening import opened, print_json
    from agent.words.catalogue import say
    from knowledge.port import KnowledgeError

    async with opened(arguments, context) as session:
        try:
            found = await session.app.feedback.marks(session.person)
        except KnowledgeError as error:
            raise Stop(str(error), Exit.UNAVAILABLE) from error
        if arguments.json:
            print_json({"marks": [_mark_row(one) for one in found]})
            return Exit.DONE
        for one in found:
            mark, title = one.mark, one.title or say("terminal.mark_hidden", session.locale)
            word = say("terminal.helpful" if mark.helpful else "terminal.wrong", session.locale)
            why = f": {mark.reason}" if mark.reason else ""
            who = session.app.name(mark.person)
            print(plain(f"{mark.at:%Y-%m-%d}  {who}  {word}  {title}  “{mark.question}”{why}"))
        if not found:
            print(say("terminal.no_marks", session.locale))
    return Exit.DONE


def _mark_row(one: "Marked") -> "dict[str, Json]":
    """A mark as plain values; the id of a document says where it is, so it goes with the title or not at all."""
    mark = one.mark
    return {
        "question": mark.question,
        "document": mark.document if one.title is not None else None,
        "title": one.title,
        "person": mark.person,
        "helpful": mark.helpful,
        "at": mark.at.isoformat(),
        "reason": mark.reason,
    }


def _closed_row(one: "ClosedGap") -> "dict[str, Json]":
    return {**_gap_row(one.gap), "closed": one.at.isoformat(), "by": one.by, "reason": one.reason}


def _gap_row(gap: "Gap") -> "dict[str, Json]":
    return {
        "id": gap.id,
        "question": gap.question,
        "times": gap.times,
        "people": list(gap.people),
        "first": gap.first.isoformat(),
        "last": gap.last.isoformat(),
    }


def _row(one: "OpenGap") -> "dict[str, Json]":
    return {**_gap_row(one.gap), "nearest": one.nearest, "may_know": list(one.knows)}


def _told(one: "OpenGap", session: "Session") -> str:
    from agent.surfaces.terminal.screen import plain
    from agent.words.catalogue import say

    lines = _asked(one.gap, session)
    if one.nearest:
        lines.append("  " + say("terminal.gap_nearest", session.locale, title=one.nearest))
    if one.knows:
        lines.append("  " + say("terminal.gap_knows", session.locale, names=", ".join(one.knows)))
    return plain("\n".join(lines))


def _asked(gap: "Gap", session: "Session") -> list[str]:
    from agent.words.catalogue import say

    who = ", ".join(session.app.name(person) for person in gap.people)
    told = say("terminal.gap_asked", session.locale, count=gap.times, who=who, last=f"{gap.last:%Y-%m-%d}")
    return [f"{gap.id}  {gap.question}", f"  {told}"]
