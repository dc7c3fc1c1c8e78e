"""A GitHub server asked with its rate limits in mind: a read waits as it is told to, a write is never repeated."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from tools.contract import Clock, Json, ToolUnavailable
from tools.jsonserver import Exchanged, JsonServer, Params
from tools.times import clock_time

Pause = Callable[[float], Awaitable[None]]
LONGEST_WAIT = 60.0  # seconds that one read may wait in all
_LIMITED = frozenset({403, 429})
_TRIES = 4
_LONGEST = 86_400.0  # no limit of GitHub's lasts longer than a day
_DIGITS = 20
_UNTOLD = 60.0  # what GitHub asks for where a secondary limit names no time


class GitHubServer(JsonServer):
    """`JsonServer` for GitHub's REST API (version 2022-11-28).

    A `GET` that is refused for its rate waits for `Retry-After` or `x-ratelimit-reset`, up to `LONGEST_WAIT` in all.
    Every other request is sent once; refused for its rate it raises `ToolUnavailable`, and nothing was changed.
    """

    def __init__(
        self,
        url: str,
        authorization: str,
        clock: Clock,
        pause: Pause = asyncio.sleep,
        seconds: float = 10.0,
    ) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "sayso",
        }
        if authorization:
            headers["Authorization"] = authorization
        super().__init__(f"GitHub {url}", url, headers=headers, seconds=seconds)
        self._clock, self._pause = clock, pause

    async def exchange(self, method: str, path: str, params: Params = (), body: Json = None) -> Exchanged:
        waited = 0.0
        for _ in range(_TRIES):
            answer = await super().exchange(method, path, params, body)
            wait = rate_limited(answer, self._clock())
            if wait is None:
                return answer
            if method != "GET" or waited + wait > LONGEST_WAIT:
                break
            await self._pause(wait)
            waited += wait
        until = clock_time(self._clock() + timedelta(seconds=wait or 0))
        done = "" if method == "GET" else "; nothing was changed"
        raise ToolUnavailable(f"{self.name} limits how often it is asked, until {until} UTC{done}")


def rate_limited(answer: Exchanged, now: datetime) -> float | None:
    """The seconds that a refusal for its rate asks to wait; `None` for any other answer."""
    if answer.status not in _LIMITED:
        return None
    after, left = answer.headers.get("Retry-After", ""), answer.headers.get("x-ratelimit-remaining", "")
    if after.isdecimal():
        return min(float(after), _LONGEST)
    if left == "0":
        return _until_reset(answer.headers, now)
    secondary = answer.status == 429 or b"secondary rate limit" in answer.content.lower()
    return _UNTOLD if secondary else None


def _until_reset(headers: Mapping[str, str], now: datetime) -> float:
    reset = headers.get("x-ratelimit-reset", "")
    if not reset.isdecimal():
        return _UNTOLD
    return min(max(0.0, int(reset[:_DIGITS]) - now.timestamp()) + 1.0, _LONGEST)
