"""What is told of an investigation: the facts that templates use, and the digest a model or a person reads."""

from collections.abc import Sequence
from datetime import tzinfo

from tools.contract import Json
from tools.investigate.attribution import Trouble
from tools.investigate.conditions import figures
from tools.investigate.hypothesis import RULE, Hypothesis, Point, RuledOut
from tools.investigate.ledger import Ledger, cited
from tools.investigate.reasoning import Conclusion
from tools.investigate.recalling import Note
from tools.investigate.signals import Scene
from tools.investigate.undoing import undone
from tools.metrics.telling import figure
from tools.times import clock_time, iso

SHOWN = 4  # hypotheses
ENOUGH = 8  # points of response times, from which a change of level would be seen


def facts(
    scene: Scene, conclusion: Conclusion, ledger: Ledger, incidents: Sequence[Note], runbooks: Sequence[Note],
    not_checked: Sequence[str],
) -> dict[str, Json]:  # fmt: skip
    """Everything the conclusion says, with places of evidence counted from the conclusion's own, which is 1."""
    onset = min((each.onset for each in conclusion.troubles), key=lambda each: each.at, default=None)
    return {
        "service": scene.asked,
        "environment": scene.environment,
        "broken": conclusion.broken,
        "measured": scene.measured,
        "short": _short(scene),
        "onset": iso(onset.at) if onset else None,
        "within_seconds": round(onset.within.total_seconds()) if onset else None,
        "looked_at": list(scene.views),
        "calls": {name: list(called) for name, called in scene.calls.items() if name in scene.views},
        "troubles": [each.service for each in conclusion.troubles],
        "symptoms": _symptoms(scene, conclusion.troubles, ledger),
        "over": _over(scene, conclusion, ledger),
        "hypotheses": [_hypothesis(each, undone(scene, each, ledger)) for each in conclusion.ranked[:SHOWN]],
        "ruled_out": [_ruled(each) for each in conclusion.ruled_out],
        "incidents": [_note(each, ledger) for each in incidents],
        "runbooks": [_note(each, ledger) for each in runbooks],
        "alerts": [{"name": each.name, "cites": [ledger.alerts()]} for each in scene.firing()],
        "not_checked": list(not_checked),
        "rule": RULE,
    }


def _short(scene: Scene) -> bool:
    """Whether the services that were asked about are measured for too short a time to tell slow from usual."""
    asked = [view for view in scene.views.values() if scene.asked in {None, view.service}]
    latencies = [view.course("latency_p95") for view in asked]
    return all(each is None or len(each.points) < ENOUGH for each in latencies)


def _symptoms(scene: Scene, troubles: Sequence[Trouble], ledger: Ledger) -> list[Json]:
    """What is felt: first at the service that was asked about, then where it begins; the usual where all is well."""
    names = dict.fromkeys([*([scene.asked] if scene.asked else []), *(each.service for each in troubles)])
    told: list[Json] = []
    for name in names:
        view = scene.views.get(name)
        if view is None:
            continue
        felt = view.felt()
        usual = [one for key in ("error_rate", "latency_p95") if (one := view.course(key)) is not None]
        shown = felt or (usual if not troubles else ())
        told += [{**figures(one), "worse": one.rose, "cites": [ledger.course(one)]} for one in shown]
    return told


def _over(scene: Scene, conclusion: Conclusion, ledger: Ledger) -> list[Json]:
    """What failed in the time that is looked at and does so no more, where nothing is broken now."""
    if conclusion.broken:
        return []
    told: list[Json] = []
    for view in scene.views.values():
        course = view.course("error_rate")
        if course is not None and course.over is not None:
            begun, ended, mean = course.over
            fields: dict[str, Json] = {
                "service": view.service,
                "metric": course.metric.name,
                "unit": course.metric.unit,
                "since": iso(begun),
                "until": iso(ended),
                "after": float(f"{mean:.3g}"),
            }
            told.append({**fields, "cites": [ledger.course(course)]})
    return told


def _hypothesis(one: Hypothesis, undone_by: dict[str, Json] | None) -> Json:
    change = one.change
    return {
        "kind": one.kind,
        "subject": one.subject,
        "service": one.service,
        "confidence": one.confidence.value,
        "score": one.score,
        "fields": dict(one.fields),
        "undone": undone_by,
        "change": None if change is None else {"at": iso(change.at), "by": change.by, "title": change.title},
        "for": [_point(each) for each in one.points if each.weight > 0],
        "against": [_point(each) for each in one.points if each.weight < 0],
    }


def _point(one: Point) -> Json:
    return {
        "code": one.code,
        "weight": one.weight,
        "source": one.source.value,
        "fields": dict(one.fields),
        "cites": list(one.cites),
    }


