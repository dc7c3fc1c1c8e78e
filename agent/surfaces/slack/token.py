"""Whether Slack still takes our token: asked once a minute, and known at once where Slack tells by itself."""

import asyncio
from collections.abc import Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.surfaces.slack.calls import Sleep, word
from agent.surfaces.slack.happenings import Ended, happening

EVERY = 60.0  # seconds
GONE = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})


class TokenWatch:
    """Opened by `start`, closed by `stop`. `sleep` is passed in so that a test need not wait."""

    def __init__(self, client: AsyncWebClient, sleep: Sleep = asyncio.sleep) -> None:
        self._client, self._sleep = client, sleep
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    def start(self) -> None:
        """Begins to ask."""
        self._task = asyncio.create_task(self._go_on(), name="token")

    async def stop(self) -> None:
        """Asks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def on_event(self, body: Mapping[str, object]) -> None:
        """The app was removed, or its token revoked: there is no need to ask."""
        if happening(body) == Ended():
            self.trouble = "Slack says that the app was removed or its token revoked: install it again"

    async def look(self) -> None:
        """Asks once."""
        try:
            await self._client.auth_test()
        except SlackApiError as error:
            why = word(error)
            if why is None:
                self.trouble = "Slack does not answer: what comes is no answer of its own"
            elif why in GONE:
                self.trouble = (
                    f"Slack does not take `slack.bot_token` any more ({why}): install the app again"
                )
        except (OSError, TimeoutError) as error:  # aiohttp's errors of connections are OSErrors
            self.trouble = f"Slack does not answer: {str(error) or type(error).__name__}"
        else:
            self.trouble = None

    async def _go_on(self) -> None:
        while True:
            await self._sleep(EVERY)
            await self.look()
