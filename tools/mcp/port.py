"""The port to one MCP server: what it offers, what it answers, and how that fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tools.contract import Json, Progress, ToolFailed, ToolUnavailable, digest


class NoAnswer(ToolUnavailable):
    """The call may have been carried out; nobody heard the answer."""


class Changed(ToolUnavailable):
    """The server offers the tool otherwise than it was pinned, so it was not called."""


class Unreadable(ToolFailed):
    """The server answered, and the answer is none: it does not fit what the server itself announced."""


class TooMuch(Unreadable):
    """The server answered more than anybody is willing to read."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One tool as a server offers it. `hints` are its annotations: a server may write anything there."""

    name: str
    description: str
    input: Mapping[str, Json]
    output: Mapping[str, Json] | None = None
    hints: Mapping[str, Json] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of name, description and schemas: what an approval stands for."""
        said: dict[str, Json] = {"name": self.name, "description": self.description, "input": self.input}
        return digest(said if self.output is None else {**said, "output": self.output})


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of an answer. `kind`: text, image, audio, link or resource; `content`: base64 of what is no text."""

    kind: str
    text: str = ""
    media_type: str = ""
    content: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call came back with; `failed` is the server's own word that it did not work."""

    blocks: tuple[Block, ...] = ()
    structured: Json = None
    failed: bool = False


class Connection(Protocol):
    """One server. It is connected when it is first asked, and again after it went away."""

    @property
    def place(self) -> str:
        """Where it is, for people: the command or the address."""
        ...

    async def offered(self) -> Sequence[Offered]:
        """All its tools as they are now. Raises `ToolUnavailable`."""
        ...

    async def call(
        self, pinned: Offered, arguments: Mapping[str, Json], *, once: bool, progress: Progress | None = None
    ) -> Answered:
        """Calls a tool that is still as it was pinned; `once` forbids a second try after the server went away.

        Raises `Changed`, `ToolUnavailable` when nothing was sent, `NoAnswer` when something was and no answer came,
        `TooMuch`, and `ToolFailed` with what the server says against the call.
        """
        ...

    async def close(self) -> None:
        """Lets go of the server; the next call connects again."""
        ...


def differences(pinned: Offered, now: Offered | None) -> tuple[str, ...]:
    """What of a tool is not as it was pinned: its description, its arguments, its results, or all of it."""
    if now is None:
        return ("it is not offered any more",)
    parts = (
        ("its description changed", pinned.description != now.description),
        ("its arguments changed", digest({"": pinned.input}) != digest({"": now.input})),
        ("its results changed", digest({"": pinned.output}) != digest({"": now.output})),
    )
    return tuple(said for said, differs in parts if differs)
