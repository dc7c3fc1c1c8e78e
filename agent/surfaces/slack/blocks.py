"""Block Kit as values: each within Slack's limits, whatever it is given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.surfaces.slack import limits, mrkdwn
from tools.contract import Json

Block = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: blocks, and the text for notifications and for screens that show no blocks."""

    text: str
    blocks: tuple[Block, ...] = ()


def message(text: str, blocks: Iterable[Block]) -> Message:
    """One message; blocks beyond what Slack takes are left out, and it says so."""
    taken: list[Block] = []
    room = limits.ALL
    every = list(blocks)
    for block in every:
        size = _size(block)
        if (len(taken) == limits.BLOCKS - 1 and len(every) > limits.BLOCKS) or size > room:
            taken.append(context("…"))
            break
        taken.append(block)
        room -= size
    return Message(limits.cut(text, limits.TEXT), tuple(taken))


def section(text: str) -> Block:
    """Text in Slack's mark-up."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": limits.cut(text, limits.SECTION)}}


def paragraphs(text: str) -> list[Block]:
    """Text in Slack's mark-up, in as many sections as it takes."""
    return [section(part) for part in mrkdwn.pieces(text, limits.PARAGRAPHS)]


def header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, limits.HEADER)}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": limits.cut(text, limits.CONTEXT)}]}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action: str, value: str, *, style: str = "", confirm: Block | None = None) -> Block:
    """A button; `action` is what the listener knows it by, `value` what it is about."""
    made: Block = {
        "type": "button",
        "text": _plain(label, limits.BUTTON),
        "action_id": action[: limits.ACTION_ID],
        "value": value[: limits.VALUE],
    }
    if style:
        made["style"] = style
    if confirm is not None:
        made["confirm"] = confirm
    return made


def buttons(made: Sequence[Block], name: str) -> Block:
    return {"type": "actions", "block_id": name[:255], "elements": list(made[:25])}


def confirmation(title: str, text: str, yes: str, no: str) -> Block:
    """A second question before a button does anything."""
    return {
        "title": _plain(title, 100),
        "text": {"type": "plain_text", "text": limits.cut(text, 300)},
        "confirm": _plain(yes, 30),
        "deny": _plain(no, 30),
    }


def asked(name: str, label: str, *, many_lines: bool = False, optional: bool = False) -> Block:
    """A field of a modal."""
    return {
        "type": "input",
        "block_id": name,
        "optional": optional,
        "label": _plain(label, 2000),
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "multiline": many_lines,
            "max_length": limits.INPUT,
        },
    }


def modal(
    name: str, title: str, blocks: Iterable[Block], *, submit: str = "", close: str, about: str
) -> Block:
    """A modal; `about` comes back with it."""
    view: Block = {
        "type": "modal",
        "callback_id": name,
        "title": _plain(title, limits.TITLE),
        "close": _plain(close, limits.TITLE),
        "private_metadata": about[: limits.METADATA],
        "blocks": list(blocks)[: limits.VIEW_BLOCKS],
    }
    if submit:
        view["submit"] = _plain(submit, limits.TITLE)
    return view


def home(blocks: Iterable[Block]) -> Block:
    return {"type": "home", "blocks": list(blocks)[: limits.VIEW_BLOCKS]}


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": limits.cut(text, most), "emoji": False}


def _size(block: Json) -> int:
    """Characters of all texts in a block."""
    if isinstance(block, str):
        return 0
    if isinstance(block, dict):
        text = block.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(_size(value) for value in block.values())
    if isinstance(block, Sequence):
        return sum(_size(value) for value in block)
    return 0
