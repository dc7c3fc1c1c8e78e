"""Whether a signed body has the shape that Slack gives it, as far as it is read before any listener of ours."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

PARTS = (
    "user",
    "team",
    "channel",
    "message",
    "view",
    "container",
    "enterprise",
)  # of a payload: objects, or absent


def readable(body: bytes) -> bool:
    """Whether it is an event as JSON, a command as a form, or a form with a payload. Pure."""
    try:
        text = body.decode()
        if text.lstrip().startswith(("{", "[", '"')):
            event = json.loads(text)
            return isinstance(event, dict) and isinstance(event.get("event", {}), dict)
        form = parse_qs(text, keep_blank_values=True)
        if "payload" not in form:
            return bool(form)
        payload = json.loads(form["payload"][0])
    except (ValueError, RecursionError):
        return False
    return isinstance(payload, dict) and _whole(payload)


def _whole(payload: Mapping[str, object]) -> bool:
    if not all(isinstance(payload.get(part) or {}, Mapping) for part in PARTS):
        return False
    match payload.get("type"):
        case "block_actions":
            actions = payload.get("actions")
            return isinstance(actions, list) and bool(actions) and all(map(_is_action, actions))
        case "view_submission" | "view_closed":
            view = payload.get("view")
            return isinstance(view, Mapping) and all(
                isinstance(view.get(key), str) for key in ("type", "callback_id")
            )
        case "message_action" | "shortcut":
            return isinstance(payload.get("callback_id"), str)
        case kind:
            return isinstance(kind, str)


def _is_action(action: object) -> bool:
    return isinstance(action, Mapping) and isinstance(action.get("action_id"), str)
