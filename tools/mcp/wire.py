"""One session with a server in the words of the protocol, and its answers in ours."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from mcp import ClientSession, types
from mcp.shared.message import MessageMetadata
from mcp.shared.session import ProgressFnT, RequestResponder
from pydantic import BaseModel

from tools.contract import Json
from tools.mcp.declared import Server
from tools.mcp.fault import Fault
from tools.mcp.http import address
from tools.mcp.port import Answered, Block, Offered
from tools.mcp.stdio import program

ResultT = TypeVar("ResultT", bound=BaseModel)
_MOST_PAGES = 50  # of a list of tools
_PARTING = 1.0  # seconds for the word that a call is given up


class Session(ClientSession):
    """A session that tells the server when nobody waits for an answer any more."""

    async def send_request(
        self,
        request: types.ClientRequest,
        result_type: type[ResultT],
        request_read_timeout_seconds: timedelta | None = None,
        metadata: MessageMetadata = None,
        progress_callback: ProgressFnT | None = None,
    ) -> ResultT:
        number = self._request_id
        try:
            return await super().send_request(
                request, result_type, request_read_timeout_seconds, metadata, progress_callback
            )
        except asyncio.CancelledError:
            if not isinstance(request.root, types.InitializeRequest):
                await self._give_up(number)
            raise

    async def _give_up(self, number: int) -> None:
        given_up = types.CancelledNotification(
            params=types.CancelledNotificationParams(requestId=number, reason="nobody waits for it any more")
        )
        try:
            async with asyncio.timeout(_PARTING):
                await self.send_notification(types.ClientNotification(given_up))
        except TimeoutError:
            return  # it does not listen either


@asynccontextmanager
async def session(server: Server, fault: Fault, changed: Callable[[], None]) -> AsyncIterator[Session]:
    """A session that is ready; `changed` hears when the server says that its tools are others now."""
    transport = program(server, fault) if server.command is not None else address(server, fault)

    async def heard(
        message: RequestResponder[types.ServerRequest, types.ClientResult]
        | types.ServerNotification
        | Exception,
    ) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ToolListChangedNotification
        ):
            changed()

    async with (
        transport as (received, sent),
        Session(
            received, sent, message_handler=heard, client_info=types.Implementation(name="sayso", version="1")
        ) as opened,
    ):
        await opened.initialize()
        yield opened


async def tools_of(opened: Session) -> tuple[Offered, ...]:
    """All that the server offers, over as many pages as it takes."""
    found: list[Offered] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await opened.list_tools(params=types.PaginatedRequestParams(cursor=cursor) if cursor else None)
        found += [_offered(tool) for tool in page.tools]
        cursor = page.nextCursor
        if not cursor:
            break
    return tuple(found)


def _offered(tool: types.Tool) -> Offered:
    hints = {} if tool.annotations is None else tool.annotations.model_dump(mode="json", exclude_none=True)
    return Offered(tool.name, tool.description or "", tool.inputSchema, tool.outputSchema, hints)


def answered(result: types.CallToolResult) -> Answered:
    """A result as the tools know it."""
    structured: Json = result.structuredContent
    return Answered(tuple(map(_block, result.content)), structured, bool(result.isError))


def _block(content: types.ContentBlock) -> Block:
    if isinstance(content, types.TextContent):
        return Block("text", content.text)
    if isinstance(content, types.ImageContent | types.AudioContent):
        return Block(content.type, media_type=content.mimeType, content=content.data)
    if isinstance(content, types.ResourceLink):
        said = content.description or content.title or content.name
        return Block("link", said, content.mimeType or "", uri=str(content.uri))
    held = content.resource
    if isinstance(held, types.TextResourceContents):
        return Block("resource", held.text, held.mimeType or "", uri=str(held.uri))
    return Block("resource", "", held.mimeType or "", held.blob, str(held.uri))


__all__: Sequence[str] = ("Session", "answered", "session", "tools_of")
