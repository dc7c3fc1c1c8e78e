"""What a Slack export is written in: people, channels and messages, and what edits and deletions leave of these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, model_validator

SPOKEN = frozenset({None, "thread_broadcast", "me_message", "file_share"})
_MOMENT = r"^[0-9]{1,11}(\.[0-9]{1,9})?$"  # seconds since 1970, and the number that tells messages of one second apart
_PAUSE_SECONDS = 15 * 60  # a longer silence ends a conversation
_CONVERSATION_MESSAGES = 12
_STRONG = frozenset(
    {"white_check_mark", "heavy_check_mark", "ballot_box_with_check", "check", "tada", "raised_hands", "100"}
    | {"rocket", "trophy", "star", "star2", "solved", "fixed", "done"}
)
_WEAK = frozenset({"+1", "thumbsup", "pray", "clap", "heart", "ok_hand", "muscle", "bow", "thanks"})


class Wire(BaseModel):
    """A piece of an export; what is not read here is passed over, as every export carries more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        """An export writes null for what is not there."""
        if not isinstance(value, dict):
            return value
        held = cast("dict[str, object]", value)
        return {key: one for key, one in held.items() if one is not None}


class Profile(Wire):
    real_name: str = ""
    display_name: str = ""
    name: str = ""
    email: str = ""


class User(Wire):
    id: str
    name: str = ""
    real_name: str = ""
    is_bot: bool = False
    profile: Profile = Profile()

    @property
    def called(self) -> str:
        return self.real_name or self.profile.real_name or self.profile.display_name or self.name or self.id


class Pin(Wire):
    id: str


class Channel(Wire):
    id: str
    name: str = ""
    members: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    is_private: bool = False
    is_im: bool = False
    is_mpim: bool = False


class Reaction(Wire):
    name: str
    count: int = 0


class File(Wire):
    name: str = ""
    title: str = ""
    mode: str = ""

    @property
    def label(self) -> str:
        """Title and name, once where they are the same; nothing for a file that was deleted."""
        if self.mode in {"tombstone", "hidden_by_limit"}:
            return ""
        title, name = " ".join(self.title.split()), " ".join(self.name.split())
        return f"{title} ({name})" if title and name and title != name else title or name


class Edited(Wire):
    ts: str = Field(default="0", pattern=_MOMENT)


class Message(Wire):
    type: str = "message"
    subtype: str | None = None
    user: str = ""
    user_profile: Profile = Profile()
    bot_id: str | None = None
    text: str = ""
    ts: str = Field(pattern=_MOMENT)
    thread_ts: str | None = None
    edited: Edited = Edited()
    reactions: tuple[Reaction, ...] = ()
    files: tuple[File, ...] = ()
    pinned_to: tuple[str, ...] = ()
    message: "Message | None" = None  # of `message_changed`: the message as it reads since
    deleted_ts: str = ""  # of `message_deleted`

    @property
    def at(self) -> float:
        return float(self.ts)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, tz=UTC)

    @property
    def attached(self) -> tuple[str, ...]:
        return tuple(file.label for file in self.files if file.label)

    @property
    def solves(self) -> int:
        """How strongly its reactions mark it as what helped: 2 a tick or a cheer, 1 thanks, 0 neither."""
        given = {reaction.name.partition("::")[0] for reaction in self.reactions}
        return 2 if given & _STRONG else 1 if given & _WEAK else 0


USERS = TypeAdapter(list[User])
CHANNELS = TypeAdapter(list[Channel])
_DAY = TypeAdapter(list[Message])
_ROWS = TypeAdapter(list[JsonValue])


@dataclass(frozen=True, slots=True)
class Day:
    """The messages of one file, and what of it cannot be read, a line each."""

    messages: Sequence[Message]
    unreadable: Sequence[str] = field(default=())


def day(content: bytes) -> Day:
    """Reads the file of one day. A malformed message is told of and passed over. Raises `ValidationError`."""
    try:
        return Day(_DAY.validate_json(content))
    except ValidationError:
        messages, unreadable = [], []
        for number, row in enumerate(_ROWS.validate_json(content), start=1):
            try:
                messages.append(Message.model_validate(row))
            except ValidationError as error:
                unreadable.append(f"message {number}: {reason(error)}")
        return Day(messages, unreadable)


def standing(messages: Iterable[Message]) -> list[Message]:
    """What is left of messages once their edits and deletions are done: one for each `ts`, as it reads last."""
    kept: dict[str, Message] = {}
    events: list[Message] = []
    for message in messages:
        if message.subtype in {"message_changed", "message_deleted"}:
            events.append(message)
        elif message.ts not in kept or float(kept[message.ts].edited.ts) <= float(message.edited.ts):
            kept[message.ts] = message
    for event in sorted(events, key=lambda one: one.at):
        if event.subtype == "message_deleted":
            kept.pop(event.deleted_ts, None)
        elif event.message is not None and event.message.ts in kept:
            edited = event.message
            changes = {name: getattr(edited, name) for name in edited.model_fields_set}
            kept[edited.ts] = kept[edited.ts].model_copy(update=changes)
    return list(kept.values())


def is_speech(message: Message, users: Mapping[str, User]) -> bool:
    """Whether a person said something: no bot, no join, no notice, no gravestone of a deleted message."""
    user = users.get(message.user)
    is_bot = message.bot_id is not None or (user is not None and user.is_bot) or message.user == "USLACKBOT"
    said = bool(message.text.strip() or message.attached)
    return message.type == "message" and message.subtype in SPOKEN and not is_bot and said


def conversations(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages as they belong together: each thread, and outside threads what follows closely, oldest first."""
    threads: dict[str, list[Message]] = {}
    loose: list[Message] = []
    opened = {m.thread_ts for m in messages if m.thread_ts is not None}
    for message in sorted(messages, key=lambda m: m.at):
        if message.thread_ts is None and message.ts not in opened:
            loose.append(message)
        else:
            threads.setdefault(message.thread_ts or message.ts, []).append(message)
    runs: list[list[Message]] = []
    for message in loose:
        near = (
            runs and message.at - runs[-1][-1].at <= _PAUSE_SECONDS and len(runs[-1]) < _CONVERSATION_MESSAGES
        )
        if near:
            runs[-1].append(message)
        else:
            runs.append([message])
    return sorted([*threads.values(), *runs], key=lambda group: group[0].at)


def reason(error: KeyError | ValueError) -> str:
    """What is wrong, in one line."""
    if isinstance(error, KeyError):
        return "it is not there"
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
