"""The tool `changes`: what was changed near a time, and what of it came just before a service got worse."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from tools.changes.phrases import CHANGES
from tools.changes.picture import drawn
from tools.changes.port import ChangeKind, ChangeSource, Known, Occurrence, Scope
from tools.contract import (
    Arguments,
    Asker,
    Clock,
    Effect,
    Finding,
    Json,
    Outcome,
    Spec,
    ToolFailed,
    ToolUnavailable,
)
from tools.metrics.change import Trend
from tools.metrics.named import METRICS
from tools.metrics.named import Scope as MetricScope
from tools.metrics.port import MetricStore
from tools.metrics.reading import Reading, read
from tools.metrics.server import remarks
from tools.patience import patience
from tools.slots import CHART, Kind, Slot
from tools.times import Since, Until, clock_time, iso, spoken, window
from tools.vocabulary import Vocabulary

SHOWN = 15  # changes in the digest
LEAD = timedelta(hours=2)  # a change this long before a fault is still a suspect
BLUR = timedelta(
    minutes=2
)  # how far off the moment of a fault may be: the step of the points, and slow scrapes
SYMPTOMS = ("error_rate", "latency_p95", "failed_payments")  # the first that rose tells when it broke
_ORDER = list(ChangeKind)
RULE = "of the changes up to 2 h before it: the same service first, then what acts on what runs, then the nearest"


class ChangesArguments(Arguments):
    """Whose changes, and when."""

    service: str | None = Field(default=None, description="One service; all when left out")
    environment: str = Field(default="", description="Where it broke")
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="24h", description="How far back: 30m, 2h, 7d, or an ISO 8601 instant"
    )
    until: Annotated[Until | None, Slot(Kind.UNTIL, role="until")] = Field(
        default=None, description="An ISO 8601 instant; now when left out"
    )
    chart: Annotated[bool | None, CHART] = Field(
        default=None,
        description="Whether a chart (PNG) with the changes on it is made too; left out: where something broke",
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the sources came to: the changes newest first, and what was not checked and why."""

    occurrences: tuple[Occurrence, ...]
    unchecked: tuple[str, ...]
    answered: int
    cuts: tuple[str, ...]


