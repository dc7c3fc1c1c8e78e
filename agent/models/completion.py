"""Chat completions as endpoints send them: what a reply needs of them, checked; the rest is theirs to add to.

Servers differ: some leave out ids, indexes or usage, some give arguments as an object. What can be read as a reply is.
"""

import json
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _as_text(value: object) -> object:
    """Arguments given as an object, as the JSON text they should have been."""
    return json.dumps(value) if isinstance(value, dict | list) else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Function(_Part):
    name: str | None = None
    arguments: Annotated[str | None, BeforeValidator(_as_text)] = None


class _Call(_Part):
    index: int | None = None
    id: str | None = None
    function: _Function


class _Words(_Part):
    """A whole message, or what one chunk of a stream adds to it."""

    content: str | None = None
    tool_calls: tuple[_Call, ...] | None = None


class _Choice(_Part):
    message: _Words | None = None
    delta: _Words | None = None
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Completion(_Part):
    """A whole answer, or one chunk of a stream."""

    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    model: str | None = None


@dataclass(slots=True)
class Pieces:
    """A reply being put together: a call may come in several pieces, which its index holds together."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    usage: tuple[int, int] = (0, 0)
    model: str = ""
    ended: str | None = None

    def add(self, completion: Completion) -> str:
        """Takes a chunk in, or a whole answer, and returns the text it brought."""
        self.model = completion.model or self.model
        if completion.usage is not None:
            self.usage = (completion.usage.prompt_tokens, completion.usage.completion_tokens)
        if not completion.choices:
            return ""
        choice = completion.choices[0]
        self.ended = choice.finish_reason or self.ended
        words = choice.delta or choice.message or _Words()
        for place, call in enumerate(words.tool_calls or ()):
            index = place if call.index is None else call.index
            id_, name, arguments = self.calls.get(index, ("", "", ""))
            self.calls[index] = (
                id_ or call.id or "",
                name + (call.function.name or ""),
                arguments + (call.function.arguments or ""),
            )
        self.text.append(words.content or "")
        return words.content or ""
