"""Evidence: what tools and searches returned, numbered, so that an answer can point at it."""

from dataclasses import dataclass

from tools.contract import Finding


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finding with the number an answer cites it by (`[3]`), unique within its turn.

    `handle` finds the whole raw result on disk; `tool` and `call` say which call brought it.
    """

    number: int
    finding: Finding
    tool: str
    call: str
    handle: str | None = None
