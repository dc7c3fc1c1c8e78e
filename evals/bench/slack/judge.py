"""What Slack refuses, as its pages say, and as people found out: the judge of everything that is shown.

Sources: https://docs.slack.dev/reference/block-kit/ and the pages of chat.postMessage and views.open. That about 13,200
characters over all blocks are too many is written nowhere. Nothing here is taken from the product.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Part = Mapping[str, Any]
ALL = 13_200  # characters over all blocks of a message


class Refused(Exception):
    """Slack would not take it; says what and why."""


def message(blocks: Sequence[Part], text: str = "-") -> str | None:
    """Why Slack would refuse this message; None where it would take it."""
    if len(blocks) > 50:
        return "invalid_blocks: too many"
    if not blocks and not text.strip():
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    if why := _judged(blocks):
        return why
    return "msg_blocks_too_long" if sum(map(len, _texts(blocks))) > ALL else None


def view(shown: Part) -> str | None:
    """Why Slack would refuse this modal or home tab; None where it would take it."""
    blocks = shown["blocks"]
    if not 1 <= len(blocks) <= 100:
        return f"invalid_arguments: {len(blocks)} blocks"
    try:
        if shown["type"] == "modal":
            _modal(shown)
    except Refused as why:
        return f"invalid_arguments: {why}"
    return _judged(blocks)


def prompts(listed: Sequence[Part], title: str) -> str | None:
    """Why Slack would refuse these suggested prompts; None where it would take them."""
    if not 1 <= len(listed) <= 4 or not title.strip():
        return "invalid_arguments"
    whole = all(one["title"].strip() and one["message"].strip() for one in listed)
    return None if whole else "invalid_arguments"


def _judged(blocks: Sequence[Part]) -> str | None:
    names = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(names)) < len(names):
        return "invalid_blocks: two blocks have one block_id"
    for block in blocks:
        try:
            _length("block_id", block.get("block_id", "-"), 255)
            BLOCKS.get(block.get("type", ""), _unknown)(block)
        except Refused as why:
            return f"invalid_blocks: {why}"
    return None


def _length(what: str, text: object, most: int, least: int = 1) -> None:
    if not isinstance(text, str) or not least <= len(text) <= most or (least and not text.strip()):
        raise Refused(f"{what} of {len(str(text))} characters")


def _text(what: str, part: Part, most: int, *, plain: bool = False) -> None:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if part.get("type") not in kinds:
        raise Refused(f"{what} is {part.get('type')}")
    _length(what, part.get("text"), most)


def _section(block: Part) -> None:
    if "text" not in block and not block.get("fields"):
        raise Refused("a section without text")
    if "text" in block:
        _text("section", block["text"], 3000)
    if len(block.get("fields", ())) > 10:
        raise Refused("more than ten fields")
    for field in block.get("fields", ()):
        _text("field", field, 2000)


def _context(block: Part) -> None:
    if not 1 <= len(block["elements"]) <= 10:
        raise Refused("context elements")
    for element in block["elements"]:
        _text("context", element, 2000)


def _actions(block: Part) -> None:
    elements = block["elements"]
    if not 1 <= len(elements) <= 25:
        raise Refused(f"{len(elements)} elements")
    if len({one["action_id"] for one in elements}) < len(elements):
        raise Refused("two elements have one action_id")
    for one in elements:
        _button(one)


def _button(button: Part) -> None:
    _text("button", button["text"], 75, plain=True)
    _length("action_id", button["action_id"], 255)
    _length("value", button["value"], 2000, 0)
    if button.get("style", "primary") not in ("primary", "danger"):
        raise Refused("style")
    if confirm := button.get("confirm"):
        _text("confirm title", confirm["title"], 100, plain=True)
        _text("confirm text", confirm["text"], 300)
        for key in ("confirm", "deny"):
            _text(key, confirm[key], 30, plain=True)


def _input(block: Part) -> None:
    _text("label", block["label"], 2000, plain=True)
    if "hint" in block:
        _text("hint", block["hint"], 2000, plain=True)
    element = block["element"]
    _length("action_id", element["action_id"], 255)
    match element["type"]:
        case "plain_text_input":
            most = element.get("max_length", 3000)
            if not 1 <= most <= 3000:
                raise Refused("max_length")
            _length("initial_value", element.get("initial_value", "-"), most)
        case "number_input":
            _number(element)
        case "static_select":
            _select(element)
        case other:
            raise Refused(f"an input of type {other}")


def _number(element: Part) -> None:
    if "initial_value" in element:
        try:
            value = float(element["initial_value"])
        except ValueError:
            raise Refused("initial_value is no number") from None
        if not element["is_decimal_allowed"] and value != int(value):
            raise Refused("initial_value is not whole")


def _select(element: Part) -> None:
    options = element["options"]
    if not 1 <= len(options) <= 100:
        raise Refused(f"{len(options)} options")
    for option in options:
        _text("option", option["text"], 75, plain=True)
        _length("option value", option["value"], 150)
    if len({option["value"] for option in options}) < len(options):
        raise Refused("two options have one value")
    if "initial_option" in element and element["initial_option"] not in options:
        raise Refused("initial_option is none of the options")


def _unknown(block: Part) -> None:
    raise Refused(f"a block of type {block.get('type')}")


def _modal(shown: Part) -> None:
    for key in ("title", "submit", "close"):
        if key == "title" or key in shown:
            _text(key, shown[key], 24, plain=True)
    _length("private_metadata", shown.get("private_metadata", ""), 3000, 0)
    _length("callback_id", shown["callback_id"], 255)
    if "submit" not in shown and any(block["type"] == "input" for block in shown["blocks"]):
        raise Refused("a field, and nothing to send it with")


def _texts(part: object) -> Iterator[str]:
    """Every text that is shown in a block."""
    if isinstance(part, Mapping):
        if isinstance(text := part.get("text"), str):
            yield text
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for one in part:
            yield from _texts(one)


BLOCKS: Mapping[str, Callable[[Part], None]] = {
    "section": _section,
    "header": lambda block: _text("header", block["text"], 150, plain=True),
    "context": _context,
    "actions": _actions,
    "divider": lambda _block: None,
    "input": _input,
}
