"""The named metrics: what each is computed from, in which unit, and the PromQL that says the same.

The names of series are those of the Prometheus conventions for HTTP servers and processes; payments count their own.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from tools.times import written


class Match(StrEnum):
    """How a label is compared, as PromQL writes it. Patterns are anchored at both ends."""

    EQUAL = "="
    PATTERN = "=~"
    NOT_PATTERN = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    match: Match
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of one name whose labels match."""

    name: str
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How much a counter grew over the window."""

    counter: Selector


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a counter grew in each `per` seconds."""

    counter: Selector
    per: float = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one counter's growth is another's, from 0 to 1; unknown while the whole does not grow."""

    part: Selector
    whole: Selector


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of a histogram, by its `_bucket` series."""

    quantile: float
    buckets: Selector


@dataclass(frozen=True, slots=True)
class Level:
    """The mean of a gauge, summed over the instances."""

    gauge: Selector


@dataclass(frozen=True, slots=True)
class Fill:
    """How full something is: one gauge as a share of another, from 0 to 1."""

    used: Selector
    size: Selector


@dataclass(frozen=True, slots=True)
class Written:
    """PromQL that an operator wrote; `$name` in it stands for a value, `$window` for the length of the window.

    A value stands inside a string of the query, where it is escaped, or bare where it is a number or a length of time.
    """

    template: str
    values: tuple[tuple[str, str], ...] = ()


Formula = Count | Rate | Share | Quantile | Level | Fill | Written


@dataclass(frozen=True, slots=True)
class Metric:
    """A named metric. Values are `formula * scale` in `unit`; `floor` is the smallest difference worth a word."""

    name: str
    words: str
    formula: Formula
    unit: str
    floor: float
    scale: float = 1.0


# Probes are no customers: they would water the shares down.
_SERVED = Matcher("route", Match.NOT_PATTERN, "/healthz|/metrics")
_FAILED = Matcher("code", Match.PATTERN, "5..")
_REQUESTS = Selector("http_requests_total", (_SERVED,))
_FAILURES = Selector("http_requests_total", (_SERVED, _FAILED))
_BUCKETS = Selector("http_request_duration_seconds_bucket", (_SERVED,))
_PAYMENTS = Selector("payments_total")
_LOST = Selector("payments_total", (Matcher("outcome", Match.EQUAL, "failed"),))


def _latency(percent: int) -> Metric:
    return Metric(
        f"latency_p{percent}",
        f"p{percent} latency",
        Quantile(percent / 100, _BUCKETS),
        "ms",
        20.0,
        scale=1_000.0,
    )


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("request_rate", "request rate", Rate(_REQUESTS), "requests/s", 0.5),
        Metric("error_rate", "error rate", Share(_FAILURES, _REQUESTS), "%", 1.0, scale=100.0),
        _latency(50),
        _latency(95),
        _latency(99),
        Metric(
            "saturation",
            "connection pool in use",
            Fill(Selector("db_pool_in_use"), Selector("db_pool_size")),
            "%",
            10.0,
            scale=100.0,
        ),
        Metric("cpu", "CPU", Rate(Selector("process_cpu_seconds_total")), "cores", 0.1),
        Metric("memory", "memory", Level(Selector("process_resident_memory_bytes")), "MB", 20.0, scale=1e-6),
        Metric("payments", "payments", Rate(_PAYMENTS, per=60.0), "payments/min", 1.0),
        Metric("failed_payments", "failed payments", Rate(_LOST, per=60.0), "payments/min", 1.0),
    )
}
ERRORS, REQUESTS, PAYMENTS, FAILED_PAYMENTS = map(Count, (_FAILURES, _REQUESTS, _PAYMENTS, _LOST))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose metric: of one service or of all together, in one environment, and perhaps of one value of a label."""

    environment: str
    service: str | None = None
    only: tuple[Matcher, ...] = ()

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        own: tuple[Matcher, ...] = (Matcher("environment", Match.EQUAL, self.environment),)
        if self.service is not None:
            own += (Matcher("service", Match.EQUAL, self.service),)
        return own + self.only


def basis(formula: Count | Rate | Share | Quantile | Level | Fill) -> Selector:
    """The series without which the formula has no value."""
    match formula:
        case Count(selector) | Rate(selector) | Quantile(_, selector) | Level(selector):
            return selector
        case Share(_, selector) | Fill(_, selector):
            return selector
        case _:
            assert_never(formula)


def promql(formula: Formula, scope: Scope, length: timedelta) -> str:
    """The formula as PromQL over the last `length`. The recorder computes the same from the same samples."""
    if isinstance(formula, Written):
        given = {"environment": scope.environment, **dict(formula.values), "window": written(length)}
        return filled(formula.template, {**given, "service": scope.service} if scope.service else given)
    return _composed(formula, scope, length)


def _composed(
    formula: Count | Rate | Share | Quantile | Level | Fill, scope: Scope, length: timedelta
) -> str:
    span = f"[{written(length)}]"

    def select(selector: Selector) -> str:
        return selection(selector, scope) + span

    match formula:
        case Count(counter):
            return f"sum(increase({select(counter)}))"
        case Rate(counter, per):
            per_second = f"sum(rate({select(counter)}))"
            return per_second if per == 1 else f"{per_second} * {per:g}"
        case Share(part, whole):
            total = f"sum(rate({select(whole)}))"
            return f"(sum(rate({select(part)})) or 0 * {total}) / {total}"
        case Quantile(quantile, buckets):
            return f"histogram_quantile({quantile:g}, sum by (le) (rate({select(buckets)})))"
        case Level(gauge):
            return f"sum(avg_over_time({select(gauge)}))"
        case Fill(used, size):
            return f"sum(sum_over_time({select(used)})) / sum(sum_over_time({select(size)}))"
        case _:
            assert_never(formula)


PLACE = re.compile(r"\$([a-z][a-z0-9_]*)")
# A label matcher with its text, or a place outside of any: found in one pass, so that no value is looked into.
_FILLABLE = re.compile(r'([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"|' + PLACE.pattern)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; a matcher whose value is not given lets every value pass.

    In a string a value is escaped as text, and as a literal where the string is a regular expression.
    """

    def part(found: re.Match[str]) -> str:
        label, operator, text, bare = found.groups()
        if bare is not None:
            return values[bare]
        if any(name not in values for name in PLACE.findall(text)):
            return f'{label}=~".*"'

        def value(place: re.Match[str]) -> str:
            plain = values[place[1]]
            return json.dumps(_literal(plain) if "~" in operator else plain, ensure_ascii=False)[1:-1]

        return f'{label}{operator}"{PLACE.sub(value, text)}"'

    return _FILLABLE.sub(part, template)


def _literal(text: str) -> str:
    """Text as a regular expression of RE2 that matches just it."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def selection(selector: Selector, scope: Scope) -> str:
    """The series as PromQL selects them; its string escapes are those of JSON for every name and value here."""
    labels = ",".join(
        f"{each.label}{each.match.value}{json.dumps(each.value, ensure_ascii=False)}"
        for each in selector.matchers + scope.matchers
    )
    return f"{selector.name}{{{labels}}}"
