"""Calling Slack: as fast as it lets us, again where it failed for a moment, and never again where it is no use.

Errors::

    Never               there is no use in trying again; carries Slack's word for why
    VoiceUnavailable    it does not work at the moment; it is told again later from the store
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from agent.jobs.voice import VoiceUnavailable

LOG = logging.getLogger("sayso.slack")
TRIES = 5
PAUSE = 1.0  # seconds before a second try; twice as long before each next one
LONGEST = 60.0  # seconds that Slack may ask us to wait here; beyond that it is told later
# There is no use in trying again: https://docs.slack.dev/reference/methods/chat.postMessage#errors
FOR_GOOD = frozenset(
    {
        "already_reacted",
        "cant_update_message",
        "channel_not_found",
        "edit_window_closed",
        "expired_trigger_id",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_trigger_id",
        "is_archived",
        "message_not_found",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_reaction",
        "not_in_channel",
        "restricted_action",
        "streaming_state_conflict",
        "user_not_found",
        "user_not_in_channel",
    }
)
Sleep = Callable[[float], Awaitable[None]]
Send = Callable[[], Awaitable[AsyncSlackResponse]]


class Never(Exception):
    """Slack will not do it, however often it is asked."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"{method}: {why}; this is not tried again")
        self.why = why


class Calls:
    """`sleep` and `clock` are passed in so that a test need not wait. `trouble` is what does not work now."""

    def __init__(self, clock: Callable[[], float], sleep: Sleep = asyncio.sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._open_at = 0.0  # when the workspace takes anything again
        self.trouble: str | None = None

    async def once(self, method: str, send: Send) -> Mapping[str, object] | None:
        """Calls it once; None where that did not work. For what may as well not be shown."""
        if self._open_at > self._clock():
            return None
        try:
            return _data(await send())
        except SlackApiError as error:
            why, status, headers = _said(error)
            if status == 429 or why == "ratelimited":
                self._open_at = max(self._open_at, self._clock() + _asked(headers, PAUSE))
            LOG.debug("%s: %s", method, error)
        except (OSError, TimeoutError) as error:
            LOG.debug("%s: %s", method, error)
        return None

    async def until_done(self, method: str, send: Send) -> Mapping[str, object]:
        """Calls it until it works. Raises `Never`, `VoiceUnavailable`."""
        pause, why = PAUSE, ""
        for _ in range(TRIES):
            if (wait := self._open_at - self._clock()) > 0:
                if wait > LONGEST:
                    why = why or f"Slack asks us to wait for {wait:.0f} s"
                    break
                await self._sleep(wait)
            try:
                answer = await send()
            except SlackApiError as error:
                why, status, headers = _said(error)
                if status == 429 or why == "ratelimited":
                    self._open_at = max(self._open_at, self._clock() + _asked(headers, pause))
                    continue
                if why in FOR_GOOD:
                    raise Never(method, why) from error
                if status < 500:
                    break
            except (OSError, TimeoutError) as error:  # aiohttp's errors of connections are OSErrors
                why = str(error) or type(error).__name__
            else:
                self.trouble = None
                return _data(answer)
            await self._sleep(pause)
            pause *= 2
        self.trouble = f"{method}: {why}"
        raise VoiceUnavailable(f"Slack: {self.trouble}")


def _data(answer: AsyncSlackResponse) -> Mapping[str, object]:
    return answer.data if isinstance(answer.data, Mapping) else {}


def _asked(headers: Mapping[str, str], otherwise: float) -> float:
    """For how many seconds Slack asks us to wait."""
    told = {str(name).lower(): str(value).strip() for name, value in headers.items()}.get("retry-after", "")
    return float(told) if told.isdecimal() else otherwise


def word(error: SlackApiError) -> str | None:
    """Slack's word for why; None where what came is no answer of its API, such as a proxy's page."""
    answer = error.response
    data = answer.data if isinstance(answer, AsyncSlackResponse) else None
    return str(data.get("error") or "") or None if isinstance(data, Mapping) else None


def _said(error: SlackApiError) -> tuple[str, int, Mapping[str, str]]:
    """Why, with which status and headers; what is no answer of Slack's API counts as its failure."""
    answer, why = error.response, word(error)
    if isinstance(answer, AsyncSlackResponse):
        return why or "no answer of Slack's", answer.status_code, {**answer.headers}
    return "no answer of Slack's", 500, {}
