"""Questions that name nothing, and point at the trouble that was talked about."""

from datetime import UTC

import pytest

from agent.models.embedded.pointing import is_pointing
from agent.models.embedded.understanding import Understanding
from evals.understand_tools import names, toolset
from tests.fakes.shop import NOW
from tests.fakes.trouble import investigation

TOOLS = (
    *toolset(names([{"service": "payments"}, {"service": "checkout"}, {"service": "catalog"}])),
    investigation().spec,
)


@pytest.fixture(scope="module")
def planner() -> Understanding:
    return Understanding(TOOLS, embedder=None, zone=UTC)


async def about(
    planner: Understanding, text: str, *earlier: str, without: str = ""
) -> list[tuple[str, object]]:
    allowed = [spec.name for spec in TOOLS if spec.name != without]
    reading = await planner.read(text, now=NOW, earlier=earlier, allowed=allowed)
    calls = reading if isinstance(reading, tuple) else ()
    return [(call.tool, call.arguments.get("service")) for call in calls]


@pytest.mark.parametrize(
    "text",
    [
        "have we seen this before?", "has this happened before", "did it help?", "did the rollback work?",
        "is it fixed now?", "on a déjà vu ça ?", "c'est réparé ?", "C’est réglé maintenant ?",
    ],
)  # fmt: skip
async def test_it_is_the_service_that_was_talked_about(planner: Understanding, text: str) -> None:
    earlier = ("why is catalog slow?", "why are payments failing?")
    assert await about(planner, text, *earlier) == [("investigate", "payments")]


async def test_it_is_that_of_a_change_too_and_of_what_was_said_before_thanks(planner: Understanding) -> None:
    earlier = ("why is catalog slow?", "restart payments in production", "thanks", "did it help?")
    assert await about(planner, "is it fixed now?", *earlier) == [("investigate", "payments")]


async def test_with_nothing_talked_about_or_no_right_to_it_nothing_is_made_up(planner: Understanding) -> None:
    assert ("investigate", None) not in await about(planner, "did it help?")
    told = await about(planner, "did it help?", "why are payments failing?", without="investigate")
    assert "investigate" not in dict(told)


@pytest.mark.parametrize(
    "text", ["have we seen “disk full” before?", "did it rain in Lyon?", "is checkout fixed?", "it"]
)
def test_what_names_something_itself_points_at_nothing(text: str) -> None:
    assert not is_pointing(text)
