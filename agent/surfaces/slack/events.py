"""What Slack sends, as our own values. Pure; whatever is not for us is `None`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.conversation.thread import ThreadId
from agent.surfaces.slack.mrkdwn import heard as plain

NAME = "slack"
OURS = frozenset({"", "thread_broadcast", "file_share"})  # subtypes of messages that people write


class Where(StrEnum):
    """How somebody turned to us."""

    MENTION = "mention"
    DIRECT = "direct"
    CHANNEL = "channel"  # said in a channel, to nobody


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a person. `key` is the same for every event and every retry about it."""

    where: Where
    team: str
    user: str
    channel: str
    ts: str
    thread: ThreadId
    text: str

    @property
    def key(self) -> str:
        return f"{NAME}:{self.channel}:{self.ts}"


def heard(body: Mapping[str, object], bot: str) -> Heard | None:
    """The message in an `app_mention` or `message` event; None for bots, for ourselves, edits and joins."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    user, channel, ts = (_text(event, key) for key in ("user", "channel", "ts"))
    if not (user and channel and ts) or user == bot or event.get("bot_id"):
        return None
    if _text(event, "subtype") not in OURS:
        return None
    written = _text(event, "text")
    direct = _text(event, "channel_type") == "im" or channel.startswith("D")
    mentioned = _text(event, "type") == "app_mention" or f"<@{bot}>" in written or f"<@{bot}|" in written
    where = Where.DIRECT if direct else Where.MENTION if mentioned else Where.CHANNEL
    team = _text(event, "user_team") or _text(event, "team") or _text(body, "team_id")
    text = plain(written, bot)
    thread = thread_of(channel, _text(event, "thread_ts") or ts)
    return Heard(where, team, user, channel, ts, thread, text) if text else None


def is_spoken(body: Mapping[str, object]) -> bool:
    """Whether it is a message that a person wrote just now, and not an edit, a deletion, or a bot's."""
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("type") not in ("message", "app_mention"):
        return False
    return _text(event, "subtype") in OURS and not event.get("bot_id")


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that its author changed or took back; `again` is what it says now, None when it is gone."""

    key: str
    thread: ThreadId
    again: Heard | None


def changed(body: Mapping[str, object], bot: str) -> Changed | None:
    """The edit or the deletion in a `message` event; None for anything else, and where the words stayed the same."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    channel, before = _text(event, "channel"), _inner(event, "previous_message")
    subtype, ts = _text(event, "subtype"), _text(before, "ts") or _text(event, "deleted_ts")
    thread = thread_of(channel, _text(before, "thread_ts") or ts)
    key = f"{NAME}:{channel}:{ts}"
    if subtype == "message_deleted" and channel and ts:
        return Changed(key, thread, None)
    after = _inner(event, "message")
    if subtype != "message_changed" or not ts or _text(after, "text") == _text(before, "text"):
        return None
    again = heard(
        {**body, "event": {**after, "channel": channel, "channel_type": event.get("channel_type")}}, bot
    )
    return None if again is None else Changed(key, thread, replace(again, ts=f"{ts}#edited"))


def about(body: Mapping[str, object], message: Mapping[str, object], bot: str) -> Heard | None:
    """The message that somebody asks about by its menu; quoted, where somebody else wrote it. None without words."""
    user, channel = _text(_inner(body, "user"), "id"), _text(_inner(body, "channel"), "id")
    ts = _text(message, "ts")
    written = plain(_written(message), bot)
    if not (user and channel and ts and written):
        return None
    if _text(message, "user") != user:
        written = "\n".join(f"> {line}" for line in written.splitlines())
    team = _text(_inner(body, "team"), "id") or _text(_inner(body, "user"), "team_id")
    thread = thread_of(channel, _text(message, "thread_ts") or ts)
    name = f"shortcut-{_text(body, 'action_ts') or ts}"
    return Heard(Where.DIRECT, team, user, channel, name, thread, written)


def _written(message: Mapping[str, object]) -> str:
    """The words of a message; those of its attachments too, where alerts have theirs."""
    words = [_text(message, "text")]
    attached = message.get("attachments")
    for one in attached if isinstance(attached, list) else ():
        if isinstance(one, Mapping):
            words += [_text(one, "title"), _text(one, "text") or _text(one, "fallback")]
    return "\n".join(dict.fromkeys(word for word in words if word.strip()))


@dataclass(frozen=True, slots=True)
class Click:
    """A button that somebody pressed, or a modal that they sent. `value` is what it was about."""

    team: str
    user: str
    action: str
    value: str
    channel: str
    thread: str  # ts of the thread, or of the message itself
    trigger: str
    at: str = ""  # when it was pressed, which tells two clicks apart


def click(body: Mapping[str, object]) -> Click | None:
    """The button in a `block_actions` payload. Who pressed it is who Slack says, nobody else."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    user = _inner(body, "user")
    if not isinstance(first, Mapping) or not _text(user, "id"):
        return None
    message = _inner(body, "message")
    return Click(
        _text(_inner(body, "team"), "id") or _text(user, "team_id"),
        _text(user, "id"),
        _text(first, "action_id"),
        _text(first, "value"),
        _text(_inner(body, "channel"), "id"),
        _text(message, "thread_ts") or _text(message, "ts"),
        _text(body, "trigger_id"),
        _text(first, "action_ts"),
    )


def sent(body: Mapping[str, object]) -> tuple[Click, dict[str, str]] | None:
    """A modal that was sent: who, what about, and its fields by name.

    What it is about are two words, and where it was opened: channel and thread.
    """
    view, user = _inner(body, "view"), _inner(body, "user")
    if not _text(user, "id"):
        return None
    first, second, channel, thread = (*_text(view, "private_metadata").split(" ", 3), "", "", "", "")[:4]
    values = _inner(_inner(view, "state"), "values")
    fields: dict[str, str] = {}
    for name in values:
        element = _inner(_inner(values, str(name)), str(name))
        fields[str(name)] = _text(element, "value") or _text(_inner(element, "selected_option"), "value")
    team = _text(_inner(body, "team"), "id") or _text(user, "team_id")
    about = f"{first} {second}".strip()
    return Click(team, _text(user, "id"), _text(view, "callback_id"), about, channel, thread, ""), fields


def thread_of(channel: str, ts: str) -> ThreadId:
    """Our name of a thread."""
    return ThreadId(f"{NAME}:{channel}:{ts}")


def place_of(thread: str) -> tuple[str, str]:
    """Channel and timestamp of a thread of ours."""
    _, channel, ts = (*thread.split(":", 2), "", "")[:3]
    return channel, ts


def is_time(ts: str) -> bool:
    """Whether this is a timestamp of Slack's, and no name of ours for something without a message."""
    return ts.replace(".", "").isdecimal()


def _inner(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
