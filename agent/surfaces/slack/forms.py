"""The form to edit an action: a typed field for each argument of its tool, and back to what was changed."""

from collections.abc import Mapping, Sequence

from agent.approvals.action import Action
from agent.surfaces.slack import limits
from agent.surfaces.slack.blocks import Block, modal
from agent.words.catalogue import say
from tools.contract import Arguments, Json

EDIT_FORM = "sayso_edit_form"
CHOICES = 100  # of a select; Slack takes no more


def of(action: Action, arguments: type[Arguments], locale: str) -> Block:
    """The form, filled with the action's arguments as they are."""
    properties = _properties(arguments)
    fields = [_field(name, schema, action.arguments.get(name)) for name, schema in properties.items()]
    return modal(
        EDIT_FORM,
        say("slack.edit_title", locale, action=action.id),
        [field for field in fields if field is not None],
        submit=say("slack.propose", locale),
        close=say("slack.back", locale),
        about=f"{action.id} {action.digest}",
    )


def changes(action: Action, arguments: type[Arguments], fields: Mapping[str, str]) -> dict[str, Json]:
    """What somebody changed, with the types that the tool takes; a number that is none stays text, for it to refuse."""
    changed: dict[str, Json] = {}
    for name, schema in _properties(arguments).items():
        if name in fields and (value := _typed(fields[name], schema)) != action.arguments.get(name):
            changed[name] = value
    return changed


def _properties(arguments: type[Arguments]) -> dict[str, Mapping[str, Json]]:
    """The schema of each argument, with references and optional ones resolved."""
    schema = arguments.model_json_schema()
    listed = schema.get("properties", {})
    defined = schema.get("$defs", {})
    return {str(name): _plain(one, defined) for name, one in listed.items()}


def _plain(schema: Mapping[str, Json], defined: Mapping[str, Mapping[str, Json]]) -> Mapping[str, Json]:
    if isinstance(reference := schema.get("$ref"), str):
        return {
            **defined.get(reference.rpartition("/")[2], {}),
            **{k: v for k, v in schema.items() if k != "$ref"},
        }
    options = schema.get("anyOf")
    if isinstance(options, Sequence) and not isinstance(options, str):
        real = [one for one in options if isinstance(one, Mapping) and one.get("type") != "null"]
        if len(real) == 1:
            rest = {key: value for key, value in schema.items() if key != "anyOf"}
            return {**rest, **_plain(real[0], defined), "optional": True}
    return schema


def _field(name: str, schema: Mapping[str, Json], now: Json) -> Block | None:
    choices = schema.get("enum")
    if schema.get("type") == "boolean":
        choices = ["true", "false"]
    shown = ("true" if now else "false") if isinstance(now, bool) else "" if now is None else str(now)
    element: Block
    if isinstance(choices, Sequence) and not isinstance(choices, str) and 0 < len(choices) <= CHOICES:
        options: list[Json] = [_option(str(choice)) for choice in choices]
        element = {"type": "static_select", "action_id": name, "options": options}
        if shown in map(str, choices):
            element["initial_option"] = _option(shown)
    elif schema.get("type") in ("integer", "number"):
        whole = schema.get("type") == "integer"
        element = {
            "type": "number_input",
            "action_id": name,
            "is_decimal_allowed": not whole,
            "initial_value": shown,
        }
    elif schema.get("type") == "string":
        element = {"type": "plain_text_input", "action_id": name, "max_length": limits.INPUT}
        if shown:
            element["initial_value"] = limits.cut(shown, limits.INPUT)
    else:
        return None  # nothing that a form could hold: it stays as it is
    return {
        "type": "input",
        "block_id": name,
        "optional": bool(schema.get("optional")),
        "label": {"type": "plain_text", "text": limits.cut(name.replace("_", " "), 150)},
        "element": element,
    }


def _option(value: str) -> Block:
    return {"text": {"type": "plain_text", "text": limits.cut(value, 75)}, "value": value[:150]}


def _typed(text: str, schema: Mapping[str, Json]) -> Json:
    if not text and schema.get("optional"):
        return None
    match schema.get("type"):
        case "boolean":
            return text == "true"
        case "integer":
            return int(text) if text.lstrip("-").isdigit() else text
        case "number":
            try:
                return float(text)
            except ValueError:
                return text
        case _:
            return text
