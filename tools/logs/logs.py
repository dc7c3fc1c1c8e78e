"""The tool `logs`: log lines by service, level, time and text, and the patterns they fall into."""

from dataclasses import replace
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
    Outcome,
    Spec,
    ToolFailed,
    Window,
)
from tools.logs.phrases import LOGS
from tools.logs.port import Budget, Estimate, EstimatingStore, Level, Line, LogStore, Query
from tools.logs.telling import Catch, asked_as, latest, name_of, patterns, row, source_of, stopped, told
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Since, Until, clock_time, instant, window
from tools.vocabulary import Vocabulary

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
        catch = Catch(query.window)
        async with patience(self._patience(), "the logs"):
            estimate = await self._estimate(query)
            scanned = await self._store.scan(wide, self._budget, catch.take)
        name = name_of(query)
        top = catch.top(new=begun is not None)
        read = f"{scanned.lines:,} lines read"
        if estimate is not None and estimate.lines > scanned.lines:
            read = f"{scanned.lines:,} of about {estimate.lines:,} lines read, newest first"
        what = "patterns" if begun is None else f"patterns new since {clock_time(begun, self._zone)}"
        summary = f"{catch.total:,} lines of {name} in {len(top)} {what}, {read}"
        findings = [patterns(name, query, catch, scanned, self._zone, top, begun, estimate)]
        if catch.lines:
            findings.append(latest(name, query, catch, scanned, self._zone))
        summary = "; ".join([summary, *stopped(scanned, self._zone)])
        short = scanned.stopped is not None and (
            scanned.reached is None or scanned.reached >= query.window.start
        )
        untold = short and (begun is not None or not catch.total)  # "none" would be more than is known
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
        nearest = [f"the {len(shown)} nearest of {len(found):,} lines"] if len(found) > len(shown) else []
        finding = Finding(
            kind="log_lines",
            title=f"Lines of {name}",
            source=source_of(scanned),
            query=asked_as(name, query, self._zone),
            text="\n".join(told(line, self._zone) for line in shown)
            or f"no line within {NEAR.total_seconds() / 60:g} minutes of it",
            facts={
                "service": asked.service,
                "environment": asked.environment,
                "lines": [row(line) for line in shown],
                "total": len(found),
            },
            window=span,
            link=scanned.link,
            raw="\n".join(line.raw for line in found) or None,
            cut="; ".join([*nearest, *stopped(scanned, self._zone)]) or None,
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
