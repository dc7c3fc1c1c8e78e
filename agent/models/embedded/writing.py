"""Writes an answer from evidence by templates: every number and every quotation comes from a fact that is cited."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from agent.conversation.evidence import Evidence
from agent.models.embedded import approvals, clusters, recounting
from agent.models.embedded.cause import is_felt, rose
from agent.models.embedded.facts import (
    Deployment,
    Found,
    Lines,
    Logs,
    Pattern,
    Running,
    Series,
    Table,
    rows,
)
from agent.models.embedded.folding import fold
from agent.models.embedded.recounting import cite
from agent.models.embedded.wording import clock, figure, measured, name_of, quoted
from agent.words.catalogue import say

_MOST = 5  # bullets of one kind
_ABOUT_CHANGES = re.compile(
    r"\b(?:chang\w+|deploy\w*|deploi\w*|ship\w*|releas\w+|roll\w*|restart\w*|redemarr\w+|scal\w+|livr\w+"
    r"|who|qui (?:a|ont|l'a|vient)|(?<!since )when|(?<!depuis )quand"
    r"|recent\w*|last|dernier\w*|histor\w+|lately|happened|passe)\b"
)


def asks_for_changes(question: str) -> bool:
    """Whether a question about what runs is rather one about what was changed."""
    return bool(_ABOUT_CHANGES.search(fold(question)))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes in one language, with times as one zone reads them."""

    locale: str
    now: datetime
    zone: tzinfo

    def say(
        self,
        key: str,
        known: Mapping[str, object] | None = None,
        /,
        *,
        count: int | None = None,
        **more: object,
    ) -> str:
        return say(f"planner.{key}", self.locale, count=count, **{**(known or {}), **more})

    def at(self, moment: datetime | None) -> str:
        return "?" if moment is None else clock(moment, self.now, self.zone)

    # --- one kind of evidence ----------------------------------------------------------------------------------

    def everything(self, found: Found, question: str) -> list[str]:
        """One paragraph for each kind of evidence there is; what went wrong before what runs all the same."""
        parts: list[str] = []
        parts += [self.table(table) for table in found.tables]
        ill = [series for series in found.series if found.running and is_felt(series) and rose(series)]
        parts += [self.series(series) for series in ill]
        firing = [piece for piece in found.others if found.running and _fires(piece)]
        parts += [_plainly(piece) for piece in firing]
        changes = found.deployments and (not found.running or asks_for_changes(question))
        if changes:
            parts.append(self.deployments(found.deployments))
        elif found.running:
            parts.append(self.status(found.running))
        parts += [self.series(series) for series in found.series if series not in ill]
        parts += [self.logs(logs) for logs in found.logs]
        parts += [
            self.lines(lines)
            for lines in found.lines
            if not any(logs.service == lines.service for logs in found.logs)
        ]
        parts += recounting.told(self.locale, found.passages, found.nothing, question)
        calm = [piece for piece in found.others if piece not in firing]
        parts += [clusters.told(piece, self.locale, self.at) or _plainly(piece) for piece in calm]
        return parts

    def logs(self, logs: Logs) -> str:
        fields = {
            "where": _where(logs),
            "cites": cite(logs),
            "level": logs.level,
            "filter": self._filter(logs),
        }
        suffix = "_level" if logs.level else ""
        partly = self._partly(logs)
        if logs.total == 0:
            return f"{self.say(f'logs.none{suffix}', fields)}{partly}"
        head = self.say(
            f"logs.total{suffix}", fields, count=logs.total, count_text=figure(logs.total, self.locale)
        )
        head += partly
        ranked = sorted(logs.patterns, key=lambda pattern: -pattern.count)[:_MOST]
        return listed(head, [self.pattern(pattern) for pattern in ranked])

    def _partly(self, logs: Logs) -> str:
        """That not everything was read: without it, what was not found would be taken for what is not there."""
        if not logs.stopped:
            return ""
        key = "partly" if logs.read_from else "partly_unknown"
        return " " + self.say(f"logs.{key}", at=self.at(logs.read_from), cites=cite(logs))

    def _filter(self, logs: Logs) -> str:
        """The text that lines had to contain: without it named, "no errors" would be read as none at all."""
        return self.say("logs.filter", text=quoted(logs.contains, self.locale)) if logs.contains else ""

    def pattern(self, pattern: Pattern) -> str:
        key = "logs.pattern" if pattern.first and pattern.last else "logs.pattern_undated"
        return self.say(
            key, count=pattern.count, count_text=figure(pattern.count, self.locale),
            template=pattern.sample or pattern.template,
            first=self.at(pattern.first), last=self.at(pattern.last), cites=cite(pattern),
        )  # fmt: skip

    def lines(self, lines: Lines) -> str:
        fields = {"where": _where(lines), "cites": cite(lines), "filter": ""}
        if not lines.lines:
            return self.say("logs.none", fields)
        head = self.say("logs.total", fields, count=lines.total, count_text=figure(lines.total, self.locale))
        return listed(
            head,
            [
                self.say("logs.line", at=at, level=level, message=message)
                for at, level, message in lines.lines[-_MOST:]
            ],
        )

    def series(self, series: Series) -> str:
        value = series.now if series.now is not None else series.mean
        fields: dict[str, object] = {
            "metric": name_of(series.metric, self.locale), "where": _where(series), "cites": cite(series),
        }  # fmt: skip
        if value is None:
            return capital(self.say("series.none", fields))
        key = "now" if series.now is not None else "mean"
        fields[key] = measured(value, series.unit, self.locale)
        if series.before is not None:
            fields["before"] = measured(series.before, series.unit, self.locale)
            key += "_before"
        parts = [capital(self.say(f"series.{key}", fields))]
        if series.highest is not None:
            parts.append(
                self.say(
                    "series.highest",
                    highest=measured(series.highest, series.unit, self.locale),
                    cites=cite(series),
                )
            )
        if series.anomaly in {"rose", "fell"} and series.since is not None:
            parts.append(
                self.say(f"series.{series.anomaly}", since=self.at(series.since), cites=cite(series))
            )
        return " ".join(parts)

    def status(self, running: Sequence[Running]) -> str:
        if len(running) == 1 and running[0].since is not None and running[0].replicas is not None:
            return self.say("status.one", self._running(running[0]))
        bullets = [self.running(entry) for entry in running]
        return listed(self._health(running), bullets)

    def _health(self, running: Sequence[Running]) -> str:
        counted = [entry for entry in running if entry.replicas is not None and entry.healthy is not None]
        if len(counted) < len(running):
            return self.say("status.running", count=len(running))
        sick = [entry for entry in counted if entry.healthy != entry.replicas]
        if not sick:
            return self.say("status.all_healthy", count=len(running))
        names = ", ".join(f"{entry.service} ({entry.environment})" for entry in sick)
        return self.say("status.some_unhealthy", unhealthy=len(sick), total=len(running), names=names)

    def running(self, entry: Running) -> str:
        key = "line" if entry.since is not None else "line_undated"
        return self.say(f"status.{key if entry.replicas is not None else 'line_bare'}", self._running(entry))

    def _running(self, entry: Running) -> dict[str, object]:
        return {
            "service": entry.service, "version": entry.version, "environment": entry.environment,
            "instances": self._instances(entry), "since": self.at(entry.since), "cites": cite(entry),
        }  # fmt: skip

    def _instances(self, entry: Running) -> str:
        healthy = entry.healthy or 0
        return self.say("status.instances", count=healthy, healthy=healthy, replicas=entry.replicas)

    def deployments(self, deployments: Sequence[Deployment]) -> str:
        shown = deployments[: 2 * _MOST]
        return listed(
            self.say("deployments.head", count=len(shown)), [self.deployment(entry) for entry in shown]
        )

    def deployment(self, entry: Deployment) -> str:
        fields = {
            "at": self.at(entry.at), "what": self._change(entry), "environment": entry.environment, "by": entry.by,
            "cites": cite(entry),
        }  # fmt: skip
        return self.say("deployments.line" if entry.ok else "deployments.failed", fields)

    def _change(self, entry: Deployment) -> str:
        """What was done, in the words of its kind: a restart is no change of the version."""
        kind = entry.kind if entry.kind in {"restart", "scale", "rollback"} else "deploy"
        fields = {"service": entry.service, "before": entry.before or "–", "after": entry.after or "–"}
        return self.say(f"deployments.what_{kind}", fields)

    def approvals(self, deployments: Sequence[Deployment], question: str) -> str:
        """Who approved the changes that a question means, as the history has it, and where all decisions stand."""
        lines = []
        for entry in approvals.meant(deployments, question)[:_MOST]:
            action, people = approvals.approved(entry) or ("", "")
            fields = {"at": self.at(entry.at), "what": self._change(entry), "environment": entry.environment}
            lines.append(self.say("approvals.line", fields, action=action, people=people, cites=cite(entry)))
        action = approvals.action_named(question)
        where = self.say("approvals.record_of" if action else "approvals.record", action=action)
        return "\n".join([*(lines or [self.say("approvals.none")]), where])

    def table(self, table: Table) -> str:
        if not table.rows:
            return self.say("table.empty", cites=cite(table))
        lines = [" | ".join(table.columns)] if table.columns else []
        lines += [" | ".join(self._cell(cell) for cell in row) for row in table.rows[:31]]
        if table.total is None:
            head = self.say("table.head", title=table.title, cites=cite(table))
        else:
            total = figure(table.total, self.locale)
            head = self.say("table.total", title=table.title, total=total, cites=cite(table))
        parts = [head, *lines]
        if table.computed:
            parts.append(self.say("table.computed", computed=table.computed))
        return "\n".join(parts)

    def _cell(self, cell: str | float | None) -> str:
        return "–" if cell is None else cell if isinstance(cell, str) else figure(cell, self.locale)


def _fires(piece: Evidence) -> bool:
    return piece.finding.kind == "alerts" and any(rows(piece.finding.facts, "alerts"))


def _plainly(piece: Evidence) -> str:
    """A finding of a kind without a template: its title and its text, and the title once where the text repeats it."""
    title, text = piece.finding.title, piece.finding.text
    return f"{text if text.lower().startswith(title.lower()) else f'{title}: {text}'} [{piece.number}]"


def _where(piece: Logs | Lines | Series) -> str:
    return (
        f"{piece.service} ({piece.environment})"
        if piece.service and piece.environment
        else piece.service or piece.environment or "–"
    )


def listed(head: str, bullets: Iterable[str]) -> str:
    """A sentence with points below it."""
    return "\n".join([head, *(f"- {bullet}" for bullet in bullets)])


def capital(sentence: str) -> str:
    """With a capital at the start, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]
