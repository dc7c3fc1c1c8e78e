"""What is told of a metric: its figures, its change, its contributors, a table and a chart."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, tzinfo

from tools.contract import File, ToolFailed
from tools.metrics.change import RULE, Trend
from tools.metrics.contributors import SHOWN, Breakdown
from tools.metrics.reading import Reading
from tools.metrics.sparkline import sparkline
from tools.report.chart import Chart, png
from tools.times import clock_time, iso, spoken


def parts_text(parts: Breakdown) -> str:
    if not parts.parts:
        return f"no series has the label {parts.label}"
    lines = []
    for part in parts.parts[:SHOWN]:
        share = parts.share(part)
        told = f" ({share:.0%} of all)" if share is not None else ""
        unit = parts.metric.unit
        lines.append(
            f"{parts.label} {part.value}: {figure(part.now, unit)}{told}, {figure(part.before, unit)} before"
        )
    return "\n".join(lines)


def parts_cut(parts: Breakdown) -> str | None:
    hidden = max(len(parts.parts) - SHOWN, 0)
    told = [f"the {SHOWN} that moved most of {len(parts.parts)}"] if hidden else []
    told += [f"{parts.left} values of {parts.label} were not asked for"] if parts.left else []
    return "; ".join(told) or None


def picture(reading: Reading, zone: tzinfo) -> File:
    """The chart of a reading. Blocks; raises `ToolFailed` where charts are not installed."""
    metric, scope = reading.metric, reading.scope
    changed = reading.since_change
    note = f"{scope.service or 'all services'} in {scope.environment}, {spoken(reading.window, zone)}"
    if changed is not None and reading.level is not None:
        note += f"; {reading.level.trend.value} at {changed.astimezone(zone):%H:%M:%S}"
    points = reading.points
    chart = Chart(
        title=metric.words,
        subtitle=note,
        labels=tuple(f"{at.astimezone(zone):%H:%M}" for at, _ in points),
        values=tuple(value for _, value in points),
        x_label=str(reading.window.end.astimezone(zone).tzname() or "UTC"),
        y_label=metric.unit,
        no_data="no data",
        line=True,
    )
    try:
        return File(f"{metric.name}.png", "image/png", png(chart))
    except ImportError as error:
        raise ToolFailed("charts need matplotlib: install sayso[charts]") from error


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def figure(value: float | None, unit: str) -> str:
    """A value for people: three digits that count, and its unit."""
    if value is None:
        return "unknown"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def headline(reading: Reading) -> str:
    text = f"{reading.metric.words} {figure(reading.now, reading.metric.unit)} now"
    level = reading.level
    return f"{text} ({level.trend.value})" if level and level.trend is not Trend.STEADY else text


def text_of(reading: Reading, zone: tzinfo) -> str:
    """The figures, the comparison, and the change with the rule it was told by."""
    unit = reading.metric.unit
    if not reading.points:
        return "no samples in this time: not measured, which is not zero"
    lines = [
        f"now {figure(reading.now, unit)}, mean {figure(reading.mean, unit)}, highest {figure(reading.most, unit)}",
        sparkline([value for _, value in reading.points]),
        _comparison(reading),
    ]
    level, changed = reading.level, reading.since_change
    if level is None:
        lines.append("too few points to tell whether the level changed")
    elif level.trend is Trend.STEADY or changed is None:
        lines.append("steady")
    else:
        lines.append(
            f"{level.trend.value}: {figure(level.after, unit)} since {clock_time(changed, zone)}, "
            f"{figure(level.before, unit)} before (rule: {RULE})"
        )
    lines += [f"includes {origin} data (origin={origin})" for origin in sorted(reading.origins)]
    return "\n".join(lines)


def _comparison(reading: Reading) -> str:
    if reading.before_mean is None:
        return "nothing was measured in the time before"
    share = ""
    if reading.change is not None:
        share = (
            f" ({reading.change + 1:,.1f} times as much now)"
            if reading.change > 1
            else f" ({reading.change:+.0%})"
        )
    return f"mean of the same time before: {figure(reading.before_mean, reading.metric.unit)}{share}"


def csv_of(reading: Reading) -> str:
    """The points of both windows."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["at", reading.metric.unit])
    rows: Sequence[tuple[datetime, float]] = reading.earlier + reading.points
    table.writerows((iso(at), value) for at, value in rows)
    return text.getvalue()
