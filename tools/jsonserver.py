"""A server that an operator named in the settings, asked over HTTP for JSON, with limits on time and size."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tools.contract import Json, ToolFailed, ToolUnavailable

SECONDS = 10.0
MOST_OCTETS = 32 * 1024 * 1024
_TOO_MANY = 429
_BUSY = frozenset({_TOO_MANY, 502, 503, 504})
_SAID = 300  # characters of an error that are repeated

Params = Mapping[str, str] | Sequence[tuple[str, str]]


class Unheard(ToolUnavailable):
    """The request left, and no answer of the server's own came back: a write may have been carried out."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One answer as it came; names of headers are told in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


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

        Raises `ToolUnavailable` when it does not answer or is busy (`Unheard` when the request may have been carried
        out all the same), `ToolFailed` when it refuses or answers no JSON. Of what is no `GET` nobody knows what was
        done where the server broke in the middle of it, or took it and said something that cannot be read: `Unheard`.
        """
        answer = await self.exchange(method, path, params, body)
        if answer.status in missing:
            return None
        try:
            return self._understood(answer.status, answer.content)
        except ToolFailed as error:
            if method == "GET" or 300 <= answer.status < 500:
                raise
            raise Unheard(str(error)) from error

    async def exchange(self, method: str, path: str, params: Params = (), body: Json = None) -> Exchanged:
        """One request and whatever is answered. Raises `ToolUnavailable` and `Unheard` as `ask` does."""
        from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout
        from yarl import URL

        if not all(each.isprintable() for each in self._headers.values()):
            raise ToolFailed(
                f"{self.name} was not asked: a header for it holds characters that none may have"
            )
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=self._seconds), headers=self._headers) as session,
                session.request(
                    method,
                    URL(self.url + path, encoded=True),
                    params=params,
                    json=body,
                    allow_redirects=False,
                ) as answer,
            ):
                content = await answer.content.read(self._most + 1)
                while len(content) <= self._most and (more := await answer.content.read(self._most)):
                    content += more
                return Exchanged(answer.status, answer.headers, content)
        except TimeoutError as error:
            raise Unheard(f"{self.name} did not answer within {self._seconds:g} s") from error
        except ClientConnectorError as error:
            raise ToolUnavailable(f"{self.name} does not answer: {error}") from error
        except (ClientError, OSError) as error:
            raise Unheard(f"{self.name} does not answer: {error}") from error

    def _understood(self, status: int, content: bytes) -> Json:
        said = content[:_SAID].decode(errors="replace")
        if status in _BUSY:
            kind = (
                ToolUnavailable if status == _TOO_MANY else Unheard
            )  # behind a proxy nobody knows what was done
            raise kind(f"{self.name} is busy or down (status {status})")
        if not 200 <= status < 300:
            raise ToolFailed(f"{self.name} refused with status {status}: {said}")
        if len(content) > self._most:
            raise ToolFailed(f"{self.name} answered more than {self._most // 2**20} MB; narrow the question")
        if not content.strip():
            return None
        try:
            answer: Json = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ToolFailed(f"{self.name} answered no JSON: {said}") from error
        return answer


def segment(text: str) -> str:
    """One piece of a path, whatever the text holds: `/`, `?` and `..` stay text."""
    return quote(text, safe="").replace(".", "%2E") if set(text) <= {"."} else quote(text, safe="")
