"""A Slack workspace export (zip or folder): threads and short conversations, with names for ids.

An export holds `users.json`, `channels.json` (public), `groups.json` (private), perhaps `dms.json` and `mpims.json`,
and for each channel a folder of one JSON file a day. One thread is one document; messages outside threads that
follow each other closely are one conversation. Bots, joins and other notices are left out.
"""

import asyncio
import re
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from knowledge.port import Document, Kind, Part, Place, SourceFailed, Trouble

T = TypeVar("T")
Row = TypeVar("Row")
_PAUSE_SECONDS = 15 * 60  # a longer silence ends a conversation
_CONVERSATION_MESSAGES = 12
_TITLE_CHARS = 80
_SPOKEN = frozenset({None, "thread_broadcast", "me_message", "file_share"})
_MENTION = re.compile(r"<(@|#|!)([^>|]+)(?:\|([^>]*))?>")
_URL = re.compile(r"<((?:https?|mailto):[^>|]+)(?:\|([^>]*))?>")


class _Wire(BaseModel):
    """A piece of an export; what is not read here is passed over, as every export carries more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Profile(_Wire):
    real_name: str = ""
    display_name: str = ""
    email: str | None = None


class _User(_Wire):
    id: str
    name: str = ""
    real_name: str | None = None
    is_bot: bool = False
    profile: _Profile = _Profile()

    @property
    def called(self) -> str:
        return self.real_name or self.profile.real_name or self.profile.display_name or self.name or self.id


class _Pin(_Wire):
    id: str


class _Channel(_Wire):
    id: str
    name: str = ""
    members: tuple[str, ...] = ()
    pins: tuple[_Pin, ...] = ()


class _Reaction(_Wire):
    name: str
    count: int = 0


class _Message(_Wire):
    type: str = "message"
    subtype: str | None = None
    user: str | None = None
    bot_id: str | None = None
    text: str = ""
    ts: str = Field(pattern=r"^\d+\.\d+$")
    thread_ts: str | None = None
    reactions: tuple[_Reaction, ...] = ()
    pinned_to: tuple[str, ...] = ()

    @property
    def at(self) -> float:
        return float(self.ts)


_USERS = TypeAdapter(list[_User])
_CHANNELS = TypeAdapter(list[_Channel])
_MESSAGES = TypeAdapter(list[_Message])


@dataclass(frozen=True, slots=True)
class _Room:
    """One channel, group or direct conversation of an export."""

    channel: _Channel
    folder: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Workspace:
    """What an export says of people and places, before any message is read."""

    users: Mapping[str, _User]
    rooms: tuple[_Room, ...]


class SlackExport:
    """A `Source` of one export. `workspace_url`, such as `https://harbourlane.slack.com`, makes the links."""

    def __init__(self, path: Path, *, workspace_url: str, name: str = "slack") -> None:
        self.name = name
        self._path = path
        self._url = workspace_url.rstrip("/")

    async def places(self) -> Sequence[Place]:
        """Every channel, with its members where it is private. Raises `SourceFailed` when it is no export."""
        workspace = await asyncio.to_thread(self._within, self._workspace)
        return tuple(room.place for room in workspace.rooms)

    async def documents(self) -> AsyncIterator[Document | Trouble]:
        workspace = await asyncio.to_thread(self._within, self._workspace)
        for room in workspace.rooms:
            for found in await asyncio.to_thread(self._within, self._reader(workspace, room)):
                yield found

    def _reader(self, workspace: _Workspace, room: _Room) -> Callable[["_Files"], list[Document | Trouble]]:
        return lambda files: self._room(files, workspace, room)

    def _within(self, read: Callable[["_Files"], T]) -> T:
        try:
            with _Files(self._path) as files:
                return read(files)
        except (OSError, zipfile.BadZipFile) as error:
            raise SourceFailed(
                f"source {self.name!r}: {str(self._path)!r} cannot be read ({error}); give an export, zip or folder",
                source=self.name,
                path=str(self._path),
            ) from error

    def _workspace(self, files: "_Files") -> _Workspace:
        """Reads people and places. Without `users.json` or any channel list it is no export; the rest is trouble."""
        users = {user.id: user for user in self._listed(files, "users.json", _USERS)}
        rooms: list[_Room] = []
        for listing, public in (
            ("channels.json", True),
            ("groups.json", False),
            ("mpims.json", False),
            ("dms.json", False),
        ):
            if files.has(listing):
                for channel in self._listed(files, listing, _CHANNELS):
                    place = self._place(channel, users, public=public)
                    rooms.append(_Room(channel, channel.name or channel.id, place))
        return _Workspace(users, tuple(rooms))

    def _listed(self, files: "_Files", name: str, adapter: TypeAdapter[list[Row]]) -> list[Row]:
        try:
            return adapter.validate_json(files.read(name))
        except (KeyError, ValidationError) as error:
            raise SourceFailed(
                f"source {self.name!r}: {name!r} of {str(self._path)!r} is not what an export has: {reason(error)}",
                source=self.name,
                path=str(self._path),
            ) from error

    def _place(self, channel: _Channel, users: Mapping[str, _User], *, public: bool) -> Place:
        keys = {f"slack:{member}" for member in channel.members}
        mails = (users[member].profile.email for member in channel.members if member in users)
        keys |= {f"email:{mail.lower()}" for mail in mails if mail}
        called = f"#{channel.name}" if channel.name else "direct message"
        return Place(f"{self.name}:{channel.id}", called, self.name, public=public, members=frozenset(keys))

    def _room(self, files: "_Files", workspace: _Workspace, room: _Room) -> list[Document | Trouble]:
        found: list[Document | Trouble] = []
        messages: dict[str, _Message] = {}
        for name in files.within(room.folder):
            try:
                day = _MESSAGES.validate_json(files.read(name))
            except ValidationError as error:
                found.append(Trouble(name, reason(error), keeps=f"{self.name}:{room.channel.id}/"))
                continue
            messages |= {m.ts: m for m in day if _is_speech(m, workspace.users)}
        writer = _Writer(self.name, self._url, workspace.users, room)
        return found + [writer.document(group) for group in conversations(list(messages.values()))]


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the conversations of one room down as documents."""

    source: str
    url: str
    users: Mapping[str, _User]
    room: _Room

    def document(self, messages: Sequence[_Message]) -> Document:
        lines, parts, at = [], [], 0
        for message in messages:
            author = self._author(message)
            line = f"{author}: {self.readable(message.text).strip()}\n"
            pinned = self._pinned(message)
            parts.append(Part(at, at + len(line), (), author, _moment(message), self._link(message), pinned))
            lines.append(line)
            at += len(line)
        first = messages[0]
        opening = " ".join(self.readable(first.text).split())
        short = (
            opening if len(opening) <= _TITLE_CHARS else opening[: _TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"
        )
        return Document(
            id=f"{self.source}:{self.room.channel.id}/{first.thread_ts or first.ts}",
            source=self.source,
            kind=Kind.CHAT,
            title=f"{self.room.place.name}: {short}",
            text="".join(lines),
            place=self.room.place.id,
            parts=tuple(parts),
            author=self._author(first),
            date=_moment(first),
            link=self._link(first),
            people=self._people(messages),
            pinned=any(part.pinned for part in parts),
            reactions=sum(r.count for m in messages for r in m.reactions),
        )

    def readable(self, text: str) -> str:
        """Slack's markup as people read it: names for ids, plain addresses for links."""
        text = _MENTION.sub(lambda found: self._mention(found.group(1), found.group(2), found.group(3)), text)
        text = _URL.sub(
            lambda found: f"{found.group(2)} ({found.group(1)})" if found.group(2) else found.group(1), text
        )
        return unescape(text)

    def _mention(self, mark: str, key: str, label: str | None) -> str:
        match mark:
            case "@":
                return f"@{self.users[key].called if key in self.users else label or key}"
            case "#":
                return f"#{label or key}"
            case _:
                return f"@{(label or key).split('^')[0].removeprefix('@')}"

    def _author(self, message: _Message) -> str:
        user = self.users.get(message.user or "")
        return user.called if user else message.user or "somebody"

    def _people(self, messages: Sequence[_Message]) -> tuple[str, ...]:
        """All a question may call the speakers: names, handle, identity key."""
        called: dict[str, None] = {}
        for message in messages:
            user = self.users.get(message.user or "")
            if user is not None:
                called |= dict.fromkeys((user.called, user.name, f"slack:{user.id}"))
        return tuple(sorted(name for name in called if name))

    def _pinned(self, message: _Message) -> bool:
        pins = {pin.id for pin in self.room.channel.pins}
        return message.ts in pins or self.room.channel.id in message.pinned_to

    def _link(self, message: _Message) -> str:
        link = f"{self.url}/archives/{self.room.channel.id}/p{message.ts.replace('.', '')}"
        if message.thread_ts is None or message.thread_ts == message.ts:
            return link
        return f"{link}?thread_ts={message.thread_ts}&cid={self.room.channel.id}"


class _Files:
    """The files of an export, zipped or not, by their path from where `users.json` lies."""

    def __init__(self, path: Path) -> None:
        self._zip = None if path.is_dir() else zipfile.ZipFile(path)
        self._folder = path
        names = (
            self._zip.namelist()
            if self._zip
            else [p.relative_to(path).as_posix() for p in path.rglob("*.json")]
        )
        roots = sorted(
            (n.removesuffix("users.json") for n in names if n.rsplit("/", 1)[-1] == "users.json"), key=len
        )
        self._root = roots[0] if roots else ""
        self._names = sorted(n.removeprefix(self._root) for n in names if n.startswith(self._root))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._zip:
            self._zip.close()

    def has(self, name: str) -> bool:
        return name in self._names

    def within(self, folder: str) -> list[str]:
        return [name for name in self._names if name.startswith(f"{folder}/") and name.endswith(".json")]

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises `KeyError` when there is none of that name."""
        if name not in self._names:
            raise KeyError(name)
        if self._zip:
            return self._zip.read(self._root + name)
        return (self._folder / (self._root + name)).read_bytes()


def conversations(messages: Sequence[_Message]) -> list[list[_Message]]:
    """Messages as they belong together: each thread, and outside threads what follows closely, oldest first."""
    threads: dict[str, list[_Message]] = {}
    loose: list[_Message] = []
    opened = {m.thread_ts for m in messages if m.thread_ts is not None}
    for message in sorted(messages, key=lambda m: m.at):
        if message.thread_ts is None and message.ts not in opened:
            loose.append(message)
        else:
            threads.setdefault(message.thread_ts or message.ts, []).append(message)
    runs: list[list[_Message]] = []
    for message in loose:
        near = (
            runs and message.at - runs[-1][-1].at <= _PAUSE_SECONDS and len(runs[-1]) < _CONVERSATION_MESSAGES
        )
        if near:
            runs[-1].append(message)
        else:
            runs.append([message])
    return sorted([*threads.values(), *runs], key=lambda group: group[0].at)


def reason(error: KeyError | ValidationError) -> str:
    """What is wrong, in one line."""
    if isinstance(error, KeyError):
        return "it is not there"
    first = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _is_speech(message: _Message, users: Mapping[str, _User]) -> bool:
    user = users.get(message.user or "")
    is_bot = message.bot_id is not None or (user is not None and user.is_bot) or message.user == "USLACKBOT"
    return (
        message.type == "message" and message.subtype in _SPOKEN and not is_bot and bool(message.text.strip())
    )


def _moment(message: _Message) -> datetime:
    return datetime.fromtimestamp(message.at, tz=UTC)
