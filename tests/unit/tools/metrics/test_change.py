"""Whether a level changed, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.metrics.change import Trend, level_change


@pytest.mark.parametrize(
    ("values", "trend", "place"),
    [
        ([0.2, 0.1, 0.3, 0.2, 12.0, 13.0, 12.5], Trend.ROSE, 4),
        ([12.0, 13.0, 12.5, 0.2, 0.1, 0.3], Trend.FELL, 3),
        ([5.0, 5.1, 4.9, 5.0, 5.2, 5.1], Trend.STEADY, None),
        ([0.0, 0.0, 0.0, 0.5, 0.5, 0.5], Trend.STEADY, None),  # below the floor
        ([1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0, 9.0], Trend.STEADY, None),  # scatter is no change
        ([0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 0.0], Trend.STEADY, None),  # one point is no level
    ],
)
def test_a_change_is_a_new_level_and_not_scatter(
    values: list[float], trend: Trend, place: int | None
) -> None:
    found = level_change(values, floor=1.0)
    assert found is not None
    assert (found.trend, found.place) == (trend, place)


@given(st.lists(st.floats(0, 100), max_size=5))
def test_few_points_tell_nothing(values: list[float]) -> None:
    assert level_change(values, floor=1.0) is None


@given(low=st.floats(0, 10), high=st.floats(50, 100), before=st.integers(3, 30), after=st.integers(3, 30))
def test_a_clean_step_is_found_where_it_is(low: float, high: float, before: int, after: int) -> None:
    found = level_change([low] * before + [high] * after, floor=1.0)
    assert found is not None
    assert (found.trend, found.place) == (Trend.ROSE, before)
