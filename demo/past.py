"""The shop's past, which its processes are too young to have: earlier deployments and two weeks of measurements.

Both are made up, and say so: every series carries the label `origin="rehearsal"`.
"""

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from demo.knowledge.releases import releases
from demo.supervisor.fleet import Deployment
from tools.metrics.recorder import RecorderWriter

STEP = timedelta(minutes=10)
LENGTH = timedelta(days=14)
ORIGIN = "rehearsal"
BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "+Inf")
SHARES = (0.30, 0.62, 0.86, 0.95, 0.985, 0.996, 0.999, 0.9995, 0.9999, 1.0, 1.0)
SERVICES = {
    "checkout": ("1.8.2", "/checkout"),
    "payments": ("2.3.9", "/payments"),
    "catalog": ("3.2.0", "/items/{item}"),
}
TROUBLE_DAYS_AGO = 5  # a provider hiccup around noon, so that last week has something to show
TROUBLE_HOURS = range(11, 14)


def past_deployments() -> list[Deployment]:
    """What was released to production before this shop was opened, oldest first."""
    return [
        Deployment(
            f"D-{number}", "deploy", one.service, "production", one.before, one.version, one.at.isoformat(),
            one.by, ok=True, key=f"past-{number}", detail=one.note,
        )
        for number, one in enumerate(sorted(releases(), key=lambda one: one.at), 1)
    ]  # fmt: skip


def write_past(file: Path, now: datetime) -> int:
    """Seeds the recorder with two weeks of production before `now`; returns how many samples were written."""
    writer, count = RecorderWriter(file), 0
    try:
        for at, samples in measurements(now):
            writer.append(at, samples)
            count += len(samples)
    finally:
        writer.close()
    return count


def measurements(now: datetime) -> Iterator[tuple[float, list[tuple[str, dict[str, str], float]]]]:
    """Counters as they stood every ten minutes: more by day than by night, less on weekends."""
    chance = random.Random(20261123)
    totals = {service: [0.0, 0.0] for service in SERVICES}  # succeeded, failed
    at, end = now - LENGTH, now - timedelta(minutes=2)
    while at < end:
        for service, counted in totals.items():
            visits = _visits(at, chance)
            failing = _failing(at, now, service) * visits
            counted[0] += visits - round(failing)
            counted[1] += round(failing)
        yield (
            at.timestamp(),
            [sample for service in SERVICES for sample in _samples(service, *totals[service])],
        )
        at += STEP


def _visits(at: datetime, chance: random.Random) -> float:
    hour = at.hour + at.minute / 60
    day = 0.35 + 0.65 * max(0.0, math.sin((hour - 6) / 16 * math.pi)) if 6 <= hour <= 22 else 0.2
    weekend = 0.7 if at.weekday() >= 5 else 1.0
    return round(180 * day * weekend * chance.uniform(0.9, 1.1))


def _failing(at: datetime, now: datetime, service: str) -> float:
    trouble = (now - timedelta(days=TROUBLE_DAYS_AGO)).date() == at.date() and at.hour in TROUBLE_HOURS
    if service == "catalog":
        return 0.0005
    return 0.08 if trouble else 0.004


def _samples(service: str, good: float, bad: float) -> list[tuple[str, dict[str, str], float]]:
    version, route = SERVICES[service]
    who = {
        "service": service,
        "environment": "production",
        "version": version,
        "instance": f"{service}-past",
        "origin": ORIGIN,
    }
    code = {"payments": "503"}.get(service, "502")
    samples = [
        ("http_requests_total", {**who, "route": route, "code": "200"}, good),
        ("http_requests_total", {**who, "route": route, "code": code}, bad),
        ("http_request_duration_seconds_count", {**who, "route": route}, good + bad),
    ]
    samples += [
        (
            "http_request_duration_seconds_bucket",
            {**who, "route": route, "le": edge},
            round((good + bad) * share),
        )
        for edge, share in zip(BUCKETS, SHARES, strict=True)
    ]
    if service == "payments":
        samples += [
            ("payments_total", {**who, "outcome": "succeeded"}, good),
            ("payments_total", {**who, "outcome": "failed"}, bad),
        ]
    return samples
