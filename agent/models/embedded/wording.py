"""Numbers, times and quotations as an answer writes them."""

from datetime import datetime, timedelta, tzinfo

from agent.models.embedded.lengths import DAY, HOUR, MINUTE
from agent.words.catalogue import say

_LONGEST_QUOTE = 240


def figure(value: float, locale: str) -> str:
    """A number as people read it: at most three figures that matter, with the decimal sign of the language."""
    if value == int(value) and abs(value) < 1e15:
        written = f"{int(value):,}"
    elif abs(value) >= 100:
        written = f"{value:,.0f}"
    else:
        written = f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"
    if locale[:2] == "fr":
        return written.replace(",", "\u202f").replace(".", ",")
    return written


def measured(value: float, unit: str, locale: str) -> str:
    """A measured value with its unit: shares as per cent, seconds below one as milliseconds, bytes as MB."""
    french = locale[:2] == "fr"
    if unit in {"ratio", "fraction", "share"}:
        return f"{figure(round(value * 100, 1), locale)}{' ' if french else ''}%"
    if unit in {"%", "percent"}:
        return f"{figure(round(value, 1), locale)}{' ' if french else ''}%"
    if unit in {"s", "seconds"}:
        return (
            f"{figure(round(value * 1_000), locale)} ms"
            if abs(value) < 1
            else f"{figure(round(value, 2), locale)} s"
        )
    if unit in {"bytes", "B"}:
        return f"{figure(round(value / 1_000_000, 1), locale)} MB"
    return f"{figure(round(value, 2), locale)} {_unit(unit, locale)}".strip()


_UNITS = ("requests/s", "payments/min", "cores")  # those that the catalogue has words for


def _unit(unit: str, locale: str) -> str:
    return say(f"planner.unit.{unit.replace('/', '_')}", locale) if unit in _UNITS else unit


def clock(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """A moment as short as it can be understood: the time today, the date and time otherwise."""
    local = moment.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return local.strftime("%H:%M")
    return local.strftime("%Y-%m-%d %H:%M")


def span(length: timedelta, locale: str) -> str:
    """A length of time in one unit: "8 minutes", "3 heures"."""
    for name, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if length >= (2 * size if name != "minute" else size):
            return say(f"planner.span.{name}", locale, count=int(length / size))
    return say("planner.span.moment", locale)


def quoted(text: str, locale: str) -> str:
    """A quotation: what was written, character for character but for line breaks; a long one is cut."""
    said = " ".join(text.split())
    if len(said) > _LONGEST_QUOTE:
        said = said[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + "…"
    return f"« {said} »" if locale[:2] == "fr" else f"“{said}”"


def name_of(metric: str, locale: str) -> str:
    """What a metric is called in a sentence."""
    known = {
        "error_rate",
        "request_rate",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "saturation",
        "cpu",
        "memory",
        "failed_payments",
        "refused_rate",
        "disk_left",
        "clock_offset",
        "certificate_end",
        "call_duration",
    }
    key = {
        "p50": "latency_p50",
        "p95": "latency_p95",
        "p99": "latency_p99",
        "payments_failed": "failed_payments",
    }.get(metric, metric)
    return say(f"planner.metric.{key}", locale) if key in known else metric.replace("_", " ")
