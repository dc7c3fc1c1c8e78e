"""A model endpoint on loopback that speaks OpenAI's chat completions, and misbehaves on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answering = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """Answers each request with the next entry of the script; remembers what it was asked."""

    script: list[Answering]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        return await self.script[min(len(self.asked), len(self.script)) - 1](request, body)


@asynccontextmanager
async def endpoint(*script: Answering) -> AsyncIterator[Endpoint]:
    """Serves the script on a free port of loopback."""
    served = Endpoint(list(script))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield served
    finally:
        await runner.cleanup()


def says(text: str = "", *calls: dict[str, Any], finish: str | None = None, usage: bool = True) -> Answering:
    """An honest reply, streamed if that was asked for; a call is `tool(...)`."""
    ended = finish or ("tool_calls" if calls else "stop")

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        counted = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120} if usage else None
        if not body.get("stream"):
            message = {"role": "assistant", "content": text or None, "tool_calls": list(calls) or None}
            choice = {"index": 0, "message": message, "finish_reason": ended}
            return web.json_response(_whole("chat.completion", [choice], counted))
        pieces: list[dict[str, Any]] = [
            {"content": text[start : start + 7]} for start in range(0, len(text), 7)
        ]
        for place, call in enumerate(calls):
            function = call["function"]
            half = len(function["arguments"]) // 2
            first = {"name": function["name"], "arguments": function["arguments"][:half]}
            pieces.append({"tool_calls": [{"index": place, **call, "function": first}]})
            rest = {"arguments": function["arguments"][half:]}
            pieces.append({"tool_calls": [{"index": place, "function": rest}]})
        chunks = [_chunk(piece) for piece in pieces]
        chunks += [_chunk({}, ended), _whole("chat.completion.chunk", [], counted)]
        return await stream(*[json.dumps(chunk) for chunk in chunks], "[DONE]")(request, body)

    return answer


def tool(name: str, arguments: str, id_: str = "call_1") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def stream(*events: str, break_off: bool = False) -> Answering:
    """Server-sent events as they stand; `break_off` ends the connection in the middle of the body."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for event in events:
            await response.write(f"data: {event}\n\n".encode())
        if break_off:
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write_eof()
        return response

    return answer


def piece(text: str) -> str:
    """One event of a stream, with a bit of text."""
    return json.dumps(_chunk({"content": text}))


def fails(status: int, message: str = "no", **headers: str) -> Answering:
    """An error as OpenAI words it; header names are written with `_` for `-`."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": message, "type": "x"}}, status=status, headers=named)

    return answer


def replies(body: str, content_type: str = "application/json") -> Answering:
    """Anything at all."""

    async def answer(request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        return web.Response(text=body, content_type=content_type)

    return answer


async def hangs(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def hangs_half_way(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Says a little, then nothing more."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    await response.write(f"data: {piece('Well, ')}\n\n".encode())
    await asyncio.Event().wait()
    return response


async def refuses_to_stream(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """An endpoint that knows no streams."""
    if body.get("stream"):
        return await fails(400, "stream is not supported")(request, body)
    return await says("Whole.")(request, body)


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _whole("chat.completion.chunk", [choice], None)


def _whole(kind: str, choices: list[dict[str, Any]], usage: dict[str, int] | None) -> dict[str, Any]:
    return {
        "id": "1",
        "object": kind,
        "created": 1,
        "model": "served-model",
        "choices": choices,
        "usage": usage,
    }
