"""The home tab: what waits for somebody, what they asked for, what changed, what they may do."""

from collections.abc import Mapping, Sequence

from agent.approvals.action import Action, State
from agent.approvals.card import title
from agent.people.person import Person
from agent.surfaces.slack import limits, mrkdwn
from agent.surfaces.slack.blocks import Block, context, divider, header, home, section
from agent.words.catalogue import say
from tools.contract import Effect, Spec

MOST = 10  # actions of each list
TOOLS = 30
OVER = (State.SUCCEEDED, State.FAILED, State.UNKNOWN)


def of(
    person: Person, actions: Sequence[Action], tools: Sequence[Spec], locale: str, links: Mapping[str, str]
) -> Block:
    """The tab of one person; `actions` are the latest ones, `tools` those they may use, `links` lead to cards."""
    hello = say("slack.home_hello", locale, name=mrkdwn.escaped(person.name))
    blocks: list[Block] = [section(hello)]
    for key, listed_ in zip(
        ("home_waiting", "home_mine", "home_recent"), _lists(person, actions), strict=True
    ):
        blocks.append(header(say(f"slack.{key}", locale)))
        blocks += [section(_line(one, locale, links)) for one in listed_]
        if not listed_:
            blocks.append(context(say("slack.home_nothing", locale)))
    blocks += [divider(), header(say("slack.home_may", locale))]
    blocks += [context(_may(spec, locale)) for spec in tools[:TOOLS]]
    if not tools:
        blocks.append(context(say("slack.home_nothing", locale)))
    return home(blocks)


def listed(person: Person, actions: Sequence[Action]) -> list[Action]:
    """The actions that the tab shows."""
    return [one for listed_ in _lists(person, actions) for one in listed_]


def _lists(person: Person, actions: Sequence[Action]) -> tuple[list[Action], list[Action], list[Action]]:
    """What waits for this person, what they asked for, and what changed lately."""
    waiting = [
        one
        for one in actions
        if one.state is State.AWAITING_APPROVAL
        and one.requirement.may_approve(person.id, person.roles)
        and (one.requester != person.id or one.requirement.self_approval)
        and all(vote.person != person.id for vote in one.decisions)
    ]
    mine = [one for one in actions if one.requester == person.id]
    recent = [one for one in actions if one.state in OVER]
    return waiting[:MOST], mine[:MOST], recent[:MOST]


def _line(action: Action, locale: str, links: Mapping[str, str]) -> str:
    what = mrkdwn.escaped(limits.cut(title(action, locale), 300))
    state = mrkdwn.escaped(say(f"state.{action.state.value}", locale))
    until = ""
    if action.state is State.AWAITING_APPROVAL:
        until = f" · {say('slack.home_until', locale, when=mrkdwn.moment(action.expires_at))}"
    link = links.get(action.id, "")
    opened = f" · {mrkdwn.link(link, say('slack.home_open', locale))}" if link else ""
    return f"*{action.id}* {what} · {state}{until}{opened}"


def _may(spec: Spec, locale: str) -> str:
    """A tool by its name and what it is for."""
    what = limits.cut(spec.description.split(". ")[0].rstrip("."), 200)
    asks = f" · {say('slack.home_asks', locale)}" if spec.effect is Effect.WRITE else ""
    return f"*{mrkdwn.escaped(limits.cut(spec.name, 100))}*  {mrkdwn.escaped(what)}{asks}"
