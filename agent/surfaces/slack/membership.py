"""Who may read a channel: as Slack says it, asked again and again, and every going taken into account at once.

A going counts from its event on. A coming only has Slack asked again: an event may be told twice, and late.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from agent.conversation.overheard import Amend, Channel, Overheard, Walk
from agent.surfaces.slack.reading import Reading, SlackRefuses

LOG = logging.getLogger("sayso.slack")
AGAIN = timedelta(minutes=10)  # how often Slack is asked while nothing happens
TRIES = 5  # how often Slack is asked anew when something happens meanwhile
OUT = frozenset({"channel_not_found", "not_in_channel", "team_access_not_granted"})


class NoChannel(Exception):
    """It is no channel: a direct message, or one of several people."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What Slack says of a channel at one moment."""

    name: str = ""
    private: bool = True
    archived: bool = False
    present: bool = False
    members: frozenset[str] = frozenset()
    pins: frozenset[str] | None = None  # None where Slack does not say


class Membership:
    """Keeps the rights of channels as Slack has them."""

    def __init__(
        self,
        kept: Overheard,
        reading: Reading,
        clock: Callable[[], datetime],
        history: timedelta | None = None,
    ) -> None:
        self._kept, self._reading, self._clock, self._history = kept, reading, clock, history
        self.url = ""  # of our workspace, once Slack said so

    async def confirm(self, id_: str) -> Channel | None:
        """Asks Slack about a channel that is known, and keeps what it says; None where it is not known.

        Raises `SlackSilent`, `SlackRefuses`; then the channel is as it was, and nobody's after a while.
        """
        for _ in range(TRIES):
            known = await self._kept.channel(id_)
            if known is None:
                return None
            at = self._clock()
            rights = await self.read(id_)
            kept = await self._kept.amend(id_, self._confirmed(rights, known.moves, at))
            if kept.moves == known.moves:
                return kept
        LOG.warning("%s: people come and go faster than Slack can be asked; asked again later", id_)
        return await self._kept.channel(id_)

    def _confirmed(self, rights: Rights, moves: int, at: datetime) -> Amend:
        def amend(known: Channel) -> Channel:
            if known.moves != moves:  # somebody came or went since Slack was asked
                return known
            after = joined(known, rights, at, self.url)
            return self.anew(after) if after.heard and not known.heard else after

        return amend

    def anew(self, channel: Channel) -> Channel:
        """A channel whose history is to be read, as far back as the settings say."""
        oldest = "" if self._history is None else moment(self._clock() - self._history)
        return replace(channel, walks=(Walk(oldest, whole=True),), covered="", reader="")

    async def look(self, id_: str) -> Rights:
        """As `read`, but at once, and without who is in it."""
        return await self._read(id_, hurry=True)

    async def read(self, id_: str) -> Rights:
        """What Slack says now. Raises `NoChannel`, `SlackSilent`, `SlackRefuses`."""
        rights = await self._read(id_, hurry=False)
        if not rights.present:
            return rights
        members = await self._members(id_) if rights.private else frozenset()
        return replace(rights, members=members, pins=await self._pins(id_))

    async def _read(self, id_: str, *, hurry: bool) -> Rights:
        try:
            answer = await self._reading.ask("conversations.info", {"channel": id_}, hurry=hurry)
        except SlackRefuses as error:
            if error.why not in OUT:
                raise
            return Rights()
        info = _inner(answer, "channel")
        if info.get("is_im") or info.get("is_mpim"):
            raise NoChannel(id_)
        return Rights(
            str(info.get("name") or id_),
            private=info.get("is_private") is not False,
            archived=info.get("is_archived") is True,
            present=info.get("is_member") is True,
        )

    async def _members(self, id_: str) -> frozenset[str]:
        found: set[str] = set()
        cursor = ""
        while True:
            asked = {"channel": id_, "limit": "1000", **({"cursor": cursor} if cursor else {})}
            answer = await self._reading.ask("conversations.members", asked)
            listed = answer.get("members")
            found |= {str(one) for one in listed} if isinstance(listed, list) else set()
            cursor = str(_inner(answer, "response_metadata").get("next_cursor") or "")
            if not cursor:
                return frozenset(found)

    async def _pins(self, id_: str) -> frozenset[str] | None:
        try:
            listed = (await self._reading.ask("pins.list", {"channel": id_})).get("items")
        except SlackRefuses as error:  # who may read it is worth knowing all the same
            LOG.warning("%s", error)
            return None
        items = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
        return frozenset(str(_inner(one, "message").get("ts")) for one in items if "message" in one)

    async def pinned(self, id_: str, ts: str, *, pinned: bool) -> None:
        """A message was pinned, or is not any more."""

        def amend(known: Channel) -> Channel:
            return replace(known, pins=known.pins | {ts} if pinned else known.pins - {ts})

        await self._amended(id_, amend)

    async def left(self, id_: str, user: str) -> None:
        """Somebody went, and finds nothing of it any more; without a user it was sayso, and nobody does."""
        await self._amended(id_, without(user) if user else lost)

    async def joined(self, id_: str) -> None:
        """Somebody came, who counts once Slack is asked."""
        await self._amended(id_, lambda known: replace(known, moves=known.moves + 1))

    async def changed(self, id_: str) -> None:
        """The channel is another one: until Slack is asked what it is, nobody reads it."""
        await self._amended(id_, doubtful)

    async def _amended(self, id_: str, amend: Amend) -> None:
        """Changes a channel that is known; of others nothing is kept."""
        if await self._kept.channel(id_) is not None:
            await self._kept.amend(id_, amend)

    async def deactivated(self, user: str) -> None:
        """Somebody is not in the workspace any more, and so in none of its channels."""
        for channel in await self._kept.channels():
            if user in channel.members:
                await self._kept.amend(channel.id, without(user))

    async def ended(self) -> None:
        """The app was removed: nobody says any more who may read what."""
        for channel in await self._kept.channels():
            await self._kept.amend(channel.id, lost)

    async def doubt(self) -> None:
        """Something may have happened that nobody heard: until Slack is asked, nobody reads anything."""
        for channel in await self._kept.channels():
            await self._kept.amend(channel.id, doubtful)

    async def due(self) -> list[str]:
        """Channels that Slack is to be asked about again, those first that wait longest."""
        before, ever = self._clock() - AGAIN, datetime.min.replace(tzinfo=UTC)
        waiting = [
            one
            for one in await self._kept.channels()
            if one.doubted or one.confirmed_at is None or one.confirmed_at <= before
        ]
        return [
            one.id for one in sorted(waiting, key=lambda one: (not one.doubted, one.confirmed_at or ever))
        ]


def joined(known: Channel, rights: Rights, at: datetime, url: str) -> Channel:
    """A channel with the rights that Slack told of at a moment."""
    return replace(
        known,
        name=rights.name or known.name,
        private=rights.private,
        archived=rights.archived,
        present=rights.present,
        members=rights.members,
        pins=known.pins if rights.pins is None else rights.pins,
        confirmed_at=at,
        doubted=False,
        url=url or known.url,
    )


def moment(at: datetime) -> str:
    """A moment as Slack writes it."""
    return f"{at.timestamp():.6f}"


def doubtful(known: Channel) -> Channel:
    """A channel of which it is not known who may read it; what Slack was asked before does not count."""
    return replace(known, doubted=True, moves=known.moves + 1)


def without(user: str) -> Amend:
    """Takes somebody out of a channel."""
    return lambda known: replace(known, members=known.members - {user}, moves=known.moves + 1)


def lost(known: Channel) -> Channel:
    """A channel that sayso is not in any more."""
    return replace(
        known,
        present=False,
        members=frozenset(),
        private=True,
        confirmed_at=None,
        walks=(),
        covered="",
        moves=known.moves + 1,
    )


def _inner(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}
