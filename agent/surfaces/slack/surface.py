"""Slack's listeners: each translates, has it kept, and only then lets Slack know that it came.

A message is in the store before it is acknowledged; what Slack sends again is known by its key. Who clicks is who Slack
says, by the signed payload, and every click is answered.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from aiohttp import ClientSession, web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.app import App, Told
from agent.approvals.action import Verdict
from agent.audit.speaking import speaks_through
from agent.conversation.thread import Said, TurnId
from agent.feedback import NothingToMark
from agent.jobs.desk import Desk
from agent.jobs.voice import VoiceUnavailable
from agent.people.person import Person
from agent.store.port import StoreError
from agent.surfaces.port import SurfaceError
from agent.surfaces.slack import answers, cards, events, forms, home, mrkdwn, prompts
from agent.surfaces.slack.blocks import asked, modal
from agent.surfaces.slack.door import Door
from agent.surfaces.slack.events import NAME, Click, Heard, Where
from agent.surfaces.slack.listening import Listening
from agent.surfaces.slack.manifest import COMMAND, SHORTCUT
from agent.surfaces.slack.reading import Reading
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.voice import SlackVoice
from agent.words.catalogue import say
from tools.contract import ToolError

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_sdk.socket_mode.aiohttp import SocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from agent.settings import SlackSettings

LOG = logging.getLogger("sayso.slack")
Body = Mapping[str, object]
Listener = Callable[["SocketModeClient", "SocketModeRequest"], Awaitable[None]]
REJECT_FORM, WRONG_FORM = "sayso_reject_form", "sayso_wrong_form"


class SlackSurface:
    """Implements `agent.surfaces.port.Surface`."""

    name = NAME

    def __init__(self, app: App, settings: "SlackSettings", clock: Callable[[], datetime]) -> None:
        self._app, self._settings, self._clock = app, settings, clock
        self._client = AsyncWebClient(
            token=settings.bot_token.get_secret_value(), base_url=settings.api, timeout=15
        )
        self._sender = Sender(self._client, time.monotonic)
        self._door = Door(app, Reading(self._client, time.monotonic), clock, settings.admit)
        self.voice = SlackVoice(
            app, self._sender, settings.approvals_channel, directly=settings.approvers_direct
        )
        self._bot = self._bot_id = self._url = ""
        self._listening = Listening(
            app, settings, self._client, self._sender, self._door.standings, clock, self._connection
        )
        self._desk: Desk | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life ----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Learns who we are there. Raises `SurfaceError`."""
        # One session keeps its connections; without it every call makes a new one.
        self._client.session = ClientSession()
        try:
            who = await self._client.auth_test()
        except (SlackApiError, OSError, TimeoutError) as error:
            await self._hang_up()
            why = error.response.get("error") if isinstance(error, SlackApiError) else error
            raise SurfaceError(
                f"Slack does not take `slack.bot_token` ({why}); `sayso slack check` says what to do"
            ) from error
        self._bot, self._bot_id = str(who["user_id"]), str(who.get("bot_id") or "")
        self._url = str(who.get("url") or "")
        self._door.standings.team = self.voice.team = str(who["team_id"])

    async def start(self, desk: Desk) -> None:
        """Begins to hear people. Raises `SurfaceError`."""
        self._desk = desk
        await self.open()
        bolt = self._bolt()
        await self._listening.start(self._bot, self._url)
        if self._settings.mode == "socket":
            await self._open_socket(bolt)
        else:
            await self._open_http(bolt)

    async def stop(self) -> None:
        """Hears nobody any more."""
        await self._listening.stop()
        if self._socket is not None:
            await self._socket.client.close()  # type: ignore[no-untyped-call]  # it ships no types for it
        if self._runner is not None:
            await self._runner.cleanup()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Ends the connections that are kept; a later call makes its own."""
        session, self._client.session = self._client.session, None
        if session is not None:
            await session.close()

    def trouble(self) -> str | None:
        """Why it does not hear people at this moment."""
        if self._socket is not None and not self._connected():
            return "not connected to Slack"
        return self._sender.trouble or self._door.standings.trouble or self._listening.trouble

    @property
    def address(self) -> str:
        """Where HTTP mode listens."""
        if self._runner is None:
            return ""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/slack/events"

    def _connected(self) -> bool:
        session = None if self._socket is None else self._socket.client.current_session
        return session is not None and not session.closed

    def _connection(self) -> object | None:
        """What events come by: another one after every interruption."""
        if self._settings.mode == "http":
            return self
        return self._socket.client.current_session if self._socket is not None and self._connected() else None

    async def _open_socket(self, bolt: AsyncApp) -> None:
        from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

        token = self._settings.app_token
        if token is None:
            raise SurfaceError(
                "Socket Mode needs `slack.app_token` (xapp-...); `slack.mode: http` does without"
            )
        self._socket = AsyncSocketModeHandler(bolt, token.get_secret_value(), web_client=self._client)
        listeners = self._socket.client.socket_mode_request_listeners
        listeners[:] = [partial(self._on_request, self._socket.handle)]
        await self._socket.client.connect()  # type: ignore[no-untyped-call]  # it ships no types for it

    async def _on_request(
        self, others: Listener, link: "SocketModeClient", request: "SocketModeRequest"
    ) -> None:
        """Has messages kept without Bolt's many steps: most of what comes is messages, and Slack waits for each."""
        if request.type != "events_api" or not events.is_spoken(request.payload):
            await others(link, request)
            return
        from slack_sdk.socket_mode.response import SocketModeResponse

        await self._on_message(request.payload)
        await link.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def _open_http(self, bolt: AsyncApp) -> None:
        host, _, port = self._settings.listen.rpartition(":")
        served = bolt.web_app("/slack/events")
        served.middlewares.append(_unreadable)
        self._runner = web.AppRunner(served, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, int(port)).start()

    def _bolt(self) -> AsyncApp:
        """The listeners. Who we are is known, so that Slack is not asked again for each of the first events."""
        secret = self._settings.signing_secret
        if self._settings.mode == "http" and secret is None:
            raise SurfaceError(
                "HTTP mode needs `slack.signing_secret`: without it anybody could speak for anybody"
            )
        bolt = AsyncApp(
            client=AsyncWebClient(
                base_url=self._settings.api, timeout=15
            ),  # its token is that of `authorize`
            signing_secret=None if secret is None else secret.get_secret_value(),
            request_verification_enabled=self._settings.mode == "http",
            process_before_response=True,  # acknowledged when the listener is through, which is when it is kept
            authorize=partial(
                _ourselves, self._bot, self._bot_id, self._settings.bot_token.get_secret_value()
            ),
            logger=logging.getLogger("slack_bolt"),
        )
        bolt.event("app_mention")(self._on_message)
        bolt.event("message")(self._on_message)
        bolt.event("app_home_opened")(self._on_home)
        bolt.event("user_change")(self._on_user_change)
        self._listening.listens(bolt)
        bolt.command(COMMAND)(self._on_command)
        bolt.shortcut(SHORTCUT)(self._on_shortcut)
        for action, listener in (
            (cards.APPROVE, self._on_approve),
            (cards.REJECT, self._on_reject),
            (cards.EDIT, self._on_edit),
            (cards.WITHDRAW, self._on_withdraw),
            (cards.DETAILS, self._on_details),
            (answers.HELPFUL, self._on_helpful),
            (answers.WRONG, self._on_wrong),
            (answers.AGAIN, self._on_again),
            (answers.SHARE, self._on_share),
            (answers.EVIDENCE, self._on_evidence),
            (f"{answers.EVIDENCE}_next", self._on_evidence),
        ):
            bolt.action(action)(listener)
        bolt.view(REJECT_FORM)(self._on_reject_form)
        bolt.view(WRONG_FORM)(self._on_wrong_form)
        bolt.view(forms.EDIT_FORM)(self._on_edit_form)
        return bolt

    # --- talking -------------------------------------------------------------------------------------------------

    async def _on_message(self, body: Body) -> None:
        await self._listening.on_event(body)
        changed = events.changed(body, self._bot)
        if changed is not None and self._desk is not None:
            # Only what was a question is taken back; an edit asks again, once, as the words are now.
            if await self._desk.take_back(changed.key) and changed.again is not None:
                await self._hear(changed.again)
            return
        said = events.heard(body, self._bot)
        if said is not None and self._for_us(said):
            await self._hear(said)

    def _for_us(self, said: Heard) -> bool:
        """Whether it is said to us: always where we are named or alone with somebody, else where settings say so."""
        channel = self._settings.channels.get(said.channel)
        answers_to = "mentions" if channel is None else channel.answer
        if answers_to == "nothing":
            return said.where is Where.DIRECT
        return said.where is not Where.CHANNEL or answers_to == "all"

    async def _hear(self, said: Heard) -> None:
        person = await self._person(
            said.team, said.user, said.channel, thread=events.place_of(said.thread)[1]
        )
        if person is None or self._desk is None:
            return
        if self._desk.is_stop(said.text):
            text = await self._desk.stop(said.thread, person)
            self._later(
                self._sender.whisper(said.channel, said.user, text, thread=events.place_of(said.thread)[1])
            )
            return
        await self._desk.hear(Said(said.key, said.thread, person.id, said.text, self._clock()))

    async def _on_command(self, ack: AsyncAck, body: Body) -> None:
        text, channel, user = (str(body.get(key) or "") for key in ("text", "channel_id", "user_id"))
        if not text.strip():
            await ack(say("slack.usage", self._app.settings.language))
            return
        if self._listening.following.is_command(text):
            person = await self._person(str(body.get("team_id") or ""), user, channel)
            await ack("" if person is None else await self._listening.command(text, channel, person))
            return
        name = str(body.get("trigger_id") or uuid4().hex).replace(":", "")
        said = Heard(
            Where.DIRECT,
            str(body.get("team_id") or ""),
            user,
            channel,
            f"command-{name}",
            events.thread_of(channel, f"command-{name}"),
            text,
        )
        await self._hear(said)
        await ack()

    async def _on_shortcut(self, ack: AsyncAck, body: Body) -> None:
        message = body.get("message")
        user, channel, team = (_id(body, key) for key in ("user", "channel", "team"))
        if isinstance(message, Mapping):
            ts = str(message.get("ts") or "")
            thread = events.thread_of(channel, str(message.get("thread_ts") or ts))
            text = mrkdwn.heard(str(message.get("text") or ""), self._bot)
            key = f"shortcut-{body.get('action_ts') or ts}"
            await self._hear(Heard(Where.DIRECT, team, user, channel, key, thread, text or "?"))
        await ack()

    async def _on_user_change(self, body: Body) -> None:
        await self._door.on_user_change(body)
        await self._listening.on_user_change(body)

    async def _on_home(self, body: Body) -> None:
        event = body.get("event")
        user = str(event.get("user") or "") if isinstance(event, Mapping) else ""
        person = await self._door.person("", user)
        if not isinstance(person, Person):
            return
        tools = [spec.name for spec in self._app.registry.specs() if self._app.may_use(person, spec.name)]
        if isinstance(event, Mapping) and event.get("tab") == "messages":
            locale = self._app.locale_of(person.id)
            offered = prompts.of(tools, locale)
            channel = str(event.get("channel") or "")
            if offered:
                self._later(self._sender.prompts(channel, say("slack.prompts", locale), offered))
            return
        drawn = home.of(person, await self._app.actions(limit=100), tools, self._app.locale_of(person.id))
        self._later(self._sender.home(user, drawn))

    # --- approving -----------------------------------------------------------------------------------------------

    async def _on_approve(self, ack: AsyncAck, body: Body) -> None:
        await self._clicked(ack, body, self._approve)

    async def _approve(self, click: Click, person: Person, desk: Desk) -> Told | None:
        id_, digest = cards.meant(click.value)
        return await desk.decide(id_, person, Verdict.APPROVE, digest=digest)

    async def _on_withdraw(self, ack: AsyncAck, body: Body) -> None:
        await self._clicked(ack, body, self._withdraw)

    async def _withdraw(self, click: Click, person: Person, desk: Desk) -> Told | None:
        return await desk.withdraw(cards.meant(click.value)[0], person)

    async def _clicked(
        self, ack: AsyncAck, body: Body, attempt: Callable[[Click, Person, Desk], Awaitable[Told | None]]
    ) -> None:
        """Does what a button is for, and answers the click: a refusal by its reason, for nobody else to see."""
        click = events.click(body)
        if click is not None and self._desk is not None:
            person = await self._person(click.team, click.user, click.channel, thread=click.thread)
            if person is not None:
                try:
                    told = await attempt(click, person, self._desk)
                except StoreError as error:
                    text = say("slack.not_saved", self._app.locale_of(person.id), why=str(error))
                    self._later(self._sender.whisper(click.channel, click.user, text, thread=click.thread))
                else:
                    self._answer(click, person, told)
        await ack()

    def _answer(self, click: Click, person: Person, told: Told | None) -> None:
        if told is None or told.refusal is not None or not told.said:
            text = told.said if told is not None else say("slack.gone", self._app.locale_of(person.id))
            self._later(self._sender.whisper(click.channel, click.user, text, thread=click.thread))

    async def _on_reject(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is not None and person is not None:
            locale = self._app.locale_of(person.id)
            title = say("slack.reject_title", locale, action=cards.meant(click.value)[0])
            field = asked("reason", say("slack.reason", locale), many_lines=True)
            about = f"{click.value} {click.channel} {click.thread}"
            view = modal(
                REJECT_FORM,
                title,
                [field],
                submit=say("slack.reject", locale),
                close=say("slack.back", locale),
                about=about,
            )
            await self._sender.open_view(click.trigger, view)

    async def _on_reject_form(self, ack: AsyncAck, body: Body) -> None:
        sent = events.sent(body)
        if sent is None or self._desk is None:
            await ack()
            return
        form, fields = sent
        id_, digest, channel, thread = (*form.value.split(" "), "", "", "", "")[:4]
        person = await self._person(form.team, form.user, channel, thread=thread)
        if person is None:
            await ack()
            return
        told = await self._desk.decide(
            id_, person, Verdict.REJECT, reason=fields.get("reason", ""), digest=digest
        )
        if told is not None and told.refusal is not None:
            await ack(response_action="errors", errors={"reason": told.said[:150]})
        else:
            await ack()

    async def _on_edit(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        action = None if click is None else await self._app.action(cards.meant(click.value)[0])
        if click is not None and person is not None and action is not None:
            spec = self._app.registry.get(action.tool).spec
            view = forms.of(action, spec.arguments, self._app.locale_of(person.id))
            await self._sender.open_view(click.trigger, view)

    async def _on_edit_form(self, ack: AsyncAck, body: Body) -> None:
        """Proposes it with other arguments, as this person's request; what does not fit is said beside its field."""
        sent = events.sent(body)
        form, fields = sent if sent is not None else (None, {})
        person = None if form is None else await self._person(form.team, form.user, "")
        action = None if form is None else await self._app.action(cards.meant(form.value)[0])
        if person is None or action is None or self._desk is None:
            await ack()
            return
        arguments = self._app.registry.get(action.tool).spec.arguments
        changed = forms.changes(action, arguments, fields)
        first, why = next(iter(fields), ""), ""
        if not changed:
            why = say("slack.unchanged", self._app.locale_of(person.id))
        else:
            try:
                told = await self._desk.edit(action.id, person, changed)
                why = told.said if told is not None and told.refusal is not None else ""
            except ToolError as error:
                first, why = (error.field if error.field in fields else first), str(error)
        if why:
            await ack(response_action="errors", errors={first: why[:150]})
        else:
            await ack()

    async def _on_details(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is None or person is None:
            return
        action = await self._app.action(cards.meant(click.value)[0])
        locale = self._app.locale_of(person.id)
        if action is not None:
            drawn = cards.of(action, self._app.card(action, locale), locale)
            shown = [block for block in drawn.blocks if block["type"] != "actions"]
            view = modal("sayso_details", action.id, shown, close=say("slack.close", locale), about=action.id)
            await self._sender.open_view(click.trigger, view)

    # --- what people say of answers ------------------------------------------------------------------------------

    async def _on_helpful(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        await self._mark(body, helpful=True)

    async def _mark(self, body: Body, *, helpful: bool) -> None:
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is not None and person is not None:
            text = await self._marked(click.value, person, helpful=helpful, reason="")
            await self._sender.whisper(click.channel, click.user, text, thread=click.thread)

    async def _marked(self, turn: str, person: Person, *, helpful: bool, reason: str) -> str:
        locale = self._app.locale_of(person.id)
        record = await self._app.turn_record(turn, person)
        if record is not None:
            try:
                await self._app.feedback.mark(person, record, helpful=helpful, reason=reason)
            except NothingToMark:
                LOG.info("%s: there was no document to mark", turn)
        return say("slack.noted", locale)

    async def _on_wrong(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is not None and person is not None:
            locale = self._app.locale_of(person.id)
            field = asked("reason", say("slack.reason", locale), many_lines=True, optional=True)
            view = modal(
                WRONG_FORM,
                say("slack.wrong_title", locale),
                [field],
                submit=say("slack.wrong", locale),
                close=say("slack.back", locale),
                about=click.value,
            )
            await self._sender.open_view(click.trigger, view)

    async def _on_wrong_form(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        sent = events.sent(body)
        if sent is not None and (person := await self._person(sent[0].team, sent[0].user, "")) is not None:
            await self._marked(sent[0].value, person, helpful=False, reason=sent[1].get("reason", ""))

    async def _on_again(self, ack: AsyncAck, body: Body) -> None:
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is not None and person is not None and self._desk is not None:
            key = f"{NAME}:again:{click.value}:{click.at}"
            await self._desk.ask_again(TurnId(click.value), person, key, self._clock())
        await ack()

    async def _on_share(self, ack: AsyncAck, body: Body) -> None:
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is not None and person is not None and self._desk is not None:
            shared = await self._desk.share(TurnId(click.value), person, self._clock())
            text = say("slack.shared" if shared else "slack.gone_turn", self._app.locale_of(person.id))
            self._later(self._sender.whisper(click.channel, click.user, text, thread=click.thread))
        await ack()

    async def _on_evidence(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        click = events.click(body)
        person = None if click is None else await self._person(click.team, click.user, click.channel)
        if click is None or person is None:
            return
        turn, _, page = click.value.partition(" ")
        record = await self._app.turn_record(turn, person)
        if record is None:
            text = say("slack.not_yours", self._app.locale_of(person.id))
            self._later(self._sender.whisper(click.channel, click.user, text, thread=click.thread))
            return
        view = answers.evidence(record, int(page) if page.isdigit() else 0, self._app.locale_of(person.id))
        opened = body.get("view")
        if isinstance(opened, Mapping):
            await self._sender.update_view(str(opened.get("id")), view)
        else:
            await self._sender.open_view(click.trigger, view)

    # --- who it is -----------------------------------------------------------------------------------------------

    async def _person(self, team: str, user: str, channel: str, *, thread: str = "") -> Person | None:
        """The person behind a Slack user, if they have rights here; else they are told why not, where they can be."""
        speaks_through(NAME, user)
        found = await self._door.person(team, user)
        if isinstance(found, Person):
            return found
        if channel and found:
            self._later(self._sender.whisper(channel, user, found, thread=thread))
        return None

    def _later(self, work: Coroutine[object, object, None]) -> None:
        """What must not hold up the acknowledgement."""

        async def quietly() -> None:
            try:
                await work
            except VoiceUnavailable as error:
                LOG.warning("%s", error)

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _ourselves(
    user: str, bot: str, token: str, enterprise_id: str | None, team_id: str | None
) -> AuthorizeResult:
    """Whom Bolt takes us for, by what Slack said at the start."""
    return AuthorizeResult(
        enterprise_id=enterprise_id,
        team_id=team_id,
        bot_user_id=user,
        bot_id=bot,
        bot_token=token,
    )


@web.middleware
async def _unreadable(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """A body that is no request of Slack's is refused with a line in the log, whoever sent it."""
    try:
        return await handler(request)
    except (ValueError, AttributeError) as error:  # Bolt reads a body before it looks at its signature
        LOG.warning("a request from %s could not be read: %s", request.remote, type(error).__name__)
        return web.Response(status=400, text="not readable")


def _id(body: Body, key: str) -> str:
    found = body.get(key)
    return str(found.get("id") or "") if isinstance(found, Mapping) else ""
