"""What requests are understood as, by the classifier, the grammar and the guard together."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.models.embedded.reading import AskBack, Call, Doubt, Reading, Talk
from agent.models.embedded.understanding import Understanding
from evals.understand_tools import WRITES, names, toolset
from knowledge.embed import normalised
from tools.contract import Arguments, Effect, Example, Spec
from tools.slots import Kind, Slot

Vectors = NDArray[np.float32]
NOW = datetime(2026, 11, 23, 15, 42, tzinfo=UTC)


class SetFlag(Arguments):
    flag: Annotated[str, Slot(Kind.CHOICE, role="flag", choices=("new_basket", "dark_mode"))]
    state: Annotated[str, Slot(Kind.CHOICE, role="state", choices=("on", "off"))]


FLAG = Spec(
    "feature-flag",
    "Switches a flag",
    SetFlag,
    Effect.WRITE,
    examples=tuple(
        Example(text)
        for text in (
            "turn {flag} {state}",
            "switch the flag {flag} {state}",
            "flip {flag} {state}",
            "set {flag} to {state}",
        )
    ),
)
TOOLS = (*toolset(names([{"service": "ledger"}, {"service": "mailer"}, {"service": "gateway"}])), FLAG)


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(TOOLS, embedder=None, zone=UTC)


def read(
    planner: Understanding, text: str, earlier: Sequence[str] = (), allowed: Sequence[str] | None = None
) -> Reading:
    return asyncio.run(planner.read(text, now=NOW, earlier=earlier, allowed=allowed))


def call(planner: Understanding, text: str, earlier: Sequence[str] = ()) -> Call:
    reading = read(planner, text, earlier)
    assert isinstance(reading, tuple), reading
    (one,) = reading
    return one


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        (
            "would you ship ledger 4.0.2 to staging",
            "deploy",
            {"service": "ledger", "version": "4.0.2", "environment": "staging"},
        ),
        (
            "ledger is worse since the release, go back to 3.9.1",
            "rollback",
            {"service": "ledger", "version": "3.9.1"},
        ),
        ("mailer hangs again, give it a kick", "restart", {"service": "mailer"}),
        (
            "we need a dozen gateways in prod",
            "scale",
            {"service": "gateway", "replicas": 12, "environment": "prod"},
        ),
        ("turn dark_mode off", "feature-flag", {"flag": "dark_mode", "state": "off"}),
        (
            "déploie ledger 4.0.2 en staging",
            "deploy",
            {"service": "ledger", "version": "4.0.2", "environment": "staging"},
        ),
        ("repasse ledger en 3.9.1", "rollback", {"service": "ledger", "version": "3.9.1"}),
        ("tu peux relancer mailer stp ?", "restart", {"service": "mailer"}),
        ("il faudrait quatre gateway", "scale", {"service": "gateway", "replicas": 4}),
    ],
)
def test_a_change_is_understood_with_its_arguments(
    planner: Understanding, text: str, tool: str, arguments: dict[str, object]
) -> None:
    understood = call(planner, text)
    assert (understood.tool, dict(understood.arguments)) == (tool, arguments)


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        (
            "errors mailer logged in the past 40 min",
            "query_logs",
            {"service": "mailer", "level": "error", "since": "40m"},
        ),
        (
            "grep 'quota exceeded' in ledger",
            "query_logs",
            {"service": "ledger", "contains": "quota exceeded"},
        ),
        ("how slow is the gateway", "query_metrics", {"service": "gateway", "metric": "latency_p95"}),
        (
            "quel est le taux d'erreur de mailer sur 3 jours ?",
            "query_metrics",
            {"service": "mailer", "metric": "error_rate", "window": "3d"},
        ),
        ("bilan hebdomadaire des incidents", "report", {"kind": "incidents", "period": "week"}),
        ("who owns the gateway?", "search_knowledge", {"query": "who owns the gateway"}),
        ("how would I roll back ledger?", "search_knowledge", {"query": "how would I roll back ledger"}),
    ],
)
def test_a_question_is_understood_with_its_arguments(
    planner: Understanding, text: str, tool: str, arguments: dict[str, object]
) -> None:
    understood = call(planner, text)
    assert (understood.tool, dict(understood.arguments)) == (tool, arguments)


def test_a_present_trouble_is_looked_at_from_several_sides(planner: Understanding) -> None:
    reading = read(planner, "why is mailer failing?")
    assert isinstance(reading, tuple)
    assert [one.tool for one in reading] == [
        "query_metrics",
        "query_metrics",
        "query_logs",
        "search_knowledge",
    ]


def test_a_past_trouble_is_looked_up(planner: Understanding) -> None:
    assert call(planner, "why did mailer fail in March?").tool == "search_knowledge"


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("restart it", Doubt.MISSING),
        ("deploy ledger to staging", Doubt.MISSING),
        ("scale gateway", Doubt.MISSING),
        ("restart mailer and ledger", Doubt.RIVALS),
        ("add two more gateway pods", Doubt.RELATIVE),
        ("scale gateway to 9000 pods", Doubt.REFUSED),
        ("restart mailer tomorrow", Doubt.LATER),
    ],
)
def test_what_is_not_sure_is_asked_back(planner: Understanding, text: str, doubt: Doubt) -> None:
    reading = read(planner, text)
    assert isinstance(reading, AskBack)
    assert reading.doubt is doubt


@pytest.mark.parametrize(
    ("text", "label"),
    [("hello!", "greeting"), ("merci beaucoup", "thanks"), ("don't restart mailer", "dismissal")],
)
def test_talk_calls_nothing(planner: Understanding, text: str, label: str) -> None:
    assert read(planner, text) == Talk(label)


def test_a_tool_that_is_not_offered_is_not_called(planner: Understanding) -> None:
    reading = read(planner, "restart mailer", allowed=["query_logs"])
    assert isinstance(reading, AskBack)
    assert reading.doubt is Doubt.NOT_OFFERED


def test_an_ellipsis_goes_on_from_the_request_before(planner: Understanding) -> None:
    understood = call(planner, "and in staging?", ["show me the errors of mailer"])
    assert dict(understood.arguments) == {"service": "mailer", "level": "error", "environment": "staging"}


def test_the_answer_to_a_question_back_completes_the_request(planner: Understanding) -> None:
    assert dict(call(planner, "mailer", ["restart it"]).arguments) == {"service": "mailer"}


def test_a_change_is_not_repeated_by_an_ellipsis(planner: Understanding) -> None:
    reading = read(planner, "and in staging?", ["restart mailer"])
    assert not isinstance(reading, tuple) or all(one.tool not in WRITES for one in reading)


_WORDS = st.sampled_from(
    "restart roll back deploy scale please now the it to in staging prod 3 2.4.1 relance remets passe à en version "
    "pods don't should we if why tomorrow everything replicas and errors of logs".split()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(_WORDS, min_size=1, max_size=9))
def test_no_change_is_proposed_without_a_service(planner: Understanding, words: list[str]) -> None:
    reading = read(planner, " ".join(words))
    assert not isinstance(reading, tuple) or all(one.tool not in WRITES for one in reading)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
def test_any_text_is_read(planner: Understanding, text: str) -> None:
    assert isinstance(read(planner, text), tuple | AskBack | Talk)


class CountingEmbedder:
    """An embedder whose vectors depend on the letters of a text, and which counts the texts it was given."""

    name, dims, floor = "multilingual-e5-small-q4", 384, 0.75

    def __init__(self) -> None:
        self.embedded: list[str] = []

    async def embed_queries(
        self, texts: Sequence[str]
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        self.embedded += texts
        rows = np.zeros((len(texts), self.dims), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[[ord(letter) % self.dims for letter in text or " "]] = 1
        return normalised(rows)

    async def embed_passages(
        self, texts: Sequence[str]
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        return await self.embed_queries(texts)


async def test_the_vectors_of_its_own_phrases_come_with_the_package() -> None:
    embedder = CountingEmbedder()
    await Understanding(toolset(names([])), embedder=embedder, zone=UTC).prepare()
    # Run `python -m agent.models.embedded.shipped` when this fails after phrases were changed.
    assert embedder.embedded == []


async def test_a_second_start_reads_what_the_first_one_learned(tmp_path: Path) -> None:
    await Understanding(TOOLS, embedder=CountingEmbedder(), zone=UTC, cache=tmp_path).prepare()
    embedder = CountingEmbedder()
    await Understanding(TOOLS, embedder=embedder, zone=UTC, cache=tmp_path).prepare()
    assert embedder.embedded == []


async def test_a_broken_cache_is_made_again(tmp_path: Path) -> None:
    await Understanding(TOOLS, embedder=None, zone=UTC, cache=tmp_path).prepare()
    for file in tmp_path.iterdir():
        file.write_bytes(b"cut short")
    reading = await Understanding(TOOLS, embedder=None, zone=UTC, cache=tmp_path).read(
        "restart mailer", now=NOW
    )
    assert isinstance(reading, tuple)


def test_a_message_that_only_quotes_is_about_what_it_quotes(planner: Understanding) -> None:
    asked = call(planner, "error rate of ledger")
    assert call(planner, "> error rate of ledger") == asked
