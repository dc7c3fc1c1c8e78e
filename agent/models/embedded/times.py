"""All times in a sentence, in English and French: what lies ahead, ranges, windows, lengths."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from agent.models.embedded.clock import ranges
from agent.models.embedded.lengths import DAY, UNIT, lengths
from agent.models.embedded.numerals import NUMERAL
from agent.models.embedded.when import When
from agent.models.embedded.windows import Calendar

_AHEAD = re.compile(
    r"\b(?:tomorrow|demain|tonight|ce soir|later(?: today)?|plus tard|this evening"
    r"|next (?:week ?end|week|month|sprint|quarter|year"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday|time)|apres demain"
    r"|(?:la )?semaine prochaine|(?:le )?(?:mois|trimestre|week ?end) prochain"
    r"|(?:l' ?)?an(?:nee)? prochaine?"
    rf"|(?:in|dans|d' ?ici) (?:an? |une |about |environ )?(?:{NUMERAL} ?|half an? "
    rf"|une demi )?(?:{UNIT})(?!\w))(?:'s)?"
)
_AGO = re.compile(r" ago\b")
_IL_Y_A = re.compile(r"\b(?:il )?y a (?:environ |a peu pres )?$")


def times(text: str, now: datetime, zone: tzinfo) -> tuple[When, ...]:
    """The times said in a folded text, in order and without overlaps, the longest reading of each place."""
    calendar = Calendar(now.astimezone(zone))
    kept: list[When] = []
    for found in (_ahead(text), _ranges(text, calendar), calendar.windows(text), _lengths(text)):
        for when in sorted(found, key=lambda candidate: candidate.span[0] - candidate.span[1]):
            if all(when.span[1] <= other.span[0] or other.span[1] <= when.span[0] for other in kept):
                kept.append(when)
    return tuple(sorted(kept, key=lambda when: when.span))


def _ahead(text: str) -> Iterator[When]:
    yield from (When(match.span(), future=True) for match in _AHEAD.finditer(text))


def _ranges(text: str, calendar: Calendar) -> Iterator[When]:
    """Ranges of hours of today, or of yesterday when today's have not begun."""
    for span, start, end in ranges(text, calendar.today):
        shift = DAY if start > calendar.now else timedelta()
        yield When(span, start=start - shift, end=(end if end > start else end + DAY) - shift)


def _lengths(text: str) -> Iterator[When]:
    """Lengths, together with what turns them back from now: "ago", "il y a"."""
    for (start, end), length in lengths(text):
        ago, il_y_a = _AGO.match(text, end), _IL_Y_A.search(text, 0, start)
        yield When((il_y_a.start() if il_y_a else start, ago.end() if ago else end), length=length)
