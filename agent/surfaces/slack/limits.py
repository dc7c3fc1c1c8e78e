"""Slack's limits, in one place. Source: https://docs.slack.dev/reference/block-kit/blocks and its methods' pages."""

BLOCKS = 50  # of a message
VIEW_BLOCKS = 100  # of a modal or a home tab
SECTION = 3000  # characters of a section's text
PARAGRAPHS = 2900  # of it that we use
HEADER = 150
CONTEXT = 2000  # characters of a context element's text, as of a section's field
BUTTON = 75
VALUE = 2000  # of a button
ACTION_ID = 255
TITLE = 24  # of a modal
INPUT = 3000
OPTIONS = 100  # of a select; their texts and values:
OPTION, OPTION_VALUE = 75, 150
LABEL, HINT = 2000, 2000
METADATA = 3000
TEXT = 40_000  # of a message, beside its blocks
ALL = 12_000  # characters over all blocks of a message: beyond 13,200 it is refused, which no page says
ELLIPSIS = "…"


def cut(text: str, most: int) -> str:
    """The text, or as much of it as fits, ended by an ellipsis; never empty, which Slack refuses too."""
    text = text if text.strip() else "-"
    return text if len(text) <= most else text[: most - 1].rstrip() + ELLIPSIS


def pieces(text: str, most: int) -> list[str]:
    """The text in parts that fit: split between paragraphs, else between lines, else between words, else anywhere."""
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > most:
        head = rest[:most]
        at = max(head.rfind("\n\n"), 0) or max(head.rfind("\n"), 0) or max(head.rfind(" "), 0) or most
        parts.append(rest[:at].rstrip() or rest[:most])
        rest = rest[at:].lstrip() if rest[:at].strip() else rest[most:]
    return [*parts, rest] if rest else parts or ["-"]


def lines(text: str, most: int) -> list[str]:
    """The text in parts that fit, split between lines; a line that is too long by itself is broken."""
    parts: list[str] = []
    for line in text.split("\n"):
        broken = [line[at : at + most] for at in range(0, len(line), most)] or [""]
        if parts and len(parts[-1]) + 1 + len(broken[0]) <= most:
            parts[-1] += f"\n{broken.pop(0)}"
        parts += broken
    return [part for part in parts if part.strip()] or ["-"]
