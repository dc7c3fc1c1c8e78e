"""Tools as a language model is offered them: name, description and the bare shape of the arguments."""

from collections.abc import Mapping
from dataclasses import replace

from agent.conversation.messages import Offer
from tools.contract import Json, Spec

LONGEST = 240  # characters of a tool's description where many are shown
LONGEST_FIELD = 110  # and of the description of one argument


def offer(spec: Spec) -> Offer:
    """A tool as a model sees it. Titles repeat the names of fields, and every token is paid for each turn."""
    schema = _bare(spec.arguments.model_json_schema())
    return Offer(spec.name, f"[{spec.effect}] {spec.description}", schema, spec.effect)


def brief(offer: Offer) -> Offer:
    """The same tool in fewer words, where many are shown: beginnings of descriptions, no word on unknown arguments."""
    schema = _value_brief(offer.schema)
    return replace(
        offer,
        description=_beginning(offer.description, LONGEST),
        schema=schema if isinstance(schema, dict) else offer.schema,
    )


def _bare(schema: Mapping[str, Json]) -> dict[str, Json]:
    """The schema without titles; what it defines beside itself stays, where it is pointed at."""
    return {
        name: _value_bare(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }


def _value_bare(value: Json) -> Json:
    if isinstance(value, dict):
        return _bare(value)
    return [_value_bare(item) for item in value] if isinstance(value, list) else value


def _value_brief(value: Json, *, names: bool = False) -> Json:
    """`names` says that the keys are those of arguments, which may be called anything."""
    if isinstance(value, Mapping):
        held = value if names else _or_null(value)
        return {
            name: _beginning(part, LONGEST_FIELD)
            if name == "description" and isinstance(part, str)
            else _value_brief(part, names=name == "properties" and not names)
            for name, part in held.items()
            if names or not (name == "additionalProperties" and part is False)
        }
    return [_value_brief(item) for item in value] if isinstance(value, list) else value


def _or_null(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """What may be left out need not say that it may be null, too."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list):
        return schema
    real = [choice for choice in choices if choice != {"type": "null"}]
    only = real[0] if len(real) == 1 and len(choices) == 2 else None
    if not isinstance(only, Mapping):
        return schema
    rest = {
        name: part
        for name, part in schema.items()
        if name != "anyOf" and not (name == "default" and part is None)
    }
    return {**only, **rest}


def _beginning(text: str, longest: int) -> str:
    """The text, or as many whole words of its beginning as fit, with a sign that there was more."""
    plain = " ".join(text.split())
    return plain if len(plain) <= longest else f"{plain[:longest].rsplit(' ', 1)[0]}…"
