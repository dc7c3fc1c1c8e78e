"""Any endpoint that speaks OpenAI's chat completions: OpenAI, Azure, Ollama, vLLM, llama.cpp."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Reply, Request, ToolCall, Usage
from agent.conversation.ports import OnText
from agent.models.completion import Completion, Pieces
from agent.models.retry import Passing, Sleep, may_pass, retried
from agent.models.wire import function, wire
from agent.words.catalogue import say

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

    from tools.contract import Json

# The client's method for this path walks every schema by its type annotations, which takes longer than all the rest
# of a call, and builds its answers without checking them.
PATH = "/chat/completions"
CUT_OFF = "length"  # the finish_reason of an answer that met the endpoint's own limit


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars a million tokens."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


class Busy(ModelUnavailable):
    """A failure that may pass. `after` is what the endpoint asked to wait, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class NoStream(ModelUnavailable):
    """The endpoint refused the request, maybe because it cannot stream it."""


class OpenAIModel:
    """Implements `agent.conversation.ports.ChatModel`. Replies are streamed; calls may come several at once.

    `timeout` is in seconds and for one attempt, from the first byte sent to the last one read.
    """

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
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.name = model
        self._base_url, self._api_key, self._timeout = base_url, api_key, timeout
        self._attempts, self._prices, self._stream, self._sleep = attempts, prices, stream, sleep
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
                async with asyncio.timeout(self._timeout):
                    return await self._asked(request, told)
            except TimeoutError as error:
                raise self._again(Busy(f"{self.name}: no answer in time"), shown=shown) from error
            except Busy as error:
                raise self._again(error, shown=shown) from error

        return await retried(attempt, attempts=self._attempts, sleep=self._sleep)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    @staticmethod
    def _again(error: Busy, *, shown: bool) -> Exception:
        """Words that people have seen are not taken back: only a silent failure is tried again."""
        return error if shown else Passing(error, error.after)

    async def _asked(self, request: Request, on_text: OnText) -> Reply:
        if self._stream:
            try:
                return await self._streamed(request, on_text)
            except NoStream:
                reply = await self._whole(request, on_text)
                self._stream = False  # it was the streaming that the endpoint refused
                return reply
        return await self._whole(request, on_text)

    async def _streamed(self, request: Request, on_text: OnText) -> Reply:
        pieces = Pieces()
        async with aclosing(self._chunks(request)) as chunks:
            async for chunk in chunks:
                if text := pieces.add(chunk):
                    await on_text(text)
        if pieces.ended is None:
            raise Busy(f"{self.name}: the answer broke off")
        return self._reply(pieces, request.locale)

    async def _chunks(self, request: Request) -> AsyncGenerator[Completion, None]:
        import httpx2
        import openai

        body = self._body(request) | {"stream": True, "stream_options": {"include_usage": True}}
        try:
            stream = await self._opened().post(
                PATH, cast_to=object, body=body, stream=True, stream_cls=openai.AsyncStream[object]
            )
            async for chunk in stream:
                yield Completion.model_validate(chunk)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise NoStream(_refusal(self.name, error)) from error
        except openai.OpenAIError as error:
            raise in_words(self.name, error) from error
        except httpx2.HTTPError as error:  # the client does not wrap what happens in the middle of a stream
            raise Busy(f"{self.name}: the answer broke off ({type(error).__name__})") from error
        except ValueError as error:
            raise MalformedReply(f"{self.name}: a piece of the answer is none: {error}") from error

    async def _whole(self, request: Request, on_text: OnText) -> Reply:
        import openai

        pieces = Pieces()
        try:
            answer = await self._opened().post(PATH, cast_to=object, body=self._body(request))
            text = pieces.add(Completion.model_validate(answer))
        except openai.OpenAIError as error:
            raise in_words(self.name, error) from error
        except ValueError as error:
            raise MalformedReply(f"{self.name}: the answer is no chat completion: {error}") from error
        if text:
            await on_text(text)
        return self._reply(pieces, request.locale)

    def _reply(self, pieces: Pieces, locale: str) -> Reply:
        text = "".join(pieces.text)
        if not text.strip() and not pieces.calls:
            raise MalformedReply(f"{self.name}: the answer is empty")
        cost = self._prices.of(*pieces.usage) if self._prices else None
        calls = tuple(ToolCall(id_, name, arguments) for id_, name, arguments in pieces.calls.values())
        note = say("turn.answer_cut", locale) if pieces.ended == CUT_OFF else ""
        return Reply(text, calls, Usage(*pieces.usage, cost), pieces.model or self.name, note=note)

    def _body(self, request: Request) -> "dict[str, Json]":
        body: dict[str, Json] = {
            "model": self.name,
            "messages": [wire(message) for message in request.messages],
        }
        if request.offers:
            body["tools"] = [function(offer) for offer in request.offers]
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


def in_words(model: str, error: Exception) -> ModelUnavailable | MalformedReply:
    """What the client's error means for a turn."""
    import httpx2
    import openai

    # The client calls a refused connection a timeout too; what it was stands in the cause.
    if isinstance(error, openai.APITimeoutError) and not isinstance(error.__cause__, httpx2.ConnectTimeout):
        return Busy(f"{model}: no answer in time")
    if isinstance(error, openai.APIConnectionError):
        return Busy(f"{model}: no connection to the endpoint")
    if isinstance(error, openai.APIStatusError):
        text = _refusal(model, error)
        if may_pass(error.status_code):
            return Busy(text, _seconds(error.response.headers.get("retry-after")))
        return ModelUnavailable(text)
    if isinstance(error, openai.APIResponseValidationError):
        return MalformedReply(f"{model}: {error}")
    return Busy(f"{model}: {error}")


def _refusal(model: str, error: "APIStatusError") -> str:
    return f"{model}: the endpoint answered {error.status_code}: {error.message[:200]}"


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date, which endpoints of this kind do not send
        return None
