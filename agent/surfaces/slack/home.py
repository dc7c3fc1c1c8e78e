"""The home tab: what waits for somebody, what they asked for, what changed, what they may do."""

from collections.abc import Sequence

from agent.approvals.action import Action, State
from agent.approvals.card import title
from agent.people.person import Person
from agent.surfaces.slack import mrkdwn
from agent.surfaces.slack.blocks import Block, divider, header, home, section
from agent.words.catalogue import say

MOST = 10  # actions of each list


def of(person: Person, actions: Sequence[Action], tools: Sequence[str], locale: str) -> Block:
    """The tab of one person; `actions` are the latest ones, `tools` those they may use."""
    waiting = [one for one in actions if one.state is State.AWAITING_APPROVAL]
    for_me = [
        one
        for one in waiting
        if one.requirement.may_approve(person.id, person.roles)
        and (one.requester != person.id or one.requirement.self_approval)
    ]
    mine = [one for one in actions if one.requester == person.id]
    recent = [one for one in actions if one.state in (State.SUCCEEDED, State.FAILED, State.UNKNOWN)]
    blocks: list[Block] = [section(say("slack.home_hello", locale, name=mrkdwn.escaped(person.name)))]
    for key, listed in (("home_waiting", for_me), ("home_mine", mine), ("home_recent", recent)):
        blocks += [header(say(f"slack.{key}", locale)), section(_lines(listed, locale))]
    may = ", ".join(f"`{tool}`" for tool in tools) or say("slack.home_nothing", locale)
    return home([*blocks, divider(), section(f"*{say('slack.home_may', locale)}*  {may}")])


def _lines(actions: Sequence[Action], locale: str) -> str:
    lines = [
        f"• *{one.id}* {mrkdwn.escaped(title(one, locale))} ({mrkdwn.escaped(say(f'state.{one.state.value}', locale))})"
        for one in actions[:MOST]
    ]
    return "\n".join(lines) or say("slack.home_nothing", locale)
