"""The whitelist: the tools that exist for the agent. What is not in here is refused.

Errors::

    NotRegistered     whoever starts it: two tools of one name, a bad name, or an effect its methods do not match
    BadArguments      the caller: there is no such tool (names the nearest)
"""

import re
from collections.abc import Iterable, Iterator

from tools.contract import BadArguments, Effect, ReadTool, Spec, Tool, WriteTool
from tools.vocabulary import nearest

# What the providers of language models accept as the name of a function.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
FIND_TOOLS = "find_tools"  # what a model calls to be shown more of them; no tool may be named so


class NotRegistered(Exception):
    """A tool cannot be on the whitelist; the message says why."""


class Registry:
    """The tools by name, in the order they were given. It never changes after it was built.

    `off` names tools that could be enabled and are not; they are refused like unknown ones, in other words.
    """

    def __init__(self, tools: Iterable[Tool], off: Iterable[str] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            name = tool.spec.name
            if not _NAME.fullmatch(name):
                raise NotRegistered(
                    f"{name!r} is no name for a tool: letters, digits, _ and - only, up to 64"
                )
            if name == FIND_TOOLS:
                raise NotRegistered(f"{name!r} is a name of sayso's own; name the tool otherwise")
            if name in self._tools:
                raise NotRegistered(f"there are two tools named {name!r}; rename or remove one")
            if (tool.spec.effect is Effect.WRITE) != isinstance(tool, WriteTool):
                raise NotRegistered(
                    f"{name!r} declares the effect {tool.spec.effect.value!r} and is made otherwise"
                )
            self._tools[name] = tool
        self.off = tuple(name for name in off if name not in self._tools)

    def get(self, name: str) -> Tool:
        """The tool of this name. Raises `BadArguments` naming the nearest."""
        if name not in self._tools:
            near = nearest(name, self._tools)
            raise BadArguments(self.why_not(name), field="tool", value=name, nearest=near)
        return self._tools[name]

    def why_not(self, name: str) -> str:
        """Why a name stands for no tool here: not enabled, or none at all, with the nearest."""
        if name in self.off:
            return f"{name!r} is a tool, but it is not enabled; `tools.enabled` in the settings enables it"
        near = [
            f"{one} (not enabled)" if one in self.off else one
            for one in nearest(name, [*self._tools, *self.off])
        ]
        return f"there is no tool {name!r}; nearest: {', '.join(near) or 'none is enabled'}"

    def read(self, name: str) -> ReadTool:
        """The read of this name. Raises `BadArguments` for a write, which only an approved action reaches."""
        tool = self.get(name)
        if isinstance(tool, WriteTool):
            raise BadArguments(
                f"{name!r} changes things and cannot be run as a read", field="tool", value=name
            )
        return tool

    def write(self, name: str) -> WriteTool:
        """The write of this name. Raises `BadArguments` for a read."""
        tool = self.get(name)
        if not isinstance(tool, WriteTool):
            raise BadArguments(
                f"{name!r} changes nothing, so there is nothing to approve", field="tool", value=name
            )
        return tool

    def specs(self, effect: Effect | None = None) -> tuple[Spec, ...]:
        """What the tools declare about themselves: all of them, or those of one effect."""
        return tuple(tool.spec for tool in self if effect in {None, tool.spec.effect})

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __len__(self) -> int:
        return len(self._tools)
