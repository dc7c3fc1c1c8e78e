"""Reading along: what happens in channels is kept before it is acknowledged; the rest is asked for in the background.

Three rounds go on side by side: who may read what is confirmed, channels are read back, and people get their names.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from slack_sdk.web.async_client import AsyncWebClient

from agent.app import App
from agent.conversation.overheard import Channel
from agent.jobs.voice import VoiceUnavailable
from agent.people.person import Person
from agent.store.port import StoreError
from agent.surfaces.slack.backfill import FEW, MESSAGES, Backfill, caught_up
from agent.surfaces.slack.ears import Ears
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.following import Following
from agent.surfaces.slack.membership import Membership, NoChannel, moment
from agent.surfaces.slack.reading import DISTRIBUTED, PACE, Reading, SlackRefuses, SlackSilent, Sleep
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.standing import Standings, StandingUnknown

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from agent.settings import SlackSettings

LOG = logging.getLogger("sayso.slack")
ROUND = 1.0  # seconds between two looks for something to do
PAUSE = 30.0  # seconds after Slack refused or did not answer
MISSED = timedelta(days=7)  # how far back is looked for what nobody heard: threads are answered for days
MISSED_FEW = timedelta(days=1)
HEARS = ("all", "surface")  # roles of processes that are connected


class Listening:
    """Opened by `start`, closed by `stop`.

    `connection` is the one that events come by, None while there is none. `sleep` is passed in so that a test need not
    wait.
    """

    def __init__(
        self,
        app: App,
        settings: "SlackSettings",
        client: AsyncWebClient,
        sender: Sender,
        standings: Standings,
        clock: Callable[[], datetime],
        connection: Callable[[], object | None],
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        own = settings.listening
        reading = Reading(client, time.monotonic, sleep, DISTRIBUTED if own.distributed else PACE)
        self._app, self._kept, self._clock, self._sleep = app, app.store.overheard, clock, sleep
        self._sender, self._standings = sender, standings
        self._membership = Membership(self._kept, reading, clock, own.history)
        self._ears = Ears(self._kept, self._membership)
        self.following = Following(app, settings, self._membership, clock)
        self._backfill = Backfill(self._kept, reading, FEW if own.distributed else MESSAGES)
        self._missed = MISSED_FEW if own.distributed else MISSED
        self._resting: dict[str, datetime] = {}  # until when they are not asked about
        self._connection = connection
        self._connected: object | None = None  # the last one there was
        self._was_lost = False
        self._rounds: list[asyncio.Task[None]] = []
        self._troubles: dict[str, str] = {}

    # --- life ----------------------------------------------------------------------------------------------------

    def listens(self, bolt: "AsyncApp") -> None:
        """Has Bolt bring what happens in channels; messages come from the surface."""
        bolt.event("member_joined_channel")(self.on_event)
        bolt.event("member_left_channel")(self.on_event)
        bolt.event("channel_left")(self.on_event)
        bolt.event("group_left")(self.on_event)
        bolt.event("channel_archive")(self.on_event)
        bolt.event("channel_unarchive")(self.on_event)
        bolt.event("channel_rename")(self.on_event)
        bolt.event("channel_deleted")(self.on_event)
        bolt.event("channel_shared")(self.on_event)
        bolt.event("group_archive")(self.on_event)
        bolt.event("group_unarchive")(self.on_event)
        bolt.event("group_rename")(self.on_event)
        bolt.event("group_deleted")(self.on_event)
        bolt.event("pin_added")(self.on_event)
        bolt.event("pin_removed")(self.on_event)

    async def start(self, bot: str, url: str) -> None:
        """Begins, and doubts all it knew if nobody heard what happened before. Raises `StoreError`."""
        self._ears.bot, self._membership.url = bot, url
        if not await self._others_hear():
            await self.doubt()
        for work in (self._confirm, self._read_back, self._name, self._tell, self._watch):
            self._rounds.append(asyncio.create_task(self._without_end(work), name=work.__name__))
        self._rounds.append(asyncio.create_task(self._survey(), name="survey"))

    async def stop(self) -> None:
        """Ends the rounds; another process or the next start goes on from where they were."""
        for task in self._rounds:
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)

    @property
    def trouble(self) -> str | None:
        """What Slack does not tell at the moment."""
        return next(iter(self._troubles.values()), None)

    async def doubt(self) -> None:
        """Nobody heard for a while: until Slack is asked anew, nobody reads anything. Raises `StoreError`."""
        await self._membership.doubt()
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Has what was said lately looked through, for what nobody heard."""
        now = self._clock()
        for channel in await self._kept.channels():
            oldest = moment((channel.confirmed_at or now) - self._missed)
            await self._kept.amend(channel.id, partial(caught_up, oldest=oldest))

    async def _others_hear(self) -> bool:
        """Whether another process is connected: then Slack told that one what this one did not hear."""
        fleet = self._app.fleet
        await fleet.look()
        others = [(id_, beat) for id_, beat in fleet.everybody().items() if id_ != fleet.me]
        return any(beat.role in HEARS and fleet.alive(id_) for id_, beat in others)

    async def _survey(self) -> None:
        """Looks once for people who have no name yet, and for what became of those in the settings."""
        users = (one.identities.get(NAME) for one in self._app.directory.everybody())
        self._ears.unnamed |= dict.fromkeys(user for user in users if user)
        for channel in await self._kept.channels():
            for remark in await self._kept.remarks(channel.id) if channel.heard else ():
                await self._ears.meet(remark.body)

    # --- what happens --------------------------------------------------------------------------------------------

    async def on_event(self, body: Mapping[str, object]) -> None:
        """Keeps what an event tells, before it is acknowledged. Raises `StoreError`: then Slack sends it again."""
        event = body.get("event")
        if isinstance(event, Mapping):
            await self._ears.hear(event)

    async def on_user_change(self, body: Mapping[str, object]) -> None:
        """Somebody changed; who was deactivated is in no channel any more."""
        event = body.get("event")
        user = event.get("user") if isinstance(event, Mapping) else None
        if isinstance(user, Mapping) and user.get("deleted") is True:
            await self._membership.deactivated(str(user.get("id")))

    async def command(self, text: str, channel: str, person: Person) -> str:
        """Answers `/sayso index` and `/sayso settings`, and tells the channel. Raises `StoreError`."""
        answer, notice = await self.following.command(text, channel, person)
        if notice:
            self._ears.ask_about[channel] = None
            await self._look()
        return answer

    # --- rounds --------------------------------------------------------------------------------------------------

    async def _without_end(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Does it over and over; at once again where there was something to do."""
        while True:
            pause = ROUND
            try:
                pause = 0.0 if await work() else ROUND
                self._troubles.pop(work.__name__, None)
            except (SlackSilent, SlackRefuses, StandingUnknown, VoiceUnavailable) as error:
                self._troubles[work.__name__], pause = str(error), PAUSE
                LOG.warning("%s", error)
            except StoreError as error:
                LOG.warning("the store does not answer: %s", error)
            except Exception:
                LOG.exception("a round failed; the next one begins in %.0f s", pause)
            await self._sleep(pause)

    async def _confirm(self) -> bool:
        """Asks about one channel whose rights are to be asked for."""
        # What is asked about and not known costs nothing: Slack is not asked.
        waiting = [*self._ears.ask_about, *await self._membership.due()]
        asked = next((one for one in waiting if self._rested(one)), None)
        if asked is None:
            return False
        self._ears.ask_about.pop(asked, None)
        try:
            await self._membership.confirm(asked)
        except (SlackSilent, SlackRefuses, NoChannel):
            self._resting[asked] = self._clock() + timedelta(seconds=PAUSE)  # the others first
            self._ears.ask_about[asked] = None
            raise
        return True

    def _rested(self, channel: str) -> bool:
        """Whether Slack may be asked about it: it is not over and over about what it does not answer."""
        until = self._resting.get(channel)
        return until is None or until <= self._clock()

    async def _read_back(self) -> bool:
        """Reads a page of each channel that is not read back yet and that no other process reads."""
        worked = False
        for channel in await self._look():
            if not (
                channel.heard and channel.walks and self._rested(channel.id) and await self._takes(channel)
            ):
                continue
            try:
                page = await self._backfill.step(channel.id)
            except SlackRefuses as error:
                LOG.warning("%s is not read back: %s", channel.id, error)
                self._resting[channel.id] = self._clock() + timedelta(seconds=PAUSE)
                self._ears.ask_about[channel.id] = None
                continue
            for remark in () if page is None else page.remarks:
                await self._ears.meet(remark.body)
            worked |= page is not None
        return worked

    async def _look(self) -> Sequence[Channel]:
        """The channels; of one that another process was asked to follow, this one may have missed the first words."""
        channels = await self._kept.channels()
        for id_ in self._ears.hears([one.id for one in channels if one.heard]):
            oldest = moment(self._clock() - timedelta(seconds=PAUSE))
            await self._kept.amend(id_, partial(caught_up, oldest=oldest))
        return channels

    async def _watch(self) -> bool:
        """Notices that the connection was lost, or is another one."""
        now, before = self._connection(), self._connected
        if now is None:
            self._was_lost = before is not None
            return False
        lost, self._was_lost, self._connected = self._was_lost, False, now
        if lost and not await self._others_hear():
            await self.doubt()
        elif before is not None and before is not now:  # Slack has connections made anew now and then
            await self._catch_up()
            self._ears.ask_about |= dict.fromkeys(one.id for one in await self._kept.channels())
        return False

    async def _takes(self, channel: Channel) -> bool:
        """Whether this process reads it back: one at a time does, for all share what Slack gives out."""
        fleet = self._app.fleet
        if channel.reader == fleet.me:
            return True
        if channel.reader:
            await fleet.look()
            if fleet.alive(channel.reader):
                return False
        taken = await self._kept.amend(
            channel.id,
            lambda known: replace(known, reader=fleet.me) if known.reader == channel.reader else known,
        )
        return taken.reader == fleet.me

    async def _name(self) -> bool:
        """Asks who somebody is, so that a message has a name."""
        user = next(iter(self._ears.unnamed), None)
        if user is None:
            return False
        self._ears.unnamed.pop(user)
        try:
            await self._standings.of(user)
        except StandingUnknown:
            self._ears.unnamed[user] = None  # behind the others
            raise
        return True

    async def _tell(self) -> bool:
        """Tells channels that are followed from now on, or no more; one of the processes does, as with reading back."""
        for channel in await self._kept.channels():
            if channel.told != channel.news and await self._takes(channel):
                await self._sender.post(channel.id, self.following.notice(channel))
                await self._kept.amend(channel.id, partial(replace, told=channel.news))
        return False
