"""An action's card in Slack: everything an approver has to know, and buttons while there is something to decide."""

from agent.approvals.action import Action, State
from agent.approvals.card import Card
from agent.surfaces.slack import mrkdwn
from agent.surfaces.slack.blocks import (
    Block,
    Message,
    button,
    buttons,
    confirmation,
    context,
    message,
    section,
)
from agent.words.catalogue import say

APPROVE, REJECT, EDIT = "sayso_approve", "sayso_reject", "sayso_edit"
WITHDRAW, DETAILS = "sayso_withdraw", "sayso_details"
MARKS = {
    State.SUCCEEDED: "✅",
    State.FAILED: "❌",
    State.REJECTED: "⛔",
    State.UNKNOWN: "❓",
    State.RUNNING: "⏳",
    State.APPROVED: "👍",
}


def of(action: Action, card: Card, locale: str) -> Message:
    """The card as it is now; `card` holds its rows in the reader's language."""
    mark = MARKS.get(action.state, "")
    title = f"*{mrkdwn.escaped(card.title)}*"
    blocks: list[Block] = [section(f"{mark} {action.id} · {title}".strip())]
    waits = action.state is State.AWAITING_APPROVAL
    below = say("card.expires", locale) if waits else ""  # said below, in each reader's own time
    rows = [
        f"{'⚠️ ' if row.warning else ''}*{mrkdwn.escaped(row.label)}*  {mrkdwn.escaped(row.text)}"
        for row in card.rows
        if row.label != below
    ]
    blocks.append(section("\n".join(rows)))
    if waits:
        blocks.append(context(say("slack.expires", locale, when=mrkdwn.moment(action.expires_at))))
        blocks.append(buttons(_buttons(action, card.title, locale), f"card:{action.id}"))
    else:
        blocks.append(context(f"{mark} {mrkdwn.escaped(card.state)}".strip()))
    return message(f"{action.id}: {card.title} ({card.state})", blocks)


def value_of(action: Action) -> str:
    """What a button carries: the action, and exactly which one the person saw."""
    return f"{action.id} {action.digest}"


def meant(value: str) -> tuple[str, str]:
    """The action and the digest that a button carried; empty for what no button of ours carries."""
    id_, _, digest = value.partition(" ")
    return (id_, digest) if id_.startswith("A-") and digest else ("", "")


def _buttons(action: Action, what: str, locale: str) -> list[Block]:
    value = value_of(action)
    sure = (
        confirmation(
            say("slack.sure", locale),
            what,
            say("slack.approve", locale),
            say("slack.back", locale),
        )
        if action.requirement.confirm
        else None
    )
    return [
        button(say("slack.approve", locale), APPROVE, value, style="primary", confirm=sure),
        button(say("slack.reject", locale), REJECT, value, style="danger"),
        button(say("slack.edit", locale), EDIT, value),
        button(say("slack.withdraw", locale), WITHDRAW, value),
        button(say("slack.details", locale), DETAILS, value),
    ]
