"""The sections of a report by what they are about, whatever they are called, in English and French."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from knowledge.incidents.extents import lines, trimmed
from knowledge.incidents.wording import says_nothing
from knowledge.port import Document, Extent, Part


class Topic(StrEnum):
    """What a section of a report is about."""

    SYMPTOM = auto()
    IMPACT = auto()
    SUMMARY = auto()
    TIMELINE = auto()
    CAUSE = auto()
    FACTORS = auto()
    FIX = auto()
    ACTIONS = auto()
    LESSONS = auto()
    OTHER = auto()


_CALLED = {
    Topic.FACTORS: r"""contributing (?:factors?|causes?) | factors | facteurs\b.*""",
    Topic.LESSONS: r"""
        lessons?\b.* | what went\b.* | where we got lucky | leçons?\b.* | enseignements?\b.* | retour d'expérience
    """,
    Topic.ACTIONS: r"""
        (?:corrective |preventive |preventative )?action(?:s| items?| plan|s correctives)? | follow[- ]?ups?\b.*
        next steps | to[- ]?dos? | prevention | preventing\b.* | suivi | suites | prochaines étapes | prévention
    """,
    Topic.CAUSE: r"""
        (?:probable |technical |underlying |direct |proximate )?causes?(?: (?:analysis|racines?|premières?|probables?))?
        causes? (?:and|et|&)\b.* | root[- ]causes?\b.* | triggers? | rca | (?:five )?whys
        why (?:it|this|did)\b.* | what (?:caused|broke|was it)\b.* | (?:the )?underlying (?:issue|problem)
        pourquoi\b.* | origines? | déclencheur
    """,
    Topic.FIX: r"""
        (?:the )?fix(?:es)?(?: and\b.*)? | what (?:fixed|helped|solved|resolved|worked|we did)\b.*
        (?:resolution|mitigation|remediation|recovery|correction|solution|workaround)s?(?: (?:and|et|&)\b.*| steps)?
        how (?:it|this|we|was it) (?:was )?(?:fixed|resolved|solved|mitigated|recovered)\b.* | correctifs? | résolution
        rétablissement | remède | contournement | ce qui a (?:aidé|réglé|corrigé|marché)\b.*
    """,
    Topic.TIMELINE: r"""(?:incident )?time ?lines?\b.* | sequence of events | chronolog\w+\b.* | déroul\w+\b.*""",
    Topic.SYMPTOM: r"""
        symptom(?:s|e|es)?\b.* | symptômes?\b.* | what it looked like | constats?
        what (?:we|users|customers|people) (?:saw|noticed) | ce qu[e'] ?\w+ (?:a|ont) vu
    """,
    Topic.IMPACT: r"""
        (?:user |customer |business |service )?(?:impacts?|effects?)\b.* | conséquences | effets?\b.*
    """,
    Topic.SUMMARY: r"""
        (?:executive |incident |issue )?summary | overview | abstract | tl;?dr | what happened | en bref | problème
        problem(?: statement| description)? | (?:incident |issue )?description | résumé | synthèse | ce qui s'est passé
        que s'est-il passé
    """,
}
_TOPICS = tuple(
    (topic, re.compile("|".join(re.split(r"\s+\|\s+|\s*\n\s*", called.strip())), re.IGNORECASE))
    for topic, called in _CALLED.items()
)
_MARKS = " \t#*_=-:?!.0123456789)"
_UNDERLINE = re.compile(r"[=\-~^\"'*+#]{3,}")
_LABEL = re.compile(
    r"(?:[-*+•]\s+)?(?:\*\*|__)?(?P<label>[^\W\d][^:*_|\n]{2,40}?)(?:\*\*|__)?\s?:(?:\*\*|__)?(?=\s|$)\s*"
)
_LABELLED = frozenset({Topic.SYMPTOM, Topic.IMPACT, Topic.CAUSE, Topic.FIX})


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of a report, without its heading. `labelled` ones are lines such as "Root cause: ..." within another."""

    topic: Topic
    extent: Extent
    labelled: bool = False


def topic_of(heading: str) -> Topic:
    """What a heading announces. Numbers, marks and what stands in brackets say nothing."""
    plain = re.sub(r"\s*[\(\[].*?[\)\]]", "", heading.replace("’", "'")).strip(_MARKS)
    return next((topic for topic, words in _TOPICS if words.fullmatch(plain)), Topic.OTHER)


def sections(document: Document) -> tuple[Section, ...]:
    """The sections of a page that hold anything, in order; what stands before them is a summary."""
    found: list[Section] = []
    for index, part in enumerate(document.parts):
        extent = trimmed(document.text, _body(document.text, part))
        if extent[0] >= extent[1] or says_nothing(document.text[extent[0] : extent[1]][:200].split("\n")[0]):
            continue
        topic = _topic(part.headings, opening=index <= 1)
        found += [Section(topic, extent), *_labelled(document.text, extent)]
    return tuple(found)


def _topic(headings: Sequence[str], *, opening: bool) -> Topic:
    """A section is about what its heading says, or else the one above; the text below the title sums up."""
    told = next((topic for h in reversed(headings) if (topic := topic_of(h)) is not Topic.OTHER), Topic.OTHER)
    return Topic.SUMMARY if told is Topic.OTHER and opening and len(headings) <= 1 else told


def _body(text: str, part: Part) -> Extent:
    """What a part holds below its heading."""
    start = part.start
    if part.headings:
        for _ in range(3):  # the heading, an underline, and blank lines between
            end = text.find("\n", start, part.end)
            line = text[start : end if end >= 0 else part.end].strip()
            same = line.strip(_MARKS) == part.headings[-1].strip(_MARKS)
            if line and not same and not _UNDERLINE.fullmatch(line):
                break
            start = end + 1 if end >= 0 else part.end
    return start, part.end


def _labelled(text: str, extent: Extent) -> Iterator[Section]:
    """Lines that say themselves what they are about, up to the next such line or an empty one."""
    for start, end in lines(text, extent):
        label = _LABEL.match(text, start, end)
        topic = topic_of(label["label"]) if label else Topic.OTHER
        if label is None or topic not in _LABELLED:
            continue
        body = label.end()
        stop = _paragraph_end(text, body, extent[1])
        body, stop = trimmed(text, (body, stop))
        if body < stop and not says_nothing(text[body:end] if body < end else text[body:stop]):
            yield Section(topic, (body, stop), labelled=True)


def _paragraph_end(text: str, start: int, end: int) -> int:
    """Where the text of a label ends: at an empty line, a list item or another label."""
    at = start
    while at < end:
        stop = text.find("\n", at, end)
        if stop < 0:
            return end
        line_end = text.find("\n", stop + 1, end)
        following = text[stop + 1 : line_end if line_end >= 0 else end]
        begun = bool(text[start:stop].strip())
        if begun and (
            not following.strip() or re.match(r"\s*[-*+•]\s", following) or _LABEL.match(following.lstrip())
        ):
            return stop
        at = stop + 1
    return end
