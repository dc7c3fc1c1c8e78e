"""Asking Slack: at the pace of each method, waiting as long as it says, and telling a no from no answer.

Errors::

    SlackSilent       nobody's fault: no answer, or none that can be read; it is asked again later
    SlackRefuses      whoever runs it, mostly: Slack answers that it will not say; carries its word for why
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from agent.surfaces.slack.calls import word

Sleep = Callable[[float], Awaitable[None]]
Answer = Mapping[str, object]
# Seconds between two calls of a method: https://docs.slack.dev/apis/web-api/rate-limits (tier 2: 20 a minute, 3: 50,
# 4: 100). Methods that are not here are asked at once, and wait when Slack says so.
PACE = {
    "conversations.history": 1.2,
    "conversations.info": 1.2,
    "conversations.members": 0.6,
    "conversations.replies": 1.2,
    "pins.list": 3.0,
}
# What commercially distributed apps outside the Marketplace get since May 2025, and 15 messages a time.
DISTRIBUTED = PACE | {"conversations.history": 60.0, "conversations.replies": 60.0}
LEAST = 1.0  # seconds to wait where Slack says 429 and not for how long


class SlackSilent(Exception):
    """Slack did not answer."""


class SlackRefuses(Exception):
    """Slack answered that it will not say."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"Slack: {method}: {why}")
        self.why = why


class Reading:
    """Asks with this client. `clock` and `sleep` are passed in so that a test need not wait.

    `pace` is how many seconds lie between two calls of a method at least; others are called at once.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        clock: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
        pace: Mapping[str, float] | None = None,
    ) -> None:
        self._client, self._clock, self._sleep, self._pace = client, clock, sleep, pace or {}
        self._lanes: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[str, float] = {}  # when a method may be called again

    async def ask(self, method: str, parameters: Mapping[str, str], *, hurry: bool = False) -> Answer:
        """What it answers; waits for its turn, and as long as Slack asks for. Raises `SlackSilent`, `SlackRefuses`.

        In a `hurry` it waits for no turn: somebody is waiting for the answer.
        """
        if hurry or method not in self._pace:
            return await self._asked(method, parameters, hurry=hurry)
        async with self._lanes[method]:
            return await self._asked(method, parameters)

    async def _asked(self, method: str, parameters: Mapping[str, str], *, hurry: bool = False) -> Answer:
        while True:
            if not hurry:
                await self._wait(method)
            if method in self._pace:
                self._next[method] = self._clock() + self._pace[method]
            try:
                answer = await self._client.api_call(method, http_verb="GET", params=dict(parameters))
            except SlackApiError as error:
                if (pause := _asks_to_wait(error)) is None:
                    raise _meant(method, error) from error
                self._next[method] = max(self._next.get(method, 0.0), self._clock() + pause)
                hurry = False
            except (OSError, TimeoutError) as error:  # aiohttp's errors of connections are OSErrors
                raise SlackSilent(f"Slack: {method}: {str(error) or type(error).__name__}") from error
            else:
                return answer.data if isinstance(answer.data, Mapping) else {}

    async def _wait(self, method: str) -> None:
        while (left := self._next.get(method, 0.0) - self._clock()) > 0:
            await self._sleep(left)


def _asks_to_wait(error: SlackApiError) -> float | None:
    """For how long, where Slack has had too many calls."""
    answer = error.response
    if not isinstance(answer, AsyncSlackResponse):
        return None
    if answer.status_code != 429 and word(error) != "ratelimited":
        return None
    asked = {str(name).lower(): str(value) for name, value in answer.headers.items()}.get("retry-after", "")
    return max(LEAST, float(asked)) if asked.isdigit() else LEAST


def _meant(method: str, error: SlackApiError) -> SlackSilent | SlackRefuses:
    """What is no answer of Slack's API, such as a proxy's page, is none at all."""
    answer = error.response
    why = word(error)
    if isinstance(answer, AsyncSlackResponse) and answer.status_code < 500 and why:
        return SlackRefuses(method, why)
    return SlackSilent(f"Slack: {method}: {error}")
