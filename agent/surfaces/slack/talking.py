"""What people say to sayso: messages, the command, the shortcut of a message, and the tabs that they open."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from agent.conversation.thread import Said, ThreadId
from agent.people.person import Person
from agent.surfaces.slack import events, prompts
from agent.surfaces.slack.events import Click, Heard, Where
from agent.surfaces.slack.listening import Listening
from agent.surfaces.slack.manifest import COMMAND, SHORTCUT
from agent.surfaces.slack.reception import Body, Reception
from agent.surfaces.slack.tabs import Tabs
from agent.surfaces.slack.watching import STOP
from agent.words.catalogue import say

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from agent.settings import SlackSettings


class Talking:
    """Hears, and has it kept. `bot` is our own user id, once Slack has told it."""

    def __init__(
        self,
        reception: Reception,
        settings: "SlackSettings",
        listening: Listening,
        tabs: Tabs,
        clock: Callable[[], datetime],
    ) -> None:
        self._reception, self._app, self._settings = reception, reception.app, settings
        self._listening, self._tabs, self._clock = listening, tabs, clock
        self.bot = ""

    def listens(self, bolt: "AsyncApp") -> None:
        """Has Bolt bring what people say."""
        bolt.event("app_mention")(self.on_message)
        bolt.event("message")(self.on_message)
        bolt.event("app_home_opened")(self._on_tab)
        bolt.event("user_change")(self._on_user_change)
        bolt.command(COMMAND)(self._on_command)
        bolt.shortcut(SHORTCUT)(self._on_shortcut)
        bolt.action(STOP)(self._on_stop)

    async def on_message(self, body: Body) -> None:
        """Keeps a message, its edit or its deletion, where it is for us."""
        await self._listening.on_event(body)
        changed = events.changed(body, self.bot)
        if changed is not None:
            # Only what was a question is taken back; an edit asks again, once, as the words are now.
            if await self._reception.desk.take_back(changed.key) and changed.again is not None:
                await self._hear(changed.again)
            return
        said = events.heard(body, self.bot)
        if said is not None and self._for_us(said):
            await self._hear(said)

    def _for_us(self, said: Heard) -> bool:
        """Whether it is said to us: always where we are named or alone with somebody, else where settings say so."""
        channel = self._settings.channels.get(said.channel)
        answers_to = "mentions" if channel is None else channel.answer
        if answers_to == "nothing":
            return said.where is Where.DIRECT
        return said.where is not Where.CHANNEL or answers_to == "all"

    async def _hear(self, said: Heard) -> Person | None:
        """Keeps what somebody said, if they have rights here; None if they have none."""
        desk, thread = self._reception.desk, events.place_of(said.thread)[1]
        person = await self._reception.person(said.team, said.user, said.channel, thread=thread)
        if person is None:
            return None
        if desk.is_stop(said.text):
            text = await desk.stop(said.thread, person)
            self._reception.whisper(said.channel, said.user, text, thread=thread)
        else:
            await desk.hear(Said(said.key, said.thread, person.id, said.text, self._clock()))
        return person

    async def _on_command(self, ack: "AsyncAck", body: Body) -> None:
        text, channel, user, team = (
            str(body.get(key) or "") for key in ("text", "channel_id", "user_id", "team_id")
        )
        if not text.strip():
            await ack(say("slack.usage", self._app.settings.language))
            return
        if self._listening.following.is_command(text):
            person = await self._reception.person(team, user, channel)
            await ack("" if person is None else await self._listening.command(text, channel, person))
            return
        name = f"command-{str(body.get('trigger_id') or uuid4().hex).replace(':', '')}"
        thread = events.thread_of(channel, name)
        person = await self._hear(Heard(Where.DIRECT, team, user, channel, name, thread, text))
        await ack("" if person is None else say("slack.working", self._app.locale_of(person.id)))

    async def _on_shortcut(self, ack: "AsyncAck", body: Body) -> None:
        """Asks what somebody else wrote, which is quoted: they asked about it, they did not say it."""
        message = body.get("message")
        if isinstance(message, Mapping) and (said := events.about(body, message, self.bot)) is not None:
            person = await self._hear(said)
            if person is not None:
                text = say("slack.working", self._app.locale_of(person.id))
                thread = events.place_of(said.thread)[1]
                self._reception.whisper(said.channel, said.user, text, thread=thread)
        await ack()

    async def _on_stop(self, ack: "AsyncAck", body: Body) -> None:
        await self._reception.attend(body, self._stop)
        await ack()

    async def _stop(self, click: Click, person: Person) -> None:
        """Ends the answer under way, where whoever pressed it may; what came of it is for them alone to see."""
        self._reception.tell(click, await self._reception.desk.stop(ThreadId(click.value), person))

    async def _on_user_change(self, body: Body) -> None:
        await self._reception.door.on_user_change(body)
        await self._listening.on_user_change(body)

    async def _on_tab(self, body: Body) -> None:
        """Somebody opened a conversation with us, or our home tab: what is there depends on who they are."""
        event = body.get("event")
        if not isinstance(event, Mapping):
            return
        user = str(event.get("user") or "")
        person = await self._reception.door.person("", user)
        if not isinstance(person, Person):
            return
        if event.get("tab") != "messages":
            self._reception.later(self._tabs.opened(user, person))
            return
        locale, specs = self._app.locale_of(person.id), self._app.registry.specs()
        offered = prompts.of([one.name for one in specs if self._app.may_use(person, one.name)], locale)
        if offered:
            channel, title = str(event.get("channel") or ""), say("slack.prompts", locale)
            self._reception.later(self._reception.sender.prompts(channel, title, offered))
