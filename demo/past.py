"""The shop's past, which its processes are too young to have: deployments, and two weeks of requests and payments.

Both are made up, and say so: every series carries the label `origin="rehearsal"`.
"""

import math
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from demo.knowledge.releases import releases
from demo.supervisor.fleet import Deployment
from tools.metrics.recorder import RecorderWriter

STEP = timedelta(minutes=4)  # the recorder takes five minutes without a sample for silence
LENGTH = timedelta(days=14)
ORIGIN = "rehearsal"
SERVICES = {
    "checkout": ("1.8.2", "/checkout"),
    "payments": ("2.3.9", "/payments"),
    "catalog": ("3.2.0", "/items/{item}"),
}
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
    """Counters as they stood every few minutes: more by day than by night, less on weekends."""
    chance = random.Random(20261123)
    totals = {service: [0.0, 0.0] for service in SERVICES}  # succeeded, failed
    at, end = now - LENGTH, now - timedelta(minutes=2)
    while at < end:
        for service, counted in totals.items():
            visits = _visits(at, chance) * (STEP / timedelta(minutes=10))
            failing = _failing(at, now, service) * visits
            counted[0] += visits - failing
            counted[1] += failing
        yield (
            at.timestamp(),
            [sample for service in SERVICES for sample in _samples(service, *totals[service])],
        )
        at += STEP


def _visits(at: datetime, chance: random.Random) -> float:
    hour = at.hour + at.minute / 60
    day = 0.35 + 0.65 * max(0.0, math.sin((hour - 6) / 16 * math.pi)) if 6 <= hour <= 22 else 0.2
    weekend = 0.7 if at.weekday() >= 5 else 1.0
    return round(2400 * day * weekend * chance.uniform(0.9, 1.1))


def trouble_day(now: datetime) -> date:
    """Wednesday of last week: the provider hiccups around noon, so that "last week" has something to show."""
    return (now - timedelta(days=now.weekday() + 5)).date()


def _failing(at: datetime, now: datetime, service: str) -> float:
    trouble = at.date() == trouble_day(now) and at.hour in TROUBLE_HOURS
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
    ]
    if service == "payments":
        samples += [
            ("payments_total", {**who, "outcome": "succeeded"}, good),
            ("payments_total", {**who, "outcome": "failed"}, bad),
        ]
    return samples
