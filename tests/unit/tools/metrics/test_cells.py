"""Growth of counters, cut at the edges of windows."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.contract import Window
from tools.metrics.cells import SILENCE, Cells, growth

START = datetime(2026, 11, 23, tzinfo=UTC)
AT = START.timestamp()


def window(start: float, end: float) -> Window:
    return Window(START + timedelta(seconds=start), START + timedelta(seconds=end))


def rows(*samples: tuple[float, float], series: int = 1) -> list[tuple[int, float, float]]:
    return [(series, AT + at, value) for at, value in samples]


@pytest.mark.parametrize("spread", [True, False])
@given(
    values=st.lists(st.integers(0, 1_000), min_size=2, max_size=30),
    cuts=st.lists(st.integers(1, 299), max_size=5).map(sorted),
)
def test_adjacent_windows_add_up_whatever_the_resets(
    values: list[int], cuts: list[int], spread: bool
) -> None:
    samples = [(float(number * 10), float(value)) for number, value in enumerate(values)]
    edges = [0, *cuts, 300]
    parts = [window(low, high) for low, high in itertools.pairwise(edges) if low < high]
    sums = growth(rows(*samples), Cells.of([*parts, window(0, 300)]), {}, spread=spread)
    totals = [sum(sums.over(number).values()) for number in range(len(parts) + 1)]
    pairs = itertools.pairwise(values)
    expected = sum(later if later < earlier else later - earlier for earlier, later in pairs)
    assert totals[-1] == pytest.approx(expected)
    assert sum(totals[:-1]) == pytest.approx(expected)


def test_a_reset_counts_what_came_after_it() -> None:
    sums = growth(rows((0, 100), (10, 110), (20, 5)), Cells.of([window(0, 20)]), {}, spread=False)
    assert sums.over(0) == {1: 15.0}


def test_growth_is_spread_over_the_time_between_samples() -> None:
    cells = Cells.of([window(0, 10), window(10, 30)])
    sums = growth(rows((0, 0), (30, 60)), cells, {}, spread=True)
    assert (sums.over(0), sums.over(1)) == ({1: 20.0}, {1: 40.0})


def test_counts_stay_whole() -> None:
    cells = Cells.of([window(0, 10), window(10, 30)])
    sums = growth(rows((0, 0), (30, 61)), cells, {}, spread=False)
    assert (sums.over(0), sums.over(1)) == ({}, {1: 61.0})


def test_growth_over_a_long_silence_belongs_to_no_window() -> None:
    cells = Cells.of([window(0, 5_000)])
    sums = growth(rows((0, 0), (SILENCE + 1, 1_000), (SILENCE + 2, 1_001)), cells, {}, spread=False)
    assert sums.over(0) == {1: 1.0}


def test_a_series_known_to_be_born_at_zero_counts_its_first_value() -> None:
    cells = Cells.of([window(0, 20)])
    samples = rows((10, 3), (12, 4))
    assert growth(samples, cells, {1: AT + 10}, spread=False).over(0) == {1: 4.0}
    assert growth(samples, cells, {}, spread=False).over(0) == {1: 1.0}


def test_series_do_not_run_into_each_other() -> None:
    samples = [*rows((0, 100), (10, 101)), *rows((0, 5), (10, 7), series=2)]
    assert growth(samples, Cells.of([window(0, 10)]), {}, spread=False).over(0) == {1: 1.0, 2: 2.0}
