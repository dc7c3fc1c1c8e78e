"""A server's JSON Schema of arguments, bare of everything that could speak or hide.

Only what limits values stays. Patterns of the server are shown and not run: an expression that takes minutes is a way
to stop us; those of the operator are run.
"""

import json
import re
from collections.abc import Mapping, Sequence

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tools.contract import Arguments, Json
from tools.mcp.declared import RESERVED, ServerRefused
from tools.mcp.wording import LONGEST_FIELD, cleaned, shortened

_DEEPEST = 10
_LARGEST = 48 * 1024  # characters of a schema after its references were followed
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OURS = frozenset({"of", "canonical", RESERVED}) | {
    name for name in dir(Arguments) if name.startswith("model_")
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keywords whose value is a value, a schema, a list of schemas, or schemas by name; and those that are left out.
_PLAIN = _words(
    "type enum const default required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength "
    "maxLength minItems maxItems uniqueItems minProperties maxProperties format pattern dependentRequired"
)
_SCHEMA = _words("items additionalProperties not if then else contains propertyNames")
_SCHEMAS = _words("anyOf oneOf allOf prefixItems")
_NAMED = _words("properties dependentSchemas")
_IGNORED = _words(
    "$schema $id $comment $defs definitions title examples deprecated readOnly writeOnly contentEncoding "
    "contentMediaType markdownDescription nullable"
)


def plain(schema: Mapping[str, Json]) -> dict[str, Json]:
    """The schema of a tool's arguments as it may be shown and checked. Raises `ServerRefused` where that cannot be."""
    if schema.get("type", "object") != "object":
        raise ServerRefused(f"the arguments should be an object, not {schema.get('type')!r}")
    bare = _Reader(schema).schema({"type": "object", **schema}, ())
    if not isinstance(bare, dict):
        raise ServerRefused("the arguments should be described by an object")
    size = len(json.dumps(bare))
    if size > _LARGEST:
        raise ServerRefused(
            f"the schema of its arguments has {size:,} characters; up to {_LARGEST:,} are taken"
        )
    for name in properties_of(bare):
        if not _NAME.fullmatch(name) or name in _OURS:
            raise ServerRefused(f"an argument named {name!r} cannot be offered here")
    try:
        Draft202012Validator.check_schema(_bool_or_mapping(_unrun(bare)))
    except SchemaError as error:
        raise ServerRefused(f"the schema of its arguments is none: {error.message[:200]}") from error
    return bare


class _Reader:
    """Copies what is known of a schema, following references inside it."""

    def __init__(self, root: Mapping[str, Json]) -> None:
        self._root = root
        self._steps = 0

    def schema(self, schema: Json, via: tuple[str, ...]) -> Json:
        self._steps += 1
        if len(via) > _DEEPEST or self._steps > 2_000:
            raise ServerRefused(
                f"the schema of its arguments is deeper or larger than {_DEEPEST} levels allow"
            )
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            raise ServerRefused(f"the schema of its arguments holds {schema!r} where a schema should be")
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            target = str(schema["$ref"])
            if target in via:
                raise ServerRefused(
                    f"the schema of its arguments refers to itself ({target}): that cannot be offered"
                )
            return self.schema({**self._found(target), **rest}, (*via, target))
        return {key: value for key, part in schema.items() for value in self._kept(key, part, (*via, key))}

    def _found(self, target: str) -> Mapping[str, Json]:
        if not target.startswith("#/"):
            raise ServerRefused(f"the schema of its arguments refers to {target!r}, which is not inside it")
        at: Json = self._root
        for step in target.removeprefix("#/").split("/"):
            at = at.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(at, Mapping) else None
        if not isinstance(at, Mapping):
            raise ServerRefused(f"the schema of its arguments refers to {target!r}, which is not there")
        return at

    def _kept(self, key: str, part: Json, via: tuple[str, ...]) -> Sequence[Json]:
        """The part of one keyword, or nothing where it is for people or for tools of others."""
        if key in _PLAIN:
            _seen(part)
            return (part,)
        if key == "description":
            return (shortened(str(part), LONGEST_FIELD),)
        if key in _SCHEMA:
            return (self.schema(part, via),)
        if key in _SCHEMAS and isinstance(part, Sequence) and not isinstance(part, str):
            return ([self.schema(each, via) for each in part],)
        if key in _NAMED and isinstance(part, Mapping):
            _seen(list(part))
            return ({name: self.schema(each, via) for name, each in part.items()},)
        if key in _IGNORED or key.startswith("x-"):
            return ()
        raise ServerRefused(
            f"the schema of its arguments uses {shortened(key, 60)!r}, which cannot be expressed here"
        )


def _seen(value: Json) -> None:
    """Raises `ServerRefused` for values with characters that nobody would see."""
    if isinstance(value, str):
        if cleaned(value).hidden or len(value) > 1_000:
            raise ServerRefused(
                f"the schema of its arguments holds hidden characters or too long a value: {value[:80]!a}"
            )
    elif isinstance(value, Mapping):
        for name, each in value.items():
            _seen(name)
            _seen(each)
    elif isinstance(value, Sequence):
        for each in value:
            _seen(each)


def _unrun(schema: Json) -> Json:
    """The schema without patterns and formats."""
    if isinstance(schema, Mapping):
        return {
            key: {name: _unrun(each) for name, each in part.items()}
            if key in _NAMED and isinstance(part, Mapping)
            else _unrun(part)
            for key, part in schema.items()
            if key not in {"pattern", "format"}
        }
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return [_unrun(each) for each in schema]
    return schema


def properties_of(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def validator(schema: Json) -> Draft202012Validator:
    """What checks values against a schema, without running the server's patterns."""
    return Draft202012Validator(_bool_or_mapping(_unrun(schema)))


def _bool_or_mapping(schema: Json) -> bool | Mapping[str, Json]:
    return schema if isinstance(schema, bool | Mapping) else True
