"""Reads a chat thread in which an incident was fought: how it opened, what it turned out to be, what helped."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from knowledge.incidents.extents import excerpt, sentences, trimmed
from knowledge.incidents.wording import (
    LABELLED,
    LEANING,
    PASSING,
    cause_weight,
    fix_weight,
    key_in,
    says_it_is_over,
    says_it_is_well,
    severity_in,
    tells_trouble,
)
from knowledge.port import Document, Extent, Incident, Part

_ROOM = re.compile(r"#[\w-]*(?:incident|outage|war-?room|panne|crise|crisis)[\w-]*", re.IGNORECASE)
_DECLARED = re.compile(r"\b(?:outage|panne|incident)\b", re.IGNORECASE)
_NEXT = re.compile(
    r"^\W*[^\W\d][\w ']{1,40}:|^\W*(?:post-?mortem|closed|closing|thanks|merci)\b", re.IGNORECASE
)
_MESSAGE = 400  # characters of a message that is quoted whole
_OPENING = 500  # characters of the message that opened it


@dataclass(frozen=True, slots=True)
class _Said:
    """One sentence of a thread, and the message it stands in."""

    extent: Extent
    text: str
    part: Part
    inside: bool  # and it is not the first of that message


def thread_incident(document: Document) -> Incident | None:
    """The incident a thread is about, or None: it opens as one, and somebody says what it was or what helped."""
    if len(document.parts) < 2 or not _opens_as_incident(document):
        return None
    opening, *answers = document.parts
    said = [one for part in answers for one in _sentences(document.text, part)]
    cause = _best(document.text, said, lambda one: _weight(_cause_weight(one), one))
    fix = _best(document.text, said, lambda one: _weight(fix_weight(one.text) or _good_news(one), one))
    if cause is None and fix is None:
        return None
    first = _words(document.text, opening)
    return Incident(
        document.id,
        document.title,
        key_in(first),
        excerpt(document.text, _body(document.text, opening), _OPENING),
        cause,
        fix,
        began=opening.date,
        ended=_ended(said),
        severity=severity_in(first),
    )


def _opens_as_incident(document: Document) -> bool:
    """It is in a channel for incidents, or names one; and it tells of trouble."""
    opening = _words(document.text, document.parts[0])
    named = bool(_is_first(key_in(opening), opening) or severity_in(opening) or _DECLARED.search(opening))
    room = bool(_ROOM.match(document.title))
    if room and key_in(opening) and severity_in(opening):
        return True
    return (room or named) and tells_trouble(opening) and (room or not opening.rstrip().endswith("?"))


def _is_first(key: str | None, opening: str) -> bool:
    """An incident is declared by its name; one that is only mentioned is another's."""
    return key is not None and opening.lstrip(" *_[(").startswith(key)


def _best(text: str, said: Sequence[_Said], weight: Callable[[_Said], float]) -> Extent | None:
    weighed = [(weight(one), -number) for number, one in enumerate(said)]
    most, number = max(weighed, default=(0.0, 0))
    return _quote(text, said, -number) if most >= PASSING else None


def _quote(text: str, said: Sequence[_Said], number: int) -> Extent:
    """A short message whole, of a long one the sentence; after "Root cause:" what follows, up to the next such word."""
    first = said[number]
    start, end = first.extent
    if _labelled(first.text):
        for one in said[number + 1 :]:
            if one.part is not first.part or _NEXT.search(one.text):
                break
            end = one.extent[1]
        return excerpt(text, (start, end))
    whole = trimmed(text, _body(text, first.part))
    return whole if whole[1] - whole[0] <= _MESSAGE else excerpt(text, (start, end))


def _weight(plain: int, one: _Said) -> float:
    """What readers ticked or pinned counts for more; a tick alone says nothing."""
    return plain + (one.part.solves / 2 + 0.5 * one.part.pinned) if plain else 0


def _cause_weight(one: _Said) -> int:
    """A sentence that leans on the one before it will do where both are of one message, which is quoted whole."""
    weight = cause_weight(one.text)
    return PASSING if weight == LEANING and one.inside else weight


def _good_news(one: _Said) -> int:
    """Not said what was done, only that it is well, which counts where somebody ticked it."""
    return PASSING if one.part.solves == 2 and says_it_is_well(one.text) else 0


def _labelled(said: str) -> bool:
    return max(cause_weight(said), fix_weight(said)) >= LABELLED


def _ended(said: Sequence[_Said]) -> datetime | None:
    """When it was declared over; None where nobody did."""
    return next((one.part.date for one in reversed(said) if says_it_is_over(one.text)), None)


def _sentences(text: str, part: Part) -> Iterator[_Said]:
    for number, (start, end) in enumerate(sentences(text, _body(text, part))):
        yield _Said((start, end), text[start:end], part, inside=number > 0)


def _words(text: str, part: Part) -> str:
    start, end = _body(text, part)
    return text[start:end]


def _body(text: str, part: Part) -> Extent:
    """What a message says, without the name before it."""
    name = f"{part.author}: "
    start = part.start + len(name) if text.startswith(name, part.start) else part.start
    return start, part.end
