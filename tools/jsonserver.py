"""A server that an operator named in the settings, asked over HTTP for JSON, with limits on time and size."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from tools.contract import Json, ToolFailed, ToolUnavailable

SECONDS = 10.0
MOST_OCTETS = 32 * 1024 * 1024
_BUSY = frozenset({429, 502, 503, 504})
_SAID = 300  # characters of an error that are repeated

Params = Mapping[str, str] | Sequence[tuple[str, str]]


class JsonServer:
    """Asks the server at `url`, which is called `name` in errors. Redirects are not followed: they may leave the host.

    `headers` may hold a secret (`Authorization`): it is never part of an error.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        most: int = MOST_OCTETS,
    ) -> None:
        self.name, self.url = name, url.rstrip("/")
        self._headers, self._seconds, self._most = dict(headers or {}), seconds, most

    async def ask(
        self,
        method: str,
        path: str,
        params: Params = (),
        body: Json = None,
        missing: tuple[int, ...] = (),
    ) -> Json:
        """What the server answers, `None` for an empty answer or a status of `missing`.

        Raises `ToolUnavailable` when it does not answer or is busy, `ToolFailed` when it refuses or answers no JSON.
        """
        from aiohttp import ClientError, ClientSession, ClientTimeout

        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=self._seconds), headers=self._headers) as session,
                session.request(
                    method, self.url + path, params=params, json=body, allow_redirects=False
                ) as answer,
            ):
                status, content = answer.status, await answer.content.read(self._most + 1)
                while len(content) <= self._most and (more := await answer.content.read(self._most)):
                    content += more
        except TimeoutError as error:
            raise ToolUnavailable(f"{self.name} did not answer within {self._seconds:g} s") from error
        except (ClientError, OSError) as error:
            raise ToolUnavailable(f"{self.name} does not answer: {error}") from error
        if status in missing:
            return None
        return self._understood(status, content)

    def _understood(self, status: int, content: bytes) -> Json:
        said = content[:_SAID].decode(errors="replace")
        if status in _BUSY:
            raise ToolUnavailable(f"{self.name} is busy or down (status {status})")
        if not 200 <= status < 300:
            raise ToolFailed(f"{self.name} refused with status {status}: {said}")
        if len(content) > self._most:
            raise ToolFailed(f"{self.name} answered more than {self._most // 2**20} MB; narrow the question")
        if not content.strip():
            return None
        try:
            answer: Json = json.loads(content)
        except ValueError as error:
            raise ToolFailed(f"{self.name} answered no JSON: {said}") from error
        return answer


def segment(text: str) -> str:
    """One piece of a path, whatever the text holds: `/`, `?` and `..` stay text."""
    return quote(text, safe="").replace(".", "%2E") if set(text) <= {"."} else quote(text, safe="")
