"""The scores of the bench of faults can be bad: a wrong place, a herring not named, a figure or a quotation made up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.conversation.evidence import Evidence
from agent.conversation.receipt import Receipt
from agent.conversation.thread import TurnId
from agent.conversation.turn import Answer
from agent.models.embedded.investigating import investigated
from agent.models.embedded.writing import Writer
from evals.bench.faults.recording import Recording
from evals.bench.faults.scoring import Score, score
from tests.fakes.shop import NOW, WORDS
from tests.fakes.trouble import EXHAUSTED, FAILING, asked, deployed, investigation, lines

TRUE = ("release", "payments 2.4.0")


def recording(*causes: tuple[str, str], harmless: bool = False, asked_at: datetime = NOW) -> Recording:
    return Recording(
        Path(), "pool-release", 1, "why are payments failing?", causes, harmless, ("catalog 3.2.3",), asked_at
    )


async def answer() -> Answer:
    """A true answer about a pool that a release exhausted."""
    changes = [deployed("payments", "2.4.0", 0.2), deployed("catalog", "3.2.3", 1)]
    outcome = await asked(investigation(FAILING, list(lines("payments", EXHAUSTED)), changes))
    evidence = tuple(Evidence(at, each, "investigate", "1") for at, each in enumerate(outcome.findings, 1))
    text = investigated(evidence[0], Writer("en", NOW, WORDS.zone))
    return Answer(
        TurnId("T-1"),
        text,
        evidence,
        (),
        (),
        Receipt("T-1", 0.1, ("investigate",), "planner", "system", 2),
        "en",
    )


async def test_a_true_answer_invents_nothing_and_has_its_cause_in_front() -> None:
    found = score(recording(TRUE), await answer())
    assert (found.first, found.in_three, found.invented, dict(found.herrings)) == (
        True, True, (), {"catalog 3.2.3": True},
    )  # fmt: skip


async def test_another_cause_is_missed() -> None:
    found = score(recording(("disk", "payments")), await answer())
    assert (found.first, found.in_three, found.places) == (False, False, (0,))


async def test_of_two_causes_one_is_not_enough() -> None:
    assert not score(recording(TRUE, ("config", "catalog page_cache")), await answer()).first


async def test_trouble_that_is_none_has_to_be_told_so() -> None:
    assert not score(recording(TRUE, harmless=True), await answer()).first


async def test_a_herring_that_is_not_ruled_out_counts_as_not_named() -> None:
    told = await answer()
    silent = "\n".join(line for line in told.text.splitlines() if "Ruled out" not in line)
    assert score(recording(TRUE), replace(told, text=silent)).herrings == {"catalog 3.2.3": False}


@pytest.mark.parametrize(
    ("was", "is_"),
    [("[3]", "[33]"), ("0.2%", "7.3%"), (EXHAUSTED, "the database was deleted by a crow")],
)
async def test_what_is_made_up_in_the_text_is_found(was: str, is_: str) -> None:
    told = await answer()
    assert was in told.text
    assert score(recording(TRUE), replace(told, text=told.text.replace(was, is_, 1))).invented


def _other_place(point: dict[str, Any]) -> None:
    point["cites"] = [99]


def _itself(point: dict[str, Any]) -> None:
    point["cites"] = [1]


def _other_version(point: dict[str, Any]) -> None:
    point["fields"]["what"] = "payments 9.9.9"


@pytest.mark.parametrize("spoil", [_other_place, _itself, _other_version], ids=lambda each: each.__name__)
async def test_a_point_that_its_evidence_does_not_bear_out_is_found(
    spoil: Callable[[dict[str, Any]], None],
) -> None:
    told = await answer()
    facts: Any = told.evidence[0].finding.facts
    spoil(facts["hypotheses"][0]["for"][0])
    assert score(recording(TRUE), told).invented


def test_a_share_of_the_seeds_may_be_compared() -> None:
    assert Score("a", 1, "?", (2, 1), None).first
    assert not Score("a", 1, "?", (3, 1), None).first
    assert Score("a", 1, "?", (3, 1), None).in_three
