"""How many there were, and pictures of it: a report, whoever else could say something about it."""

import asyncio
from datetime import UTC, datetime

import pytest

from agent.models.embedded.reading import Call
from agent.models.embedded.understanding import Understanding
from tests.fakes.figures import ErrorsAt, Steady
from tests.fakes.shop import WORDS
from tools.logs.logs import Logs
from tools.metrics.metrics import Metrics
from tools.report.figures import Sources
from tools.report.report import Report

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
METRICS, LINES = Steady(), ErrorsAt()


@pytest.fixture(scope="module")
def planner() -> Understanding:
    def now() -> datetime:
        return NOW

    tools = (
        Metrics(METRICS, WORDS, now),
        Logs(LINES, WORDS, now),
        Report(Sources(METRICS, LINES), WORDS, now),
    )
    return Understanding([tool.spec for tool in tools], embedder=None, zone=UTC)


def calls(planner: Understanding, text: str) -> tuple[Call, ...]:
    reading = asyncio.run(planner.read(text, now=NOW))
    assert isinstance(reading, tuple), reading
    return reading


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("how many payments failed last week?", "failed_payments"),
        ("how many payments failed in the last hour? with a chart", "failed_payments"),
        ("combien de paiements ont échoué la semaine dernière ?", "failed_payments"),
        ("montre-moi un graphique des paiements échoués depuis hier", "failed_payments"),
        ("how many requests did checkout get yesterday?", "requests"),
    ],
)
def test_a_total_or_a_picture_is_a_report(planner: Understanding, text: str, measure: str) -> None:
    (call,) = calls(planner, text)
    assert (call.tool, call.arguments["measure"]) == ("report", measure)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("how many requests per second does checkout get?", "metrics"),
        ("combien de requêtes par seconde reçoit checkout ?", "metrics"),
        ("how many errors did payments log yesterday?", "logs"),
        ("how much memory does catalog use?", "metrics"),
    ],
)
def test_a_rate_or_a_state_is_none(planner: Understanding, text: str, tool: str) -> None:
    (call,) = calls(planner, text)
    assert call.tool == tool
