"""One declared request, filled with the values of a call and sent to the API's own host and nowhere else."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tools.commands.declared import PLACEHOLDER
from tools.contract import BadArguments, Json, ToolFailed, ToolUnavailable
from tools.http.addresses import Refused, resolver
from tools.http.declared import Api, Request
from tools.jsonserver import segment

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver
    from yarl import URL

_AGENT = "sayso"


class NoAnswer(ToolUnavailable):
    """The request may have been carried out; nobody heard the answer."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A request with its values: what is sent, and what people are shown of it."""

    method: str
    url: str
    query: Mapping[str, str]
    body: Json

    @property
    def shown(self) -> str:
        asked = f"?{urlencode(self.query)}" if self.query else ""
        body = f" {json.dumps(self.body, ensure_ascii=False)}" if self.body is not None else ""
        return f"{self.method} {self.url}{asked}{body}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back; `body` is JSON where it was that, else text. `lost` says that there was more than the limit."""

    status: int
    body: Json
    text: str
    lost: bool = False

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def fill(api: Api, request: Request, values: Mapping[str, Json]) -> Filled:
    """The request with its values: a value stays inside its piece of the path, its query value or its text."""

    def text(template: str) -> str:
        return PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)

    path = PLACEHOLDER.sub(lambda found: _piece(found[1], str(values[found[1]])), request.path)
    query = {name: text(template) for name, template in request.query.items()}
    return Filled(request.method, api.base.rstrip("/") + path, query, _body(request.body, values))


def _piece(name: str, value: str) -> str:
    """A value as one piece of a path. Raises `BadArguments` for those that servers take for another piece."""
    if value in {"", ".", ".."} or not value.isprintable():
        raise BadArguments(f"{name} = {value!r} cannot be a piece of a path", field=name, value=value)
    return segment(value)


def _body(template: Json, values: Mapping[str, Json]) -> Json:
    """The body with its values; a text that is just a placeholder becomes the value with its type."""
    if isinstance(template, str):
        if (whole := PLACEHOLDER.fullmatch(template)) is not None:
            return values[whole[1]]
        return PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)
    if isinstance(template, Mapping):
        return {name: _body(each, values) for name, each in template.items()}
    if isinstance(template, list | tuple):
        return [_body(each, values) for each in template]
    return template


class Client:
    """Sends requests to one API. Follows no redirect, uses no proxy, keeps no cookies."""

    def __init__(self, api: Api, lookup: "AbstractResolver | None" = None) -> None:
        self._api, self._lookup = api, lookup

    async def send(self, filled: Filled, key: str | None = None) -> Answered:
        """Sends it once. `key` is the idempotency key of a write.

        Raises `ToolUnavailable` when it could not be sent, `NoAnswer` when it may have been, `ToolFailed` when the
        answer is a redirect or the address is one that no request may go to.
        """
        from aiohttp import (
            ClientConnectorError,
            ClientError,
            ClientSession,
            ClientTimeout,
            DummyCookieJar,
            TCPConnector,
        )

        api = self._api
        headers = {"User-Agent": _AGENT, "Accept": "application/json", **api.headers}
        if api.authorization_file is not None:
            headers["Authorization"] = await self._authorization()
        if key is not None:
            headers["Idempotency-Key"] = key
        guarded = resolver(api.networks, self._lookup)
        connector = TCPConnector(resolver=guarded, use_dns_cache=False, force_close=True)
        try:
            async with (
                ClientSession(
                    connector=connector,
                    timeout=ClientTimeout(total=api.timeout),
                    cookie_jar=DummyCookieJar(),
                    trust_env=False,
                ) as session,
                session.request(
                    filled.method,
                    _address(filled),
                    json=filled.body,
                    headers=headers,
                    allow_redirects=False,
                ) as answer,
            ):
                content = b""
                while len(content) <= api.response_limit and (
                    more := await answer.content.read(api.response_limit + 1 - len(content))
                ):
                    content += more
                status, where = answer.status, answer.headers.get("Location", "")
        except Refused as error:
            raise ToolFailed(f"{api.name}: {api.host}: {error}") from error
        except ClientConnectorError as error:
            if isinstance(error.os_error, Refused):
                raise ToolFailed(f"{api.name}: {api.host}: {error.os_error}") from error
            raise ToolUnavailable(f"{api.name} cannot be reached at {api.host}") from error
        except TimeoutError as error:
            raise NoAnswer(f"{api.name} did not answer within {api.timeout:g} s") from error
        except (ClientError, OSError) as error:
            raise NoAnswer(f"{api.name} broke off: {type(error).__name__}") from error
        if 300 <= status < 400:
            raise ToolFailed(
                f"{api.name} answered {status} and points to {where[:200]!r}; redirects are not followed"
            )
        return _answered(status, content, api.response_limit)

    async def _authorization(self) -> str:
        file = self._api.authorization_file
        try:
            return (await asyncio.to_thread(file.read_text)).strip() if file else ""
        except OSError as error:
            raise ToolUnavailable(f"{self._api.name}: {file} cannot be read: {error.strerror}") from error


def _address(filled: Filled) -> "URL":
    """The URL just as it was filled: nothing is decoded or shortened on the way."""
    from yarl import URL

    asked = f"?{urlencode(filled.query)}" if filled.query else ""
    return URL(filled.url + asked, encoded=True)


def _answered(status: int, content: bytes, limit: int) -> Answered:
    lost = len(content) > limit
    text = content[:limit].decode(errors="replace")
    if not lost:
        try:
            body: Json = json.loads(content)
        except ValueError:
            body = text or None
    else:
        body = text
    return Answered(status, body, text, lost)
