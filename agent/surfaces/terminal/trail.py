"""The audit trail on a screen, a line a fact."""

from collections.abc import Callable, Sequence

from agent.audit.event import Event
from agent.surfaces.terminal.screen import paper, plain
from tools.contract import Json

SHOWN = ("title", "verdict", "reason", "state", "rule", "detail", "why", "by", "tool")


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


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:119] + "…"
