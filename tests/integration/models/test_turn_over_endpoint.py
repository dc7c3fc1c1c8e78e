"""A whole turn over the wire: the real adapter, a local endpoint, and everything that can go wrong between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.conversation.messages import Reply
from agent.models.fallback import FallbackModel
from agent.models.openai import OpenAIModel
from agent.models.scripted import ScriptedModel
from tests.fakes import endpoint as fake
from tests.fakes.endpoint import Answering, Endpoint, endpoint
from tests.fakes.turns import FakeLogs, FakeRollback, World, finding

PLANNED = Reply("From templates.", model="embedded planner", by_code=True)


async def no_sleep(seconds: float) -> None:
    """Time passes at once."""


@asynccontextmanager
async def world(*script: Answering) -> AsyncIterator[tuple[World, Endpoint]]:
    async with endpoint(*script) as served:
        model = OpenAIModel(model="m", base_url=served.url, timeout=2.0, attempts=2, sleep=no_sleep)
        tools = (FakeLogs(finding("12 errors")), FakeRollback())
        opened = World(FallbackModel(model, ScriptedModel(PLANNED)), tools)
        try:
            yield opened, served
        finally:
            await opened.turns().close()


async def test_every_call_of_a_reply_is_answered_under_its_own_id() -> None:
    calls = [fake.tool("logs", '{"service": "payments"}', ""), fake.tool("nonsense", "{}", "")]
    async with world(fake.says("Looking.", *calls), fake.says("12 errors [1].")) as (asked, served):
        answer = await asked.ask("why?")

    assert answer.text == "12 errors [1]."
    *_, reply, first, second = served.asked[1]["messages"]
    assert [call["id"] for call in reply["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert first["tool_call_id"] != second["tool_call_id"]
    assert first["content"].startswith("<evidence")
    assert "not offered" in second["content"]


async def test_a_malformed_call_is_corrected_by_the_model() -> None:
    async with world(
        fake.says("", fake.tool("logs", '{"service": "paym')),
        fake.says("", fake.tool("logs", '{"service": "payments"}')),
        fake.says("12 errors [1]."),
    ) as (asked, _):
        answer = await asked.ask("why?")

    assert answer.text == "12 errors [1]."
    assert answer.receipt.refused == 1


async def test_an_endpoint_that_dies_half_way_leaves_the_planner_and_what_was_found() -> None:
    call = fake.tool("logs", '{"service": "payments"}')
    async with world(fake.says("", call), fake.fails(503)) as (asked, served):
        answer = await asked.ask("why?")

    assert answer.text == "From templates."
    assert [item.number for item in answer.evidence] == [1]
    assert "the endpoint answered 503" in answer.receipt.notes[0]
    assert len(served.asked) == 3


async def test_tokens_of_all_calls_are_added_up() -> None:
    call = fake.tool("logs", '{"service": "payments"}')
    async with world(fake.says("", call), fake.says("12 errors [1].")) as (asked, _):
        answer = await asked.ask("why?")

    assert (answer.receipt.usage.input_tokens, answer.receipt.usage.output_tokens) == (200, 40)


async def test_a_proposal_over_the_wire_waits_for_people() -> None:
    call = fake.tool("rollback", '{"service": "payments", "version": "2.3.9"}')
    async with world(fake.says("", call), fake.says("Proposed as A-1; it waits.")) as (asked, served):
        answer = await asked.ask("roll payments back to 2.3.9")

    assert [action.id for action in answer.actions] == ["A-1"]
    assert served.asked[1]["messages"][-1]["content"].startswith("proposed as A-1")
