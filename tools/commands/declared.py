"""A command as an operator declares it in `sayso.yaml`, checked before anything is made of it.

Errors::

    CommandRefused    the operator: a declaration is wrong; the message names command, key, value and what is right
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self
from unicodedata import category

from pydantic import Field, ValidationError, model_validator

from tools.contract import Effect
from tools.declared import Declared, Name, SpokenExample, name_of, wrong

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
RESERVED = frozenset({"undo"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ArgumentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ArgumentList = Annotated[tuple[str, ...], Field(min_length=1)]


class CommandRefused(Exception):
    """A declared command cannot be offered; the message says what is wrong with it."""


class _Argument(Declared):
    description: str = ""


class StringArgument(_Argument):
    """Text that fits an anchored pattern as a whole. A value that begins with `-` fits only if the pattern does."""

    type: Literal["string"]
    pattern: str
    default: str | None = None

    @property
    def allows_dash(self) -> bool:
        return self.pattern.startswith(("^-", r"^\-"))

    @model_validator(mode="after")
    def _is_anchored(self) -> Self:
        if not (self.pattern.startswith("^") and self.pattern.endswith("$")):
            raise ValueError(f"pattern = {self.pattern!r} should be anchored: begin with ^ and end with $")
        try:
            compiled = re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern = {self.pattern!r} is not a regular expression: {error}") from error
        if self.default is not None and not compiled.fullmatch(self.default):
            raise ValueError(f"default = {self.default!r} does not fit the pattern {self.pattern!r}")
        return self


class ChoiceArgument(_Argument):
    """One of the listed words; aliases are other words for them."""

    type: Literal["choice"]
    choices: Annotated[tuple[str, ...], Field(min_length=1)]
    aliases: Mapping[str, str] = Field(default_factory=dict)
    default: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        strays = {*self.aliases.values(), *([self.default] if self.default else [])} - set(self.choices)
        if strays:
            raise ValueError(f"{sorted(strays)!r} should be among the choices {list(self.choices)!r}")
        return self


class IntegerArgument(_Argument):
    """A whole number between two others."""

    type: Literal["integer"]
    minimum: int
    maximum: int
    default: int | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum = {self.minimum} is more than maximum = {self.maximum}")
        if self.default is not None and not self.minimum <= self.default <= self.maximum:
            raise ValueError(f"default = {self.default} should be between {self.minimum} and {self.maximum}")
        return self


class DurationArgument(_Argument):
    """A length of time, handed over as it is said: 30s, 15m, 2h, 7d."""

    type: Literal["duration"]
    default: Annotated[str, Field(pattern=r"^\d{1,6}[smhdw]$")] | None = None


class NamedArgument(_Argument):
    """A service or an environment that sayso knows; an environment is the first one when nobody names any."""

    type: Literal["service", "environment"]


Argument = Annotated[
    StringArgument | ChoiceArgument | IntegerArgument | DurationArgument | NamedArgument,
    Field(discriminator="type"),
]


class Command(Declared):
    """One declared operation. A placeholder `{argument}` stands for its value inside one element of a list."""

    name: Name
    description: str = Field(min_length=10)
    effect: Effect = Effect.WRITE
    arguments: Mapping[ArgumentName, Argument] = Field(default_factory=dict)
    run: ArgumentList
    plan: ArgumentList | None = None
    verify: ArgumentList | None = None
    undo: ArgumentList | None = None
    host: str | None = None  # a name of `tools.ssh.hosts`, or a placeholder whose choices are such names
    cwd: Path | None = None
    environment: Mapping[str, str] = Field(default_factory=dict)
    timeout: float = Field(default=60.0, gt=0, le=3_600)  # seconds
    output_limit: int = Field(default=1024 * 1024, ge=1_024, le=8 * 1024 * 1024)  # bytes
    examples: tuple[SpokenExample | str, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        lists = {"run": self.run, "plan": self.plan, "verify": self.verify, "undo": self.undo}
        for key, arguments in lists.items():
            if arguments is not None:
                self._check_list(key, arguments)
        if self.effect is Effect.READ and (self.plan or self.verify or self.undo):
            raise ValueError(
                "a command with the effect 'read' has only run: there is nothing to plan or undo"
            )
        if clash := RESERVED & set(self.arguments):
            raise ValueError(f"arguments: {sorted(clash)!r} is a name of our own; choose another")
        if self.host is not None:
            self._check_remote([each for arguments in lists.values() for each in arguments or ()])
        return self

    @property
    def machine(self) -> str | None:
        """The argument that says on which host it runs, if one does."""
        found = PLACEHOLDER.fullmatch(self.host or "")
        return found[1] if found else None

    def hosts(self) -> tuple[str, ...]:
        """Every host that it may run on; none where it runs here."""
        chosen = self.arguments.get(self.machine or "")
        if isinstance(chosen, ChoiceArgument):
            return chosen.choices
        return () if self.host is None else (self.host,)

    def _check_remote(self, elements: Sequence[str]) -> None:
        """What a command on another machine cannot have."""
        if self.machine and not isinstance(self.arguments.get(self.machine), ChoiceArgument):
            raise ValueError(
                f"host: {self.host!r} should name an argument of the type choice: the hosts it may be"
            )
        if self.cwd is not None:
            raise ValueError(
                "cwd: a program on another machine begins where its user is at home; leave it out"
            )
        if strange := [each for each in elements if any(category(sign) == "Cc" for sign in each)]:
            raise ValueError(
                f"{strange[0]!r} holds a control character, which the shell over there could misread"
            )
        if strange := [name for name in self.environment if not _VARIABLE.fullmatch(name)]:
            raise ValueError(f"environment: {strange[0]!r} should be a name of letters, digits and _")

    def _check_list(self, key: str, arguments: Sequence[str]) -> None:
        if PLACEHOLDER.search(arguments[0]):
            raise ValueError(f"{key}: the program {arguments[0]!r} should be fixed, without a placeholder")
        if not arguments[0] or any("\0" in each for each in arguments):
            raise ValueError(f"{key}: {arguments!r} is no list of arguments")
        for element in arguments:
            for name in PLACEHOLDER.findall(element):
                if name not in self.arguments:
                    known = ", ".join(self.arguments) or "none are declared"
                    raise ValueError(f"{key}: {element!r} names no argument; arguments: {known}")


def declared(settings: Sequence[Mapping[str, object]], hosts: Collection[str] = ()) -> tuple[Command, ...]:
    """The commands of `tools.commands`; `hosts` are those of `tools.ssh`.

    Raises `CommandRefused` naming everything that is wrong.
    """
    commands, problems = [], []
    for number, given in enumerate(settings):
        name = name_of(given, number)
        try:
            commands.append(Command.model_validate(given))
        except ValidationError as error:
            problems += [f"tools.commands: {problem}" for problem in wrong(name, error)]
            continue
        for strange in sorted(set(commands[-1].hosts()) - set(hosts)):
            known = ", ".join(sorted(hosts)) or "none are there"
            problems.append(
                f"tools.commands: {name!r}: host: {strange!r} is none of tools.ssh.hosts: {known}"
            )
    if problems:
        raise CommandRefused("\n".join(problems))
    return tuple(commands)
