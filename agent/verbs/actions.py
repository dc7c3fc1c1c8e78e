"""`sayso actions`: what was proposed, and the decisions about it."""

import argparse
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.approvals.action import Action
    from agent.verbs.opening import Session
    from tools.contract import Json

# Written out, because the enum that has them lies behind a slow import; a test compares the two.
STATES = (
    "awaiting_approval",
    "approved",
    "running",
    "succeeded",
    "failed",
    "unknown",
    "rejected",
    "expired",
    "withdrawn",
    "superseded",
    "stale",
)


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "actions",
        help="proposed changes: list, show, approve, reject, edit, withdraw, run, break-glass, countersign, settle",
        description="Proposed changes and the decisions about them. An approved change runs at once, in this process.",
    )
    sub = verb.add_subparsers(title="what to do", metavar="WHAT", required=True)

    listing = sub.add_parser("list", help="what waits, and what was done lately")
    listing.add_argument(
        "--state", choices=STATES, metavar="STATE", help=f"only this one: {', '.join(STATES)}"
    )
    listing.add_argument(
        "--owed",
        action="store_true",
        help="only those that ran without approval and lack the second signature",
    )
    listing.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default 20)")
    _finish(listing, list_)

    one = _about_one(sub, "show", "the card of one action, with its decisions and outcome")
    _finish(one, show_)

    approve = _about_one(sub, "approve", "say yes; when nobody else is needed, it runs now")
    approve.add_argument("--reason", default="", metavar="TEXT", help="why (some policies require it)")
    approve.add_argument(
        "--digest", metavar="HASH", help="refuse if the action is not exactly the one you looked at"
    )
    approve.add_argument(
        "--no-run", action="store_true", help="only decide; `sayso actions run` runs it later"
    )
    _finish(approve, approve_)

    reject = _about_one(sub, "reject", "say no, with a reason")
    reject.add_argument("--reason", default="", metavar="TEXT", help="why not")
    reject.add_argument(
        "--digest", metavar="HASH", help="refuse if the action is not exactly the one you looked at"
    )
    _finish(reject, reject_)

    edit = _about_one(sub, "edit", "propose it again with other arguments; the old one is superseded")
    edit.add_argument("changes", nargs="+", metavar="ARGUMENT=VALUE", help="such as version=2.3.8")
    _finish(edit, edit_)

    withdraw = _about_one(sub, "withdraw", "take your own proposal back")
    _finish(withdraw, withdraw_)

    run = _about_one(sub, "run", "run an action that is approved and was not started")
    _finish(run, run_)

    glass = _about_one(sub, "break-glass", "run it at once without approval; somebody signs afterwards")
    glass.add_argument("--reason", required=True, metavar="TEXT", help="why it cannot wait")
    _finish(glass, break_glass_)

    sign = _about_one(sub, "countersign", "the second signature for an action that ran without approval")
    sign.add_argument("--reason", default="", metavar="TEXT", help="what you say about it")
    _finish(sign, countersign_)

    settle = _about_one(sub, "settle", "say how an action ended whose worker died, after looking")
    settle.add_argument("outcome", choices=("succeeded", "failed"), help="what you found")
    settle.add_argument("--reason", required=True, metavar="TEXT", help="what you looked at")
    _finish(settle, settle_)


def _about_one(group: verbs.Group, what: str, text: str) -> argparse.ArgumentParser:
    """A verb whose first word is the action's id."""
    verb = group.add_parser(what, help=text)
    verb.add_argument("id", metavar="ID", help="the action, such as A-17")
    return verb


def _finish(verb: argparse.ArgumentParser, run: object) -> None:
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def list_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.approvals.action import State
    from agent.surfaces.terminal import cards
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context) as session:
        state = State(arguments.state) if arguments.state else None
        app = session.app
        found = await (
            app.actions.owed(session.person)
            if arguments.owed
            else app.actions.latest(state=state, limit=arguments.limit, reader=session.person)
        )
        if arguments.json:
            print_json({"actions": [cards.as_json(action) for action in found]})
        else:
            cards.show_list(found, session.app.now(), session.locale)
    return Exit.DONE


async def show_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        return await show(session, arguments.id, as_json=arguments.json)


async def show(session: "Session", name: str, *, as_json: bool) -> Exit:
    """Prints one action, for this verb and for `sayso show A-17`."""
    from agent.surfaces.terminal import cards
    from agent.verbs.opening import print_json

    action = await find(session, name)
    if as_json:
        print_json(cards.as_json(session.app.actions.shown(action, session.person) or action))
    else:
        cards.show(session.app.actions.card(action, session.locale, session.person))
        events = [event async for event in session.app.trail.events(action.id, reader=session.person)]
        cards.show_story(events, session.app.name)
        cards.show_outputs(action, await session.app.actions.outputs(action, session.person), session.locale)
    return Exit.DONE


