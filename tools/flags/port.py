"""What the flag tools need: somewhere flags have a value in each environment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag in one environment; `rules` are what else decides who gets it, in words."""

    name: str
    environment: str
    value: str
    values: Sequence[str]  # that it can have
    rules: Sequence[str] = ()
    description: str = ""
    link: str = ""
    archived: bool = False


class FlagStore(Protocol):
    """Somewhere flags are. Raises `ToolUnavailable` (`Unheard` where a write may have been done) and `ToolFailed`."""

    @property
    def name(self) -> str: ...

    async def get(self, flag: str, environment: str) -> Flag | None:
        """`None` where the store does not have the flag, or not in this environment."""
        ...

    async def set(self, flag: str, environment: str, value: str) -> None:
        """Sets one of the flag's values; nothing else of it changes."""
        ...
