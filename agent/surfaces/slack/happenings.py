"""What happens in channels, as our own values: words, pins, comings and goings. Pure; whatever else it is is `None`."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from agent.conversation.overheard import Remark
from knowledge.sources.slack_wire import SPOKEN, Message

# Messages that Slack writes when a channel is not what it was.
TURNS = frozenset(
    {"channel_convert_to_private", "channel_convert_to_public", "channel_name", "group_name"}
    | {"channel_archive", "channel_unarchive", "group_archive", "group_unarchive"}
)
# Events that say so; what the channel is then, Slack is asked.
CHANGES = frozenset(
    {"channel_archive", "channel_unarchive", "channel_rename", "channel_deleted", "channel_shared"}
    | {"group_archive", "group_unarchive", "group_rename", "group_deleted"}
)


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody wrote a message, or wrote it anew; `user` is who."""

    channel: str
    remark: Remark
    user: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone for good."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """A message was pinned, or is not pinned any more."""

    channel: str
    ts: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody came into a channel."""

    channel: str
    user: str


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody went; without a user it was sayso itself."""

    channel: str
    user: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A channel is not what it was: renamed, archived, private now."""

    channel: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The app was removed, or its token revoked."""


Happening = Said | Deleted | Pinned | Joined | Left | Changed | Ended


def happening(body: Mapping[str, object]) -> Happening | None:
    """What an event of the Events API tells of a channel."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    kind, channel, user = _text(event, "type"), _channel(event), _text(event, "user")
    found: Happening | None = None
    match kind:
        case "message" | "app_mention":
            found = _message(event, channel)
        case "pin_added" | "pin_removed":
            ts = _text(_inner(_inner(event, "item"), "message"), "ts")
            found = Pinned(channel, ts, kind == "pin_added") if ts else None
        case "channel_left" | "group_left":
            found = Left(channel, "")
        case "member_joined_channel":
            found = Joined(channel, user)
        case "member_left_channel":
            found = Left(channel, user) if user else None
        case "app_uninstalled":
            return Ended()
        case "tokens_revoked":
            return Ended() if _inner(event, "tokens").get("bot") else None
        case _:
            found = Changed(channel) if kind in CHANGES else None
    return found if channel else None


def remark(message: Mapping[str, object]) -> tuple[Remark, str] | None:
    """A message of an event or a page of history as it is kept, and who wrote it; None where no person did."""
    if message.get("bot_id") or (message.get("subtype") or None) not in SPOKEN or not message.get("user"):
        return None
    try:
        read = Message.model_validate({**message, "type": "message"})
    except ValidationError:
        return None
    thread = read.thread_ts if read.thread_ts not in (None, read.ts) else ""
    edited = read.edited.ts if "edited" in message else ""
    body = read.model_dump_json(exclude_defaults=True)
    return Remark(read.ts, thread or "", edited, body), read.user


def _message(event: Mapping[str, object], channel: str) -> Happening | None:
    subtype = _text(event, "subtype")
    if subtype == "message_deleted":
        ts = _text(event, "deleted_ts") or _text(_inner(event, "previous_message"), "ts")
        return Deleted(channel, ts) if ts else None
    if subtype in TURNS:
        return Changed(channel)
    written = _inner(event, "message") if subtype == "message_changed" else event
    if _text(written, "subtype") == "tombstone":  # of a message that others answered
        return Deleted(channel, _text(written, "ts")) if _text(written, "ts") else None
    kept = remark(written)
    return None if kept is None else Said(channel, *kept)


def _channel(event: Mapping[str, object]) -> str:
    """Its id, which some events give with its name."""
    return (
        _text(event, "channel")
        or _text(_inner(event, "channel"), "id")
        or _text(event, "channel_id")
        or _text(_inner(event, "item"), "channel")
    )


def _inner(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
