"""Argument models made of declared arguments, and their values put into argument lists."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, create_model
from pydantic.config import JsonDict

from tools.commands.declared import (
    PLACEHOLDER,
    Argument,
    ChoiceArgument,
    Command,
    DurationArgument,
    IntegerArgument,
    NamedArgument,
    StringArgument,
)
from tools.contract import Arguments
from tools.slots import Kind, Slot
from tools.times import Length
from tools.vocabulary import Vocabulary

LONGEST = 4_096  # characters of one value
_LISTED = 20  # choices that a refusal names
_VERSION_LIKE = frozenset({"version", "release", "tag"})


class CommandArguments(Arguments):
    """Base of the arguments of declared commands; the fields are computed."""

    def values(self) -> dict[str, str]:
        """Each argument's value as the text that takes the place of its placeholder."""
        return {name: str(value) for name, value in self.model_dump(mode="json").items()}


def model(command: Command, vocabulary: Vocabulary) -> type[CommandArguments]:
    """The argument model of a command: its arguments, and `undo` where it can be taken back."""
    fields: dict[str, object] = {
        name: field_for(name, argument, vocabulary) for name, argument in command.arguments.items()
    }
    if command.undo is not None:
        fields["undo"] = (
            bool,
            Field(default=False, description="Takes the command back instead of running it"),
        )
    made: type[CommandArguments] = create_model(
        f"{command.name}_arguments", __base__=CommandArguments, __doc__=command.description, **fields
    )  # type: ignore[call-overload]  # the overloads know no computed fields
    return made


def render(arguments: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The argument list with its placeholders filled: as many elements as before, whatever the values are."""
    return tuple(PLACEHOLDER.sub(lambda found: values[found[1]], element) for element in arguments)


def field_for(name: str, argument: Argument, vocabulary: Vocabulary) -> tuple[object, object]:
    described = argument.description or name
    match argument:
        case StringArgument():
            kind = Kind.VERSION if name in _VERSION_LIKE else Kind.QUOTED
            shape = Annotated[
                str, AfterValidator(_Fits(argument.pattern, argument.allows_dash)), Slot(kind, role=name)
            ]
            return shape, _default(argument.default, described, {"pattern": argument.pattern})
        case ChoiceArgument():
            slot = Slot(Kind.CHOICE, role=name, choices=argument.choices, aliases=dict(argument.aliases))
            listed = Annotated[str, AfterValidator(_Among(argument.choices, argument.aliases)), slot]
            return listed, _default(argument.default, described, {"enum": list(argument.choices)})
        case IntegerArgument():
            number = Annotated[
                int,
                Field(ge=argument.minimum, le=argument.maximum, strict=True),
                Slot(Kind.COUNT, role=name),
            ]
            return number, _default(argument.default, described)
        case DurationArgument():
            return Annotated[Length, Slot(Kind.DURATION, role=name)], _default(
                argument.default, described, {}
            )
        case NamedArgument():
            named = vocabulary.shape(argument.type, described)
            meant = vocabulary.default_environment if argument.type == "environment" else None
            return named, _default(meant, described)


def _default(value: str | int | None, described: str, schema: JsonDict | None = None) -> object:
    if value is None:
        return Field(description=described, json_schema_extra=schema)
    return Field(default=value, description=described, json_schema_extra=schema)


@dataclass(frozen=True, slots=True)
class _Fits:
    """Text that fits the pattern as a whole, and cannot be taken for an option unless the pattern says so."""

    pattern: str
    allows_dash: bool

    def __call__(self, value: str) -> str:
        if "\0" in value or len(value) > LONGEST:
            raise ValueError(f"should be text without NUL, up to {LONGEST} characters")
        if value.startswith("-") and not self.allows_dash:
            raise ValueError("should not begin with '-': it would be read as an option")
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"should fit {self.pattern}")
        return value


@dataclass(frozen=True, slots=True)
class _Among:
    """One of the choices; an alias is taken for the choice it stands for."""

    choices: tuple[str, ...]
    aliases: Mapping[str, str]

    def __call__(self, value: str) -> str:
        meant = self.aliases.get(value, value)
        if meant not in self.choices:
            more = f", ... ({len(self.choices)} in all)" if len(self.choices) > _LISTED else ""
            raise ValueError(f"should be one of: {', '.join(self.choices[:_LISTED])}{more}")
        return meant
