"""Tools as a language model is offered them: name, description and the bare shape of the arguments."""

from collections.abc import Mapping

from agent.conversation.messages import Offer
from tools.contract import Json, Spec


def offer(spec: Spec) -> Offer:
    """A tool as a model sees it. Titles repeat the names of fields, and every token is paid for each turn."""
    schema = _untitled(spec.arguments.model_json_schema())
    return Offer(spec.name, f"[{spec.effect}] {spec.description}", schema, spec.effect)


def _untitled(schema: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: _value_untitled(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }


def _value_untitled(value: Json) -> Json:
    if isinstance(value, dict):
        return _untitled(value)
    return [_value_untitled(item) for item in value] if isinstance(value, list) else value
