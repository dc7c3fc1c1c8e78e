"""A kept turn on a screen: question, answer, calls, evidence, receipt; and the same as JSON."""

from agent.store.port import TurnRecord
from agent.surfaces.terminal.screen import paper, plain
from tools.contract import Json


def show(story: TurnRecord, asker: str) -> None:
    """Prints the whole story of a turn."""
    paper().print(f"{story.turn}  {asker}, {story.asked_at.strftime('%Y-%m-%d %H:%M UTC')}", style="bold")
    paper().print(f"> {plain(story.question)}\n")
    paper().print(plain(story.whole) or "(no answer yet)")
    for call in entries(story, "calls"):
        line = f"{call.get('tool')} {call.get('arguments')} → {call.get('result')}: {call.get('text')}"
        paper().print(f"  {plain(line)}", style="dim")
    for item in entries(story, "evidence"):
        paper().print(f"\n[{item.get('number')}] {plain(str(item.get('title')))}", style="cyan")
        paper().print(plain(str(item.get("query"))), style="dim")
        paper().print(plain(str(item.get("text"))))
        if item.get("link"):
            paper().print(plain(str(item.get("link"))), style="blue")
        if item.get("cut"):
            paper().print(plain(str(item.get("cut"))), style="yellow")
    receipt = (story.record or {}).get("receipt")
    if isinstance(receipt, dict):
        paper().print()
        for name, value in receipt.items():
            if told := _told(value):
                paper().print(f"  {name.replace('_', ' ')}: {plain(told)}", style="dim")


def _told(value: Json) -> str:
    """A value of a receipt as people write it; "" for what is not known or empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(filter(None, map(_told, value)))
    return "" if value is None else str(value)


def as_json(story: TurnRecord) -> dict[str, Json]:
    return {
        "turn": story.turn,
        "thread": story.thread,
        "speaker": story.speaker,
        "question": story.question,
        "answer": story.whole,
        "asked_at": story.asked_at.isoformat(),
        **dict(story.record or {}),
    }


def handle(story: TurnRecord, number: int) -> str | None:
    """The shelf's handle of the whole result behind evidence `number`."""
    for item in entries(story, "evidence"):
        if item.get("number") == number and item.get("handle"):
            return str(item["handle"])
    return None


def entries(story: TurnRecord, name: str) -> list[dict[str, Json]]:
    listed = (story.record or {}).get(name)
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
