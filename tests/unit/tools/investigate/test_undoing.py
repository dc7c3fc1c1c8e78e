"""A cause that was taken away already: which change did it, and what the signals say since."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from agent.conversation.evidence import Evidence
from agent.models.embedded.investigating import investigated
from agent.models.embedded.writing import Writer
from tests.fakes.shop import NOW, WORDS, shop_platform
from tests.fakes.trouble import (
    CALLS,
    EXHAUSTED,
    FAILING,
    HEALTHY,
    Curves,
    Noted,
    Notes,
    Written,
    asked,
    configured,
    deployed,
    investigation,
    lines,
)
from tools.changes.port import ChangeKind, Occurrence
from tools.contract import Json, Outcome
from tools.investigate.port import Backends
from tools.logs.port import Line

RELEASE = deployed("payments", "2.4.0", 0.2)


def rolled_back(seconds_ago: float, to: str = "1.0.0", **more: object) -> Occurrence:
    values: dict[str, object] = {
        "at": NOW - timedelta(seconds=seconds_ago),
        "kind": ChangeKind.DEPLOYMENT,
        "title": f"rollback payments 2.4.0 -> {to}",
        "by": "Tom (A-1)",
        "source": "noted",
        "service": "payments",
        "environment": "production",
        **more,
    }
    return Occurrence(**values)  # type: ignore[arg-type]  # the tests give what fits


def pool(seconds_ago: float) -> list[Line]:
    return [*lines("payments", EXHAUSTED, until=NOW - timedelta(seconds=seconds_ago))]


async def looked_at(*changes: Occurrence, log: Sequence[Line] = (), platform: bool = False) -> Outcome:
    made = Backends(
        metrics=Curves({**HEALTHY, **FAILING}, CALLS),
        logs=Written(list(log)),
        changes=(Noted(changes),),
        platform=shop_platform() if platform else None,  # payments 2.4.0 runs there
        library=Notes(),
    )
    return await asked(investigation(backends=made))


def first(outcome: Outcome) -> Mapping[str, Json]:
    ranked = outcome.findings[0].facts["hypotheses"]
    assert isinstance(ranked, list)
    assert isinstance(ranked[0], dict)
    return ranked[0]


def told(outcome: Outcome, locale: str = "en") -> str:
    evidence = Evidence(1, outcome.findings[0], "investigate", "1")
    return investigated(evidence, Writer(locale, NOW, WORDS.zone))


async def test_a_rollback_that_was_done_is_told_with_its_action_and_not_advised_again() -> None:
    outcome = await looked_at(RELEASE, rolled_back(40), log=pool(41))
    answer = told(outcome)
    assert "the release payments 2.4.0" in answer.splitlines()[0]
    assert answer.splitlines()[1].startswith(
        "- This was undone already: payments runs 1.0.0 since 06:59, by Tom (A-1) ["
    )
    assert "- Since then no error was logged [" in answer
    assert "- Since then, on average: error rate 60% [" in answer
    assert "Next step" not in answer
    assert "undone at 2026-11-23T05:59:20" in outcome.findings[0].text


async def test_errors_that_go_on_after_the_rollback_are_counted() -> None:
    answer = told(await looked_at(RELEASE, rolled_back(40), log=pool(0)), "fr")
    assert "- Depuis, 20 erreurs dans les journaux, la dernière à 06:59" in answer
    assert "Prochaine étape" not in answer


async def test_right_after_it_too_little_is_known() -> None:
    answer = told(await looked_at(RELEASE, rolled_back(4)))
    assert "- What was measured since is too little to say whether it helped" in answer
    assert "on average" not in answer
    assert "Next step" not in answer


async def test_without_a_rollback_it_is_advised() -> None:
    outcome = await looked_at(RELEASE, log=pool(0))
    assert first(outcome)["undone"] is None
    assert told(outcome).endswith("Next step, if you agree: ask me to “roll payments back to 1.0.0”.")


@pytest.mark.parametrize(
    "other",
    [
        rolled_back(40, ok=False),
        rolled_back(40, service="checkout"),
        rolled_back(40, environment="staging"),
        rolled_back(40, to="2.4.0"),
    ],
)
async def test_what_failed_or_was_done_elsewhere_undoes_nothing(other: Occurrence) -> None:
    assert first(await looked_at(RELEASE, other, log=pool(0)))["undone"] is None


async def test_what_runs_still_was_not_undone_whatever_the_history_says() -> None:
    outcome = await looked_at(RELEASE, rolled_back(40), log=pool(0), platform=True)
    assert first(outcome)["undone"] is None


async def test_a_value_that_was_set_back_is_told_too() -> None:
    limit = configured("payments", "pool_size: 40 -> 4", 0.2)
    back = configured("payments", "pool_size: 4 -> 40", -3.5, by="maya")
    other = configured("payments", "queue: 4 -> 40", -3.6)
    assert first(await looked_at(limit, other, log=pool(0)))["undone"] is None
    answer = told(await looked_at(limit, back, other, log=pool(31)))
    assert "This was undone already: payments pool_size is “40” since 06:59, by maya" in answer
    assert "Next step" not in answer
