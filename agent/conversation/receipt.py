"""The receipt of a turn: what it took, what was left out, and the id to look it up by."""

from dataclasses import dataclass

from agent.conversation.messages import Usage
from tools.contract import Json


@dataclass(frozen=True, slots=True)
class Receipt:
    """`cut` says in words what did not fit or was left out; `notes` what else a reader should know.

    Tokens are those the model counted, where it does; `prompt` names the prompt with its version and hash.
    """

    turn: str
    seconds: float
    tools: tuple[str, ...]
    model: str
    prompt: str
    steps: int
    usage: Usage = Usage()
    offer_tokens: int = 0  # what describing the tools takes, of every model call
    shown: int = 0  # tools that were described to the model in the end
    allowed: int = 0  # tools that the asker may use
    exact_tokens: bool = True  # False where an estimate stood in for counting
    refused: int = 0  # calls that were refused: not offered, repeated, or wrong
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
            "offer_tokens": self.offer_tokens,
            "tools_shown": self.shown,
            "tools_allowed": self.allowed,
            "exact_tokens": self.exact_tokens,
            "refused_calls": self.refused,
            "cut": list(self.cut),
            "notes": list(self.notes),
        }
