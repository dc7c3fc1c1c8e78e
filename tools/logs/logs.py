"""The tool `logs`: log lines by service, level, time and text, and the patterns they fall into."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import (
    Arguments,
    Asker,
    BadArguments,
    Clock,
    Effect,
    Finding,
    Json,
    Outcome,
    Spec,
    ToolFailed,
    Window,
)
from tools.logs.patterns import Pattern, Patterns
from tools.logs.phrases import LOGS
from tools.logs.port import Budget, Estimate, EstimatingStore, Level, Line, LogStore, Query, Scanned
from tools.metrics.sparkline import sparkline
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Since, Until, clock_time, instant, iso, spoken, window
from tools.vocabulary import Vocabulary

KEPT = 2_000  # matching lines in the raw result
SHOWN = 12  # patterns in the digest
LATEST = 8  # lines in the digest
CELLS = 30  # in which matching lines are counted over time
NEAR, AROUND = (
    timedelta(minutes=5),
    20,
)  # how far from an instant its context reaches, and how many lines either side
BASELINE = timedelta(minutes=30)  # at least as long before an instant is looked at, to tell what is new

_LEVELS = {
    "errors": "error",
    "erreur": "error",
    "erreurs": "error",
    "failure": "error",
    "failures": "error",
    "failing": "error",
    "exception": "error",
    "exceptions": "error",
    "critical": "error",
    "fatal": "error",
    "échec": "error",
    "échecs": "error",
    "échoue": "error",
    "plantages": "error",
    "warnings": "warning",
    "warn": "warning",
    "avertissement": "warning",
    "avertissements": "warning",
    "information": "info",
    "infos": "info",
    "débogage": "debug",
}


class LogsArguments(Arguments):
    """Which lines are wanted."""

    service: str | None = Field(default=None, description="One service; all when left out")
    environment: str = Field(default="", description="Where it runs")
    level: Annotated[
        Literal["error", "warning", "info", "debug"] | None,
        Slot(Kind.CHOICE, role="level", choices=("error", "warning", "info", "debug"), aliases=_LEVELS),
    ] = Field(default=None, description="Only lines of this level")
    contains: Annotated[str | None, Slot(Kind.QUOTED, role="contains")] = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Text to look for in message, route or request id; case does not matter",
    )
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="1h", description="How far back: 30m, 2h, 7d, or an ISO 8601 instant"
    )
    until: Annotated[Until | None, Slot(Kind.UNTIL, role="until")] = Field(
        default=None, description="An ISO 8601 instant; now when left out"
    )
    new_since: Until | None = Field(
        default=None,
        description="Only patterns that did not occur before this instant, such as a deployment's",
    )
    around: Until | None = Field(
        default=None, description="The lines just before and after this instant, whatever their level or text"
    )


@dataclass(slots=True)
class _Catch:
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


class Logs:
    """Searches a log store within a budget, and says what the budget cut off."""

    def __init__(
        self, store: LogStore, vocabulary: Vocabulary, clock: Clock, budget: Budget | None = None
    ) -> None:
        self._store, self._clock, self._zone = store, clock, vocabulary.zone
        self._budget = budget or Budget()
        self.spec = Spec(
            name="logs",
            description=(
                "Searches the logs of services by level, time and text: how often which message occurs (patterns with "
                "counts, first and last), and the newest lines."
            ),
            arguments=vocabulary.narrow(LogsArguments),
            effect=Effect.READ,
            timeout=max(20.0, self._budget.seconds + 5),
            examples=LOGS,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - logs have one audience: `access`
        asked = LogsArguments.of(arguments)
        if asked.around is not None:
            return await self._context(asked, asked.around)
        query = Query(
            environment=asked.environment,
            window=window(asked.since, asked.until, self._clock(), self._zone),
            service=asked.service,
            level=Level(asked.level) if asked.level else None,
            contains=asked.contains,
        )
        begun = _instant(asked.new_since, self._zone) if asked.new_since else None
        wide = query
        if begun is not None:
            query = replace(query, window=_from(begun, query.window, str(asked.new_since)))
            wide = replace(query, window=_with_before(query.window))
        catch = _Catch(query.window)
        async with patience(self._patience(), "the logs"):
            estimate = await self._estimate(query)
            scanned = await self._store.scan(wide, self._budget, catch.take)
        name = _name(query)
        top = catch.top(new=begun is not None)
        read = f"{scanned.lines:,} lines read"
        if estimate is not None and estimate.lines > scanned.lines:
            read = f"{scanned.lines:,} of about {estimate.lines:,} lines read, newest first"
        what = "patterns" if begun is None else f"patterns new since {clock_time(begun, self._zone)}"
        summary = f"{catch.total:,} lines of {name} in {len(top)} {what}, {read}"
        findings = [_patterns(name, query, catch, scanned, self._zone, top, begun, estimate)]
        if catch.lines:
            findings.append(_latest(name, query, catch, scanned, self._zone))
        untold = (
            begun is not None and scanned.reached is not None and scanned.stopped and scanned.reached >= begun
        )
        return Outcome(ok=not untold, summary=summary, findings=tuple(findings))

    def _patience(self) -> float:
        return self.spec.timeout - 2

    async def _estimate(self, query: Query) -> Estimate | None:
        """How much there is to read, where the store can tell; an estimate that fails is none."""
        if not isinstance(self._store, EstimatingStore):
            return None
        try:
            return await self._store.estimate(query)
        except ToolFailed:
            return None

    async def _context(self, asked: LogsArguments, around: str) -> Outcome:
        """The lines just before and after an instant."""
        middle = _instant(around, self._zone)
        span = Window(middle - NEAR, middle + NEAR)
        query = Query(environment=asked.environment, window=span, service=asked.service)
        found: list[Line] = []
        async with patience(self._patience(), "the logs"):
            scanned = await self._store.scan(query, self._budget, found.append)
        found.sort(key=lambda line: line.at)
        earlier = [line for line in found if line.at < middle][-AROUND:]
        later = [line for line in found if line.at >= middle][:AROUND]
        shown = (*earlier, *later)
        name = f"{asked.service or 'all services'} logs in {asked.environment} around {clock_time(middle, self._zone)}"
        finding = Finding(
            kind="log_lines",
            title=f"Lines of {name}",
            source=_source(scanned),
            query=_query(name, query, self._zone),
            text="\n".join(_told(line, self._zone) for line in shown)
            or f"no line within {NEAR.total_seconds() / 60:g} minutes of it",
            facts={
                "service": asked.service,
                "environment": asked.environment,
                "lines": [_row(line) for line in shown],
                "total": len(found),
            },
            window=span,
            link=scanned.link,
            raw="\n".join(line.raw for line in found) or None,
            cut=f"the {len(shown)} nearest of {len(found):,} lines" if len(found) > len(shown) else None,
        )
        return Outcome(ok=bool(shown), summary=f"{len(shown)} lines of {name}", findings=(finding,))


def _instant(text: str, zone: tzinfo) -> datetime:
    moment = instant(text, zone)
    if moment is None:
        raise BadArguments(f"{text!r} should be an instant such as 2026-11-23T12:00:00Z", value=text)
    return moment


def _from(begun: datetime, span: Window, said: str) -> Window:
    if begun >= span.end:
        raise BadArguments(
            f"new_since = {said!r} is after the time that is looked at", field="new_since", value=said
        )
    return Window(begun, span.end)


def _with_before(span: Window) -> Window:
    """The window and as long a time before it, so that what is new can be told from what is not."""
    return Window(span.start - max(span.length, BASELINE), span.end)


def _patterns(
    name: str,
    query: Query,
    catch: _Catch,
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
        source=_source(scanned),
        query=_query(name, query, zone),
        text=text or f"no line matches; {scanned.lines:,} lines were read",
        facts={
            "service": query.service,
            "environment": query.environment,
            "level": query.level.value if query.level else None,
            "contains": query.contains,
            "total": catch.total,
            "scanned": scanned.lines,
            "estimated": estimate.lines if estimate else None,
            "new_since": iso(begun) if begun else None,
            "counts": _counts(catch),
            "patterns": rows,
        },
        window=query.window,
        link=scanned.link,
        raw="\n".join(line.raw for line in catch.lines) or None,
        cut=_cut(catch, scanned, len(ranked) - len(top), zone, begun),
    )


def _cell(catch: _Catch) -> str:
    return f"{catch.window.length.total_seconds() / CELLS:,.0f} s"


def _counts(catch: _Catch) -> list[Json]:
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


def _latest(name: str, query: Query, catch: _Catch, scanned: Scanned, zone: tzinfo) -> Finding:
    lines = sorted(catch.lines[: LATEST * 4], key=lambda line: line.at, reverse=True)[:LATEST]
    rows: list[Json] = [_row(line) for line in lines]
    texts = [_told(line, zone) for line in lines]
    return Finding(
        kind="log_lines",
        title=f"Newest lines of {name}",
        source=_source(scanned),
        query=_query(name, query, zone),
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


def _row(line: Line) -> dict[str, Json]:
    return {"ts": iso(line.at), "level": line.level.value, "message": line.message, "version": line.version}


def _told(line: Line, zone: tzinfo) -> str:
    return (
        f"{clock_time(line.at, zone)} {line.level.value} {line.service} {line.version or ''}: {line.message}"
    )


def _name(query: Query) -> str:
    level = f"{query.level.value} " if query.level else ""
    text = f" containing {query.contains!r}" if query.contains else ""
    return f"{query.service or 'all services'} {level}logs in {query.environment}{text}"


def _query(name: str, query: Query, zone: tzinfo) -> str:
    return f"{name}, {spoken(query.window, zone)}"


def _source(scanned: Scanned) -> str:
    return ", ".join(scanned.places) or "no log files"


def _cut(
    catch: _Catch, scanned: Scanned, patterns_left: int, zone: tzinfo, begun: datetime | None
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
    if scanned.stopped and scanned.reached:
        reached = clock_time(scanned.reached, zone)
        parts.append(f"stopped because {scanned.stopped}, newest first: nothing before {reached} counts")
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
