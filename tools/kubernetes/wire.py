"""Requests to a cluster as HTTP: tokens, certificates, impersonation, a busy cluster, and what was not heard."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.contract import Json, ToolError, ToolFailed, ToolUnavailable
from tools.kubernetes.access import Access, Persona
from tools.kubernetes.refusals import Attempt, Unheard, refusal

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from multidict import CIMultiDict

SECONDS = 10.0  # without a word, after which a cluster counts as absent
WHOLE_SECONDS = 30.0  # for one answer
MOST_OCTETS = 32 * 1024 * 1024
LONGEST_LINE = 256 * 1024  # octets of one line of a log
LONGEST_WAIT = 5.0  # seconds that a busy cluster may ask us to wait
TRIES = 3  # for what a busy cluster did not take
AGENT = "sayso"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
_WARNING = re.compile(r'^299 \S+ "(?P<text>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a cluster answered, and what it warned of."""

    body: bytes
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Call:
    """One request. One that `changes` something is never sent again when its answer was not heard."""

    method: str
    path: str
    attempt: Attempt
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Json] | None = None
    changes: bool = False

    def lost(self, why: str) -> ToolError:
        """The error for an answer that did not come."""
        if self.changes:
            return Unheard(f"{why}; whether it was done is not known")
        return ToolUnavailable(f"{why}; nothing was done")


class Wire:
    """Sends requests to one cluster, as ourselves or for somebody."""

    def __init__(
        self,
        access: Access,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        persona: Persona | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Raises `AccessRefused` where certificates do not fit."""
        self.access, self._pause, self.persona = access, pause, persona
        self._tls = tls or access.tls()

    def acting_as(self, persona: Persona) -> "Wire":
        return Wire(self.access, self._pause, persona, self._tls)

    async def get(self, path: str, attempt: Attempt, query: Mapping[str, str]) -> Answer:
        return await self._ask(_Call("GET", path, attempt, query))

    async def patch(
        self,
        path: str,
        attempt: Attempt,
        query: Mapping[str, str],
        body: Mapping[str, Json],
        *,
        changes: bool,
    ) -> Answer:
        """Raises `Unheard` when a change may have been made, and nobody knows."""
        return await self._ask(_Call("PATCH", path, attempt, query, body, changes))

    @asynccontextmanager
    async def lines(
        self, path: str, attempt: Attempt, query: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of an answer as they come."""
        call = _Call("GET", path, attempt, query)
        async with self._open(call, anew=False, whole=None) as response:
            if response.status == 401:
                raise _unknown(self.access.name)
            if response.status != 200:
                raise refusal(response.status, await _content(response, call), attempt)
            yield _lines(response)

    async def _ask(self, call: _Call) -> Answer:
        """An answer of 2xx. A refused token is fetched anew once; a busy cluster is asked again when it says so."""
        anew, tries = False, 1
        while True:
            async with self._open(call, anew=anew, whole=WHOLE_SECONDS) as response:
                status, body = response.status, await _content(response, call)
                warned, after = (
                    response.headers.getall("Warning", []),
                    response.headers.get("Retry-After", ""),
                )
            if 200 <= status < 300:
                return Answer(body, tuple(filter(None, map(_warning, warned))))
            if status == 401:
                if anew:
                    raise _unknown(self.access.name)
                anew = True
            elif status == 429:
                await self._wait(after, tries, call)
                tries += 1
            else:
                raise _refused(status, body, call)

    async def _wait(self, after: str, tries: int, call: _Call) -> None:
        """Waits as long as a busy cluster wishes: what it answers so, it has not begun. Raises `ToolUnavailable`."""
        seconds = float(after) if after.isdecimal() else 1.0
        if tries >= TRIES or seconds > LONGEST_WAIT:
            raise ToolUnavailable(
                f"{self.access.name} is busy (status 429), so it did not {call.attempt.told}"
            )
        await self._pause(seconds)

    @asynccontextmanager
    async def _open(self, call: _Call, *, anew: bool, whole: float | None) -> AsyncIterator["ClientResponse"]:
        from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector

        headers = await self._headers(call, anew=anew)
        connector = TCPConnector(ssl=self._tls) if self._tls else TCPConnector()
        limits = ClientTimeout(total=whole, sock_connect=SECONDS, sock_read=SECONDS)
        name = self.access.name
        try:
            async with (
                ClientSession(connector=connector, timeout=limits, headers=headers) as session,
                session.request(
                    call.method,
                    self.access.server + call.path,
                    params=dict(call.query),
                    data=None if call.body is None else json.dumps(call.body).encode(),
                    allow_redirects=False,
                    server_hostname=self.access.server_name,
                ) as response,
            ):
                yield response
        except ClientConnectorError as error:
            raise ToolUnavailable(f"{name} does not answer: {error}; nothing was done") from error
        except TimeoutError as error:
            raise call.lost(f"{name} did not answer in time when asked to {call.attempt.told}") from error
        except (ClientError, OSError) as error:
            raise call.lost(f"{name} broke off when asked to {call.attempt.told}: {error}") from error

    async def _headers(self, call: _Call, *, anew: bool) -> "CIMultiDict[str]":
        from multidict import CIMultiDict

        headers = CIMultiDict({"Accept": "application/json", "User-Agent": AGENT})
        if call.body is not None:
            headers["Content-Type"] = STRATEGIC_MERGE
        if token := await self.access.credentials.token(anew=anew):
            headers["Authorization"] = f"Bearer {token}"
        if self.persona is not None:
            headers["Impersonate-User"] = self.persona.user
            for group in self.persona.groups:
                headers.add("Impersonate-Group", group)
        if not all(each.isprintable() for each in headers.values()):
            raise ToolFailed(
                f"{self.access.name} was not asked: the token, or the name that the asker has there, holds characters "
                "that no header may have"
            )
        return headers


def _refused(status: int, body: bytes, call: _Call) -> ToolError:
    """A server that failed in the middle of a change may have made it."""
    if status >= 500 and call.changes:
        return call.lost(f"{call.attempt.cluster} answered status {status} to {call.attempt.told}")
    return refusal(status, body, call.attempt)


def _unknown(cluster: str) -> ToolFailed:
    return ToolFailed(
        f"{cluster} does not accept our credentials (status 401); whoever set them up renews them"
    )


def _warning(header: str) -> str:
    """The text of a header `Warning: 299 - "text"`, as RFC 7234 writes it."""
    found = _WARNING.match(header)
    return re.sub(r"\\(.)", r"\1", found["text"]) if found else ""


async def _content(response: "ClientResponse", call: _Call) -> bytes:
    content = b""
    while piece := await response.content.read(MOST_OCTETS):
        content += piece
        if len(content) > MOST_OCTETS:
            told = (
                f"{call.attempt.cluster} answered more than {MOST_OCTETS // 2**20} MB to {call.attempt.told}"
            )
            raise call.lost(told) if call.changes else ToolFailed(told)
    return content


async def _lines(response: "ClientResponse") -> AsyncIterator[bytes]:
    """The lines without their ends. Of a line that does not end its beginning is kept, and not more."""
    rest = b""
    async for piece in response.content.iter_any():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
        rest = rest[:LONGEST_LINE]
    if rest:
        yield rest
