"""The benchmark of turns: every arm gives the same answer, and the figures say what they should."""

import pytest

from evals.bench.turns import ARMS, CONVERSATIONS, figures, measure, stub_model


@pytest.mark.parametrize("arm", ARMS)
async def test_every_arm_runs_its_turns(arm: str) -> None:
    with stub_model() as url:
        measured = await measure(arm, url, turns=4, conversations=2)

    assert measured["cpu_ms"] > 0
    assert measured["turns_per_s"] > 0


def test_the_figures_are_medians_and_ratios() -> None:
    cpu = {"sayso": [2.0, 9.0, 3.0], "langchain": [9.0, 12.0, 50.0], "bare": [1.0, 1.5, 2.0]}
    found = {
        (arm, conversations): [{"cpu_ms": value, "turns_per_s": 1 / value} for value in values]
        for arm, values in cpu.items()
        for conversations in CONVERSATIONS
    }

    assert figures(found)["10"] == {
        "sayso": {"cpu_ms": 3.0, "turns_per_s": 0.33},
        "langchain": {"cpu_ms": 12.0, "turns_per_s": 0.08},
        "bare": {"cpu_ms": 1.5, "turns_per_s": 0.67},
        "langchain_cpu_over_sayso": 4.0,
        "sayso_turns_per_s_over_langchain": 4.0,
        "sayso_cpu_over_bare": 2.0,
    }