def _ruled(one: RuledOut) -> Json:
    return {
        "what": one.what,
        "kind": one.kind,
        "code": one.code,
        "fields": dict(one.fields),
        "cites": list(one.cites),
    }


def _note(one: Note, ledger: Ledger) -> Json:
    past = one.passage.past
    return {
        "about": one.about,
        "title": past.title if past else one.passage.document,
        "key": past.key if past else None,
        "date": iso(past.began)[:10] if past and past.began else None,
        "fix": past.fix if past else None,
        "document": one.passage.document,
        "link": one.passage.link,
        "cites": [ledger.passage(one.passage, one.query)],
    }


# --- the digest ------------------------------------------------------------------------------------------------------


def digest(scene: Scene, conclusion: Conclusion, told: dict[str, Json], zone: tzinfo) -> str:
    """The conclusion in lines, with places of evidence as `[#2]`."""
    lines = [_verdict(scene, conclusion, zone)]
    for number, each in enumerate(conclusion.ranked[:SHOWN], 1):
        lines.append(
            f"{number}. {each.kind}: {each.subject} ({each.confidence.value} confidence, {each.score} points)"
        )
        lines += _undone(told, number - 1)
        lines += [
            f"   {'for' if point.weight > 0 else 'against'} ({point.weight:+d}): {point.code} {_values(point)} "
            f"{cited(point.cites)}"
            for point in each.points
        ]
    for one in conclusion.ruled_out:
        lines.append(f"ruled out: {_safe(one.what)}: {one.code} {_values(one)} {cited(one.cites)}")
    for key in ("incidents", "runbooks"):
        notes = told[key]
        lines += [
            f"{key[:-1]}: {_safe(str(note['title']))} {_places(note['cites'])}"
            for note in (notes if isinstance(notes, list) else [])
            if isinstance(note, dict)
        ]
    unchecked = told["not_checked"]
    lines += [f"not checked: {each}" for each in (unchecked if isinstance(unchecked, list) else [])]
    lines.append(f"confidence by rule: {RULE}")
    return "\n".join(lines)


def _undone(told: dict[str, Json], place: int) -> list[str]:
    """That a cause was taken away already, and what is seen since."""
    ranked = told["hypotheses"]
    one = ranked[place] if isinstance(ranked, list) and place < len(ranked) else None
    done = one.get("undone") if isinstance(one, dict) else None
    if not isinstance(done, dict):
        return []
    parts = [
        f"   undone at {done['at']} by {_safe(str(done['by']))}: {_safe(str(done['title']))} {_places(done['cites'])}"
    ]
    if "errors" in done:
        parts.append(f"   since then {done['errors']} errors logged {_places(done['errors_cites'])}")
    if isinstance(now := done.get("now"), int | float):
        rate = figure(float(now), str(done["unit"]))
        parts.append(f"   since then {done['metric']} {rate} {_places(done['rate_cites'])}")
    return parts


def _verdict(scene: Scene, conclusion: Conclusion, zone: tzinfo) -> str:
    place = f"{scene.asked or 'everything'} in {scene.environment}"
    if conclusion.troubles:
        where = ", ".join(
            f"{each.service} since {clock_time(each.onset.at, zone)}" for each in conclusion.troubles
        )
        return f"{place}: trouble begins in {where}"
    return f"{place}: neither errors nor times of answers are worse than before: nothing is broken"


def _values(one: Point | RuledOut) -> str:
    """The values of a point without those that repeat its name; measures as people write them."""
    values = dict(one.fields)
    unit = values.pop("unit", None)
    parts = []
    for name, value in values.items():
        if value is None or name in {"metric", "by", "at", "first", "now"}:
            continue
        if name in {"before", "after"} and isinstance(value, int | float):
            parts.append(f"{name} {figure(float(value), str(unit or ''))}")
        else:
            parts.append(f"{name} {_safe(str(value))}")
    return ", ".join(parts)


def _safe(text: str) -> str:
    """Text of others, which may not cite."""
    return text.replace("[#", "(#")


def _places(cites: Json) -> str:
    return cited([int(each) for each in cites if isinstance(each, int)]) if isinstance(cites, list) else ""


def headline(scene: Scene, conclusion: Conclusion) -> str:
    """One line for the summary of the call."""
    first = next(iter(conclusion.ranked), None)
    if first is not None and conclusion.troubles:
        return f"likeliest cause: {first.kind} {first.subject} ({first.confidence.value} confidence)"
    known = f"; worth knowing: {first.kind} {first.subject}" if first is not None else ""
    return f"nothing is broken with {scene.asked or 'anything'} in {scene.environment}{known}"
