"""Writes what a cluster says of pods and workloads; texts of the cluster's own are quoted as they are."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from agent.conversation.evidence import Evidence
from agent.models.embedded.facts import count, moment, rows, text, texts
from agent.words.catalogue import say
from tools.contract import Json

_MOST = 8  # pods, or lines of a kind
_QUOTED = frozenset({"pod_events", "pod_usage", "pod_log", "config_maps"})
_Facts = Mapping[str, Json]


def told(piece: Evidence, locale: str, at: Callable[[datetime | None], str]) -> str | None:
    """The paragraph for a finding of the tool `kubernetes`; `None` for findings of others."""
    kind, facts = piece.finding.kind, piece.finding.facts
    if kind == "workloads":
        return "\n".join(_workloads(facts, piece.number, locale))
    if kind == "pods":
        return "\n".join(_pods(facts, piece.number, locale, at))
    if kind not in _QUOTED or not piece.finding.text:
        return None
    fields = {"number": piece.number, "pod": text(facts, "pod"), "container": text(facts, "container")}
    lines = piece.finding.text.splitlines()[:_MOST]
    return "\n".join([say(f"cluster.{kind}", locale, **fields), *(f"- {line}" for line in lines)])


def _workloads(facts: _Facts, number: int, locale: str) -> Iterator[str]:
    found = list(rows(facts, "workloads"))
    moving = sum(text(row, "phase") != "complete" for row in found)
    key = "no_workload" if not found else "workloads" if moving else "all_rolled_out"
    yield say(f"cluster.{key}", locale, number=number, count=moving, total=len(found))
    for row in found[:_MOST]:
        fields = {name: row.get(name) for name in ("kind", "name", "versions", "well", "wanted")}
        phase = say(f"cluster.phase.{text(row, 'phase')}", locale)
        yield f"- {say('cluster.workload', locale, phase=phase, **fields)}"
    for missed in texts(facts, "not_checked"):
        yield say("planner.not_checked_plain", locale, what=missed.removeprefix("not checked: "))


def _pods(facts: _Facts, number: int, locale: str, at: Callable[[datetime | None], str]) -> Iterator[str]:
    found = list(rows(facts, "pods"))
    ready = sum(row.get("ready") is True for row in found)
    yield say(
        "cluster.pods" if found else "cluster.no_pod", locale, number=number, count=ready, total=len(found)
    )
    for row in found[:_MOST]:
        state = (
            "pod_ill" if text(row, "reason") else "pod_ready" if row.get("ready") is True else "pod_starting"
        )
        message = text(row, "message")
        fields = {
            "pod": text(row, "pod"),
            "reason": text(row, "reason"),
            "message": f" ({message})" if message else "",
            "restarts": _restarts(count(row, "restarts"), locale),
            "ended": _ended(row, locale, at),
        }
        yield f"- {say(f'cluster.{state}', locale, **fields)}"


def _restarts(times: int, locale: str) -> str:
    return say("cluster.restarts", locale, count=times) if times else ""


def _ended(row: _Facts, locale: str, at: Callable[[datetime | None], str]) -> str:
    """How a container ended the last time, if it did."""
    if not text(row, "last_reason"):
        return ""
    when = moment(row, "last_at")
    fields = {"reason": text(row, "last_reason"), "code": count(row, "last_exit_code")}
    return say("cluster.ended" if when else "cluster.ended_undated", locale, at=at(when), **fields)
