"""The tool `alerts`: what fires and since when, what is silenced and until when, and the runbook of each."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from tools.alerts.phrases import ALERTS
from tools.alerts.port import Alert, AlertStore, Runbook, Runbooks, Silence
from tools.contract import (
    Arguments,
    Asker,
    Effect,
    Finding,
    Json,
    Outcome,
    Spec,
    ToolFailed,
    ToolUnavailable,
)
from tools.patience import patience
from tools.times import clock_time, iso
from tools.vocabulary import Vocabulary

SHOWN = 15  # alerts in the digest
LONGEST = 300  # characters of a summary there
_WORST = ("page", "critical", "error", "high", "warning", "info")


class AlertsArguments(Arguments):
    """Which alerts are wanted."""

    service: str | None = Field(default=None, description="One service; all when left out")
    environment: str | None = Field(default=None, description="Where; everywhere when left out")
    alert: str | None = Field(
        default=None, min_length=1, max_length=200, description="The alert's name, or a part of it"
    )


class Alerts:
    """Asks a store of alerts; a runbook that no annotation names is looked for in what is known."""

    def __init__(self, store: AlertStore, vocabulary: Vocabulary, runbooks: Runbooks | None = None) -> None:
        self._store, self._runbooks, self._zone = store, runbooks, vocabulary.zone
        self.spec = Spec(
            name="alerts",
            description="Tells which alerts fire, since when, which are silenced until when, and their runbooks.",
            arguments=vocabulary.narrow(AlertsArguments),
            effect=Effect.READ,
            examples=ALERTS,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        asked = AlertsArguments.of(arguments)
        async with patience(self.spec.timeout / 2, self._store.name):
            firing, silences = await asyncio.gather(self._store.alerts(), self._store.silences())
        found = sorted((each for each in firing if _wanted(each, asked)), key=_rank)
        runbooks, trouble = await self._looked_up(found[:SHOWN], asker)
        loud = sum(not each.silenced_by for each in found)
        name = _name(asked)
        if found:
            summary = f"{len(found)} alerts fire {name}, {len(found) - loud} of them silenced"
        else:
            summary = f"no alert fires {name}; {len(firing)} fire in all"
        finding = self._finding(name, asked, found, silences, runbooks)
        if trouble is not None:
            summary += f"; not checked: {trouble}"
            finding = replace(
                finding,
                text=f"{finding.text}\nnot checked: {trouble}",
                facts={**finding.facts, "not_checked": [trouble]},
            )
        return Outcome(ok=True, summary=summary, findings=(finding,))

    async def _looked_up(
        self, alerts: Sequence[Alert], asker: Asker
    ) -> tuple[dict[str, Runbook], str | None]:
        """A runbook for each name whose alerts have none of their own, and why none was looked for."""
        books = self._runbooks
        bare = {each.name: each for each in alerts if each.runbook is None}
        if books is None or not bare:
            return {}, None
        try:
            async with patience(self.spec.timeout / 4, "what is known"):
                found = await asyncio.gather(*(books.runbook(each, asker) for each in bare.values()))
        except (ToolUnavailable, ToolFailed) as error:
            return {}, f"runbooks in what is known: {error}"
        return {name: book for name, book in zip(bare, found, strict=True) if book is not None}, None

    def _finding(
        self,
        name: str,
        asked: AlertsArguments,
        alerts: Sequence[Alert],
        silences: Sequence[Silence],
        runbooks: dict[str, Runbook],
    ) -> Finding:
        ends = {each.id: each for each in silences}
        rows: list[Json] = [_facts(each, ends, runbooks.get(each.name)) for each in alerts]
        lines = [self._line(each, ends, runbooks.get(each.name)) for each in alerts[:SHOWN]]
        return Finding(
            kind="alerts",
            title=f"Alerts {name}",
            source=self._store.name,
            query=f"alerts that fire now {name}",
            text="\n".join(lines) or "nothing fires; that no alert fires does not say that all is well",
            facts={
                "service": asked.service,
                "environment": asked.environment,
                "alerts": rows,
                "total": len(alerts),
                "silences": [_told(each) for each in silences],
            },
            link=alerts[0].link if alerts else None,
            raw="\n".join(json.dumps(row, ensure_ascii=False) for row in rows) or None,
            cut=_cut(alerts),
        )

    def _line(self, alert: Alert, silences: dict[str, Silence], known: Runbook | None) -> str:
        where = " ".join(part for part in (alert.service, alert.environment) if part)
        parts = [f"{alert.severity or 'alert'} {alert.name} {where}".rstrip()]
        parts.append(f"since {clock_time(alert.since, self._zone)}")
        if alert.summary:
            parts.append(_beginning(alert.summary))
        for id_ in alert.silenced_by:
            until = (
                f" until {clock_time(silences[id_].end, self._zone)} by {silences[id_].by}"
                if id_ in silences
                else ""
            )
            parts.append(f"silenced{until}")
        if alert.inhibited:
            parts.append("held back by a worse alert")
        if alert.runbook:
            parts.append(f"runbook {alert.runbook}")
        elif known:
            parts.append(f"runbook, found in what is known: {known.title} {known.link or known.document}")
        return "; ".join(parts)


def _beginning(summary: str) -> str:
    return summary if len(summary) <= LONGEST else f"{summary[:LONGEST]}…"


def _cut(alerts: Sequence[Alert]) -> str | None:
    """What the digest leaves out; the whole of it is kept."""
    long = sum(len(each.summary) > LONGEST for each in alerts[:SHOWN])
    parts = [f"the worst {SHOWN} of {len(alerts)}"] if len(alerts) > SHOWN else []
    parts += [f"{long} summaries shortened"] if long else []
    return ", ".join(parts) or None


def _wanted(alert: Alert, asked: AlertsArguments) -> bool:
    """An alert without a label for service or environment may be about any of them, so it is not left out."""
    if asked.service and alert.service not in {None, asked.service}:
        return False
    if asked.environment and alert.environment not in {None, asked.environment}:
        return False
    return asked.alert is None or asked.alert.casefold() in alert.name.casefold()


def _rank(alert: Alert) -> tuple[bool, int, float]:
    """Loud ones first, then the worst, then those that fire longest."""
    severity = alert.severity.casefold()
    place = _WORST.index(severity) if severity in _WORST else len(_WORST)
    return bool(alert.silenced_by), place, alert.since.timestamp()


def _name(asked: AlertsArguments) -> str:
    parts = [f"for {asked.service}" if asked.service else "for all services"]
    parts += [f"in {asked.environment}"] if asked.environment else []
    parts += [f"named {asked.alert!r}"] if asked.alert else []
    return " ".join(parts)


def _facts(alert: Alert, silences: dict[str, Silence], known: Runbook | None) -> dict[str, Json]:
    ends = [iso(silences[id_].end) for id_ in alert.silenced_by if id_ in silences]
    return {
        "name": alert.name,
        "severity": alert.severity,
        "service": alert.service,
        "environment": alert.environment,
        "since": iso(alert.since),
        "summary": alert.summary,
        "silenced": bool(alert.silenced_by),
        "silenced_until": max(ends, default=None),
        "inhibited": alert.inhibited,
        "runbook": alert.runbook or (known.link or known.document if known else None),
        "runbook_from": "annotation" if alert.runbook else "knowledge" if known else None,
        "labels": dict(alert.labels),
    }


def _told(silence: Silence) -> dict[str, Json]:
    return {
        "labels": dict(silence.labels),
        "from": iso(silence.start),
        "until": iso(silence.end),
        "by": silence.by,
        "comment": silence.comment,
    }
