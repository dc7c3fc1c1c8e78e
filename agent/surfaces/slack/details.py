"""The modal behind *Details*: the whole card, what each argument is and who said it, and the evidence in full."""

from collections.abc import Mapping

from agent.approvals.action import Action
from agent.approvals.card import Card
from agent.approvals.propose import REQUEST
from agent.store.port import TurnRecord
from agent.surfaces.slack import answers, cards, limits, mrkdwn
from agent.surfaces.slack.blocks import Block, context, divider, header, modal, section
from agent.words.catalogue import say
from tools.contract import Json

ROWS = 40  # of the card
ARGUMENTS = 20
EVIDENCE = 12  # pieces
TEXT = 600  # characters of one of them


def of(action: Action, card: Card, record: TurnRecord | None, locale: str) -> Block:
    """Everything about an action that whoever sees its card may see."""
    blocks: list[Block] = [section(f"*{mrkdwn.escaped(limits.cut(card.title, 300))}* ({card.state})")]
    blocks += [section(cards.line(row)) for row in card.rows[:ROWS]]
    blocks += [divider(), header(say("slack.arguments", locale))]
    for name, value in list(action.arguments.items())[:ARGUMENTS]:
        said = mrkdwn.escaped(limits.cut(str(value), TEXT))
        whose = mrkdwn.escaped(limits.cut(_whose(action, name, locale), 200))
        blocks.append(section(f"*{mrkdwn.escaped(limits.cut(name, 100))}*  {said}  _({whose})_"))
    found = rests_on(action, record)
    if found:
        blocks.append(header(say("slack.rests_on", locale)))
    for item in found[:EVIDENCE]:
        text = limits.cut(str(item.get("text") or "-"), TEXT)
        blocks.append(section(f"*[{item.get('number')}]* {answers.source(item)}"))
        blocks.append(section(mrkdwn.code(text)))
    blocks.append(context(f"`{action.digest[:16]}` · {mrkdwn.escaped(action.requirement.policy_version)}"))
    return modal("sayso_details", action.id, blocks, close=say("slack.close", locale), about=action.id)


def rests_on(action: Action, record: TurnRecord | None) -> list[Mapping[str, Json]]:
    """The evidence that an action was proposed on; without what only some may read, for many see a card."""
    if record is None:
        return []
    numbers = {one.partition("[")[2].rstrip("]") for one in action.origin.evidence}
    return [
        item
        for item in answers.evidence_of(record)
        if str(item.get("number")) in numbers and not item.get("private")
    ]


def _whose(action: Action, name: str, locale: str) -> str:
    """Who said the value of an argument."""
    origin = action.provenance.get(name, action.provenance.get(REQUEST, ""))
    key = {"asker": "said_by_asker", "settings": "said_by_settings"}.get(origin, "said_by_other")
    return say(f"slack.{key}", locale, origin=origin or "-")
