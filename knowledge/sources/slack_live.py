"""Slack as it is now: the channels that sayso follows, over an export of the same workspace where there is one.

A message has the same document and the same link whether an export has it or it was heard. What was heard counts more
than what an export has, and so do the rights: of a channel that was ever followed, who may read it is what Slack said
last, and nobody may once Slack said it too long ago.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from knowledge.port import Document, Place, Source, SourceFailed, Trouble, Unit
from knowledge.sources.slack_export import SlackExport, Spoken
from knowledge.sources.slack_wire import Channel, Message, Pin, User, conversations, is_speech
from knowledge.sources.slack_writer import Writer

_EDITION = "1"  # of what is written down: another one, and everything is read again
_LINK = re.compile(r"/archives/([A-Z0-9]+)/p(\d+)(\d{6})(?:\?|$)")
CONFIRMED = timedelta(hours=1)  # how long what Slack said of a channel's readers is taken for true


@dataclass(frozen=True, slots=True)
class Followed:
    """A channel that is followed, or was once. `heard`: what is said there is kept.

    `covered` is the oldest message down to which nothing is missing; empty before the first page was read back.
    """

    id: str
    name: str
    private: bool
    heard: bool
    members: frozenset[str]  # user ids
    confirmed_at: datetime | None
    url: str = ""
    pins: frozenset[str] = frozenset()
    covered: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as Slack's JSON has it; `body` is empty once it does not stand any more."""

    ts: str
    body: str


class Archive(Protocol):
    """Where what was heard is kept."""

    async def channels(self) -> Sequence[Followed]: ...

    async def messages(self, channel: str) -> Sequence[Kept]: ...

    async def gone(self, channel: str, messages: Collection[str]) -> frozenset[str]:
        """Those of these messages that do not stand any more."""
        ...

    async def outsiders(self) -> frozenset[str]:
        """Who is no full member of the workspace, as far as anybody asked: they do not see its public channels."""
        ...

    async def users(self) -> Sequence[str]:
        """Everybody who was ever asked about, as JSON."""
        ...


class SlackLive:
    """A `Source` of what is said in Slack, over `export` if there is one, by whose name it goes then."""

    def __init__(
        self,
        archive: Archive,
        clock: Callable[[], datetime],
        export: SlackExport | None = None,
        name: str = "slack",
    ) -> None:
        self.name = name if export is None else export.name
        self._archive, self._clock, self._export = archive, clock, export
        self._last: Sequence[Place] = ()

    async def places(self) -> Sequence[Place]:
        """Channels of the export and those that are followed, with those who may read them at this moment."""
        places = {place.id: place for place in await self._exported()}
        emails = await self._emails() if places else {}
        barred = _keys(await self._archive.outsiders(), emails)
        for channel in await self._archive.channels():
            place = self._place(channel, emails)
            if channel.heard or place.id in places:
                places[place.id] = place
        return tuple(replace(one, barred=barred) if one.public else one for one in places.values())

    async def _exported(self) -> Sequence[Place]:
        """Those of the export; as they were read last where it cannot be read, for the rights of the others count."""
        if self._export is not None:
            try:
                self._last = await self._export.places()
            except SourceFailed:
                return self._last
        return self._last

    async def units(self) -> Sequence[Unit]:
        """A unit for each channel. Raises `SourceFailed`."""
        exported = () if self._export is None else await self._export.units()
        units = {unit.key: unit for unit in exported}
        known = await self._archive.channels()
        users = await self._users()
        people = _digest(f"{u.id}\0{u.called}\0{u.name}\0{u.is_bot}" for u in users.values())
        public = _digest(f"{c.id}\0{c.name}" for c in known if not c.private)
        for channel in known:
            key = self._key(channel)
            if channel.heard:
                base = units.get(key, Unit(key))
                told = (
                    str(channel.revision),
                    channel.name,
                    channel.url,
                    channel.covered,
                    *sorted(channel.pins),
                )
                stamp = _digest((_EDITION, base.stamp, people, public, *told))
                units[key] = Unit(key, stamp, base.weight)
        return tuple(units.values())

    async def signature(self) -> str:
        """A mark of all that can be read here and by whom; while it is the same, there is nothing new."""
        units, places = await self.units(), await self.places()
        readers = (f"{place.id}\0{place.public}\0{place.closed}\0{sorted(place.members)}" for place in places)
        return _digest((*(f"{unit.key}\0{unit.stamp}" for unit in units), *readers))

    async def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        """The documents of one channel. Raises `SourceFailed`."""
        known = {self._key(channel): channel for channel in await self._archive.channels()}
        channel = known.get(unit.key)
        if channel is not None and channel.heard:
            for document in await self._documents(channel, known.values()):
                yield document
        elif self._export is not None:
            async for found in self._export.read(unit):
                yield found

    async def withdrawn(self, links: Collection[str]) -> frozenset[str]:
        """Those of these links whose message was deleted, or is not there any more."""
        named: dict[str, dict[str, str]] = {}
        for link in links:
            if found := _LINK.search(link):
                named.setdefault(found[1], {})[f"{found[2]}.{found[3]}"] = link
        gone = {channel: await self._archive.gone(channel, list(ts)) for channel, ts in named.items()}
        return frozenset(named[channel][ts] for channel, taken in gone.items() for ts in taken)

    async def _documents(self, channel: Followed, known: Collection[Followed]) -> Sequence[Document]:
        exported = None if self._export is None else await self._export.spoken(self._key(channel))
        kept, users = await self._archive.messages(channel.id), await self._users()
        place = self._place(channel, {})
        named = {one.id: one.name for one in known if not one.private}
        if self._export is not None:
            named = {**(await self._export.people())[1], **named}
        about = Channel(
            id=channel.id, name=channel.name, pins=tuple(Pin(id=ts) for ts in sorted(channel.pins))
        )
        writer = Writer(self.name, self._url(channel), users, named, about, place)

        def written() -> list[Document]:
            said = [message for message in joined(channel, exported, kept) if is_speech(message, users)]
            return [writer.document(group) for group in conversations(said)]

        return await asyncio.to_thread(written)

    def _place(self, channel: Followed, emails: Mapping[str, str]) -> Place:
        confirmed = channel.confirmed_at is not None and self._clock() - channel.confirmed_at <= CONFIRMED
        return Place(
            f"{self.name}:{channel.id}",
            f"#{channel.name}",
            self.name,
            public=not channel.private,
            members=_keys(channel.members, emails),
            closed=not confirmed,
        )

    def _key(self, channel: Followed) -> str:
        return f"{self.name}:{channel.id}/"

    def _url(self, channel: Followed) -> str:
        return channel.url.rstrip("/") if self._export is None else self._export.url

    async def _emails(self) -> Mapping[str, str]:
        """Addresses of people in the export; Slack itself is not asked for any."""
        try:
            users = {} if self._export is None else (await self._export.people())[0]
        except SourceFailed:
            return {}
        return {id_: user.profile.email.lower() for id_, user in users.items() if user.profile.email}

    async def _users(self) -> Mapping[str, User]:
        users = {} if self._export is None else dict((await self._export.people())[0])
        for told in await self._archive.users():
            user = User.model_validate(json.loads(told))
            users[user.id] = user
        return users


