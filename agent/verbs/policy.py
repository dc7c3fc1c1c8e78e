"""`sayso policy`: what the rules say, what they would do, and whether that is what was meant."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from agent.approvals.action import Action
    from agent.approvals.forecast import Difference, Forecast
    from agent.approvals.policy import Call, Policy
    from agent.people.person import Person
    from agent.settings import Settings
    from agent.verbs.opening import Session
    from tools.contract import Json

SECTIONS = ("people", "access", "policies", "time_zone")  # what another file may say differently
RAN = ("succeeded", "failed", "unknown", "running")


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "policy",
        help="what the rules say, what they would do, and whether that was meant",
        description="Explains the policy, tests it against expectations, and compares it with another.",
    )
    sub = verb.add_subparsers(title="what to do", metavar="WHAT", required=True)

    show = sub.add_parser("show", help="every rule in plain words")
    _finish(show, show_)

    check = sub.add_parser("check", help="what would happen to a call, and which rule says so")
    check.add_argument("tool", metavar="TOOL", help="such as deploy")
    check.add_argument(
        "arguments", nargs="*", metavar="ARGUMENT=VALUE", help="such as environment=production"
    )
    check.add_argument("--at", metavar="TIME", help="'2026-12-24 18:00' or 'fri 16:30' (default: now)")
    check.add_argument(
        "--untrusted",
        action="append",
        default=[],
        metavar="ARGUMENT",
        help="as if only a log, document or chat had named this one",
    )
    _finish(check, check_)

    test = sub.add_parser("test", help="compare the policy with a file of expectations")
    test.add_argument("file", type=Path, metavar="FILE", help="YAML; see docs/how-to/write-policies.md")
    _finish(test, test_)

    diff = sub.add_parser(
        "diff", help="which of the last actions another policy would have treated differently"
    )
    diff.add_argument(
        "other", type=Path, metavar="OTHER.yaml", help=f"settings; only {', '.join(SECTIONS)} are read"
    )
    diff.add_argument("--last", type=int, default=100, metavar="N", help="so many actions (default 100)")
    _finish(diff, diff_)


def _finish(verb: argparse.ArgumentParser, run: object) -> None:
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def show_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.approvals.wording import described
    from agent.surfaces.terminal.screen import paper, plain
    from agent.verbs.opening import opened, print_json
    from agent.words.catalogue import say

    async with opened(arguments, context, anybody=True) as session:
        policy = session.app.policy
        if arguments.json:
            print_json({"version": policy.version, "rules": [rule.as_json() for rule in policy.rules]})
            return Exit.DONE
        page = paper()
        page.print(say("policy.version", session.locale, version=policy.version, rules=len(policy.rules)))
        for rule in policy.rules:
            page.print(f"\n{plain(rule.name)}", style="bold", highlight=False)
            for line in described(rule, session.locale, session.app.name):
                page.print(f"  {plain(line)}", highlight=False)
    return Exit.DONE


async def check_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from zoneinfo import ZoneInfo

    from agent.approvals.forecast import Outlook, forecast
    from agent.approvals.wording import told
    from agent.surfaces.terminal.screen import paper, plain
    from agent.verbs.opening import opened, print_json
    from tools.contract import WriteTool

    async with opened(arguments, context) as session:
        app = session.app
        zone = ZoneInfo(app.settings.time_zone)
        at = _when(arguments.at, app.now(), zone)
        given = dict(one.split("=", 1) if "=" in one else (one, "") for one in arguments.arguments)
        tool = _tool(session, arguments.tool)
        if not isinstance(tool, WriteTool):
            return _read(session, arguments.tool, as_json=arguments.json)
        known = tuple(tool.spec.arguments.model_fields)
        for one in arguments.arguments:
            if "=" not in one or one.split("=", 1)[0] not in known:
                raise Stop(
                    f"{arguments.tool}: {one!r} should be ARGUMENT=VALUE, with one of {', '.join(known)}",
                    Exit.USAGE,
                )
        call = _call(session, session.person, arguments.tool, given, tuple(arguments.untrusted))
        found = forecast(app.policy, app.directory.everybody(), call, at)
        lines = told(found, call, at, session.locale, app.name, zone)
        if arguments.json:
            head: dict[str, Json] = {
                "person": call.person,
                "tool": call.tool,
                "arguments": dict(call.arguments),
                "at": at.isoformat(),
                "policy_version": app.policy.version,
            }
            print_json({**head, **found.as_json(), "said": lines})
        else:
            for line in lines:
                paper().print(plain(line), highlight=False)
    return Exit.REFUSED if found.outlook is Outlook.REFUSED else Exit.DONE


async def test_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from zoneinfo import ZoneInfo

    from agent.approvals.forecast import forecast
    from agent.people.person import UnknownPerson
    from agent.surfaces.terminal.screen import paper, plain
    from agent.verbs import expectations
    from agent.verbs.opening import opened, print_json
    from agent.words.catalogue import say

    try:
        cases = expectations.read(arguments.file)
    except expectations.WrongExpectations as error:
        raise Stop(str(error), Exit.USAGE) from error
    async with opened(arguments, context, anybody=True) as session:
        app, zone = session.app, ZoneInfo(session.app.settings.time_zone)
        results = []
        for case in cases:
            try:
                person = app.directory.get(case.person)
            except UnknownPerson as error:
                raise Stop(f"{arguments.file}: {case.title}: {error}", Exit.USAGE) from error
            call = _call(session, person, case.tool, case.arguments, case.untrusted)
            found = forecast(app.policy, app.directory.everybody(), call, _when(case.at, app.now(), zone))
            results.append((case, found, case.unmet(found)))
        differing = [(case, unmet) for case, _, unmet in results if unmet]
        if arguments.json:
            document = [expectations.as_json(case, found, unmet) for case, found, unmet in results]
            print_json({"cases": document, "met": not differing})
        elif differing:
            said = say("policy.some_differ", session.locale, differing=len(differing), count=len(results))
            paper().print(said, style="yellow")
            for case, unmet in differing:
                for one in unmet:
                    what = say(f"policy_difference.{one.what}", session.locale)
                    fields = {"case": case.title, "what": what, "expected": one.was, "found": one.now}
                    paper().print(plain(say("policy.not_met", session.locale, **fields)), highlight=False)
        else:
            paper().print(say("policy.all_as_expected", session.locale, count=len(results)))
    return Exit.FAILED if differing else Exit.DONE


async def diff_(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.approvals.forecast import forecast
    from agent.approvals.policy import Call
    from agent.approvals.propose import untrusted
    from agent.making.people import people_of
    from agent.verbs.opening import opened

    async with opened(arguments, context) as session:
        app = session.app
        settings = _other(arguments.other, app.settings)
        theirs, people = _policy(arguments.other, settings, session), people_of(settings)
        roles = {person.id: person.roles for person in people}
        actions = await app.actions.latest(limit=arguments.last, reader=session.person)
        found = []
        for action in actions:
            doubtful = untrusted(action.provenance)
            who, at = action.requester, action.created_at
            ours = Call(action.tool, action.arguments, who, app.directory.roles(who), doubtful)
            same = Call(action.tool, action.arguments, who, roles.get(who, frozenset()), doubtful)
            was = forecast(app.policy, app.directory.everybody(), ours, at)
            now = forecast(theirs, people, same, at)
            counted = sum(vote.person in now.approvers for vote in action.approvals)
            found.append(_Compared(action, was, now, counted))
        return _tell_differences(session, found, as_json=arguments.json)


class _Compared:
    """One action under two policies."""

    def __init__(self, action: "Action", was: "Forecast", now: "Forecast", counted: int) -> None:
        from agent.approvals.forecast import differences

        self.action, self.was, self.now, self.counted = action, was, now, counted
        self.differences: Sequence[Difference] = differences(was, now)

    def end(self, locale: str) -> str:
        """What the other policy would have meant for an action that ran; empty where nothing."""
        from agent.approvals.card import sentence
        from agent.words.catalogue import say

        if self.action.state.value not in RAN:
            return ""
        state = say(f"state.{self.action.state.value}", locale)
        if self.now.refusal is not None:
            return say("policy.diff_refused", locale, state=state, why=sentence(self.now.refusal, locale))
        if self.counted < self.now.quorum:
            fields = {"votes": self.counted, "needed": self.now.quorum}
            return say("policy.diff_votes", locale, state=state, **fields)
        return ""

    def as_json(self) -> "dict[str, Json]":
        return {
            "action": self.action.id,
            "title": self.action.plan.title,
            "state": self.action.state.value,
            "differences": [{"what": one.what, "was": one.was, "now": one.now} for one in self.differences],
            "approvals_that_would_count": self.counted,
            "was": self.was.as_json(),
            "now": self.now.as_json(),
        }


def _tell_differences(session: "Session", found: Sequence[_Compared], *, as_json: bool) -> Exit:
    from agent.surfaces.terminal.screen import paper, plain
    from agent.verbs.opening import print_json
    from agent.words.catalogue import say

    locale = session.locale
    differing = [one for one in found if one.differences]
    if as_json:
        print_json({"compared": len(found), "different": [one.as_json() for one in differing]})
        return Exit.DONE
    if not differing:
        paper().print(say("policy.none_differ", locale, count=len(found)))
        return Exit.DONE
    paper().print(say("policy.diff_head", locale, differing=len(differing), count=len(found)))
    for one in differing:
        paper().print(f"{one.action.id}  {plain(one.action.plan.title)}", style="bold", highlight=False)
        for each in one.differences:
            what = say(f"policy_difference.{each.what}", locale)
            line = say("policy.diff_line", locale, what=what, was=each.was, now=each.now)
            paper().print(plain(line), highlight=False)
        if end := one.end(locale):
            paper().print(plain(end), style="yellow", highlight=False)
    return Exit.DONE


def _other(file: Path, settings: "Settings") -> "Settings":
    """The settings with what another file says of people, access and policies. Raises `Stop`."""
    from agent.settings import SettingsError, load

    try:
        other = load(file, {})
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    said = {name: getattr(other, name) for name in SECTIONS if name in other.model_fields_set}
    if not said:
        raise Stop(f"{file}: says nothing of {', '.join(SECTIONS)}", Exit.USAGE)
    return settings.model_copy(update=said)


def _policy(file: Path, settings: "Settings", session: "Session") -> "Policy":
    from agent.approvals.policy import PolicyGap
    from agent.making.people import people_of
    from agent.policies import policy_of

    try:
        registry = session.app.registry
        return policy_of(settings, registry.specs(), people_of(settings), registry.off)
    except PolicyGap as error:
        raise Stop(f"{file}: {error}", Exit.USAGE) from error


def _when(written: object, now: "datetime", zone: "ZoneInfo") -> "datetime":
    from agent.approvals.windows import next_moment

    if written is None:
        return now
    try:
        return next_moment(written, now, zone)
    except ValueError as error:
        raise Stop(str(error), Exit.USAGE) from error


def _tool(session: "Session", name: str) -> object:
    from tools.contract import BadArguments

    try:
        return session.app.registry.get(name)
    except BadArguments as error:
        raise Stop(str(error), Exit.USAGE) from error


def _read(session: "Session", tool: str, *, as_json: bool) -> Exit:
    """A read: no policy is asked, only `access`."""
    from agent.surfaces.terminal.screen import paper, plain
    from agent.verbs.opening import print_json
    from agent.words.catalogue import say

    app, locale = session.app, session.locale
    allowed = app.may_use(session.person, tool)
    roles = ", ".join(sorted(app.policy.roles_for(tool))) or "-"
    key = "policy.read_yes" if allowed else "policy.read_no"
    said = (
        f"{say('policy.read', locale, tool=tool)} {say(key, locale, name=session.person.name, roles=roles)}"
    )
    if as_json:
        outcome = "read" if allowed else "refused"
        print_json({"person": session.person.id, "tool": tool, "outcome": outcome, "said": [said]})
    else:
        paper().print(plain(said), highlight=False)
    return Exit.DONE if allowed else Exit.REFUSED


def _call(
    session: "Session",
    person: "Person",
    tool: str,
    given: "dict[str, str] | dict[str, str | int | float | bool]",
    doubtful: tuple[str, ...],
) -> "Call":
    """The call with its arguments as the tool takes them. Raises `Stop`."""
    from agent.approvals.policy import Call
    from agent.policies import typed
    from tools.contract import BadArguments, WriteTool

    found = _tool(session, tool)
    if not isinstance(found, WriteTool):
        raise Stop(f"{tool!r} changes nothing, so no policy is asked", Exit.USAGE)
    spec = found.spec
    values = {
        name: typed(spec, name, value) if isinstance(value, str) else value for name, value in given.items()
    }
    try:
        arguments = spec.validate(values).canonical()
    except BadArguments as error:
        raise Stop(str(error), Exit.USAGE) from error
    return Call(tool, arguments, person.id, person.roles, doubtful)
