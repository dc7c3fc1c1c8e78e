"""What somebody is offered to ask."""

import pytest

from agent.surfaces.slack import prompts


def test_prompts_are_for_the_tools_that_somebody_may_use() -> None:
    offered = [prompt["message"] for prompt in prompts.of({"logs", "knowledge"}, "en")]
    assert len(offered) == 2
    assert "errors" in offered[0]
    assert "before" in offered[1]


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_slack_takes_four_at_most(locale: str) -> None:
    assert len(prompts.of(prompts.OFFERED, locale)) == 4


def test_who_may_use_nothing_is_offered_nothing() -> None:
    assert prompts.of((), "en") == []
