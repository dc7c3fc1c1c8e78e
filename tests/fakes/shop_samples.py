"""An hour of the shop's metrics: two instances of payments under load, one restarted, and a fault that begins."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from tests.fakes.prometheus import Sample

EVERY = 5  # seconds between two scrapes
FAULT = timedelta(minutes=10)  # before the end: what began then, lasts
RESTART = timedelta(minutes=30)  # before the end: the second instance began anew
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0)


def hour_of_payments(end: datetime) -> Iterator[Sample]:
    """The samples of both instances in order of time, as the shop's scraper writes them."""
    begin = end - timedelta(hours=1)
    for number in (1, 2):
        labels = {
            "service": "payments",
            "environment": "production",
            "version": "2.4.0",
            "instance": f"payments-{number}",
        }
        yield from _instance(labels, begin, end, restarted=number == 2)


def _instance(
    labels: Mapping[str, str], begin: datetime, end: datetime, *, restarted: bool
) -> Iterator[Sample]:
    counted: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    at = begin
    while at <= end:
        if restarted and timedelta(0) <= at - (end - RESTART) < timedelta(seconds=EVERY):
            counted = dict.fromkeys(counted, 0.0)
        failing = at >= end - FAULT
        for name, own, grown in _growth(failing=failing):
            key = (name, tuple(sorted(own.items())))
            counted[key] = counted.get(key, 0.0) + grown
            yield name, {**labels, **own}, at.timestamp(), counted[key]
        for name, value in _gauges(failing=failing):
            yield name, labels, at.timestamp(), value
        at += timedelta(seconds=EVERY)


def _growth(*, failing: bool) -> Iterator[tuple[str, dict[str, str], float]]:
    good, bad = (30.0, 20.0) if failing else (50.0, 0.0)
    yield "http_requests_total", {"route": "/pay", "code": "200"}, good
    yield "http_requests_total", {"route": "/pay", "code": "503"}, bad
    yield "http_requests_total", {"route": "/healthz", "code": "200"}, 5.0
    yield "payments_total", {"outcome": "succeeded"}, good
    yield "payments_total", {"outcome": "failed"}, bad
    yield "process_cpu_seconds_total", {}, 1.5
    below = (5.0, 10.0, 20.0, 30.0, 45.0) if failing else (20.0, 40.0, 48.0, 49.0, 50.0)
    for edge, count in zip(BUCKETS, below, strict=True):
        yield "http_request_duration_seconds_bucket", {"route": "/pay", "le": str(edge)}, count
    yield "http_request_duration_seconds_bucket", {"route": "/pay", "le": "+Inf"}, good + bad


def _gauges(*, failing: bool) -> Iterator[tuple[str, float]]:
    yield "up", 1.0
    yield "db_pool_in_use", 8.0 if failing else 3.0
    yield "db_pool_size", 8.0
    yield "process_resident_memory_bytes", 6.4e7
