"""The audit trail on a screen: a line a fact, or the story of one action or turn."""

from collections.abc import Callable, Sequence
from datetime import tzinfo

from agent.audit.event import Event
from agent.audit.story import Paragraph
from agent.surfaces.terminal.screen import paper, plain
from tools.contract import Json

SHOWN = ("title", "verdict", "reason", "state", "rule", "detail", "why", "by", "tool", "question", "rows")
INDENT = 21  # columns that a time takes


def show(events: Sequence[Event], name: Callable[[str], str]) -> None:
    """Prints when, who, what, about what, and the fields that tell the story."""
    for event in events:
        fact = event.fact
        details = "; ".join(f"{key}: {plain(_short(fact.data[key]))}" for key in SHOWN if fact.data.get(key))
        at = fact.at.strftime("%Y-%m-%d %H:%M:%S")
        paper().print(
            f"{event.seq:>4}  {at}  {fact.subject:6} {fact.kind.value:17} {name(fact.actor):18} {details}",
            highlight=True,
        )


def tell(story: Sequence[Paragraph], zone: tzinfo) -> None:
    """Prints a story, each moment with its time."""
    for paragraph in story:
        at = paragraph.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if paragraph.at else ""
        for place, text in enumerate((paragraph.said, *paragraph.more)):
            paper().print(f"{at if place == 0 else '':{INDENT}}{plain(text)}", highlight=True, soft_wrap=True)


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:119] + "…"