async def find(session: "Session", name: str) -> "Action":
    action = await session.app.actions.find(name.upper(), session.person)
    if action is None:
        raise Stop(
            f"there is no action {name!r} that you may see; `sayso actions list` shows which there are",
            Exit.NOT_FOUND,
        )
    return action


async def approve_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    return await _decide(arguments, context, "approve")


async def reject_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    return await _decide(arguments, context, "reject")


async def _decide(arguments: argparse.Namespace, context: verbs.Context, verdict: str) -> Exit:
    from agent.approvals.action import State, Verdict
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        action = await find(session, arguments.id)
        answer = await session.app.decide(
            action, session.person, Verdict(verdict), reason=arguments.reason, digest=arguments.digest
        )
        if answer.refusal is not None or answer.action.state is not State.APPROVED or arguments.no_run:
            code = _tell(session, answer.action, answer.said, arguments, refused=answer.refusal is not None)
            await _go_on(session, answer.action, arguments)
            return code
        return await _run(session, answer.action, arguments)


async def _go_on(session: "Session", action: "Action", arguments: argparse.Namespace) -> None:
    """Where the action was a step of a runbook, the next one follows."""
    from agent.surfaces.terminal.sitting import Sitting

    await Sitting(session.app, session.person, quiet=arguments.json).go_on(action)


async def run_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        return await _run(session, await find(session, arguments.id), arguments)


async def _run(session: "Session", action: "Action", arguments: argparse.Namespace) -> Exit:
    """Runs an approved action here and now; progress goes beside the answer."""
    from agent.approvals.action import State
    from agent.surfaces.terminal.screen import margin, plain
    from agent.words.catalogue import say

    async def progress(line: str) -> None:
        margin().print(f"  {plain(line)}", style="dim")

    margin().print(say("terminal.executing", session.locale, action=action.id))
    done = await session.app.run(action, progress, session.locale)
    code = _tell(session, done.action, done.said, arguments, refused=done.refusal is not None)
    await _go_on(session, done.action, arguments)
    return code if done.refusal is not None or done.action.state is State.SUCCEEDED else Exit.FAILED


async def break_glass_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        action = await find(session, arguments.id)
        answer = await session.app.break_glass(action, session.person, reason=arguments.reason)
        if answer.refusal is not None:
            return _tell(session, answer.action, answer.said, arguments, refused=True)
        return await _run(session, answer.action, arguments)


async def countersign_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        action = await find(session, arguments.id)
        answer = await session.app.countersign(action, session.person, reason=arguments.reason)
        return _tell(session, answer.action, answer.said, arguments, refused=answer.refusal is not None)


async def edit_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.approvals.action import State
    from agent.surfaces.terminal import cards
    from agent.verbs.opening import opened, print_json
    from tools.contract import ToolError

    changes = dict(change.split("=", 1) if "=" in change else (change, "") for change in arguments.changes)
    async with opened(arguments, context) as session:
        action = await find(session, arguments.id)
        try:
            typed = {name: like(action.arguments.get(name), text) for name, text in changes.items()}
            answer = await session.app.edit(action, session.person, typed)
        except ToolError as error:
            raise Stop(f"{action.id} was left as it is: {error}", Exit.USAGE) from error
        if answer.refusal is not None:
            return _tell(session, answer.action, answer.said, arguments, refused=True)
        if answer.action.requirement.auto and answer.action.state is State.APPROVED:
            return await _run(session, answer.action, arguments)  # a rule allows it without approval
        if arguments.json:
            print_json({"said": answer.said, "action": cards.as_json(answer.action)})
        else:
            cards.show(session.app.actions.card(answer.action, session.locale))
    return Exit.DONE


def like(now: "Json", text: str) -> "Json":
    """What was typed, as a number where the argument is one now; tools take no text for a number."""
    is_number = isinstance(now, int) and not isinstance(now, bool)
    return int(text) if is_number and text.isascii() and text.isdigit() else text


async def withdraw_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        answer = await session.app.withdraw(await find(session, arguments.id), session.person)
        return _tell(session, answer.action, answer.said, arguments, refused=answer.refusal is not None)


async def settle_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        answer = await session.app.settle(
            await find(session, arguments.id),
            session.person,
            succeeded=arguments.outcome == "succeeded",
            reason=arguments.reason,
        )
        return _tell(session, answer.action, answer.said, arguments, refused=answer.refusal is not None)


def _tell(
    session: "Session", action: "Action", said: str, arguments: argparse.Namespace, *, refused: bool
) -> Exit:
    """Prints what became of it: every decision is answered, the refused ones with their reason."""
    from agent.surfaces.terminal import cards
    from agent.surfaces.terminal.screen import paper
    from agent.verbs.opening import print_json

    if arguments.json:
        print_json({"refused": refused, "said": said, "action": cards.as_json(action)})
    else:
        paper().print(said, style="yellow" if refused else None)
        if action.drifted:
            cards.show(session.app.actions.card(action, session.locale))
    return Exit.REFUSED if refused else Exit.DONE
