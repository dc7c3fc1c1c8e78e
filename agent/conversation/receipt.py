"""The receipt of a turn: what it took, what was left out, and the id to look it up by."""

from dataclasses import dataclass

from agent.conversation.messages import Usage
from tools.contract import Json


@dataclass(frozen=True, slots=True)
class Receipt:
    """`cut` says in words what did not fit or was left out; `notes` what else a reader should know."""

    turn: str
    seconds: float
    tools: tuple[str, ...]
    model: str
    prompt: str
    steps: int
    usage: Usage = Usage()
    schema_tokens: int = 0
    exact_tokens: bool = True
    cut: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        return {
            "turn": self.turn,
            "seconds": round(self.seconds, 3),
            "tools": list(self.tools),
            "model": self.model,
            "prompt": self.prompt,
            "steps": self.steps,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "cost_usd": self.usage.cost,
            "schema_tokens": self.schema_tokens,
            "exact_tokens": self.exact_tokens,
            "cut": list(self.cut),
            "notes": list(self.notes),
        }
