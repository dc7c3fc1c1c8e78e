"""The tool `logs`: log lines by service, level, time and text, and the patterns they fall into."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import Arguments, Asker, Clock, Effect, Finding, Json, Outcome, Spec
from tools.logs.patterns import Pattern, Patterns
from tools.logs.phrases import LOGS
from tools.logs.port import Budget, Level, Line, LogStore, Query, Scanned
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Since, Until, clock_time, iso, spoken, window
from tools.vocabulary import Vocabulary

KEPT = 2_000  # matching lines in the raw result
SHOWN = 12  # patterns in the digest
LATEST = 8  # lines in the digest

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


@dataclass(slots=True)
class _Catch:
    """The lines that were found: all counted, the newest kept."""

    patterns: Patterns = field(default_factory=Patterns)
    lines: list[Line] = field(default_factory=list)
    total: int = 0

    def take(self, line: Line) -> None:
        self.total += 1
        self.patterns.add(line)
        if len(self.lines) < KEPT:
            self.lines.append(line)


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
            examples=LOGS,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - logs have one audience: `access`
        asked = LogsArguments.of(arguments)
        query = Query(
            environment=asked.environment,
            window=window(asked.since, asked.until, self._clock(), self._zone),
            service=asked.service,
            level=Level(asked.level) if asked.level else None,
            contains=asked.contains,
        )
        catch = _Catch()
        async with patience(self.spec.timeout - 2, "the logs"):
            scanned = await self._store.scan(query, self._budget, catch.take)
        name = _name(query)
        summary = (
            f"{catch.total:,} lines of {name} in {len(catch.patterns)} patterns, {scanned.lines:,} lines read"
        )
        findings = [_patterns(name, query, catch, scanned, self._zone)]
        if catch.lines:
            findings.append(_latest(name, query, catch, scanned, self._zone))
        return Outcome(ok=True, summary=summary, findings=tuple(findings))


def _patterns(name: str, query: Query, catch: _Catch, scanned: Scanned, zone: tzinfo) -> Finding:
    top = catch.patterns.top(SHOWN)
    rows: list[Json] = [_facts(pattern) for pattern in top]
    text = "\n".join(_line(pattern, zone) for pattern in top)
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
            "patterns": rows,
        },
        window=query.window,
        link=scanned.link,
        raw="\n".join(line.raw for line in catch.lines) or None,
        cut=_cut(catch, scanned, len(catch.patterns) - len(top), zone),
    )


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
    rows: list[Json] = [
        {"ts": iso(line.at), "level": line.level.value, "message": line.message, "version": line.version}
        for line in lines
    ]
    texts = [
        f"{clock_time(line.at, zone)} {line.level.value} {line.service} {line.version or ''}: {line.message}"
        for line in lines
    ]
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


def _name(query: Query) -> str:
    level = f"{query.level.value} " if query.level else ""
    text = f" containing {query.contains!r}" if query.contains else ""
    return f"{query.service or 'all services'} {level}logs in {query.environment}{text}"


def _query(name: str, query: Query, zone: tzinfo) -> str:
    return f"{name}, {spoken(query.window, zone)}"


def _source(scanned: Scanned) -> str:
    return ", ".join(scanned.places) or "no log files"


def _cut(catch: _Catch, scanned: Scanned, patterns_left: int, zone: tzinfo) -> str | None:
    """Everything the answer does not rest on, in one line."""
    parts = []
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
    return "; ".join(parts) or None
