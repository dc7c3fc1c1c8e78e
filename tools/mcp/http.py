"""A server at an address: streamable HTTP without proxies, cookies of others or redirects off its origin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from mcp.client.streamable_http import streamable_http_client

from tools.contract import ToolUnavailable
from tools.mcp.declared import Server
from tools.mcp.fault import Fault
from tools.mcp.stdio import Received, Sent

_CONNECTING = 10.0  # seconds
_REFUSED = frozenset({401, 403, 404})  # no rights, or a session that it has forgotten
_BROKEN = 500


class _Limited(httpx.AsyncByteStream):
    """The body of an answer up to a limit."""

    def __init__(self, inner: httpx.AsyncByteStream, limit: int, fault: Fault) -> None:
        self._inner, self._left, self._limit, self._fault = inner, limit, limit, fault

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                self._fault.broke(f"it answered more than {self._limit:,} bytes", too_much=True)
                raise httpx.ReadError("the answer is longer than the limit")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Transport(httpx.AsyncHTTPTransport):
    """Sends to one server. An answer to a request is limited; the stream of its own messages stays open for hours."""

    def __init__(self, limit: int, fault: Fault) -> None:
        super().__init__()
        self._limit, self._fault = limit, fault

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx.TransportError as error:
            if request.method == "POST":
                self._fault.broke(f"it does not answer: {type(error).__name__}")
            raise
        if request.method == "POST":
            if response.status_code in _REFUSED or response.status_code >= _BROKEN:
                self._fault.broke(f"it refuses with status {response.status_code}")
            if isinstance(response.stream, httpx.AsyncByteStream):
                response.stream = _Limited(response.stream, self._limit, self._fault)
        return response


@asynccontextmanager
async def address(server: Server, fault: Fault) -> AsyncIterator[tuple[Received, Sent]]:
    """The two streams to a server at its address. Raises `ToolUnavailable` where its secret cannot be read."""
    headers = {"User-Agent": "sayso"}
    if server.authorization_file is not None:
        try:
            text = await asyncio.to_thread(server.authorization_file.read_text, encoding="utf-8")
        except OSError as error:
            raise ToolUnavailable(f"{server.authorization_file} cannot be read: {error.strerror}") from error
        headers["Authorization"] = text.strip()
    timeout = httpx.Timeout(_CONNECTING, read=server.timeout + _CONNECTING)
    async with (
        httpx.AsyncClient(
            transport=_Transport(server.answer_limit, fault),
            headers=headers,
            timeout=timeout,
            trust_env=False,
        ) as client,
        streamable_http_client(server.url or "", http_client=client) as (received, sent, _),
    ):
        yield received, sent
