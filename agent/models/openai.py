"""Any endpoint that speaks OpenAI's chat completions: OpenAI, Azure, Ollama, vLLM, llama.cpp."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Message, Reply, Request, Role, ToolCall, Usage
from agent.conversation.ports import OnText
from agent.models.retry import Passing, retried

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk

    from tools.contract import Json

RETRIED_STATUS = frozenset({408, 409, 429})  # and every 5xx


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars a million tokens."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


@dataclass(slots=True)
class _Pieces:
    """A streamed reply being put together; calls arrive in pieces by index."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    usage: tuple[int, int] = (0, 0)
    model: str = ""
    finished: bool = False

    def add(self, chunk: "ChatCompletionChunk") -> str:
        """Takes one chunk in and returns the text it brought."""
        self.model = chunk.model or self.model
        if chunk.usage is not None:
            self.usage = (chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finished = self.finished or choice.finish_reason is not None
        for piece in choice.delta.tool_calls or ():
            id_, name, arguments = self.calls.get(piece.index, ("", "", ""))
            function = piece.function
            self.calls[piece.index] = (
                id_ or piece.id or "",
                name + ((function.name or "") if function else ""),
                arguments + ((function.arguments or "") if function else ""),
            )
        text = choice.delta.content or ""
        self.text.append(text)
        return text


class OpenAIModel:
    """Implements `agent.conversation.ports.ChatModel`. Replies are streamed; calls may come several at once."""

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = 60.0,
        attempts: int = 3,
        prices: Prices | None = None,
        stream: bool = True,
    ) -> None:
        self.name = model
        self._base_url, self._api_key, self._timeout = base_url, api_key, timeout
        self._attempts, self._prices, self._stream = attempts, prices, stream
        self._client: AsyncOpenAI | None = None

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """Raises `ModelUnavailable` after the last attempt, `MalformedReply` for an answer that is none."""
        shown = False

        async def told(piece: str) -> None:
            nonlocal shown
            shown = True
            await on_text(piece)

        async def attempt() -> Reply:
            try:
                return await (self._streamed(request, told) if self._stream else self._whole(request, told))
            except ModelUnavailable as error:
                # Words that people have seen are not taken back: only a silent failure is tried again.
                passing = isinstance(error, _Busy) and not shown
                raise (
                    Passing(error, error.after if isinstance(error, _Busy) else None) if passing else error
                ) from error

        return await retried(attempt, attempts=self._attempts)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _streamed(self, request: Request, on_text: OnText) -> Reply:
        pieces = _Pieces()
        async with aclosing(self._chunks(request)) as chunks:
            async for chunk in chunks:
                if text := pieces.add(chunk):
                    await on_text(text)
        if not pieces.finished:
            raise _Busy(f"{self.name}: the answer broke off")
        return self._reply("".join(pieces.text), list(pieces.calls.values()), pieces.usage, pieces.model)

    async def _chunks(self, request: Request) -> "AsyncGenerator[ChatCompletionChunk, None]":
        import openai

        try:
            stream = await self._opened().chat.completions.create(
                **self._body(request), stream=True, stream_options={"include_usage": True}
            )
            async for chunk in stream:
                yield chunk
        except openai.OpenAIError as error:
            raise in_words(self.name, error) from error
        except ValueError as error:
            raise MalformedReply(f"{self.name}: a piece of the answer is no JSON: {error}") from error

    async def _whole(self, request: Request, on_text: OnText) -> Reply:
        import openai

        try:
            answer = await self._opened().chat.completions.create(**self._body(request))
        except openai.OpenAIError as error:
            raise in_words(self.name, error) from error
        if not answer.choices:
            raise MalformedReply(f"{self.name}: the answer has no choices")
        message = answer.choices[0].message
        calls = [
            (call.id, call.function.name, call.function.arguments)
            for call in message.tool_calls or ()
            if call.type == "function"
        ]
        if message.content:
            await on_text(message.content)
        usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens) if answer.usage else (0, 0)
        return self._reply(message.content or "", calls, usage, answer.model)

    def _reply(
        self, text: str, calls: list[tuple[str, str, str]], usage: tuple[int, int], model: str
    ) -> Reply:
        if not text.strip() and not calls:
            raise MalformedReply(f"{self.name}: the answer is empty")
        cost = self._prices.of(*usage) if self._prices else None
        made = tuple(
            ToolCall(id_ or f"call-{position}", name, arguments)
            for position, (id_, name, arguments) in enumerate(calls)
        )
        return Reply(text, made, Usage(*usage, cost), model or self.name)

    def _body(self, request: Request) -> dict[str, Any]:
        # Any: the client types every message kind apart, and endpoints differ in what they take.
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [wire(message) for message in request.messages],
        }
        if request.offers:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": offer.name,
                        "description": offer.description,
                        "parameters": dict(offer.schema),
                    },
                }
                for offer in request.offers
            ]
            body["tool_choice"] = "auto" if request.may_call else "none"
        return body

    def _opened(self) -> "AsyncOpenAI":
        if self._client is None:
            import openai

            self._client = openai.AsyncOpenAI(
                # Endpoints without keys still want the header; the client refuses to start without one.
                api_key=self._api_key or "none",
                base_url=self._base_url,
                timeout=self._timeout,
                max_retries=0,
                http_client=openai.DefaultAioHttpClient(timeout=self._timeout),
            )
        return self._client


class _Busy(ModelUnavailable):
    """A failure that may pass. `after` is what the endpoint asked to wait, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


def wire(message: Message) -> "dict[str, Json]":
    """One message as OpenAI's protocol has it."""
    match message.role:
        case Role.TOOL:
            return {"role": "tool", "tool_call_id": message.call_id or "", "content": message.text}
        case Role.AGENT if message.calls:
            calls: list[Json] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": readable(call.arguments)},
                }
                for call in message.calls
            ]
            return {"role": "assistant", "content": message.text or None, "tool_calls": calls}
        case role:
            return {"role": role.value, "content": message.text}


def readable(arguments: str) -> str:
    """The arguments, or an empty object: endpoints refuse a history in which they are no JSON."""
    try:
        json.loads(arguments)
    except ValueError:
        return "{}"
    return arguments


def in_words(model: str, error: Exception) -> ModelUnavailable | MalformedReply:
    """What the client's error means for a turn."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return _Busy(f"{model}: no answer in time")
    if isinstance(error, openai.APIConnectionError):
        return _Busy(f"{model}: no connection to the endpoint")
    if isinstance(error, openai.APIStatusError):
        text = f"{model}: the endpoint answered {error.status_code}: {error.message[:200]}"
        if error.status_code in RETRIED_STATUS or error.status_code >= 500:
            return _Busy(text, _seconds(error.response.headers.get("retry-after")))
        return ModelUnavailable(text)
    if isinstance(error, openai.APIResponseValidationError):
        return MalformedReply(f"{model}: {error}")
    return _Busy(f"{model}: {error}")


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date, which endpoints of this kind do not send
        return None
