"""Keeping what happens, and noting what has to be asked for because of it."""

import re
from collections.abc import Collection, Mapping
from typing import assert_never

from agent.conversation.overheard import Overheard
from agent.surfaces.slack.happenings import (
    TURNS,
    Changed,
    Deleted,
    Ended,
    Happening,
    Joined,
    Left,
    Pinned,
    Said,
    happening,
)
from agent.surfaces.slack.membership import Membership

_WROTE = re.compile(r'"user":"([UW][A-Z0-9]+)"')
_NAMED = re.compile(r"<@([UW][A-Z0-9]+)")


class Ears:
    """`ask_about` are channels whose rights are to be asked for, `unnamed` people whose names are."""

    def __init__(self, kept: Overheard, membership: Membership) -> None:
        self._kept, self._membership = kept, membership
        self.bot = ""  # ourselves, once Slack said so
        self.ask_about: dict[str, None] = {}
        self.unnamed: dict[str, None] = {}
        self._heard: frozenset[str] | None = None  # channels that were heard when they were looked at last

    def hears(self, channels: Collection[str]) -> frozenset[str]:
        """Notes which channels are heard now; those among them that were not before."""
        before, self._heard = self._heard, frozenset(channels)
        return frozenset() if before is None else self._heard - before

    async def hear(self, event: Mapping[str, object]) -> None:
        """Keeps what an event tells. Raises `StoreError`."""
        said = event.get("type") in ("message", "app_mention") and event.get("subtype") not in TURNS
        if said and self._heard is not None and event.get("channel") not in self._heard:
            return  # most of what is said is said elsewhere, and is not even read
        if (found := happening({"event": event})) is not None:
            await self.keep(found)

    async def keep(self, found: Happening) -> None:
        """Keeps it; of channels that nobody ever asked for, nothing. Raises `StoreError`."""
        match found:
            case Said(channel, remark):
                if await self._kept.note(channel, remark):
                    await self.meet(remark.body)
            case Deleted(channel, ts):
                await self._kept.strike(channel, ts)
            case Pinned(channel, ts, pinned):
                await self._membership.pinned(channel, ts, pinned=pinned)
            case Joined(channel):
                await self._membership.joined(channel)
                self.ask_about[channel] = None
            case Left(channel, user):
                await self._membership.left(channel, "" if user == self.bot else user)
                self.ask_about[channel] = None
            case Changed(channel):
                await self._membership.changed(channel)
                self.ask_about[channel] = None
            case Ended():
                await self._membership.ended()
            case _:
                assert_never(found)

    async def meet(self, body: str) -> None:
        """Notes who wrote a message or is named in it, if they have no name yet."""
        for user in {*_WROTE.findall(body), *_NAMED.findall(body)}:
            if user not in self.unnamed and await self._kept.account(user) is None:
                self.unnamed[user] = None
