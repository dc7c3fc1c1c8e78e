"""What is told of the lines that were found: patterns, counts over time, the newest lines, and what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from tools.contract import Finding, Json, Window
from tools.logs.patterns import Pattern, Patterns
from tools.logs.port import Estimate, Line, Query, Scanned
from tools.metrics.sparkline import sparkline
from tools.times import clock_time, iso, spoken

KEPT = 2_000  # matching lines in the raw result
SHOWN = 12  # patterns in the digest
LATEST = 8  # lines in the digest
CELLS = 30  # in which matching lines are counted over time


@dataclass(slots=True)
class Catch:
    """The lines that were found: all counted, the newest kept, those before the window known as patterns only."""

    window: Window
    patterns: Patterns = field(default_factory=Patterns)
    lines: list[Line] = field(default_factory=list)
    total: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * CELLS)

    def take(self, line: Line) -> None:
        self.patterns.add(line)
        if line.at < self.window.start:
            return
        self.total += 1
        place = int((line.at - self.window.start) / self.window.length * CELLS)
        self.counts[min(max(place, 0), CELLS - 1)] += 1
        if len(self.lines) < KEPT:
            self.lines.append(line)

    def top(self, *, new: bool) -> list[Pattern]:
        """The patterns with the most lines; only those that began in the window where those are wanted."""
        ranked = self.patterns.top(len(self.patterns))
        return [
            each for each in ranked if not new or (each.first is not None and each.first >= self.window.start)
        ]


def patterns(
    name: str,
    query: Query,
    catch: Catch,
    scanned: Scanned,
    zone: tzinfo,
    ranked: Sequence[Pattern],
    begun: datetime | None,
    estimate: Estimate | None,
) -> Finding:
    top = ranked[:SHOWN]
    rows: list[Json] = [_facts(pattern) for pattern in top]
    text = "\n".join(_line(pattern, zone) for pattern in top)
    if catch.total:
        text += f"\nover time: {sparkline(catch.counts)} ({_cell(catch)} each)"
    if begun is not None and not top:
        text = (
            f"no pattern is new since {clock_time(begun, zone)}; {len(catch.patterns)} occurred before it too"
        )
    return Finding(
        kind="log_patterns",
        title=f"Patterns in {name}",
        source=source_of(scanned),
        query=asked_as(name, query, zone),
        text=text or _none(scanned, zone),
        facts={
            "service": query.service,
            "environment": query.environment,
            "level": query.level.value if query.level else None,
            "contains": query.contains,
            "total": catch.total,
            "scanned": scanned.lines,
            "estimated": estimate.lines if estimate else None,
            "new_since": iso(begun) if begun else None,
            "stopped": scanned.stopped,
            "read_from": iso(scanned.reached) if scanned.stopped and scanned.reached else None,
            "counts": _counts(catch),
            "patterns": rows,
        },
        window=query.window,
        link=scanned.link,
        raw="\n".join(line.raw for line in catch.lines) or None,
        cut=_cut(catch, scanned, len(ranked) - len(top), zone, begun),
    )


def _none(scanned: Scanned, zone: tzinfo) -> str:
    """That no line matches, of those that were read."""
    if scanned.stopped and scanned.reached is None:
        return f"not known: {scanned.lines:,} lines were read before it was stopped, and none of them matches"
    since = f" since {clock_time(scanned.reached, zone)}" if scanned.stopped and scanned.reached else ""
    return f"no line matches{since}; {scanned.lines:,} lines were read"


def stopped(scanned: Scanned, zone: tzinfo) -> list[str]:
    """Why not everything was read, and how far back it went."""
    if not scanned.stopped:
        return []
    if scanned.reached is None:
        return [f"stopped because {scanned.stopped}, newest first: how far back that goes is not known"]
    reached = clock_time(scanned.reached, zone)
    return [f"stopped because {scanned.stopped}, newest first: nothing before {reached} counts"]


def _cell(catch: Catch) -> str:
    return f"{catch.window.length.total_seconds() / CELLS:,.0f} s"


def _counts(catch: Catch) -> list[Json]:
    """How many matching lines there are from each instant on, in cells of one length."""
    cell = catch.window.length.total_seconds() / CELLS
    start = catch.window.start.timestamp()
    return [[round(start + number * cell, 3), count] for number, count in enumerate(catch.counts)]


def _facts(pattern: Pattern) -> dict[str, Json]:
    versions = sorted(pattern.versions)
    return {
        "template": pattern.template,
        "count": pattern.count,
        "first": iso(pattern.first) if pattern.first else None,
        "last": iso(pattern.last) if pattern.last else None,
        "level": pattern.level.value,
        "service": pattern.service,
        "version": versions[0] if len(versions) == 1 else None,
        "sample": pattern.sample,
        "versions": list(versions),
    }


def _line(pattern: Pattern, zone: tzinfo) -> str:
    version = f" {', '.join(sorted(pattern.versions))}" if pattern.versions else ""
    return (
        f"{pattern.count:,} x {pattern.level.value} {pattern.service}{version}: {pattern.template} "
        f"({_moment(pattern.first, zone)} .. {_moment(pattern.last, zone)})"
    )


def _moment(at: datetime | None, zone: tzinfo) -> str:
    return clock_time(at, zone) if at else "?"


def latest(name: str, query: Query, catch: Catch, scanned: Scanned, zone: tzinfo) -> Finding:
    lines = sorted(catch.lines[: LATEST * 4], key=lambda line: line.at, reverse=True)[:LATEST]
    rows: list[Json] = [row(line) for line in lines]
    texts = [told(line, zone) for line in lines]
    return Finding(
        kind="log_lines",
        title=f"Newest lines of {name}",
        source=source_of(scanned),
        query=asked_as(name, query, zone),
        text="\n".join(texts),
        facts={
            "service": query.service,
            "environment": query.environment,
            "lines": rows,
            "total": catch.total,
        },
        window=query.window,
        link=scanned.link,
        cut=f"the newest {len(lines)} of {catch.total:,} matching lines"
        if catch.total > len(lines)
        else None,
    )


def row(line: Line) -> dict[str, Json]:
    return {"ts": iso(line.at), "level": line.level.value, "message": line.message, "version": line.version}


def told(line: Line, zone: tzinfo) -> str:
    return (
        f"{clock_time(line.at, zone)} {line.level.value} {line.service} {line.version or ''}: {line.message}"
    )


def name_of(query: Query) -> str:
    level = f"{query.level.value} " if query.level else ""
    text = f" containing {query.contains!r}" if query.contains else ""
    return f"{query.service or 'all services'} {level}logs in {query.environment}{text}"


def asked_as(name: str, query: Query, zone: tzinfo) -> str:
    return f"{name}, {spoken(query.window, zone)}"


def source_of(scanned: Scanned) -> str:
    return ", ".join(scanned.places) or "no log files"


def _cut(
    catch: Catch, scanned: Scanned, patterns_left: int, zone: tzinfo, begun: datetime | None
) -> str | None:
    """Everything the answer does not rest on, in one line."""
    parts = []
    if begun is not None and scanned.stopped and scanned.reached:
        since = clock_time(scanned.reached, zone)
        parts.append(
            f"nothing before {clock_time(begun, zone)} was read, so what is new is not known"
            if scanned.reached >= begun
            else f"compared with the time from {since} only"
        )
    parts += stopped(scanned, zone)
    if patterns_left > 0:
        parts.append(f"{patterns_left:,} rarer patterns are left out")
    if catch.total > len(catch.lines):
        parts.append(
            f"the raw result holds the newest {len(catch.lines):,} of {catch.total:,} matching lines"
        )
    if scanned.unreadable:
        parts.append(f"{scanned.unreadable:,} lines could not be read as JSON with a time and a message")
    parts += [scanned.note] if scanned.note else []
    return "; ".join(parts) or None
