"""Ruling out, by name: changes and errors that look guilty, and the reason why each is not."""

from collections.abc import Iterator, Sequence

from tools.changes.port import Occurrence
from tools.contract import Json
from tools.investigate import changed
from tools.investigate.attribution import LAGS, Trouble
from tools.investigate.hypothesis import Hypothesis, RuledOut
from tools.investigate.ledger import Ledger
from tools.investigate.signals import Scene, Sighting, View, mentions

MOST = 12
LEAST_LINES = 5  # an error that was logged less often is not worth a word


def ruled_out(
    scene: Scene,
    troubles: Sequence[Trouble],
    kept: Sequence[Hypothesis],
    beaten: Sequence[Hypothesis],
    ledger: Ledger,
) -> tuple[RuledOut, ...]:
    """What was looked at and is not the cause: beaten changes, other changes newest first, and noise."""
    found = [*_weaker(beaten, kept), *_changes(scene, troubles, (*kept, *beaten), ledger)]
    return (*found[:MOST], *_noise(scene, troubles, kept, ledger))


def _weaker(beaten: Sequence[Hypothesis], kept: Sequence[Hypothesis]) -> Iterator[RuledOut]:
    for each in beaten:
        other = next((one for one in kept if one.service == each.service), None)
        against = [point for point in each.points if point.weight < 0]
        reason = against[-1] if against else None
        if reason is not None and reason.code == "change.ran_well":
            yield RuledOut(each.subject, each.kind, "ran_well", reason.fields, reason.cites)
        elif other is not None:
            fields: dict[str, Json] = {"other": other.subject, "kind": other.kind, "service": other.service}
            yield RuledOut(each.subject, each.kind, "weaker", fields, each.points[0].cites)


def _changes(
    scene: Scene, troubles: Sequence[Trouble], told: Sequence[Hypothesis], ledger: Ledger
) -> Iterator[RuledOut]:
    """Changes of the time that is looked at; those that are hypotheses are judged there."""
    start = scene.window.start
    judged = {id(each.change) for each in told if each.change is not None}
    near = [one for one in scene.changes if one.at >= start and id(one) not in judged]
    for name, one in reversed(changed.named(near)):
        code, fields = _why_not(scene, troubles, one)
        yield RuledOut(name, changed.kind_of(one), code, fields, (ledger.changes(),))


def _why_not(scene: Scene, troubles: Sequence[Trouble], one: Occurrence) -> tuple[str, dict[str, Json]]:
    service = one.service or ""
    if one.environment not in {None, scene.environment}:
        return "elsewhere", {"environment": one.environment}
    if not one.ok:
        return "failed", {}
    if not troubles:
        return "nothing_broke", {"service": service}
    here = [each for each in troubles if each.service == service]
    trouble = (here or troubles)[0]
    first = min((each.onset for each in troubles), key=lambda each: each.at)
    if not trouble.onset.preceded(one.at) and not first.preceded(one.at):
        gap = round((one.at - trouble.onset.at).total_seconds())
        return "after", {"gap": gap, "service": trouble.service}
    if here:
        return "long_before", {"gap": round((trouble.onset.at - one.at).total_seconds())}
    return _bystander(scene, troubles, service)


def _bystander(scene: Scene, troubles: Sequence[Trouble], service: str) -> tuple[str, dict[str, Json]]:
    """Why a change of a service in which no trouble begins is not the cause."""
    if service and service not in scene.views:
        return "unrelated", {"service": service, "asked": scene.asked or ""}
    view = scene.views.get(service)
    if view is not None and view.felt():
        return "passes_on", {"service": service, "other": ", ".join(each.service for each in troubles)}
    return "as_usual", {"service": service}


def _noise(
    scene: Scene, troubles: Sequence[Trouble], kept: Sequence[Hypothesis], ledger: Ledger
) -> Iterator[RuledOut]:
    used = {point.fields.get("sample") for each in kept for point in each.points}
    for view in scene.views.values():
        others = set(scene.views) - {view.service}
        for line in view.heard.sightings:
            if not line.is_error or line.sample in used or len(line.times) < LEAST_LINES:
                continue
            if mentions(line.sample, others):
                continue  # it passes on what another service said
            reason = _why_noise(troubles, view, line)
            if reason is not None:
                code, fields = reason
                known: dict[str, Json] = {"sample": line.sample, "count": line.pattern.count, **fields}
                yield RuledOut(line.sample, "noise", code, known, (ledger.log(view),))
    for view in scene.elsewhere.values():
        yield from _loud(scene, view, used, ledger)


def _loud(scene: Scene, view: View, used: set[Json], ledger: Ledger) -> Iterator[RuledOut]:
    """Errors of a service that the one asked about does not call, unless they are what it does to that."""
    for line in view.heard.sightings:
        passed_on = mentions(line.sample, scene.views)
        if line.is_error and not passed_on and line.sample not in used and len(line.times) >= LEAST_LINES:
            known: dict[str, Json] = {
                "sample": line.sample,
                "count": line.pattern.count,
                "service": view.service,
                "asked": scene.asked,
            }
            yield RuledOut(line.sample, "noise", "noise.elsewhere", known, (ledger.log(view),))


def _why_noise(troubles: Sequence[Trouble], view: View, line: Sighting) -> tuple[str, dict[str, Json]] | None:
    if not troubles:
        return "noise.harmless", {"service": view.service}
    here = [each for each in troubles if each.service == view.service]
    onset = (here or troubles)[0].onset
    gap = (line.first - onset.at).total_seconds()
    if line.first < onset.at - onset.within:
        earlier = line.count(line.first, onset.at - onset.within)
        return "noise.before", {"gap": round(-gap), "earlier": earlier, "service": view.service}
    if line.first > onset.at + onset.within + LAGS:
        return "noise.after", {"gap": round(gap), "service": view.service}
    failing = any(each.metric.name != "latency_p95" for each in view.felt())
    return None if failing else ("noise.harmless", {"service": view.service})
