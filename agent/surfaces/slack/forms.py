"""The form to edit an action: a typed field for each argument of its tool, and back to what was changed."""

from collections.abc import Mapping, Sequence

from agent.approvals.action import Action
from agent.surfaces.slack import limits, mrkdwn
from agent.surfaces.slack.blocks import Block, asked, context, modal, section
from agent.words.catalogue import say
from tools.contract import Arguments, Json

CHANGES = 5  # that are said again in a form
EDIT_FORM = "sayso_edit_form"
APPROVE_FORM, REJECT_FORM = "sayso_approve_form", "sayso_reject_form"
GLASS_FORM = "sayso_glass_form"


def of(action: Action, arguments: type[Arguments], locale: str, about: str) -> Block:
    """The form, filled with the action's arguments as they are."""
    properties = _properties(arguments)
    fields = [_field(name, schema, action.arguments.get(name)) for name, schema in properties.items()]
    held = [field for field in fields if field is not None]
    blocks: list[Block] = [context(say("slack.edit_about", locale, title=mrkdwn.escaped(action.plan.title)))]
    blocks += held[: limits.VIEW_BLOCKS - 2]
    if len(held) < len(properties):
        blocks.append(context(say("slack.edit_rest", locale)))
    return modal(
        EDIT_FORM,
        say("slack.edit_title", locale, action=action.id),
        blocks,
        submit=say("slack.propose", locale) if held else "",
        close=say("slack.back", locale),
        about=about,
    )


def reason(action: Action, name: str, locale: str, about: str) -> Block:
    """The form that asks why: for a no always, for a yes where the policy wants it or somebody has something to say."""
    yes = name == APPROVE_FORM
    optional = yes and not action.requirement.reason_required
    return modal(
        name,
        say("slack.approve_title" if yes else "slack.reject_title", locale, action=action.id),
        [_told(action), asked("reason", say("slack.reason", locale), many_lines=True, optional=optional)],
        submit=say("slack.approve" if yes else "slack.reject", locale),
        close=say("slack.back", locale),
        about=about,
    )


def emergency(action: Action, locale: str, about: str) -> Block:
    """The form of whoever runs it without approval: what that means, and why they do."""
    why = asked("reason", say("slack.reason", locale), many_lines=True)
    return modal(
        GLASS_FORM,
        say("slack.glass_title", locale, action=action.id),
        [_told(action), context(say("slack.glass_about", locale)), why],
        submit=say("slack.glass_run", locale),
        close=say("slack.back", locale),
        about=about,
    )


def _told(action: Action) -> Block:
    """What it would do, in short."""
    changes_ = [f"• {one.what}: {one.before} → {one.after}" for one in action.plan.changes[:CHANGES]]
    return section(mrkdwn.escaped(limits.cut("\n".join([action.plan.title, *changes_]), 500)))


def changes(action: Action, arguments: type[Arguments], fields: Mapping[str, str]) -> dict[str, Json]:
    """What somebody changed, with the types that the tool takes; a number that is none stays text, for it to refuse."""
    changed: dict[str, Json] = {}
    for name, schema in _properties(arguments).items():
        if name not in fields:
            continue
        value, now = _typed(fields[name], schema), _plainly(action.arguments.get(name))
        if value != now and not (value is None and now == ""):  # a form tells no empty text from none
            changed[name] = value
    return changed


def _plainly(value: Json) -> Json:
    """A value as a form gives it back: lists are lists."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


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
    """The field of one argument; None where a form could not hold it as it is."""
    shown = _shown(schema, now)
    element = None if shown is None or len(name) > limits.ACTION_ID else _element(name, schema, shown)
    if element is None:
        return None
    field: Block = {
        "type": "input",
        "block_id": name,
        # What is empty now may stay so.
        "optional": bool(schema.get("optional")) or not (shown or "").strip(),
        "label": {"type": "plain_text", "text": limits.cut(name.replace("_", " "), 150)},
        "element": element,
    }
    if isinstance(what := schema.get("description"), str) and what.strip():
        field["hint"] = {"type": "plain_text", "text": limits.cut(what, limits.HINT)}
    return field


def _element(name: str, schema: Mapping[str, Json], shown: str) -> Block | None:
    choices = _choices(schema)
    if choices:
        made: Block = {"type": "static_select", "action_id": name, "options": [*map(_option, choices)]}
        if shown in choices:
            made["initial_option"] = _option(shown)
        return made
    if schema.get("type") in ("integer", "number"):
        whole = schema.get("type") == "integer"
        made = {"type": "number_input", "action_id": name, "is_decimal_allowed": not whole}
    elif schema.get("type") == "string" or _is_list(schema):
        made = {"type": "plain_text_input", "action_id": name, "max_length": limits.INPUT}
        if _is_list(schema) or "\n" in shown:
            made["multiline"] = True
    else:
        return None  # nothing that a form could hold: it stays as it is
    return {**made, "initial_value": shown} if shown.strip() else made


def _shown(schema: Mapping[str, Json], now: Json) -> str | None:
    """A value as a form shows it; None where it would come back as another one."""
    if now is None or isinstance(now, bool):
        return {None: "", True: "true", False: "false"}[now]
    listed = _is_list(schema) and isinstance(now, Sequence) and not isinstance(now, str)
    shown = "\n".join(str(item) for item in now) if listed and isinstance(now, Sequence) else str(now)
    empty = (
        isinstance(now, Sequence) and not now
    )  # a list of one empty text shows as nothing, and is something
    same = empty or (_typed(shown, schema) == _plainly(now) and bool(shown.strip()))
    return shown if same and len(shown) <= limits.INPUT else None


def _choices(schema: Mapping[str, Json]) -> list[str]:
    """What can be chosen; nothing where there is no choice, or Slack has no room for it."""
    listed = ["true", "false"] if schema.get("type") == "boolean" else schema.get("enum")
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return []
    choices = [str(choice) for choice in listed]
    fit = all(choice.strip() and len(choice) <= limits.OPTION for choice in choices)
    return choices if fit and len(choices) <= limits.OPTIONS else []


def _is_list(schema: Mapping[str, Json]) -> bool:
    """Whether it is a list of texts: one a line."""
    items = schema.get("items")
    return schema.get("type") == "array" and isinstance(items, Mapping) and items.get("type") == "string"


def _option(value: str) -> Block:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


def _typed(text: str, schema: Mapping[str, Json]) -> Json:
    if not text and schema.get("optional"):
        return None
    match schema.get("type"):
        case "boolean":
            return text == "true"
        case "array":
            return [line.strip() for line in text.split("\n") if line.strip()]
        case "integer" | "number":
            return _number(text, whole=schema.get("type") == "integer")
        case _:
            return text


def _number(text: str, *, whole: bool) -> int | float | str:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return text  # for the tool to refuse
