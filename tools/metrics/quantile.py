"""Quantiles of a histogram, computed as Prometheus does."""

import math
from collections.abc import Mapping


def histogram_quantile(quantile: float, buckets: Mapping[float, float]) -> float | None:
    """The `quantile` (0 to 1) of cumulative `buckets`: upper bound -> observations at or below it.

    Linear within a bucket; the lowest begins at 0 when its bound is positive; in the highest, whose bound must be
    +Inf, the answer is the bound below it. `None` without observations, without a +Inf bucket, or without another.
    As in `BucketQuantile` of Prometheus (promql/quantile.go) and the documentation of `histogram_quantile`:
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or not math.isinf(bounds[-1]):
        return None
    # Scrapes are not atomic: a bucket may lag behind a smaller one. Prometheus lifts it, and so do we.
    counts: list[float] = []
    for bound in bounds:
        counts.append(max(buckets[bound], counts[-1] if counts else 0.0))
    if counts[-1] <= 0:
        return None
    rank = quantile * counts[-1]
    place = next(number for number, count in enumerate(counts) if count >= rank)
    if place == len(bounds) - 1:
        return bounds[-2]
    if place == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[place - 1], counts[place - 1]) if place > 0 else (0.0, 0.0)
    inside = counts[place] - below
    return start + (bounds[place] - start) * (rank - below) / inside if inside else bounds[place]
