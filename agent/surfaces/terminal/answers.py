"""An answer on a screen: the text, its sources, its receipt; and the same as JSON."""

from collections.abc import Sequence
from pathlib import Path

from agent.conversation.evidence import Evidence, as_json
from agent.conversation.receipt import Receipt
from agent.conversation.turn import Answer
from agent.surfaces.terminal import cards
from agent.surfaces.terminal.screen import paper, plain
from agent.words.catalogue import say
from tools.contract import Json

LONGEST = 400  # characters of what was left out; `sayso show` has all of it


def show(answer: Answer, files: Sequence[Path]) -> None:
    """Prints the answer; cards of proposed actions are printed by whoever knows them."""
    paper().print(plain(answer.text))
    cited = [item for item in answer.evidence if _cites(answer.text, item.number)]
    if cited:
        paper().print()
    for item in cited:
        paper().print(f" [{item.number}] {plain(source(item))}", style="dim")
    for file in files:
        paper().print(say("terminal.wrote_file", answer.locale, path=file), style="green")
    paper().print(receipt(answer.receipt, answer.locale), style="dim")


def source(item: Evidence) -> str:
    """Where a piece of evidence comes from, in one line."""
    finding = item.finding
    parts = [finding.source, finding.title, finding.link or ""]
    return " · ".join(part for part in parts if part)


def receipt(receipt: Receipt, locale: str) -> str:
    tools = ", ".join(receipt.tools) or say("terminal.no_tools", locale)
    text = say(
        "terminal.receipt",
        locale,
        seconds=f"{receipt.seconds:.1f}",
        tools=tools,
        model=receipt.model,
        id=receipt.turn,
    )
    spent = receipt.usage.input_tokens + receipt.usage.output_tokens
    parts = [
        text,
        f"{spent} tokens" if spent else "",
        f"${receipt.usage.cost:.4f}" if receipt.usage.cost else "",
    ]
    return "\n".join([" · ".join(part for part in parts if part), *left_out(receipt, locale), *receipt.notes])


def left_out(receipt: Receipt, locale: str) -> list[str]:
    """What the answer does not rest on, in a line."""
    if not receipt.cut:
        return []
    return [say("terminal.left_out", locale, what=plain(shortened("; ".join(receipt.cut))))]


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"


def document(answer: Answer, files: Sequence[Path]) -> dict[str, Json]:
    """The answer with its evidence and proposed actions, for `--json`."""
    return {
        "turn": answer.turn,
        "answer": answer.text,
        "language": answer.locale,
        "evidence": [as_json(item) for item in answer.evidence],
        "actions": [cards.as_json(action) for action in answer.actions],
        "files": [str(file) for file in files],
        "receipt": answer.receipt.as_json(),
    }


def _cites(text: str, number: int) -> bool:
    return any(str(number) in group.replace(" ", "").split(",") for group in _groups(text))


def _groups(text: str) -> list[str]:
    return [part.split("]", 1)[0] for part in text.split("[")[1:]]
