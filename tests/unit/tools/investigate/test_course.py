"""The course of a measure: since when it is worse, whether it creeps, and what is bad without any before."""

import math
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.shop import NOW
from tools.contract import Window
from tools.investigate.course import Course
from tools.investigate.vitals import ERRORS, LATENCY, MEMORY, scope_of
from tools.metrics.named import Metric

STEP = timedelta(seconds=5)


def course(values: Sequence[float], metric: Metric = ERRORS) -> Course:
    """Points five seconds apart, the last one now."""
    points = tuple((NOW - STEP * (len(values) - 1 - at), value) for at, value in enumerate(values))
    return Course(
        metric, scope_of("payments", "production"), Window(NOW - STEP * len(values), NOW), points, STEP
    )


def test_a_rise_began_with_the_first_step_on_the_new_level() -> None:
    found = course([0, 0, 0, 0, 0, 0, 60, 60, 60, 60])
    assert found.rose
    assert found.onset is not None
    assert found.onset.at == NOW - 4 * STEP


def test_what_comes_and_goes_at_first_has_begun() -> None:
    found = course([0, 0, 0, 0, 0, 70, 70, 0, 60, 0, 80, 80, 80, 80, 80, 80])
    assert found.onset is not None
    assert found.onset.at == NOW - 11 * STEP
    assert found.level is not None
    assert found.level.before == 0


def test_one_odd_point_long_before_is_no_beginning() -> None:
    found = course([0, 50, 0, 0, 0, 0, 0, 0, 0, 80, 80, 80, 80, 80])
    assert found.onset is not None
    assert found.onset.at == NOW - 5 * STEP


@pytest.mark.parametrize(
    "values", [[60.0, 60.0, 60.0], [0.0, 0.0, 0.0, 60.0], [0.0, 90.0, 0.0, 80.0, 80.0, 0.0]]
)
def test_many_failures_need_no_long_time_before_them(values: list[float]) -> None:
    assert course(values).rose


def test_without_any_time_before_there_is_no_before() -> None:
    level = course([60.0, 60.0, 60.0]).level
    assert level is not None
    assert math.isnan(level.before)


@pytest.mark.parametrize("values", [[0.0] * 9 + [16.0], [1.0, 2.0, 1.0], [], [0.0, 0.0]])
def test_a_failed_request_now_and_then_is_no_trouble(values: list[float]) -> None:
    assert not course(values).rose


def test_slow_answers_need_a_time_before_them() -> None:
    assert not course([900.0, 900.0, 900.0], LATENCY).rose


def test_memory_that_climbs_all_the_time_creeps() -> None:
    found = course([50 + 2 * at for at in range(30)], MEMORY).creep
    assert found is not None
    assert found[0] < 60 < 100 < found[1]


@pytest.mark.parametrize(
    "values", [[50.0] * 30, [50.0] * 15 + [120.0] * 15, [50.0 + at % 3 for at in range(30)]]
)
def test_memory_that_is_level_or_took_one_step_does_not_creep(values: list[float]) -> None:
    assert course(values, MEMORY).creep is None


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=80))
def test_any_points_can_be_read(values: list[float]) -> None:
    found = course(values)
    onset = found.onset
    assert found.creep is None or len(values) >= 12
    assert onset is None or found.points[0][0] - STEP <= onset.at <= NOW
