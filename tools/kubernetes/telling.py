"""What is told of a look at a cluster: a finding for each of workloads, pods, events, use, config maps, last words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from tools.contract import Finding, Json, Window
from tools.kubernetes.objects import ManagedBy
from tools.kubernetes.places import Place
from tools.kubernetes.resources import CONFIG_MAPS, DEPLOYMENTS, EVENTS, POD_METRICS, PODS
from tools.kubernetes.survey import OnePod, Survey, referred_to
from tools.kubernetes.usage import used
from tools.times import clock_time, iso

SHOWN = 15  # pods, events or containers in a digest
_LONGEST = 240  # characters of a message there


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of one survey. `name` is what was asked about; `console` is where people may look themselves."""

    name: str
    place: Place
    window: Window
    zone: tzinfo
    console: str = ""

    def findings(self, survey: Survey) -> tuple[Finding, ...]:
        return tuple(
            found
            for found in (
                self.workloads(survey),
                self.pods(survey),
                self.events(survey),
                self.use(survey),
                self.config_maps(survey),
                *self.last_words(survey),
            )
            if found is not None
        )

    def workloads(self, survey: Survey) -> Finding:
        rows: list[Json] = [each.facts() for each in survey.workloads]
        lines = [
            f"{each.kind} {each.name} ({each.versions}): {each.state.phase.value}, {each.state.told}"
            for each in survey.workloads
        ]
        return self._finding(
            "workloads",
            f"Workloads: {self.name}",
            DEPLOYMENTS.asked(self.place.namespace),
            [*lines, *survey.unchecked] or ["there is no workload"],
            {"workloads": rows, "not_checked": list(survey.unchecked)},
            raw="\n".join(json.dumps(each.raw, ensure_ascii=False) for each in survey.workloads),
        )

    def pods(self, survey: Survey) -> Finding | None:
        if any(each.startswith("not checked: pods") for each in survey.unchecked):
            return None
        rows: list[Json] = [{"service": each.service, **each.state.facts()} for each in survey.pods]
        left = len(survey.pods) - SHOWN
        return self._finding(
            "pods",
            f"Pods: {self.name}",
            PODS.asked(self.place.namespace),
            [self._pod_line(each) for each in survey.pods[:SHOWN]] or ["there is no pod"],
            {"pods": rows},
            raw="\n".join(json.dumps(each.raw, ensure_ascii=False) for each in survey.pods),
            cut=_cut(survey, f"{left} pods that are better off are left out" if left > 0 else ""),
        )

    def _pod_line(self, each: OnePod) -> str:
        state = each.state
        ready = "ready" if state.ready else "not ready yet"
        parts = [f"{state.name}: {state.reason or f'{state.phase}, {ready}'}"]
        if state.message:
            parts.append(_short(state.message))
        if state.restarts:
            parts.append(f"{state.restarts} {'restart' if state.restarts == 1 else 'restarts'}")
        if state.last is not None:
            at = f" at {clock_time(state.last.at, self.zone)}" if state.last.at else ""
            parts.append(f"ended last with {state.last.reason}, exit code {state.last.code}{at}")
        if state.since is not None:
            parts.append(f"since {clock_time(state.since, self.zone)}")
        return "; ".join(parts)

    def events(self, survey: Survey) -> Finding | None:
        if any(each.startswith("not checked: events") for each in survey.unchecked):
            return None
        rows: list[Json] = [
            {
                "at": iso(each.at) if each.at else None,
                "type": each.type,
                "reason": each.reason,
                "object": f"{each.involved_object.kind}/{each.involved_object.name}",
                "message": each.message,
                "count": each.times,
            }
            for each in survey.events
        ]
        lines = [
            f"{clock_time(each.at, self.zone) if each.at else '?'} {each.type} {each.reason} "
            f"{each.involved_object.name}: {_short(each.message)}{f' ({each.times} times)' if each.times > 1 else ''}"
            for each in survey.events[:SHOWN]
        ]
        left = len(survey.events) - SHOWN
        return self._finding(
            "pod_events",
            f"Events: {self.name}",
            EVENTS.asked(self.place.namespace),
            lines or ["nothing was noted in this time; a cluster keeps events for an hour or so"],
            {"events": rows},
            window=self.window,
            cut=_cut(survey, f"{left} older events are left out" if left > 0 else ""),
        )

    def use(self, survey: Survey) -> Finding | None:
        if survey.metrics is None:
            return None
        found = used(survey)
        rows: list[Json] = [each.facts() for each in found]
        left = len(found) - SHOWN
        return self._finding(
            "pod_usage",
            f"Resource use: {self.name}",
            POD_METRICS.asked(self.place.namespace),
            [each.told() for each in found[:SHOWN]] or ["not checked: nothing was measured yet"],
            {"usage": rows},
            cut=f"{left} containers that use less are left out" if left > 0 else None,
        )

    def config_maps(self, survey: Survey) -> Finding | None:
        if survey.config_maps is None:
            return None
        rows: list[Json] = []
        lines = []
        for each in survey.config_maps:
            changed = max((one for one in each.metadata.managed_fields if one.time), key=_when, default=None)
            at, by = (changed.time, changed.manager) if changed else (each.metadata.creation_timestamp, "")
            keys = sorted(each.data)
            rows.append(
                {
                    "name": each.metadata.name,
                    "keys": keys,
                    "changed_at": iso(at) if at else None,
                    "changed_by": by or None,
                }
            )
            told = f", last written {clock_time(at, self.zone)}{f' by {by}' if by else ''}" if at else ""
            lines.append(f"{each.metadata.name}: {', '.join(keys) or 'empty'}{told}")
        gone = sorted(
            set(referred_to(survey.workloads)) - {each.metadata.name for each in survey.config_maps}
        )
        lines += [f"{name}: it is referred to, and there is none" for name in gone]
        return self._finding(
            "config_maps",
            f"Config maps: {self.name}",
            CONFIG_MAPS.asked(self.place.namespace),
            lines,
            {"config_maps": rows, "missing": list(gone)},
        )

    def last_words(self, survey: Survey) -> Iterator[Finding]:
        for each in survey.words:
            yield self._finding(
                "pod_log",
                f"Last lines of {each.container} in {each.pod} before it ended",
                f"GET {PODS.path(self.place.namespace, each.pod, 'log')}?previous=true&container={each.container}",
                [_short(line) for line in each.lines],
                {"pod": each.pod, "container": each.container, "lines": list(each.lines)},
                raw="\n".join(each.lines),
            )

    def _finding(
        self,
        kind: str,
        title: str,
        query: str,
        lines: list[str],
        facts: dict[str, Json],
        *,
        raw: str = "",
        window: Window | None = None,
        cut: str | None = None,
    ) -> Finding:
        path = query.removeprefix("GET ")
        return Finding(
            kind=kind,
            title=title,
            source=self.place.cluster.name,
            query=query,
            text="\n".join(lines),
            facts={"namespace": self.place.namespace, **facts},
            window=window,
            link=self.console or self.place.cluster.link(path),
            raw=raw or None,
            cut=cut,
        )


def _when(managed: ManagedBy) -> float:
    return managed.time.timestamp() if managed.time else 0.0


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _cut(survey: Survey, left_out: str) -> str | None:
    """What a digest leaves out, and what was not even listed."""
    more = "the namespace holds more than was listed" if survey.cut else ""
    return "; ".join(filter(None, (left_out, more))) or None
