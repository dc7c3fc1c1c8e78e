"""A sentence that is an example of a declared tool word for word: its values stand where the placeholders are."""

from datetime import UTC, datetime
from typing import Annotated

import pytest

from agent.models.embedded.arguments import Context, fill
from agent.models.embedded.scan import Scanner
from agent.models.embedded.shown import is_shown, worded_as_shown
from agent.models.embedded.understanding import Understanding
from evals.understand_tools import names, toolset
from tools.contract import Arguments, Effect, Example, Spec
from tools.slots import Kind, Slot, slots

NOW = datetime(2026, 11, 23, 15, 42, tzinfo=UTC)


class Flag(Arguments):
    flag: Annotated[str, Slot(Kind.QUOTED)]
    state: Annotated[str, Slot(Kind.CHOICE, role="state", choices=("on", "off"))]


class Place(Arguments):
    place: Annotated[str, Slot(Kind.QUOTED)]


FLAG = Spec(
    "feature-flag",
    "Switches a feature flag on or off",
    Flag,
    Effect.WRITE,
    examples=(Example("switch the flag {flag} {state}"), Example("turn {flag} {state}")),
)
TIDE = Spec(
    "tide",
    "Tells the tide of a place",
    Place,
    Effect.READ,
    examples=(Example("when is high water in {place}?"), Example("{place}")),
)


def filled(text: str) -> dict[str, object]:
    scanner = Scanner(slots(Flag).items(), ["switch", "turn", "flag"], UTC)
    return dict(fill(FLAG, scanner.scan(text, NOW), Context(NOW, UTC)).values)


@pytest.mark.parametrize(
    "text",
    [
        "switch the flag new_checkout on",
        "turn new_checkout on",
        "  Turn   new_checkout on. ",
        'turn "new_checkout" on',
    ],
)
def test_a_write_worded_as_its_example_has_its_text(text: str) -> None:
    assert filled(text) == {"flag": "new_checkout", "state": "on"}


@pytest.mark.parametrize(
    "text", ["please do turn new_checkout on", "turn new_checkout and old_checkout on", "turn on"]
)
def test_the_text_of_a_write_is_not_guessed_from_other_words(text: str) -> None:
    assert "flag" not in filled(text)


def test_an_example_that_names_an_argument_twice_tells_nothing_of_it() -> None:
    twice = Spec("copy", "", Place, Effect.READ, examples=(Example("copy {place} to {place}"),))
    assert worded_as_shown(twice, "place", "copy a to b") is None


def test_an_example_of_placeholders_alone_words_nothing() -> None:
    assert is_shown(TIDE, "When is high water in Saint-Malo?")
    assert not is_shown(TIDE, "hello")


async def test_a_declared_read_is_found_by_its_example_however_few_it_has() -> None:
    tools = (*toolset(names([{"service": "ledger"}])), TIDE)
    reading = await Understanding(tools, embedder=None, zone=UTC).read(
        "when is high water in Saint-Malo?", now=NOW
    )
    assert isinstance(reading, tuple)
    assert [(call.tool, dict(call.arguments)) for call in reading] == [("tide", {"place": "Saint-Malo"})]
