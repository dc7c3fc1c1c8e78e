"""Why "it" is slow: the service that was talked about, or a question which one is meant."""

from datetime import UTC

import pytest

from agent.models.embedded.asking import ask
from agent.models.embedded.reading import AskBack, Reading
from agent.models.embedded.subject import is_pronoun, named
from agent.models.embedded.understanding import Understanding
from evals.understand_tools import names, toolset
from tests.fakes.shop import NOW
from tests.fakes.trouble import investigation

SERVICES = ("checkout", "payments", "catalog")
PLAIN = toolset(names({"service": name} for name in SERVICES))
SPECS = {spec.name: spec for spec in (*PLAIN, investigation().spec)}


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(tuple(SPECS.values()), embedder=None, zone=UTC)


async def read(planner: Understanding, text: str, *earlier: str, without: str = "") -> Reading:
    allowed = [name for name in SPECS if name != without]
    return await planner.read(text, now=NOW, earlier=earlier, allowed=allowed)


@pytest.mark.parametrize(
    "text",
    [
        "why is it slow?",
        "Why’s it failing?",
        "why is it so slow right now?",
        "why are they failing",
        "what is wrong with it?",
        "pourquoi c'est lent ?",
        "pourquoi ça plante ?",
    ],
)
async def test_with_nothing_talked_about_it_is_asked_which_service(planner: Understanding, text: str) -> None:
    back = await read(planner, text)
    assert isinstance(back, AskBack), back
    asked = ask(back, SPECS, "en")
    assert asked.startswith("Which service: ")
    assert all(name in asked for name in SERVICES)


@pytest.mark.parametrize("text", ["why is it slow?", "what's wrong with it?", "pourquoi c’est lent ?"])
async def test_what_was_talked_about_is_meant(planner: Understanding, text: str) -> None:
    reading = await read(planner, text, "why is catalog slow?", "is checkout ok?", "thanks")
    assert isinstance(reading, tuple), reading
    assert [(call.tool, call.arguments["service"]) for call in reading] == [("investigate", "checkout")]


@pytest.mark.parametrize(
    "text", ["Why is it slow? restart it in production", "why is it slow? please restart it in staging"]
)
async def test_no_order_is_filled_in_with_what_was_talked_about(planner: Understanding, text: str) -> None:
    reading = await read(planner, text, "why is checkout slow?")
    calls = reading if isinstance(reading, tuple) else ()
    assert all("service" not in call.arguments for call in calls if call.tool == "restart"), reading


async def test_of_two_services_that_were_talked_about_it_is_asked_which(planner: Understanding) -> None:
    back = await read(planner, "why is it slow?", "compare the latency of checkout and payments")
    assert isinstance(back, AskBack), back
    assert ask(back, SPECS, "en") == "Which service: checkout or payments?"


@pytest.mark.parametrize("without", ["", "investigate"])
async def test_the_answer_to_the_question_back_is_the_service(planner: Understanding, without: str) -> None:
    reading = await read(planner, "checkout", "why is it slow?", without=without)
    assert isinstance(reading, tuple), reading
    assert {call.arguments["service"] for call in reading if "service" in call.arguments} == {"checkout"}
    assert {call.tool for call in reading} >= ({"query_metrics"} if without else {"investigate"})


async def test_a_place_in_the_answer_counts_too(planner: Understanding) -> None:
    reading = await read(planner, "checkout in staging", "why is it slow?")
    assert isinstance(reading, tuple), reading
    assert [dict(call.arguments) for call in reading] == [{"service": "checkout", "environment": "staging"}]


@pytest.mark.parametrize(
    "text",
    [
        "why is it that we deploy on fridays?",
        "why is checkout slow?",
        "why is this error in the payments log?",
        "pourquoi il y a des erreurs ?",
        "is it slow?",
    ],
)
def test_what_names_its_subject_or_asks_no_why_has_no_pronoun(text: str) -> None:
    assert not is_pronoun(text)
    assert named(text, "catalog") == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Why is it slow?", "Why is catalog slow?"),
        ("why it's slow", "why catalog is slow"),
        ("what’s wrong with it?", "what’s wrong with catalog?"),
        ("Pourquoi c’est lent ?", "Pourquoi catalog est lent ?"),
        ("pourquoi ça plante ?", "pourquoi catalog plante ?"),
        ("pourquoi est-ce qu'elle échoue ?", "pourquoi est-ce qu'catalog échoue ?"),
    ],
)
def test_the_service_takes_the_place_of_the_pronoun(text: str, told: str) -> None:
    assert named(text, "catalog") == told