class Beside:
    """Another export of the workspace, without the channels that were ever followed: their rights are elsewhere."""

    def __init__(self, export: SlackExport, archive: Archive) -> None:
        self.name = export.name
        self._export, self._archive = export, archive

    async def places(self) -> Sequence[Place]:
        """The other channels of it. Raises `SourceFailed`."""
        followed, barred = await self._followed(), _keys(await self._archive.outsiders(), {})
        others = [place for place in await self._export.places() if place.id not in followed]
        return tuple(replace(place, barred=barred) if place.public else place for place in others)

    async def units(self) -> Sequence[Unit]:
        """What of it is read. Raises `SourceFailed`."""
        followed = await self._followed()
        return tuple(
            unit for unit in await self._export.units() if unit.key.removesuffix("/") not in followed
        )

    def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        """The documents of one channel."""
        return self._export.read(unit)

    async def _followed(self) -> frozenset[str]:
        return frozenset(f"{self.name}:{channel.id}" for channel in await self._archive.channels())


def over(sources: Iterable[Source], archive: Archive, clock: Callable[[], datetime]) -> tuple[Source, ...]:
    """These sources with what is heard in Slack: joined to the first export among them, or as one more."""
    found: list[Source] = []
    live: SlackLive | None = None
    for source in sources:
        if not isinstance(source, SlackExport):
            found.append(source)
        elif live is None:
            live = SlackLive(archive, clock, source)
            found.append(live)
        else:
            found.append(Beside(source, archive))
    if live is None:
        name = name_beside(source.name for source in found)
        found.append(SlackLive(archive, clock, name=name))
    return tuple(found)


def name_beside(taken: Iterable[str]) -> str:
    """What the source is called where there is no export whose name it could go by."""
    return "slack-live" if "slack" in taken else "slack"


def joined(channel: Followed, exported: Spoken | None, kept: Iterable[Kept]) -> list[Message]:
    """What was exported and what was heard of a channel as one: what was heard counts, and what is missing is gone.

    What cannot be read of an export is passed over here: documents that stayed for its sake could hold what somebody
    deleted since.
    """
    messages: dict[str, Message] = {}
    if exported is not None:
        messages = {one.ts: one for one in exported.messages if not _would_be_heard(one, channel)}
    for one in kept:
        messages.pop(one.ts, None)
        if one.body:
            messages[one.ts] = Message.model_validate_json(one.body)
    return list(messages.values())


def _would_be_heard(message: Message, channel: Followed) -> bool:
    """Whether it was read back by now if it still stood. Threads are read with the message that opens them."""
    return bool(channel.covered) and (message.thread_ts or message.ts) >= channel.covered


def _keys(users: Collection[str], emails: Mapping[str, str]) -> frozenset[str]:
    """The identity keys of users."""
    return frozenset(f"slack:{user}" for user in users) | {
        f"email:{emails[user]}" for user in users if user in emails
    }


def _digest(pieces: Iterable[str]) -> str:
    return hashlib.sha256("\1".join(pieces).encode("utf-8", "surrogateescape")).hexdigest()
