"""A Slack workspace export (zip or folder): threads and short conversations, with names for ids.

An export holds `users.json`, `channels.json` (public), `groups.json` (private), perhaps `dms.json` and `mpims.json`,
and for each channel a folder of one JSON file a day. One thread is one document; messages outside threads that
follow each other closely are one conversation. Bots, joins, notices and what was deleted are left out, and direct
messages are too unless they are asked for: not read, not listed, not counted.
"""

import asyncio
import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from knowledge.port import Document, Place, SourceFailed, Trouble, Unit
from knowledge.sources.slack_files import ExportFiles, Unreadable, mark_of
from knowledge.sources.slack_wire import (
    CHANNELS,
    USERS,
    Channel,
    Message,
    User,
    conversations,
    day,
    is_speech,
    reason,
    standing,
)
from knowledge.sources.slack_writer import Writer

Row = TypeVar("Row")
_EDITION = "2"  # of what is written down: another one, and unchanged exports are read again
_DAY_FILE = re.compile(r"/\d{4}-\d{2}-\d{2}\.json\Z")  # newer exports keep canvases and lists beside the days
_LISTS = ("channels.json", "groups.json")
_DIRECT_LISTS = ("mpims.json", "dms.json")
_STRAYS = "/strays"


@dataclass(frozen=True, slots=True)
class _Room:
    """One channel, group or direct conversation of an export, and the files of its days."""

    channel: Channel
    days: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an export has of one channel: messages as they read last, people, and what could not be read."""

    channel: Channel
    messages: Sequence[Message]
    troubles: Sequence[Trouble]


@dataclass(frozen=True, slots=True)
class _Workspace:
    """What an export says of people and places, before any message is read."""

    users: Mapping[str, User]
    rooms: Mapping[str, _Room]  # by the key of their unit
    troubles: tuple[Trouble, ...]

    @property
    def public(self) -> Mapping[str, str]:
        """Names of channels that may be named to everybody, by id."""
        rooms = self.rooms.values()
        return {room.channel.id: room.channel.name for room in rooms if room.place.public}


class SlackExport:
    """A `Source` of one export. `workspace_url`, such as `https://harbourlane.slack.com`, makes the links.

    `channels` (names or ids; all when None) and `exclude` say which are read. Direct messages, of two or of several,
    are only with `direct_messages=True`, and then for those alone who are in them.
    """

    def __init__(
        self,
        path: Path,
        *,
        workspace_url: str,
        name: str = "slack",
        direct_messages: bool = False,
        channels: Collection[str] | None = None,
        exclude: Collection[str] = (),
    ) -> None:
        self.name = name
        self._path = path
        self._url = workspace_url.rstrip("/")
        self._direct = direct_messages
        self._only = None if channels is None else frozenset(map(_plain, channels))
        self._exclude = frozenset(map(_plain, exclude))
        self._held: tuple[ExportFiles, _Workspace] | None = None

    async def places(self) -> Sequence[Place]:
        """Every channel that is read, with its members where it is private. Raises `SourceFailed`."""
        _, workspace = await asyncio.to_thread(self._opened)
        return tuple(room.place for room in workspace.rooms.values())

    async def units(self) -> Sequence[Unit]:
        """A unit for each channel; one more where there is something wrong with the export. Raises `SourceFailed`."""
        return await asyncio.to_thread(self._units)

    async def signature(self) -> str:
        """A mark of the export and these settings; while it is the same, there is nothing new to read."""
        units, places = await self.units(), await self.places()
        readers = (f"{place.id}\0{place.public}\0{sorted(place.members)}" for place in places)
        return _digest((*(f"{unit.key}\0{unit.stamp}" for unit in units), *readers))

    async def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        """The documents of one channel; what cannot be read of it first."""
        for found in await asyncio.to_thread(self._read, unit):
            yield found

    async def spoken(self, unit: str) -> Spoken | None:
        """What was said in the channel of this unit; None where there is no such channel. Raises `SourceFailed`."""
        return await asyncio.to_thread(self._spoken, unit)

    async def people(self) -> tuple[Mapping[str, User], Mapping[str, str]]:
        """Everybody in it, and the names of its public channels, by id. Raises `SourceFailed`."""
        _, workspace = await asyncio.to_thread(self._opened)
        return workspace.users, workspace.public

    @property
    def url(self) -> str:
        """What links into this workspace begin with."""
        return self._url

    async def documents(self) -> AsyncIterator[Document | Trouble]:
        """All of it, channel after channel."""
        for unit in await self.units():
            async for found in self.read(unit):
                yield found

    def _units(self) -> list[Unit]:
        files, workspace = self._opened()
        people = _digest(f"{u.id}\0{u.called}\0{u.name}\0{u.is_bot}" for u in workspace.users.values())
        public = _digest(f"{key}\0{name}" for key, name in workspace.public.items())
        same = (_EDITION, self._url, people, public)
        units = [
            Unit(
                key,
                _digest((*same, files.signature(room.days), room.place.name, *_pins(room.channel))),
                max(1, files.size(room.days)),
            )
            for key, room in workspace.rooms.items()
        ]
        return [*units, Unit(self._strays)] if workspace.troubles else units

    def _read(self, unit: Unit) -> Sequence[Document | Trouble]:
        _, workspace = self._held or self._opened()
        if unit.key == self._strays:
            return workspace.troubles
        room, spoken = workspace.rooms.get(unit.key), self._spoken(unit.key)
        if room is None or spoken is None:
            return ()
        said = [message for message in spoken.messages if is_speech(message, workspace.users)]
        writer = Writer(self.name, self._url, workspace.users, workspace.public, room.channel, room.place)
        return [*spoken.troubles, *(writer.document(group) for group in conversations(said))]

    def _spoken(self, unit: str) -> Spoken | None:
        files, workspace = self._held or self._opened()
        room = workspace.rooms.get(unit)
        if room is None:
            return None
        troubles: list[Trouble] = []
        messages: list[Message] = []
        for name in room.days:
            try:
                read = day(files.read(name))
            except (Unreadable, ValidationError, OSError) as error:
                troubles.append(Trouble(name, _said(error), keeps=unit))
                continue
            troubles += [Trouble(name, line, keeps=unit) for line in read.unreadable]
            messages += read.messages
        return Spoken(room.channel, standing(messages), troubles)

    @property
    def _strays(self) -> str:
        return f"{self.name}:{_STRAYS}"

    def _opened(self) -> tuple[ExportFiles, _Workspace]:
        """The export as it is now. An archive that did not change since is not opened again."""
        try:
            mark = mark_of(self._path)
            if self._held is None or not mark or self._held[0].mark != mark:
                files = ExportFiles(self._path)
                self._held = files, self._workspace(files)
        except (OSError, zipfile.BadZipFile) as error:
            raise self._failed(f"cannot be read ({error}); give an export, zip or folder") from error
        return self._held

    def _workspace(self, files: ExportFiles) -> _Workspace:
        """Reads people and places. Without `users.json` or any channel list it is no export; the rest is trouble."""
        users = {user.id: user for user in self._listed(files, "users.json", USERS)}
        lists = (*_LISTS, *_DIRECT_LISTS) if self._direct else _LISTS
        listed = [
            (listing, channel)
            for listing in lists
            if files.has(listing)
            for channel in self._listed(files, listing, CHANNELS)
        ]
        claims = Counter(folder for _, channel in listed for folder in _folders(channel))
        rooms: dict[str, _Room] = {}
        troubles = [Trouble(name, why, keeps=self._strays) for name, why in files.strays(claims)]
        for listing, channel in listed:
            if not self._wanted(listing, channel):
                continue
            shared = [folder for folder in _folders(channel) if claims[folder] > 1 and files.within(folder)]
            if shared:  # whose messages they are cannot be told, so nobody reads them
                why = f"{channel.id!r} is not read: another channel has the folder {shared[0]!r} too"
                troubles.append(Trouble(listing, why, keeps=self._strays))
                continue
            days = (n for folder in _folders(channel) for n in files.within(folder) if _DAY_FILE.search(n))
            place = self._place(listing, channel, users)
            rooms[f"{place.id}/"] = _Room(channel, tuple(days), place)
        return _Workspace(users, rooms, (*troubles, *self._unknown(channel for _, channel in listed)))

    def _unknown(self, channels: Iterable[Channel]) -> list[Trouble]:
        """Settings that name no channel: a slip of the pen here may let in what was meant to stay out."""
        known = {called for channel in channels for called in _called(channel)}
        named = sorted(((self._only or frozenset()) | self._exclude) - known)
        return [Trouble("channels.json", f"no channel {one!r} in it", keeps=self._strays) for one in named]

    def _listed(self, files: ExportFiles, name: str, adapter: TypeAdapter[list[Row]]) -> list[Row]:
        try:
            return adapter.validate_json(files.read(name))
        except (KeyError, ValueError) as error:
            raise self._failed(f"{name!r} of it is not what an export has: {reason(error)}") from error

    def _wanted(self, listing: str, channel: Channel) -> bool:
        if _is_direct(listing, channel) and not self._direct:
            return False
        called = _called(channel)
        return not called & self._exclude and (self._only is None or bool(called & self._only))

    def _place(self, listing: str, channel: Channel, users: Mapping[str, User]) -> Place:
        keys = {f"slack:{member}" for member in channel.members}
        mails = (users[member].profile.email for member in channel.members if member in users)
        keys |= {f"email:{mail.lower()}" for mail in mails if mail}
        direct = _is_direct(listing, channel)
        public = listing == "channels.json" and not channel.is_private and not direct
        called = "direct message" if direct or not channel.name else f"#{channel.name}"
        return Place(f"{self.name}:{channel.id}", called, self.name, public=public, members=frozenset(keys))

    def _failed(self, why: str) -> SourceFailed:
        path = str(self._path)
        return SourceFailed(f"source {self.name!r}: {path!r} {why}", source=self.name, path=path)


def _is_direct(listing: str, channel: Channel) -> bool:
    """Old exports list conversations of several among the private groups, other tools all in one list."""
    told = channel.is_im or channel.is_mpim or channel.name.startswith("mpdm-")
    return told or listing in _DIRECT_LISTS or channel.id.startswith("D")


def _folders(channel: Channel) -> tuple[str, ...]:
    """Where its days may lie: under its name, or under its id."""
    return tuple(dict.fromkeys(one for one in (channel.name, channel.id) if one))


def _called(channel: Channel) -> frozenset[str]:
    return frozenset(map(_plain, _folders(channel)))


def _pins(channel: Channel) -> Sequence[str]:
    return [pin.id for pin in channel.pins]


def _plain(name: str) -> str:
    return name.strip().removeprefix("#").lower()


def _digest(pieces: Iterable[str]) -> str:
    return hashlib.sha256("\1".join(pieces).encode("utf-8", "surrogateescape")).hexdigest()


def _said(error: Unreadable | ValidationError | OSError) -> str:
    return str(error) if isinstance(error, OSError) else reason(error)
