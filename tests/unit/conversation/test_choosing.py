"""Many tools whitelisted: a model is shown those that serve the request, and may ask for the others."""

import json
from collections.abc import Sequence

from pydantic import Field

from agent.conversation.choosing import BUDGET, FEW, FIND, Asked, Choosing
from agent.conversation.messages import Message, Offer, Reply, Request, ResultKind, Role
from agent.conversation.offers import brief, offer
from agent.models.embedded.planner import EmbeddedPlanner
from agent.models.scripted import ScriptedModel
from agent.models.tokens import EstimatingCounter
from tests.fakes.turns import NOW, FakeLogs, World, call, calling, finding, results
from tools.contract import Arguments, Effect, Spec

MANY = tuple(
    Offer(f"tool_{number}", f"[read] Does thing number {number}. " + "word " * 90, {}, Effect.READ)
    for number in range(60)
)


class NumberedRouter:
    """Ranks the tools backwards; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def rank(self, request: str, earlier: str = "") -> Sequence[str]:
        self.asked.append((request, earlier))
        return [f"tool_{number}" for number in reversed(range(60))]


def choosing(router: NumberedRouter | None = None) -> Choosing:
    return Choosing(router or NumberedRouter(), EstimatingCounter())


def many_tools() -> tuple[FakeLogs, ...]:
    tools = [FakeLogs(finding(f"found by {number}"), name=f"tool_{number}") for number in range(60)]
    for number, tool in enumerate(tools):
        tool.spec = Spec(
            tool.spec.name, f"Does thing number {number}. " + "word " * 90, tool.spec.arguments, Effect.READ
        )
    return tuple(tools)


async def test_few_tools_are_all_shown_and_nothing_is_asked_of_the_router() -> None:
    router = NumberedRouter()

    shown = await choosing(router).choose(MANY[:FEW], Asked("anything"))

    assert shown == MANY[:FEW]
    assert router.asked == []


async def test_of_many_tools_the_best_are_shown_within_the_budget_and_a_search_for_the_others() -> None:
    shown = await choosing().choose(MANY, Asked("thing 59"))

    assert shown[0] == FIND
    assert [each.name for each in shown[1:4]] == ["tool_59", "tool_58", "tool_57"]
    count = EstimatingCounter().count
    assert sum(count(f"{each.name} {each.description} {each.schema}") + 8 for each in shown) <= BUDGET


async def test_tools_that_the_thread_used_stay_shown() -> None:
    shown = await choosing().choose(MANY, Asked("and now?", used=("tool_3", "gone")))

    assert [each.name for each in shown[:3]] == [FIND.name, "tool_3", "tool_59"]


async def test_a_huge_schema_is_passed_over_for_those_that_fit() -> None:
    huge = Offer("tool_59", "[read] Huge", {"enum": ["word"] * 5_000}, Effect.READ)

    shown = await choosing().choose((*MANY[:-1], huge), Asked("thing 59"))

    assert [each.name for each in shown[:2]] == [FIND.name, "tool_58"]


async def test_a_model_that_searches_is_shown_what_it_found_from_the_next_step_on() -> None:
    search = call(FIND.name, '{"wanted": "thing number 0"}')
    model = ScriptedModel(
        calling(search), calling(call("tool_0", '{"service": "payments"}')), Reply("Found [1].")
    )
    world = World(model, many_tools(), choosing=choosing(BackwardsAtFirst()))

    answer = await world.ask("thing 59")

    first, second, _ = model.requests
    assert "tool_0" not in {each.name for each in first.offers}
    assert "tool_0" in {each.name for each in second.offers}
    (told,) = results(second.messages)
    assert told.result is ResultKind.FOUND
    assert "tool_0: [read] Does thing number 0." in told.text
    assert "others are not listed" in told.text
    assert answer.text == "Found [1]."


class BackwardsAtFirst(NumberedRouter):
    """Ranks `tool_0` last until it is asked for."""

    async def rank(self, request: str, earlier: str = "") -> Sequence[str]:
        ranked = await super().rank(request, earlier)
        return ranked if "number 0" not in request else ranked[::-1]


async def test_the_receipt_says_what_the_descriptions_took_and_how_many_were_shown() -> None:
    world = World(ScriptedModel(Reply("Hello.")), many_tools(), choosing=choosing())

    receipt = (await world.ask("hello")).receipt

    assert 0 < receipt.offer_tokens <= BUDGET
    assert receipt.allowed == 60
    assert 1 < receipt.shown < 60
    assert receipt.as_json()["tools_shown"] == receipt.shown


async def test_what_one_turn_used_is_shown_in_the_next_turn_of_the_thread() -> None:
    model = ScriptedModel(
        calling(call("tool_0", '{"service": "payments"}')), Reply("Found [1]."), Reply("Still.")
    )
    world = World(model, many_tools(), choosing=choosing())

    await world.ask("thing 0")
    await world.ask("and now?")

    assert "tool_0" not in {each.name for each in model.requests[0].offers}
    assert "tool_0" in {each.name for each in model.requests[2].offers}


async def test_a_search_is_refused_where_all_tools_are_shown() -> None:
    model = ScriptedModel(calling(call(FIND.name, '{"wanted": "more"}')), Reply("ok"))
    world = World(model, choosing=choosing())

    await world.ask("hello")

    (told,) = results(model.requests[1].messages)
    assert told.result is ResultKind.REFUSED


async def test_a_tool_that_the_asker_may_not_use_is_neither_shown_nor_found_nor_run() -> None:
    model = ScriptedModel(
        calling(call(FIND.name, '{"wanted": "number 0"}'), call("tool_0", '{"service": "payments"}')),
        Reply("ok"),
    )
    tools = many_tools()
    world = World(model, tools, choosing=choosing(BackwardsAtFirst()))
    allowed = frozenset(tool.spec.name for tool in tools[1:])

    await world.ask("thing 0", offered=allowed)

    found, ran = results(model.requests[1].messages)
    assert "tool_0:" not in found.text
    assert ran.result is ResultKind.REFUSED
    assert tools[0].askers == []


async def test_the_planner_that_stands_in_may_call_what_the_model_was_not_shown() -> None:
    logs = FakeLogs(name="logs")
    said = Message(Role.PERSON, "show me the logs of payments")
    request = Request((said,), (), "en", NOW, reserve=(offer(logs.spec),))

    async def unheard(_: str) -> None: ...

    reply = await EmbeddedPlanner((logs.spec,)).complete(request, unheard)

    assert [each.name for each in reply.calls] == ["logs"]


def test_a_brief_offer_keeps_names_types_and_choices_and_shortens_what_is_said() -> None:
    class Long(Arguments):
        """Long."""

        description: str | None = Field(default=None, description="word " * 60)
        level: int = 3

    said = brief(offer(Spec("long", "word " * 100, Long, Effect.READ)))

    properties = json.loads(json.dumps(said.schema["properties"]))
    assert len(said.description) <= 241
    assert said.description.endswith("…")
    assert properties["description"]["type"] == "string"
    assert "anyOf" not in properties["description"]
    assert len(properties["description"]["description"]) <= 111
    assert properties["level"] == {"default": 3, "type": "integer"}
    assert "additionalProperties" not in said.schema
