"""The LangChain adapter, with LangChain's own client against a local endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Message, Offer, Request, ResultKind, Role, ToolCall
from agent.models.langchain import ANSWER_NOW, LangChainModel
from agent.models.openai import Prices
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


async def no_sleep(seconds: float) -> None:
    """Time passes at once."""


async def unheard(piece: str) -> None:
    """Nobody reads along."""


@asynccontextmanager
async def model(*script: Answering, timeout: float = 5.0) -> AsyncIterator[tuple[LangChainModel, Endpoint]]:
    async with endpoint(*script) as served:
        chat = ChatOpenAI(
            model="m", base_url=served.url, api_key=SecretStr("none"), max_retries=0, stream_usage=True
        )
        yield (
            LangChainModel("openai:m", model=chat, timeout=timeout, prices=Prices(1.0, 2.0), sleep=no_sleep),
            served,
        )


async def test_text_is_streamed_and_counted() -> None:
    pieces: list[str] = []

    async def on_text(piece: str) -> None:
        pieces.append(piece)

    async with model(fake.says("The pool is exhausted.")) as (asked, _):
        reply = await asked.complete(REQUEST, on_text)

    assert reply.text == "".join(pieces) == "The pool is exhausted."
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 20)
    assert reply.usage.cost == pytest.approx(0.00014)


async def test_calls_come_with_their_arguments_well_formed_or_not() -> None:
    calls = [fake.tool("logs", '{"service": "payments"}', "a"), fake.tool("logs", '{"service" paym', "b")]
    async with model(fake.says("", *calls)) as (asked, _):
        reply = await asked.complete(REQUEST, unheard)

    assert reply.calls == (
        ToolCall("a", "logs", '{"service": "payments"}'),
        ToolCall("b", "logs", '{"service" paym'),
    )


async def test_results_are_sent_as_a_language_model_reads_them() -> None:
    messages = (
        *REQUEST.messages,
        Message(Role.AGENT, "", calls=(ToolCall("a", "logs", "{}"),)),
        Message(Role.TOOL, "plain", call_id="a", result=ResultKind.FOUND, shown="fenced"),
    )
    async with model(fake.says("ok")) as (asked, served):
        await asked.complete(Request(messages, (LOGS,), "en", REQUEST.now, may_call=False), unheard)

    sent = served.asked[0]["messages"]
    assert sent[3]["content"] == "fenced"
    assert sent[-1]["content"] == ANSWER_NOW


async def test_a_busy_provider_is_asked_again() -> None:
    async with model(fake.fails(429), fake.fails(503), fake.says("Now.")) as (asked, served):
        reply = await asked.complete(REQUEST, unheard)

    assert reply.text == "Now."
    assert len(served.asked) == 3


async def test_a_refusal_is_not_asked_again() -> None:
    async with model(fake.fails(401)) as (asked, served):
        with pytest.raises(ModelUnavailable, match="401"):
            await asked.complete(REQUEST, unheard)

    assert len(served.asked) == 1


async def test_a_provider_that_hangs_is_given_up_in_time() -> None:
    async with model(fake.hangs, timeout=0.1) as (asked, served):
        with pytest.raises(ModelUnavailable, match="Timeout"):
            await asked.complete(REQUEST, unheard)

    assert len(served.asked) == 3


async def test_a_model_that_cannot_stream_answers_at_once() -> None:
    call = {"id": "a", "name": "logs", "args": {"service": "payments"}}
    chat = FakeMessagesListChatModel(responses=[AIMessage("Looking.", tool_calls=[call])])

    reply = await LangChainModel("fake:m", model=chat).complete(replace(REQUEST, offers=()), unheard)

    assert reply.text == "Looking."
    assert reply.calls == (ToolCall("a", "logs", '{"service": "payments"}'),)


async def test_an_empty_answer_is_malformed() -> None:
    async with model(fake.says("")) as (asked, _):
        with pytest.raises(MalformedReply):
            await asked.complete(REQUEST, unheard)
