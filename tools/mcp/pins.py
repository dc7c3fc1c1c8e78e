"""The tools that an operator looked at and approved: what they said then, by hash, in a file of the home folder.

Start-up reads this file and connects to nobody. A tool that says something else later is not called.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tools.contract import Json
from tools.mcp.arguments import model
from tools.mcp.declared import ListedTool, Server, ServerRefused
from tools.mcp.port import Offered, differences
from tools.mcp.schema import plain
from tools.mcp.wording import cleaned

FILE = "mcp.lock.json"
_LONGEST = 20_000  # characters of a description that anybody can be asked to have read
_MOST = 1_000  # of such problems in one line


class _Pin(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hash: str
    description: str
    input: dict[str, JsonValue]
    output: dict[str, JsonValue] | None = None
    hints: dict[str, JsonValue] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = 1
    servers: dict[str, dict[str, _Pin]] = {}


@dataclass(frozen=True, slots=True)
class Pins:
    """What is pinned, by server and tool. It never changes; `with_` makes another."""

    servers: Mapping[str, Mapping[str, Offered]]

    def of(self, server: str) -> Mapping[str, Offered]:
        return self.servers.get(server, {})

    def with_(self, server: str, tools: Mapping[str, Offered]) -> "Pins":
        """The same with just these tools of a server."""
        return Pins({**self.servers, server: dict(tools)})


def load(file: Path) -> Pins:
    """The pins of a file, none where there is no file. Raises `ServerRefused` for a file that was tampered with."""
    if not file.is_file():
        return Pins({})
    try:
        read = _File.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise ServerRefused(f"{file}: cannot be read as pins: {str(error)[:_MOST]}") from error
    servers: dict[str, dict[str, Offered]] = {}
    for server, pins in read.servers.items():
        servers[server] = {}
        for name, pin in pins.items():
            tool = Offered(name, pin.description, pin.input, pin.output, pin.hints)
            if tool.hash != pin.hash:
                raise ServerRefused(
                    f"{file}: {server}: {name}: what is pinned does not fit its hash; pin it again: "
                    f"`sayso mcp pin {server} {name}`"
                )
            servers[server][name] = tool
    return Pins(servers)


def save(file: Path, pins: Pins) -> None:
    """Writes the pins in one move, readable by the owner alone; a home folder that is not there yet is made."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    said: dict[str, Json] = {
        "version": 1,
        "servers": {
            server: {name: _written(tool) for name, tool in tools.items()}
            for server, tools in pins.servers.items()
        },
    }
    draft = file.with_name(f"{file.name}.new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(said, indent=1, sort_keys=True, ensure_ascii=True) + "\n", encoding="utf-8")
    draft.replace(file)


def _written(tool: Offered) -> dict[str, Json]:
    said: dict[str, Json] = {
        "hash": tool.hash,
        "description": tool.description,
        "input": tool.input,
        "hints": tool.hints,
    }
    return said if tool.output is None else {**said, "output": tool.output}


def refused(tool: Offered, listed: ListedTool) -> str | None:
    """Why this tool cannot be pinned; None where it can."""
    if len(tool.description) > _LONGEST:
        return (
            f"its description has {len(tool.description):,} characters; nobody can be asked to have read that"
        )
    if cleaned(tool.name).hidden:
        return "its name holds hidden characters"
    try:
        model(listed.known_as, plain(tool.input), listed.arguments, undo=listed.undo is not None)
    except ServerRefused as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one listed tool stands: as pinned (`what` is empty), changed, or not pinned at all."""

    listed: ListedTool
    pinned: Offered | None
    now: Offered | None

    @property
    def what(self) -> tuple[str, ...]:
        if self.pinned is None:
            return ("it is not offered",) if self.now is None else ("it is not pinned",)
        return differences(self.pinned, self.now)


def standing(server: Server, pins: Pins, now: Sequence[Offered]) -> tuple[Standing, ...]:
    """How every listed tool of a server stands against what it offers now."""
    offered = {tool.name: tool for tool in now}
    pinned = pins.of(server.name)
    return tuple(Standing(each, pinned.get(each.tool), offered.get(each.tool)) for each in server.tools)
