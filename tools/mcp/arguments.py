"""The argument model of an MCP tool: any JSON that fits the server's schema and the operator's limits."""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from jsonschema import Draft202012Validator
from pydantic import AfterValidator, ConfigDict, Field, JsonValue, create_model, model_validator

from tools.contract import Arguments, Json
from tools.mcp.declared import RESERVED, Limit, ServerRefused
from tools.mcp.schema import properties_of, validator
from tools.mcp.wording import LONGEST_FIELD, cleaned, shortened
from tools.slots import Kind, Slot

_LONGEST_VALUE = 64 * 1024  # characters of one call's arguments


class McpArguments(Arguments):
    """Base of the arguments of MCP tools; the fields are computed. What was not given is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    def canonical(self) -> dict[str, Json]:
        values: dict[str, Json] = self.model_dump(mode="json", exclude_unset=True)
        return {name: value for name, value in values.items() if not (name == RESERVED and value is False)}


def model(
    name: str, schema: Mapping[str, Json], limits: Mapping[str, Limit], *, undo: bool = False
) -> type[McpArguments]:
    """The argument model of a `plain` schema within the operator's limits. Raises `ServerRefused`."""
    properties = properties_of(schema)
    if strays := sorted(set(limits) - set(properties)):
        raise ServerRefused(f"arguments: {strays[0]!r} is none of {', '.join(properties) or 'its none'}")
    for each, limit in limits.items():
        part = properties[each]
        if limit.is_fixed and not validator(part).is_valid(limit.fixed):
            raise ServerRefused(
                f"arguments: {each}: fixed = {limit.fixed!r} does not fit what the server takes"
            )
    listed = schema.get("required")
    required = {str(each) for each in listed} if isinstance(listed, Sequence) else set()
    fields: dict[str, object] = {
        each: _field(each, part, limits.get(each), each in required)
        for each, part in properties.items()
        if each not in limits or not limits[each].is_fixed
    }
    if undo:
        fields[RESERVED] = (bool, Field(default=False, description="Takes it back instead of doing it"))
    fixed = {each: limit.fixed for each, limit in limits.items() if limit.is_fixed}
    optional = frozenset(properties) - required
    whole = validator(schema)

    def without_nulls(given: object) -> object:
        """Models say `null` for what they leave out."""
        if not isinstance(given, dict):
            return given
        return {
            key: value
            for key, value in given.items()
            if value is not None or key not in optional or _takes_null(properties.get(key))
        }

    def fits(self: McpArguments) -> McpArguments:
        values = {key: value for key, value in self.canonical().items() if key != RESERVED}
        if len(json.dumps(values)) > _LONGEST_VALUE:
            raise ValueError(f"should be up to {_LONGEST_VALUE:,} characters in all")
        _refuse(whole, {**values, **fixed})
        return self

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an argument may be called `schema` or `copy`
        try:
            made: type[McpArguments] = create_model(
                f"{name}_arguments",
                __base__=McpArguments,
                __validators__={
                    "without_nulls": model_validator(mode="before")(without_nulls),
                    "fits": model_validator(mode="after")(fits),
                },
                **fields,
            )  # type: ignore[call-overload]  # the overloads know no computed fields
            made.model_json_schema()
        except (NameError, TypeError, ValueError) as error:
            raise ServerRefused(f"its arguments cannot be offered: {error}") from error
    return made


def _takes_null(part: Json) -> bool:
    return validator(part).is_valid(None)


def _refuse(validator: Draft202012Validator, value: Json) -> None:
    """Raises `ValueError` with the first thing that does not fit."""
    for error in validator.iter_errors(value):
        where = ".".join(str(step) for step in error.absolute_path)
        raise ValueError(f"{f'{where}: ' if where else ''}{shortened(error.message, LONGEST_FIELD)}")


def _field(name: str, part: Json, limit: Limit | None, required: bool) -> tuple[object, object]:
    """One argument: any JSON value that fits its schema and the operator's limit."""
    shape: dict[str, Json] = dict(part) if isinstance(part, Mapping) else {}
    shape.setdefault("description", name)
    if limit is not None and limit.choices is not None:
        shape["enum"] = list(limit.choices)
    if limit is not None and limit.pattern is not None:
        shape["pattern"] = limit.pattern
    fits = _Fits(validator(shape), limit.pattern if limit is not None else None)
    shown = _Shown(shape)
    description = str(shape["description"])
    info = (
        Field(description=description, json_schema_extra=shown)
        if required
        else Field(default=None, description=description, json_schema_extra=shown)
    )
    slot = _slot(name, shape)
    plain_type = Annotated[JsonValue, AfterValidator(fits)]
    return (plain_type if slot is None else Annotated[plain_type, slot]), info


def _slot(name: str, shape: Mapping[str, Json]) -> Slot | None:
    """What the words for it look like, where a planner without a model can find them."""
    listed = shape.get("enum")
    if isinstance(listed, Sequence) and listed and all(isinstance(each, str) for each in listed):
        return Slot(Kind.CHOICE, role=name, choices=tuple(str(each) for each in listed))
    if shape.get("type") == "string":
        return Slot(Kind.QUOTED, role=name)
    return Slot(Kind.COUNT, role=name) if shape.get("type") == "integer" else None


@dataclass(frozen=True, slots=True)
class _Shown:
    """The schema of one argument as others see it: just what was kept of the server's."""

    shape: Mapping[str, Json]

    def __call__(self, schema: dict[str, JsonValue]) -> None:
        schema.clear()
        schema.update({key: _json(value) for key, value in self.shape.items()})


def _json(value: Json) -> JsonValue:
    made: JsonValue = json.loads(json.dumps(value))
    return made


@dataclass(frozen=True, slots=True)
class _Fits:
    """A value that fits the schema and, as a whole, the operator's pattern; its texts can be printed."""

    validator: Draft202012Validator
    pattern: str | None

    def __call__(self, value: JsonValue) -> JsonValue:
        if any("\0" in text or not _printable(text) for text in _texts(value)):
            raise ValueError("should be text without characters that nobody sees")
        if self.pattern is not None and not (isinstance(value, str) and re.fullmatch(self.pattern, value)):
            raise ValueError(f"should fit {self.pattern}")
        _refuse(self.validator, value)
        return value


def _texts(value: Json) -> Sequence[str]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return [text for name, each in value.items() for text in (name, *_texts(each))]
    return [text for each in value for text in _texts(each)] if isinstance(value, Sequence) else ()


def _printable(text: str) -> bool:
    return cleaned(text.replace("\r\n", "\n")).hidden == 0
