"""Quantiles of histograms against the figures Prometheus gives."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.metrics.quantile import histogram_quantile

INF = math.inf


@pytest.mark.parametrize(
    ("quantile", "buckets", "expected"),
    [
        # Worked by hand from the documented rule: rank = q * total, linear inside the bucket that holds it.
        (0.5, {0.0: 6, 0.5: 11, 1.0: 14, INF: 19}, 0.35),
        (0.5, {0.1: 50, 0.2: 100, INF: 100}, 0.1),
        (0.25, {0.1: 50, 0.2: 100, INF: 100}, 0.05),
        (0.95, {0.1: 0, 1.0: 100, INF: 100}, 0.955),
        (0.99, {0.1: 10, 0.5: 20, INF: 100}, 0.5),  # in the highest bucket: the bound below it
        (0.1, {-1.0: 10, 1.0: 20, INF: 20}, -1.0),  # a lowest bucket at or below zero has no lower bound
        (0.5, {0.1: 5, 0.2: 4, INF: 10}, 0.1),  # a bucket that lags behind is lifted
    ],
)
def test_known_quantiles(quantile: float, buckets: dict[float, float], expected: float) -> None:
    assert histogram_quantile(quantile, buckets) == pytest.approx(expected)


@pytest.mark.parametrize("buckets", [{}, {INF: 10.0}, {0.1: 1.0, 0.5: 2.0}, {0.1: 0.0, INF: 0.0}])
def test_nothing_can_be_told_from_nothing(buckets: dict[float, float]) -> None:
    assert histogram_quantile(0.5, buckets) is None


@given(
    values=st.lists(st.floats(0.001, 9.9), min_size=1, max_size=200),
    quantile=st.floats(0.01, 0.99),
)
def test_a_quantile_lies_in_the_bucket_of_the_observation_it_stands_for(
    values: list[float], quantile: float
) -> None:
    bounds = [0.05, 0.1, 0.5, 1.0, 2.5, 10.0, INF]
    buckets = {bound: float(sum(value <= bound for value in values)) for bound in bounds}
    found = histogram_quantile(quantile, buckets)
    exact = sorted(values)[max(0, math.ceil(quantile * len(values) - 1e-9) - 1)]
    upper = next(bound for bound in bounds if exact <= bound)
    lower = max((bound for bound in bounds if bound < upper), default=0.0)
    assert found is not None
    assert lower - 1e-9 <= found <= upper + 1e-9
