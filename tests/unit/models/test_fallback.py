"""The planner behind the model: it stands in, says so, and the model gets its chance again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.conversation.errors import MalformedReply, ModelUnavailable
from agent.conversation.messages import Reply, Request
from agent.models.fallback import REST, FallbackModel
from agent.models.scripted import ScriptedModel

REQUEST = Request((), (), "en", datetime(2026, 11, 23, tzinfo=UTC))
PLANNED = Reply("From templates.", model="embedded planner", by_code=True)


async def unheard(piece: str) -> None:
    """Nobody reads along."""


def later(seconds: float) -> Request:
    return replace(REQUEST, now=REQUEST.now + timedelta(seconds=seconds))


async def test_a_model_that_answers_is_all_there_is() -> None:
    planner = ScriptedModel()

    reply = await FallbackModel(ScriptedModel(Reply("Mine.")), planner).complete(REQUEST, unheard)

    assert (reply.text, reply.note) == ("Mine.", "")
    assert planner.requests == []


async def test_the_planner_stands_in_for_a_model_that_is_down_and_says_so() -> None:
    model = FallbackModel(ScriptedModel(ModelUnavailable("m: no answer in time")), ScriptedModel(PLANNED))

    reply = await model.complete(REQUEST, unheard)

    assert (reply.text, reply.model, reply.by_code) == ("From templates.", "embedded planner", True)
    assert reply.note == (
        "The language model did not answer (m: no answer in time), so the embedded planner did."
    )


async def test_a_malformed_reply_gets_a_second_chance() -> None:
    model = FallbackModel(ScriptedModel(MalformedReply("empty"), Reply("Better.")), ScriptedModel())

    assert (await model.complete(REQUEST, unheard)).text == "Better."


async def test_two_malformed_replies_are_one_too_many() -> None:
    primary = ScriptedModel(MalformedReply("empty"), MalformedReply("empty"), Reply("Back."))
    model = FallbackModel(primary, ScriptedModel(PLANNED))

    assert (await model.complete(REQUEST, unheard)).text == "From templates."
    assert (await model.complete(REQUEST, unheard)).text == "Back."


async def test_a_model_that_is_down_is_left_alone_for_a_while() -> None:
    primary = ScriptedModel(ModelUnavailable("down"), Reply("Back."))
    model = FallbackModel(primary, ScriptedModel(PLANNED, PLANNED))

    await model.complete(REQUEST, unheard)
    resting = await model.complete(later(REST.total_seconds() - 1), unheard)
    back = await model.complete(later(REST.total_seconds() + 1), unheard)

    assert "down" in resting.note
    assert back.text == "Back."
    assert len(primary.requests) == 2


async def test_a_script_that_is_over_is_a_model_that_is_down() -> None:
    with pytest.raises(ModelUnavailable, match="only 0 replies"):
        await ScriptedModel().complete(REQUEST, unheard)