class Changes:
    """Asks all sources at once. One that fails is named as not checked; with metrics it tells when it broke."""

    def __init__(
        self,
        sources: Sequence[ChangeSource],
        vocabulary: Vocabulary,
        clock: Clock,
        metrics: MetricStore | None = None,
    ) -> None:
        self._sources, self._clock, self._zone, self._metrics = (
            tuple(sources),
            clock,
            vocabulary.zone,
            metrics,
        )
        self.spec = Spec(
            name="changes",
            description=(
                "Lists deployments, releases, merged pull requests and configuration changes near a time, and "
                "which came just before a service got worse."
            ),
            arguments=vocabulary.narrow(ChangesArguments),
            effect=Effect.READ,
            examples=CHANGES,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - changes have one audience: `access`
        asked = ChangesArguments.of(arguments)
        scope = Scope(
            window(asked.since, asked.until, self._clock(), self._zone),
            asked.service,
            asked.environment or None,
        )
        with remarks() as said:
            seen, symptom = await asyncio.gather(self._looked(scope), self._symptom(scope))
        reading, trouble = symptom
        unchecked = (*seen.unchecked, *([trouble] if trouble else []), *said)
        broke = _broke(reading)
        suspects = ranked(seen.occurrences, broke, asked.service) if broke else ()
        finding = self._finding(scope, seen, unchecked, reading, suspects)
        wanted = asked.chart if asked.chart is not None else broke is not None
        files, uncharted = (
            await drawn(reading, suspects or seen.occurrences, self._zone) if wanted else ((), "")
        )
        if uncharted and (asked.chart or files):
            finding = replace(finding, cut="; ".join(filter(None, [finding.cut, uncharted])))
        summary = f"{len(seen.occurrences)} changes in {seen.answered} of {len(self._sources)} sources"
        if broke is not None and reading is not None:
            first = (
                f"; first suspect: {suspects[0].title} by {suspects[0].by}"
                if suspects
                else "; no change before it"
            )
            summary += f"; {reading.metric.words} rose at {clock_time(broke, self._zone)}{first}"
        if unchecked:
            summary += f"; not checked: {'; '.join(unchecked)}"
        return Outcome(ok=seen.answered > 0, summary=summary, findings=(finding,), files=files)

    async def _looked(self, scope: Scope) -> _Seen:
        found = await asyncio.gather(*(self._asked(source, scope) for source in self._sources))
        known = [each for each in found if isinstance(each, Known)]
        inside = {one for each in known for one in each.occurrences if scope.holds(one)}
        return _Seen(
            tuple(sorted(inside, key=lambda one: (one.at, one.title), reverse=True)),
            (
                *(each for each in found if isinstance(each, str)),
                *(one for each in known for one in each.unchecked),
            ),
            len(known),
            tuple(each.cut for each in known if each.cut),
        )

    async def _asked(self, source: ChangeSource, scope: Scope) -> Known | str:
        """What the source knows, or why it does not tell."""
        try:
            async with patience(self.spec.timeout - 4, source.name):
                return await source.changes(scope)
        except (ToolUnavailable, ToolFailed) as error:
            return f"{source.name}: {error}"

    async def _symptom(self, scope: Scope) -> tuple[Reading | None, str | None]:
        """The first symptom that rose, or a reading that did not; and why nothing was measured."""
        if self._metrics is None:
            return None, None
        where = MetricScope(str(scope.environment), scope.service)
        try:
            async with patience(self.spec.timeout - 4, self._metrics.name):
                readings = [
                    await read(self._metrics, METRICS[name], where, scope.window) for name in SYMPTOMS
                ]
        except (ToolUnavailable, ToolFailed) as error:
            return None, f"{self._metrics.name}: {error}"
        rose = [each for each in readings if _broke(each)]
        return (rose or readings)[0], None

    def _finding(
        self,
        scope: Scope,
        seen: _Seen,
        unchecked: Sequence[str],
        reading: Reading | None,
        suspects: Sequence[Occurrence],
    ) -> Finding:
        broke = _broke(reading)
        place = f"{scope.service or 'all services'} in {scope.environment or 'every environment'}"
        lines = []
        if broke is not None and reading is not None:
            lines.append(
                f"{reading.metric.words} rose at {clock_time(broke, self._zone)}; changes before it ({RULE}):"
            )
            lines += [f"{number}. {self._line(one, broke)}" for number, one in enumerate(suspects[:5], 1)]
            lines += [] if suspects else ["none"]
            lines.append("all changes, newest first:")
        lines += [self._line(one, broke) for one in seen.occurrences[:SHOWN]] or [
            "no change is known in this time"
        ]
        lines += [f"not checked: {each}" for each in unchecked]
        left = len(seen.occurrences) - SHOWN
        cuts = ([f"{left} older changes are left out"] if left > 0 else []) + list(seen.cuts)
        return Finding(
            kind="changes",
            title=f"What changed: {place}",
            source=", ".join(each.name for each in self._sources),
            query=f"changes of {place}, {spoken(scope.window, self._zone)}",
            text="\n".join(lines),
            facts={
                "service": scope.service,
                "environment": scope.environment,
                "changes": [_facts(one, broke) for one in seen.occurrences],
                "suspects": [_facts(one, broke) for one in suspects],
                "broke_at": iso(broke) if broke else None,
                "symptom": reading.metric.name if broke and reading else None,
                "not_checked": list(unchecked),
            },
            window=scope.window,
            link=next((one.link for one in (*suspects, *seen.occurrences) if one.link), None),
            cut="; ".join(cuts) or None,
        )

    def _line(self, one: Occurrence, broke: datetime | None) -> str:
        where = " ".join(part for part in (one.service, one.environment) if part)
        failed = "" if one.ok else ", failed"
        apart = f", {_apart(broke - one.at)} before" if broke and one.at <= broke else ""
        link = f" {one.link}" if one.link else ""
        return (
            f"{clock_time(one.at, self._zone)} {one.kind.value} {where}: {one.title} by {one.by or 'nobody named'}"
            f"{failed}{apart} ({one.source}){link}"
        )


def _broke(reading: Reading | None) -> datetime | None:
    """When the symptom rose; None where it did not."""
    rose = reading is not None and reading.level is not None and reading.level.trend is Trend.ROSE
    return reading.since_change if reading is not None and rose else None


def ranked(occurrences: Sequence[Occurrence], broke: datetime, service: str | None) -> tuple[Occurrence, ...]:
    """The changes that may have caused what began at `broke`, by `RULE`."""
    near = [one for one in occurrences if timedelta(0) <= broke + BLUR - one.at <= LEAD + BLUR]
    return tuple(
        sorted(
            near,
            key=lambda one: (
                service is not None and one.service != service,
                _ORDER.index(one.kind),
                broke - one.at,
            ),
        )
    )


def _apart(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes else f"{span.total_seconds():.0f} s"


def _facts(one: Occurrence, broke: datetime | None) -> dict[str, Json]:
    return {
        "at": iso(one.at),
        "kind": one.kind.value,
        "title": one.title,
        "by": one.by,
        "service": one.service,
        "environment": one.environment,
        "source": one.source,
        "link": one.link,
        "ok": one.ok,
        "seconds_before": round((broke - one.at).total_seconds()) if broke else None,
    }
