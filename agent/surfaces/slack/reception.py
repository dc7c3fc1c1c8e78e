"""Who speaks or clicks, and how they are answered alone: a whisper, a form, or a word about why nothing was done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping

from agent.app import App
from agent.audit.speaking import speaks_through
from agent.jobs.desk import Desk
from agent.jobs.voice import VoiceUnavailable
from agent.people.person import Person
from agent.store.port import StoreError
from agent.surfaces.slack import events
from agent.surfaces.slack.blocks import Block, message, paragraphs
from agent.surfaces.slack.door import Door
from agent.surfaces.slack.events import NAME, Click
from agent.surfaces.slack.sender import Sender
from agent.words.catalogue import say

LOG = logging.getLogger("sayso.slack")
Body = Mapping[str, object]
Attempt = Callable[[Click, Person], Awaitable[None]]


class Reception:
    """Shared by everything that hears people; `opened` gives it the desk where it hands in what they want."""

    def __init__(self, app: App, sender: Sender, door: Door) -> None:
        self.app, self.sender, self.door = app, sender, door
        self._desk: Desk | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, desk: Desk) -> None:
        """From now on people can be heard."""
        self._desk = desk

    @property
    def desk(self) -> Desk:
        """Where what people want is handed in."""
        if self._desk is None:
            raise RuntimeError("nobody is heard before the surface is started")
        return self._desk

    async def person(self, team: str, user: str, channel: str, *, thread: str = "") -> Person | None:
        """The person behind a Slack user, if they have rights here; else they are told why not, where they can be."""
        speaks_through(NAME, user)
        found = await self.door.person(team, user)
        if isinstance(found, Person):
            return found
        if channel and found:
            self.whisper(channel, user, found, thread=thread)
        return None

    async def attend(self, body: Body, attempt: Attempt) -> None:
        """Does what somebody clicked for, as them. What cannot be kept they are told; `attempt` answers the rest."""
        click = events.click(body)
        if click is None:
            return
        try:
            person = await self.person(click.team, click.user, click.channel, thread=click.thread)
            if person is not None:
                await attempt(click, person)
        except StoreError as error:
            text = say("slack.not_saved", self.app.settings.language, why=str(error))
            self.whisper(click.channel, click.user, text, thread=click.thread)

    def tell(self, click: Click, text: str) -> None:
        """Answers a click, for nobody else to see."""
        self.whisper(click.channel, click.user, text, thread=click.thread)

    def whisper(self, channel: str, user: str, text: str, *, thread: str = "") -> None:
        """Says something that only one person sees; where that is not possible, in a direct message."""
        self.later(self._whispered(channel, user, text, thread))

    async def _whispered(self, channel: str, user: str, text: str, thread: str) -> None:
        if channel and await self.sender.whisper(channel, user, text, thread=thread):
            return
        if direct := await self.sender.direct(user):
            await self.sender.post(direct, message(text, paragraphs(text)))

    def opens(self, click: Click, person: Person, view: Block) -> None:
        """Opens a form for whoever clicked; if Slack does not, they are told to click again."""
        self.later(self._opened(click, person, view))

    async def _opened(self, click: Click, person: Person, view: Block) -> None:
        try:
            if await self.sender.open_view(click.trigger, view):
                return
        except VoiceUnavailable as error:
            LOG.warning("%s", error)
        text = say("slack.not_opened", self.app.locale_of(person.id))
        await self._whispered(click.channel, click.user, text, click.thread)

    def later(self, work: Coroutine[object, object, object]) -> None:
        """What must not hold up the acknowledgement."""

        async def quietly() -> None:
            try:
                await work
            except VoiceUnavailable as error:
                LOG.warning("%s", error)

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits a little for what is still to be said."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
