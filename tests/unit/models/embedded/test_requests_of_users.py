"""Requests that real users made and were misunderstood: slips, times ahead, unknown names, short follow-ups."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import pytest

from agent.models.embedded.reading import AskBack, Call, Doubt, Reading, Talk
from agent.models.embedded.understanding import Understanding
from evals.understand_tools import names, toolset
from tests.fakes.shop import WORDS, shop_platform
from tools.alerts.memory import MemoryAlerts
from tools.alerts.silence import SilenceAlert
from tools.contract import Arguments, Effect, Example, Spec
from tools.deploy.restart import Restart
from tools.deploy.status import Status
from tools.slots import Kind, Slot

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
FLAGS = ("payments_pause", "delivery_slots", "new_search")


class SetFlag(Arguments):
    flag: Annotated[str, Slot(Kind.CHOICE, role="flag", choices=FLAGS)]
    state: Annotated[str, Slot(Kind.CHOICE, role="state", choices=("on", "off"), aliases={"active": "on"})]


FLAG = Spec(
    "feature-flag",
    "Switches a flag",
    SetFlag,
    Effect.WRITE,
    examples=(Example("switch the flag {flag} {state}"), Example("turn {flag} {state}")),
)
EVALUATED = toolset(names({"service": name} for name in ("checkout", "payments", "catalog")))
TOOLS = (
    *(spec for spec in EVALUATED if spec.name not in {"restart", "status"}),
    Status(shop_platform(), WORDS, lambda: NOW).spec,
    Restart(shop_platform(), WORDS, lambda: NOW).spec,
    FLAG,
)


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(TOOLS, embedder=None, zone=UTC)


def read(planner: Understanding, text: str, earlier: Sequence[str] = ()) -> Reading:
    return asyncio.run(planner.read(text, now=NOW, earlier=earlier))


def calls(planner: Understanding, text: str, earlier: Sequence[str] = ()) -> tuple[Call, ...]:
    reading = read(planner, text, earlier)
    assert isinstance(reading, tuple), reading
    return reading


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("montre les erreures de payments", "error"),
        ("y a-t-il des erreures dans payments ?", "error"),
        ("show the erors of payments", "error"),
        ("any eror in the payments logs?", "error"),
        ("warnigs in the payments logs", "warning"),
        ("des avertissemens dans les logs de payments ?", "warning"),
    ],
)
def test_a_misspelled_level_is_a_level_and_no_text_to_look_for(
    planner: Understanding, text: str, level: str
) -> None:
    (call,) = calls(planner, text)
    assert (call.tool, call.arguments.get("level"), call.arguments.get("contains")) == (
        "query_logs",
        level,
        None,
    )


def test_a_word_near_to_a_level_is_left_alone(planner: Understanding) -> None:
    (call,) = calls(planner, 'grep "cache warming" in the catalog logs')
    assert "level" not in call.arguments


@pytest.mark.parametrize(
    "text",
    [
        "restart catalog tomorrow",
        "redémarre catalog demain",
        "can you restart catalog next week?",
        "restart catalog in staging on friday",
        "redémarre catalog en staging lundi",
        "redémarre catalog à 18h",
        "restart catalog at 6pm",
        "redémarre catalog dans une heure",
        "deploy payments 2.3.9 to staging next week",
        "deploy payments 2.3.9 to staging next weekend",
    ],
)
def test_a_change_for_later_is_not_proposed_for_now(planner: Understanding, text: str) -> None:
    reading = read(planner, text)
    assert isinstance(reading, AskBack)
    assert reading.doubt is Doubt.LATER


def test_a_time_added_to_a_change_is_not_dropped(planner: Understanding) -> None:
    reading = read(planner, "tomorrow", ["restart catalog in staging"])
    assert isinstance(reading, AskBack)
    assert reading.doubt is Doubt.LATER


def test_a_version_that_answers_with_a_time_ahead_proposes_nothing(planner: Understanding) -> None:
    reading = read(planner, "2.3.9 tomorrow", ["deploy payments to staging"])
    assert isinstance(reading, AskBack)
    assert reading.doubt is Doubt.LATER


def test_a_change_for_later_may_be_wanted_now_after_all(planner: Understanding) -> None:
    (call,) = calls(planner, "ok, now then", ["restart catalog in staging tomorrow"])
    assert (call.tool, dict(call.arguments)) == ("restart", {"service": "catalog", "environment": "staging"})


@pytest.mark.parametrize(
    "text",
    [
        "restart catalog, it has been failing since friday",
        "the release from monday is bad, restart catalog",
        "restart catalog now",
    ],
)
def test_a_day_that_only_gives_a_reason_holds_no_change_up(planner: Understanding, text: str) -> None:
    assert [call.tool for call in calls(planner, text)] == ["restart"]


@pytest.mark.parametrize(
    "text",
    [
        "what will the error rate of payments be tomorrow?",
        "quel sera le taux d'erreur de payments demain ?",
        "errors of payments tomorrow",
        "what will be deployed next week?",
    ],
)
def test_a_question_about_what_will_be_says_that_nobody_knows(planner: Understanding, text: str) -> None:
    assert read(planner, text) == Talk("future")


def test_a_length_of_time_with_in_is_no_future(planner: Understanding) -> None:
    (call,) = calls(planner, "how many errors did payments log in 2 hours")
    assert call.tool == "query_logs"


@pytest.mark.parametrize(
    "text", ["who approved the rollback?", "qui a approuvé A-3 ?", "is A-3 approved?", "approuve A-3"]
)
def test_who_approved_is_looked_up_in_the_history_of_changes(planner: Understanding, text: str) -> None:
    (call,) = calls(planner, text)
    assert (call.tool, call.arguments["since"]) == ("status", "30d")


def test_who_approved_something_else_is_a_question_for_the_notes(planner: Understanding) -> None:
    assert [call.tool for call in calls(planner, "who approved the 4 s payment timeout?")] == [
        "search_knowledge"
    ]


@pytest.mark.parametrize("text", ["turn dark_mode on", "switch the flag blue_button off"])
def test_an_unknown_flag_is_asked_back_with_those_there_are(planner: Understanding, text: str) -> None:
    reading = read(planner, text)
    assert isinstance(reading, AskBack)
    assert (reading.doubt, reading.argument, reading.options) == (Doubt.MISSING, "flag", FLAGS)


def test_turning_a_service_off_and_on_again_is_a_restart(planner: Understanding) -> None:
    assert [call.tool for call in calls(planner, "turn payments off and on again")] == ["restart"]


@pytest.mark.parametrize(
    "text", ["and in staging?", "and in staging", "what about staging?", "et en staging ?"]
)
def test_a_place_after_a_why_asks_the_why_for_that_place(planner: Understanding, text: str) -> None:
    asked = calls(planner, text, ["why is catalog failing?"])
    assert [call.tool for call in asked] == [
        call.tool for call in calls(planner, "why is catalog failing in staging?")
    ]
    (status,) = [call for call in asked if call.tool == "status"]
    assert dict(status.arguments) == {"service": "catalog", "environment": "staging"}


def test_a_service_after_a_why_asks_the_why_for_that_service(planner: Understanding) -> None:
    asked = calls(planner, "and catalog?", ["why is checkout slow?"])
    assert {call.arguments.get("service", "catalog") for call in asked} == {"catalog"}
    assert [call.arguments["query"] for call in asked if "query" in call.arguments] == ["why is catalog slow"]


@pytest.mark.parametrize("span", ["2h", "30m", "2 hours"])
def test_for_how_long_is_not_for_when(span: str) -> None:
    silence = SilenceAlert(MemoryAlerts((), lambda: NOW), WORDS, lambda: NOW).spec
    reading = read(
        Understanding((silence,), embedder=None, zone=UTC), f'silence the alert "PoolFull" for {span}'
    )
    assert isinstance(reading, tuple), reading
    assert reading[0].tool == "silence"
    assert reading[0].arguments["alert"] == "PoolFull"
    assert str(reading[0].arguments["duration"]).startswith(span[0])
