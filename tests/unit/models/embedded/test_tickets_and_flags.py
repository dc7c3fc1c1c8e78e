"""Tickets and flags are understood without a language model: unsure rather than wrong."""

import asyncio
from datetime import UTC

import pytest

from agent.models.embedded.reading import AskBack, Reading
from agent.models.embedded.understanding import Understanding
from tests.contract.test_tools import shipped
from tests.fakes.shop import NOW


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(shipped().specs(), embedder=None, zone=UTC)


def read(planner: Understanding, text: str) -> Reading:
    return asyncio.run(planner.read(text, now=NOW))


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("is the flag new-checkout on?", "flag", {"flag": "new-checkout"}),
        ("le flag new-checkout est-il activé ?", "flag", {"flag": "new-checkout"}),
        (
            "turn new-checkout on in staging",
            "flag_set",
            {"flag": "new-checkout", "value": "on", "environment": "staging"},
        ),
        (
            "passe le flag new-checkout à on en prod",
            "flag_set",
            {"flag": "new-checkout", "value": "on", "environment": "production"},
        ),
        ("which tickets are open for payments?", "tickets", {"service": "payments"}),
        ("quels tickets sont ouverts pour payments ?", "tickets", {"service": "payments"}),
        (
            'open a ticket for payments "Refunds fail"',
            "ticket_open",
            {"service": "payments", "title": "Refunds fail"},
        ),
        (
            'ouvre un ticket pour payments "Les remboursements échouent"',
            "ticket_open",
            {"service": "payments", "title": "Les remboursements échouent"},
        ),
        ("close ticket OPS-12", "ticket_close", {"ticket": "OPS-12"}),
        ("ferme le ticket OPS-12", "ticket_close", {"ticket": "OPS-12"}),
        ("reopen ticket #12", "ticket_reopen", {"ticket": "#12"}),
    ],
)
def test_a_request_is_the_call_it_says(
    planner: Understanding, text: str, tool: str, arguments: dict[str, str]
) -> None:
    reading = read(planner, text)
    assert isinstance(reading, tuple)
    assert [(each.tool, dict(each.arguments)) for each in reading] == [(tool, arguments)]


@pytest.mark.parametrize(
    "text",
    [
        "open a ticket for payments",  # no title in quotes
        "close ticket OPS-12 and OPS-13",  # which one
        "disable new-checkout in production",  # a verb that no example has
        "switch the flag night-mode on",  # there is none
    ],
)
def test_what_is_not_said_is_asked_and_never_guessed(planner: Understanding, text: str) -> None:
    reading = read(planner, text)
    assert isinstance(reading, AskBack), reading
