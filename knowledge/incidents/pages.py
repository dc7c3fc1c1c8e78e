"""Reads a post-mortem page: by its headings first, and where these are silent by what its sentences say."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from knowledge.incidents.extents import excerpt, lines, sentences, trimmed
from knowledge.incidents.moments import moment_in, stretch_in, zone_in
from knowledge.incidents.sections import Section, Topic, sections
from knowledge.incidents.wording import (
    LABELLED,
    OUTRIGHT,
    cause_weight,
    fix_weight,
    key_in,
    leans,
    says_it_is_well,
    severity_in,
    tells_trouble,
)
from knowledge.port import Document, Extent, Incident

_TOLD = re.compile(
    r"post-?\s?mortem|incidents?\b|outage|\brca\b|root cause|\bpannes?\b|\bpm\d{4}|service disruption",
    re.IGNORECASE,
)
_GUIDE = re.compile(
    r"template|how[- ]?to|runbook|playbook|\bguide|\broles\b|modèle|procédure|checklist",
    re.IGNORECASE,
)
_INTRODUCTION = 1000  # characters in which a report names its date, its severity and its key
_ROWS_BACK = 3  # how far before "it works again" what was done may stand in a timeline


def page_incident(document: Document) -> Incident | None:
    """The incident a page reports, or None when it is no report of one."""
    found = sections(document)
    if not _is_report(document, found):
        return None
    text = document.text
    told, timeline = list(_told(text, found)), _timeline(text, found)
    cause = _section(text, found, Topic.CAUSE) or _cause(text, told, timeline)
    fix = _section(text, found, Topic.FIX) or _fix(text, told, timeline)
    symptom = (
        _section(text, found, Topic.SYMPTOM)
        or _section(text, found, Topic.IMPACT)
        or _symptom(text, told, cause)
    )
    if symptom is None and cause is None and fix is None:
        return None
    introduction = document.text[:_INTRODUCTION]
    began, ended = _stretch(document.text, found)
    return Incident(
        document.id,
        document.title,
        key_in(document.title) or key_in(document.id) or key_in(introduction),
        symptom,
        cause,
        fix,
        began=began,
        ended=ended,
        severity=severity_in(introduction),
    )


def _is_report(document: Document, found: Sequence[Section]) -> bool:
    """A page that calls itself a report, or is built like one; no guide, and no runbook, which tells of no past."""
    if key_in(document.title) or key_in(document.id):
        return any(section.topic not in {Topic.OTHER, Topic.SUMMARY} for section in found)
    topics = {section.topic for section in found if not section.labelled} - {Topic.OTHER}
    called = f"{document.title} {document.id}"
    if _GUIDE.search(called):
        return False
    built = Topic.TIMELINE in topics and bool(topics & {Topic.CAUSE, Topic.FACTORS})
    return built or (
        bool(_TOLD.search(called)) and bool(topics - {Topic.SUMMARY, Topic.ACTIONS, Topic.LESSONS})
    )


def _section(text: str, found: Sequence[Section], topic: Topic) -> Extent | None:
    """What the section of that topic begins with; one with a heading before a line with a label."""
    mine = sorted((s for s in found if s.topic is topic), key=lambda s: s.labelled)
    return excerpt(text, mine[0].extent) if mine else None


def _told(text: str, found: Sequence[Section]) -> Iterator[Extent]:
    """The sentences in which a report says what happened."""
    for section in found:
        if section.topic is Topic.SUMMARY and not section.labelled:
            yield from sentences(text, section.extent)


def _timeline(text: str, found: Sequence[Section]) -> list[Extent]:
    return [
        row
        for section in found
        if section.topic is Topic.TIMELINE and not section.labelled
        for row in sentences(text, section.extent)
    ]


def _cause(text: str, told: Sequence[Extent], timeline: Sequence[Extent]) -> Extent | None:
    """The sentence that says it most plainly, the first of several; a row of the timeline must say it outright."""
    weighed = [(cause_weight(text[start:end]), -number) for number, (start, end) in enumerate(told)]
    most, number = max(weighed, default=(0, 0))
    if most:
        start, end = told[-number]
        if leans(text[start:end]) and number:
            start = told[-number - 1][0]
        return excerpt(text, (start, end))
    plain = [row for row in timeline if cause_weight(text[row[0] : row[1]]) >= LABELLED]
    return excerpt(text, plain[0]) if plain else None


def _fix(text: str, told: Sequence[Extent], timeline: Sequence[Extent]) -> Extent | None:
    """What was done and helped: as the summary says it, else what the timeline has right before all was well."""
    weighed = [(fix_weight(text[start:end]), -number) for number, (start, end) in enumerate(told)]
    most, number = max(weighed, default=(0, 0))
    return excerpt(text, told[-number]) if most >= OUTRIGHT else _last_act(text, timeline)


def _last_act(text: str, timeline: Sequence[Extent]) -> Extent | None:
    said = [text[start:end] for start, end in timeline]
    well = max((i for i, one in enumerate(said) if says_it_is_well(one)), default=len(said) - 1)
    near = range(max(0, well - _ROWS_BACK), well + 1)
    weighed = [(weight, i) for i in near if (weight := fix_weight(said[i]))]
    return excerpt(text, timeline[max(weighed)[1]]) if weighed else None


def _symptom(text: str, told: Sequence[Extent], cause: Extent | None) -> Extent | None:
    """What the summary says went wrong, in another sentence than the cause if it can; else the title, as it stands."""
    troubled = [one for one in told if tells_trouble(text[one[0] : one[1]])]
    others = [one for one in troubled if cause is None or not cause[0] <= one[0] < cause[1]]
    if others:
        return excerpt(text, others[0])
    title = re.match(r"#+[ \t]+(.+)", text)
    if title and tells_trouble(title[1]):
        return trimmed(text, title.span(1))
    return excerpt(text, troubled[0]) if troubled else None


def _stretch(text: str, found: Sequence[Section]) -> tuple[datetime | None, datetime | None]:
    """From when to when: as one line says it, or the timeline's first row of trouble and the last that all is well."""
    stretch = stretch_in(text[:_INTRODUCTION], None)
    if stretch:
        return stretch
    rows = [row for s in found if s.topic is Topic.TIMELINE for row in lines(text, s.extent)]
    zone = _zone(text, found)
    dated = [(text[a:b], moment) for a, b in rows if (moment := moment_in(text[a:b], zone))]
    trouble = [moment for line, moment in dated if _tells_trouble(line)]
    well = [moment for line, moment in dated if says_it_is_well(line)]
    began = min(trouble or [moment for _, moment in dated], default=None)
    ended = max(well, default=None)
    return began, ended if ended and began and ended >= began else None


def _tells_trouble(row: str) -> bool:
    event = row.rstrip("| ").rpartition("|")[
        2
    ]  # without the time, whose year may look like an error of the 400s
    return tells_trouble(event) or cause_weight(event) > 0


def _zone(text: str, found: Sequence[Section]) -> timezone | None:
    timelines = [s.extent for s in found if s.topic is Topic.TIMELINE]
    return zone_in("\n".join(text[a:b] for a, b in timelines)) if timelines else None
