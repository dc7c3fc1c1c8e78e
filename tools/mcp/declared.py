"""An MCP server and those of its tools that may be used, as an operator declares them in `sayso.yaml`.

Errors::

    ServerRefused     the operator: a declaration or a pin is wrong; the message names server, key and what is right
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tools.contract import Effect, Json
from tools.declared import Declared, Expression, Name, SpokenExample, taken

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
RESERVED = "undo"
ServerName = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,31}$")]
ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,128}$")]


class ServerRefused(Exception):
    """A server or a tool of it cannot be offered; the message says what is wrong."""


class Limit(Declared):
    """What one argument may be, beyond what the server's schema says. `fixed` is sent always and shown to nobody."""

    choices: Annotated[tuple[Json, ...], Field(min_length=1)] | None = None
    pattern: str | None = None
    fixed: Json = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = self.model_fields_set & {"choices", "pattern", "fixed"}
        if len(given) != 1:
            raise ValueError("should have one of choices, pattern, fixed")
        return self

    @field_validator("pattern")
    @classmethod
    def _is_anchored(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        if not (pattern.startswith("^") and pattern.endswith("$")):
            raise ValueError(f"{pattern!r} should be anchored: begin with ^ and end with $")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return pattern

    @property
    def is_fixed(self) -> bool:
        return "fixed" in self.model_fields_set


class Step(Declared):
    """A call of another listed tool of the server, by its name here, within its limits.

    `{argument}` in a text stands for that argument of the write.

    `project` (JMESPath over `text` and `value`) picks what is shown. `holds` (JMESPath over `text`, `value`, `failed`
    and `arguments`) is a condition; only a `verify` has one.
    """

    tool: ToolName
    arguments: Mapping[str, Json] = Field(default_factory=dict)
    project: Expression = None
    holds: Expression = None


class ListedTool(Declared):
    """One tool that may be used. What is not said to be a read is a write."""

    tool: ToolName
    name: Name | None = None
    effect: Effect = Effect.WRITE
    description: Annotated[str, Field(min_length=10)] | None = None
    arguments: Mapping[str, Limit] = Field(default_factory=dict)
    examples: tuple[SpokenExample | str, ...] = ()
    plan: Step | None = None
    verify: Step | None = None
    undo: Step | None = None
    settled_by: Literal["person", "result"] = "person"
    tells_errors: bool = False  # its answers are about errors: none is taken for trouble of the server's own

    @property
    def known_as(self) -> str:
        """What it is called here."""
        return self.name or self.tool

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.effect is Effect.READ and (self.plan or self.verify or self.undo):
            raise ValueError(f"{self.tool}: a read has no plan, verify or undo")
        if (self.verify is not None) != (self.verify is not None and self.verify.holds is not None):
            raise ValueError(f"{self.tool}: verify: needs `holds`, a condition on its answer")
        if any(step is not None and step.holds is not None for step in (self.plan, self.undo)):
            raise ValueError(f"{self.tool}: `holds` belongs to verify alone")
        if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", self.known_as) is None:
            raise ValueError(f"{self.tool}: needs a `name` of letters, digits, _ and - here")
        return self


class Server(Declared):
    """One server: a program that speaks over its input and output, or an address."""

    name: ServerName
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    url: str | None = None
    environment: Mapping[str, str] = Field(default_factory=dict)
    environment_files: Mapping[str, Path] = Field(default_factory=dict)
    cwd: Path | None = None
    authorization_file: Path | None = None
    timeout: float = Field(default=30.0, gt=0, le=600)  # seconds of one call
    start_timeout: float = Field(default=30.0, gt=0, le=300)  # seconds until it is connected
    answer_limit: int = Field(default=4 * 1024 * 1024, ge=1_024, le=64 * 1024 * 1024)  # bytes of one message
    tools: tuple[ListedTool, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("should have either `command`, a list, or `url`")
        if self.url is not None:
            self._check_address(self.url)
        elif self.authorization_file is not None:
            raise ValueError(
                "authorization_file: goes with url; give a program its secrets as environment_files"
            )
        names = [each.known_as for each in self.tools]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tools: {doubled[0]!r} is listed twice; give each a `name` of its own")
        for each in self.tools:
            self._check_steps(each)
        return self

    def _check_address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"url = {url!r} should be an address such as https://mcp.example.com/mcp")
        if parts.username or parts.password or parts.fragment:
            raise ValueError(f"url = {url!r} should have no user and no fragment; use authorization_file")
        if self.environment or self.environment_files or self.cwd:
            raise ValueError("environment, environment_files and cwd go with command")

    def _check_steps(self, each: ListedTool) -> None:
        """A step calls what is listed: a read to look, a write to go back."""
        effects = {listed.known_as: listed.effect for listed in self.tools}
        for key, step, wanted in (
            ("plan", each.plan, Effect.READ),
            ("verify", each.verify, Effect.READ),
            ("undo", each.undo, Effect.WRITE),
        ):
            if step is not None and effects.get(step.tool) is not wanted:
                raise ValueError(
                    f"tools: {each.tool}: {key}: {step.tool!r} should be listed with `effect: {wanted.value}`"
                )

    def known(self, name: str) -> ListedTool:
        """The tool that is known by that name here. Only for those that are listed."""
        return next(each for each in self.tools if each.known_as == name)


def declared(settings: Sequence[Mapping[str, object]]) -> tuple[Server, ...]:
    """The servers of `tools.mcp`. Raises `ServerRefused` naming everything that is wrong."""
    servers, problems = taken(Server, settings)
    names = [server.name for server in servers]
    problems += [
        f"{name!r}: there are two of this name" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if problems:
        raise ServerRefused("\n".join(problems))
    return tuple(servers)
