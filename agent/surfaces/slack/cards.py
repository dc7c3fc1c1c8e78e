"""An action's card in Slack: everything an approver has to know, and buttons while there is something to decide."""

from collections.abc import Mapping, Sequence

from agent.approvals.action import Action, State
from agent.approvals.card import Card, Row
from agent.surfaces.slack import answers, limits, mrkdwn
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
from tools.contract import Json

APPROVE, REJECT, EDIT = "sayso_approve", "sayso_reject", "sayso_edit"
APPROVE_WHY = "sayso_approve_why"
GLASS, SIGN = "sayso_glass", "sayso_sign"
WITHDRAW, DETAILS = "sayso_withdraw", "sayso_details"
ROWS = 5500  # characters of all rows; *Details* has them whole
ROW = 450  # of one of them: five times as many once they are escaped
MARKS = {
    State.AWAITING_APPROVAL: "🔔",
    State.SUCCEEDED: "✅",
    State.FAILED: "❌",
    State.REJECTED: "⛔",
    State.UNKNOWN: "❓",
    State.RUNNING: "⏳",
    State.APPROVED: "👍",
}
Evidence = Sequence[Mapping[str, Json]]


def of(action: Action, card: Card, locale: str, link: str = "", rests: Evidence = ()) -> Message:
    """The card as it is now; `card` holds its rows in the reader's language.

    `link` leads to where it was asked for, `rests` is the evidence that it was proposed on.
    """
    mark, waits = MARKS.get(action.state, ""), action.state is State.AWAITING_APPROVAL
    title = f"*{action.id} · {mrkdwn.escaped(limits.cut(card.title, 300))}*"
    blocks: list[Block] = [section(f"{mark} {title}".strip())]
    below = say("card.expires", locale) if waits else ""  # said below, in each reader's own time
    rows, left_out = _fitting([row for row in card.rows if row.label != below])
    if rows:
        blocks += _sections([line(row) for row in rows])
    if left_out:
        blocks.append(context(say("slack.rows_left_out", locale, count=left_out)))
    if rests:
        blocks.append(context(f"*{say('slack.rests_on', locale)}*\n{answers.sources(rests)}"))
    if link:
        blocks.append(context(mrkdwn.link(link, say("slack.where_asked", locale))))
    if waits:
        blocks.append(context(say("slack.expires", locale, when=mrkdwn.moment(action.expires_at))))
        blocks.append(buttons(_deciding(action, card.title, locale), f"card:{action.id}"))
        blocks.append(buttons(_looking(action, locale), f"more:{action.id}"))
    else:
        blocks.append(context(f"{mark} {mrkdwn.escaped(card.state)}".strip()))
    if action.owed:
        sign = button(say("slack.sign", locale), SIGN, value_of(action))
        blocks.append(buttons([sign], f"sign:{action.id}"))
    return message(f"{action.id}: {card.title} ({card.state})", blocks)


def line(row: Row) -> str:
    """One row as Slack's mark-up."""
    text = mrkdwn.escaped(limits.cut(row.bare or row.text, ROW))
    return f"{'⚠️ ' if row.warning else ''}*{mrkdwn.escaped(limits.cut(row.label, 100))}*  {text}"


def value_of(action: Action) -> str:
    """What a button carries: the action, and exactly which one the person saw."""
    return f"{action.id} {action.digest}"


def meant(value: str) -> tuple[str, str]:
    """The action and the digest that a button carried; empty for what no button of ours carries."""
    id_, _, digest = value.partition(" ")
    return (id_, digest) if id_.startswith("A-") and digest else ("", "")


def _fitting(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """The rows there is room for, in their order, and how many there is none for: what warns goes first."""
    room, kept = ROWS, set[int]()
    for place in sorted(range(len(rows)), key=lambda place: not rows[place].warning):
        size = len(line(rows[place])) + 1
        if size <= room:
            kept.add(place)
            room -= size
    return [row for place, row in enumerate(rows) if place in kept], len(rows) - len(kept)


def _sections(lines: Sequence[str]) -> list[Block]:
    """The lines in as few sections as hold them; none is cut."""
    texts: list[str] = []
    for one in lines:
        if texts and len(texts[-1]) + len(one) + 1 <= limits.SECTION:
            texts[-1] += f"\n{one}"
        else:
            texts.append(one)
    return [section(text) for text in texts]


def _deciding(action: Action, what: str, locale: str) -> list[Block]:
    """For those whose word counts."""
    value, need = value_of(action), action.requirement
    sure = (
        confirmation(
            say("slack.sure", locale),
            what,
            say("slack.approve", locale),
            say("slack.back", locale),
        )
        if need.confirm
        else None
    )
    why = button(say("slack.approve_why", locale), APPROVE_WHY, value)
    glass = button(say("slack.glass", locale), GLASS, value)
    return [
        button(say("slack.approve", locale), APPROVE, value, style="primary", confirm=sure),
        *([] if need.reason_required else [why]),
        button(say("slack.reject", locale), REJECT, value, style="danger"),
        *([glass] if need.break_glass else []),
    ]


def _looking(action: Action, locale: str) -> list[Block]:
    """For everybody else."""
    value = value_of(action)
    return [
        button(say("slack.details", locale), DETAILS, value),
        button(say("slack.edit", locale), EDIT, value),
        button(say("slack.withdraw", locale), WITHDRAW, value),
    ]
