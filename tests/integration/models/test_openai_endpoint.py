"""The OpenAI adapter against an endpoint that answers well, badly, late or not at all."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Message, Offer, Reply, Request, ResultKind, Role, ToolCall, Usage
from agent.models.openai import OpenAIModel, Prices
from tests.fakes import endpoint as fake
from tests.fakes.endpoint import Answering, Endpoint, endpoint
from tools.contract import Effect

LOGS = Offer("logs", "[read] Searches logs", {"type": "object", "properties": {}}, Effect.READ)
REQUEST = Request(
    (Message(Role.SYSTEM, "You help."), Message(Role.PERSON, "why?")),
    (LOGS,),
    "en",
    datetime(2026, 11, 23, tzinfo=UTC),
)


@dataclass
class Client:
    """A model adapter on an endpoint, with what it said and how long it waited."""

    model: OpenAIModel
    endpoint: Endpoint
    pieces: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def ask(self, request: Request = REQUEST) -> Reply:
        async def on_text(piece: str) -> None:
            self.pieces.append(piece)

        return await self.model.complete(request, on_text)


Opening = Callable[..., Awaitable[Client]]


@asynccontextmanager
async def client(
    *script: Answering, attempts: int = 3, stream: bool = True, timeout: float = 5.0
) -> AsyncIterator[Client]:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with endpoint(*script) as served:
        model = OpenAIModel(
            model="m",
            base_url=served.url,
            timeout=timeout,
            attempts=attempts,
            stream=stream,
            prices=Prices(1.0, 2.0),
            sleep=sleep,
        )
        try:
            yield Client(model, served, waits=waits)
        finally:
            await model.close()


@pytest.mark.parametrize("stream", [True, False])
async def test_text_comes_with_tokens_cost_and_the_model_that_really_answered(stream: bool) -> None:
    async with client(fake.says("The pool is exhausted."), stream=stream) as asked:
        reply = await asked.ask()

    assert reply.text == "The pool is exhausted."
    assert reply.model == "served-model"
    assert reply.usage == Usage(100, 20, 0.00014)
    assert "".join(asked.pieces) == reply.text


async def test_text_is_passed_on_in_pieces_as_it_arrives() -> None:
    async with client(fake.says("The pool is exhausted.")) as asked:
        await asked.ask()

    assert len(asked.pieces) > 1


@pytest.mark.parametrize("stream", [True, False])
async def test_several_calls_come_in_one_reply(stream: bool) -> None:
    calls = [fake.tool("logs", '{"service": "payments"}', "a"), fake.tool("status", "{}", "b")]
    async with client(fake.says("", *calls), stream=stream) as asked:
        reply = await asked.ask()

    assert reply.calls == (ToolCall("a", "logs", '{"service": "payments"}'), ToolCall("b", "status", "{}"))


@pytest.mark.parametrize("stream", [True, False])
async def test_arguments_that_are_no_json_are_passed_on_as_they_are(stream: bool) -> None:
    async with client(fake.says("", fake.tool("logs", '{"service": paym')), stream=stream) as asked:
        reply = await asked.ask()

    assert reply.calls[0].arguments == '{"service": paym'


async def test_the_request_carries_tools_results_and_what_may_be_called() -> None:
    messages = (
        *REQUEST.messages,
        Message(Role.AGENT, "", calls=(ToolCall("a", "logs", "{broken"),)),
        Message(
            Role.TOOL, "plain", call_id="a", result=ResultKind.FOUND, shown="<evidence>fenced</evidence>"
        ),
    )
    request = Request(messages, (LOGS,), "en", REQUEST.now, may_call=False)
    async with client(fake.says("ok")) as asked:
        await asked.ask(request)

    (body,) = asked.endpoint.asked
    assert body["tool_choice"] == "none"
    assert body["tools"][0]["function"]["name"] == "logs"
    assert body["messages"][2]["tool_calls"][0]["function"]["arguments"] == "{}"
    assert body["messages"][3] == {
        "role": "tool",
        "tool_call_id": "a",
        "content": "<evidence>fenced</evidence>",
    }


async def test_too_many_requests_are_waited_out_as_the_endpoint_asks() -> None:
    async with client(fake.fails(429, retry_after="7"), fake.says("Now.")) as asked:
        reply = await asked.ask()

    assert reply.text == "Now."
    assert asked.waits == [7.0]


async def test_an_endpoint_that_asks_for_a_long_wait_is_unavailable_at_once() -> None:
    async with client(fake.fails(429, retry_after="3600")) as asked:
        with pytest.raises(ModelUnavailable, match="429"):
            await asked.ask()

    assert asked.waits == []


@pytest.mark.parametrize("status", [500, 502, 503, 408])
async def test_a_server_that_recovers_is_asked_again(status: int) -> None:
    async with client(fake.fails(status), fake.fails(status), fake.says("Now.")) as asked:
        reply = await asked.ask()

    assert reply.text == "Now."
    assert len(asked.waits) == 2


async def test_a_server_that_stays_broken_is_unavailable_after_the_last_attempt() -> None:
    async with client(fake.fails(500, "on fire")) as asked:
        with pytest.raises(ModelUnavailable, match=r"m: the endpoint answered 500.*on fire"):
            await asked.ask()

    assert len(asked.endpoint.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refusal_is_not_asked_again(status: int) -> None:
    async with client(fake.fails(status)) as asked:
        with pytest.raises(ModelUnavailable, match=str(status)):
            await asked.ask()

    assert len(asked.endpoint.asked) == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_an_endpoint_that_hangs_is_given_up_in_time(stream: bool) -> None:
    async with client(fake.hangs, attempts=2, stream=stream, timeout=0.5) as asked:
        with pytest.raises(ModelUnavailable, match="no answer in time"):
            await asked.ask()

    assert len(asked.endpoint.asked) == 2


async def test_words_that_people_have_seen_are_not_said_twice() -> None:
    async with client(fake.hangs_half_way, fake.says("Again."), timeout=0.2) as asked:
        with pytest.raises(ModelUnavailable, match="no answer in time"):
            await asked.ask()

    assert asked.pieces == ["Well, "]
    assert len(asked.endpoint.asked) == 1


@pytest.mark.parametrize("break_off", [True, False], ids=["connection lost", "no end"])
async def test_a_stream_that_breaks_off_is_no_answer(break_off: bool) -> None:
    async with client(fake.stream(fake.piece("The pool "), break_off=break_off)) as asked:
        with pytest.raises(ModelUnavailable, match="broke off|no connection"):
            await asked.ask()


async def test_a_stream_that_breaks_off_before_the_first_word_is_asked_again() -> None:
    async with client(fake.stream(break_off=True), fake.says("Now.")) as asked:
        reply = await asked.ask()

    assert reply.text == "Now."


async def test_nobody_listening_is_unavailable() -> None:
    async with client(fake.says("ok"), attempts=1) as asked:
        gone = OpenAIModel(model="m", base_url="http://127.0.0.1:9/v1", attempts=1)
        try:
            with pytest.raises(ModelUnavailable, match="no connection"):
                await gone.complete(REQUEST, asked.endpoint.asked.append)  # type: ignore[arg-type]  # never called
        finally:
            await gone.close()


@pytest.mark.parametrize(
    ("answering", "stream"),
    [
        (fake.replies("not json at all"), False),
        (fake.replies("<html>login</html>", "text/html"), False),
        (fake.replies('{"choices": []}'), False),
        (fake.replies('{"choices": [{"index": 0, "finish_reason": "stop"}]}'), False),
        (fake.replies("[]"), False),
        (fake.replies("null"), False),
        (fake.replies('{"choices": [{"message": {"tool_calls": [{"type": "function"}]}}]}'), False),
        (fake.says("  "), False),
        (fake.says("  "), True),
        (fake.stream("{not json"), True),
        (fake.stream('"a text"'), True),
    ],
)
async def test_an_answer_that_is_none_is_malformed(answering: Answering, stream: bool) -> None:
    async with client(answering, stream=stream) as asked:
        with pytest.raises(MalformedReply):
            await asked.ask()


async def test_arguments_given_as_an_object_are_taken_as_their_json() -> None:
    body = (
        '{"choices": [{"message": {"tool_calls": [{"function": {"name": "logs", "arguments": {"a": 1}}}]}}]}'
    )
    async with client(fake.replies(body), stream=False) as asked:
        reply = await asked.ask()

    assert [(call.name, call.arguments) for call in reply.calls] == [("logs", '{"a": 1}')]


async def test_an_endpoint_that_cannot_stream_is_asked_for_the_whole_from_then_on() -> None:
    async with client(fake.refuses_to_stream) as asked:
        first, second = await asked.ask(), await asked.ask()

    assert (first.text, second.text) == ("Whole.", "Whole.")
    assert [body.get("stream", False) for body in asked.endpoint.asked] == [True, False, False]


async def test_an_answer_that_met_its_length_limit_says_so() -> None:
    async with client(fake.says("The pool", finish="length")) as asked:
        reply = await asked.ask()

    assert "length limit" in reply.note


async def test_an_endpoint_that_counts_no_tokens_is_fine() -> None:
    async with client(fake.says("ok", usage=False)) as asked:
        assert (await asked.ask()).usage == Usage(0, 0, 0.0)
