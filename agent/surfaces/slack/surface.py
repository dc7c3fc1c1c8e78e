"""Slack as a surface: how it is opened and closed, by Socket Mode or signed HTTP, and what is in its way.

Its listeners are in `talking`, `approving`, `marking` and `listening`: each translates, has it kept, and only then
lets Slack know that it came. What Slack sends again is known by its key. Who clicks is who Slack says, by the signed
payload, and every click is answered.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import ClientSession, web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.app import App
from agent.jobs.desk import Desk
from agent.surfaces.port import SurfaceError
from agent.surfaces.slack import events
from agent.surfaces.slack.approving import Approving
from agent.surfaces.slack.calls import word
from agent.surfaces.slack.door import Door
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.gate import Gate
from agent.surfaces.slack.listening import Listening
from agent.surfaces.slack.marking import Marking
from agent.surfaces.slack.reading import Reading
from agent.surfaces.slack.reception import Reception
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.tabs import Tabs
from agent.surfaces.slack.talking import Talking
from agent.surfaces.slack.token import TokenWatch
from agent.surfaces.slack.voice import SlackVoice

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_sdk.socket_mode.aiohttp import SocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from agent.settings import SlackSettings

Listener = Callable[["SocketModeClient", "SocketModeRequest"], Awaitable[None]]


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
            app,
            self._sender,
            settings.approvals_channel,
            directly=settings.approvers_direct,
            changed=lambda action: self._tabs.changed(action),
        )
        self._tabs = Tabs(app, self._sender, self._door.standings, self.voice.link_to, clock)
        self._listening = Listening(
            app, settings, self._client, self._sender, self._door.standings, clock, self._connection
        )
        self._reception = Reception(app, self._sender, self._door)
        self._talking = Talking(self._reception, settings, self._listening, self._tabs, clock)
        self._approving = Approving(self._reception)
        self._marking = Marking(self._reception, clock)
        self._watch = TokenWatch(self._client)
        self._bot_id = ""
        self._socket: AsyncSocketModeHandler | None = None
        self._runner: web.AppRunner | None = None

    # --- life ----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Learns who we are there. Raises `SurfaceError`."""
        # One session keeps its connections; without it every call makes a new one.
        self._client.session = ClientSession()
        try:
            who = await self._client.auth_test()
        except (SlackApiError, OSError, TimeoutError) as error:
            await self._hang_up()
            why = word(error) or "no answer of its own" if isinstance(error, SlackApiError) else error
            raise SurfaceError(
                f"Slack does not take `slack.bot_token` ({why}); `sayso slack check` says what to do"
            ) from error
        self._talking.bot, self._bot_id = str(who["user_id"]), str(who.get("bot_id") or "")
        self._door.standings.team = self.voice.team = str(who["team_id"])
        self.voice.url = str(who.get("url") or "")

    async def start(self, desk: Desk) -> None:
        """Begins to hear people. Raises `SurfaceError`."""
        self._reception.opened(desk)
        await self.open()
        bolt = self._bolt()
        await self._listening.start(self._talking.bot, self.voice.url)
        self._watch.start()
        if self._settings.mode == "socket":
            await self._open_socket(bolt)
        else:
            await self._open_http(bolt)

    async def stop(self) -> None:
        """Hears nobody any more."""
        await self._listening.stop()
        await self._watch.stop()
        if self._socket is not None:
            await self._socket.client.close()  # type: ignore[no-untyped-call]  # it ships no types for it
        if self._runner is not None:
            await self._runner.cleanup()
        await self._reception.close()
        await self._tabs.close()
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Ends the connections that are kept; a later call makes its own."""
        session, self._client.session = self._client.session, None
        if session is not None:
            await session.close()

    def trouble(self) -> str | None:
        """Why it does not hear people at this moment."""
        if self._socket is not None and not self._connected():
            return self._watch.trouble or "not connected to Slack"
        asked = (self._watch, self._sender, self._door.standings, self._listening)
        return next((one.trouble for one in asked if one.trouble), None)

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

        await self._talking.on_message(request.payload)
        await link.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def _open_http(self, bolt: AsyncApp) -> None:
        host, _, port = self._settings.listen.rpartition(":")
        served = bolt.web_app("/slack/events")
        secret = self._settings.signing_secret
        if secret is not None:  # there is one, or Bolt was not made
            gate = Gate(self._app, secret.get_secret_value(), self._clock)
            served.middlewares.append(gate.middleware())
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
                _ourselves, self._talking.bot, self._bot_id, self._settings.bot_token.get_secret_value()
            ),
            logger=logging.getLogger("slack_bolt"),
        )
        for part in (self._talking, self._approving, self._marking, self._listening):
            part.listens(bolt)
        bolt.event("app_uninstalled")(self._on_end)
        bolt.event("tokens_revoked")(self._on_end)
        return bolt

    async def _on_end(self, body: Mapping[str, object]) -> None:
        await self._listening.on_event(body)
        self._watch.on_event(body)


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
