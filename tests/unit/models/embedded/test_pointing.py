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
    ["have we seen this before?", "has this happened before", "on a déjà vu ça ?", "Ça est déjà arrivé ?"],
)
async def test_whether_it_was_seen_before_is_looked_up_for_what_was_talked_about(
    planner: Understanding, text: str
) -> None:
    earlier = ("why is catalog slow?", "why are payments failing?")
    assert await about(planner, text, *earlier) == [("investigate", "payments")]


@pytest.mark.parametrize(
    "text",
    [
        "did it help?",
        "did the rollback work?",
        "is it fixed now?",
        "c'est réparé ?",
        "C’est réglé maintenant ?",
    ],
)
async def test_whether_it_helped_is_measured(planner: Understanding, text: str) -> None:
    earlier = ("why is catalog slow?", "restart payments in production", "thanks", "did it help?")
    assert await about(planner, text, *earlier) == [
        ("query_metrics", "payments"),
        ("query_metrics", "payments"),
    ]


async def test_with_nothing_talked_about_or_no_right_to_it_nothing_is_made_up(planner: Understanding) -> None:
    assert "query_metrics" not in dict(await about(planner, "did it help?"))
    earlier = "why are payments failing?"
    told = await about(planner, "have we seen this before?", earlier, without="investigate")
    assert "investigate" not in dict(told)


@pytest.mark.parametrize(
    "text", ["have we seen “disk full” before?", "did it rain in Lyon?", "is checkout fixed?", "it"]
)
def test_what_names_something_itself_points_at_nothing(text: str) -> None:
    assert not is_pointing(text)
