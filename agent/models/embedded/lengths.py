"""Lengths of time as people say them, in English and French, and their normal form (`90s`, `15m`, `2h`, `7d`)."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from agent.models.embedded.numerals import NUMERAL, number

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK, MONTH, YEAR = timedelta(days=7), timedelta(days=30), timedelta(days=365)

_UNITS = {
    r"seconds?|secondes?|secs?|s": SECOND,
    r"minutes?|mins?|mn|m": MINUTE,
    r"hours?|heures?|hrs?|hr|h": HOUR,
    r"days?|jours?|journees?|d|j": DAY,
    r"weeks?|semaines?|wks?|w": WEEK,
    r"fortnights?": 2 * WEEK,
    r"months?|mois|mo": MONTH,
    r"years?|ans?|annees?": YEAR,
}
UNIT = "|".join(_UNITS)
_RECENT = r"last|past|previous|derniere?s?|precedent(?:e?s?)|passe(?:e?s?)|ecoule(?:e?s?)"
_LONGEST = 10 * YEAR  # what is longer is a slip, and no window of an operation


def unit(word: str) -> timedelta | None:
    """The length of one second, minute, ... by any of its names."""
    return next((length for names, length in _UNITS.items() if re.fullmatch(names, word)), None)


def short(length: timedelta) -> str:
    """The normal form of a length, in the largest unit of s, m, h and d that leaves no rest."""
    seconds = max(1, round(length.total_seconds()))
    for letter, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def lengths(text: str) -> Iterator[tuple[tuple[int, int], timedelta]]:
    """Every length of time in a folded text, with its span; readings may overlap."""
    for pattern, rule in _RULES:
        for match in pattern.finditer(text):
            begins = match.start() == 0 or not text[match.start() - 1].isalnum()
            if begins and (length := rule(match)) is not None and timedelta() < length < _LONGEST:
                yield match.span(), length


def _times(count: str | None, size: timedelta | None) -> timedelta | None:
    value = number(count) if count else 1.0
    if value is None or size is None or value * size.total_seconds() > _LONGEST.total_seconds():
        return None
    return value * size


def _quarters(match: re.Match[str]) -> timedelta | None:
    return _times(match["count"], 15 * MINUTE)


def _half(match: re.Match[str]) -> timedelta | None:
    size = unit(match["unit"])
    return None if size is None else size / 2


def _and_a_half(match: re.Match[str]) -> timedelta | None:
    size = unit(match["unit"])
    whole = _times(match["count"], size)
    return None if size is None or whole is None else whole + size / 2


def _hours_and_minutes(match: re.Match[str]) -> timedelta | None:
    hours, minutes = int(match["hours"][:4]), int(match["minutes"])
    return hours * HOUR + minutes * MINUTE if minutes < 60 else None


def _counted(match: re.Match[str]) -> timedelta | None:
    if re.fullmatch(r"[45]\d\ds", match[0]):  # "any 502s" are answers, not seconds
        return None
    return _times(match["count"], unit(match["unit"]))


def _one(match: re.Match[str]) -> timedelta | None:
    return unit(match["unit"])


_BEFORE_ONE = "|".join(
    f"(?<= {word} )" for word in ("for", "over", "within", "past", "last", "since", "about", "around")
)
_HOURS = r"\b(?P<hours>\d{1,4}) ?(?:h|hours?|heures?)"
_LATELY, _GONE = rf"(?:(?:{_RECENT}) )?", rf"(?: (?:{_RECENT})\b)?"
_LONG_UNIT = r"(?:second|minute|hour|seconde|heure|day|jour|journee)"
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], timedelta | None]]] = [
    (re.compile(pattern), rule)
    for pattern, rule in (
        # a quarter of an hour, three quarters of an hour, trois quarts d'heure
        (rf"(?:(?P<count>{NUMERAL}) )?(?:an? |le |la )?quart(?:er)?s?(?: of an? | d' ?)(?:hour|heure)\b", _quarters),
        # half an hour, une demi-heure, la dernière demi-heure
        (r"(?:an? |une |la derniere |l' ?)?(?:half|demie?)[ -](?:an? )?(?P<unit>hour|heure|day|journee)\b", _half),
        # an hour and a half, two and a half hours, deux heures et demie
        (rf"(?:an? |une? )?(?:(?P<count>{NUMERAL}) )?(?P<unit>hour|heure|day|jour|minute)s? (?:and a half|et demie?)\b",
         _and_a_half),
        (rf"(?P<count>{NUMERAL}) and a half (?P<unit>hour|day|minute)s?\b", _and_a_half),
        # 1h30, 2 hours and 15 minutes
        (rf"{_HOURS}(?: (?:and |et )?)?(?P<minutes>\d{{1,2}}) ?(?:m|mins?|mn|minutes?)?\b(?!\.\d)", _hours_and_minutes),
        # 30 minutes, 24h, les 90 dernières minutes, a couple of hours
        (rf"(?P<count>{NUMERAL})[ -]?(?:or so |full |good )?{_LATELY}(?P<unit>{UNIT})(?![\w']){_GONE}", _counted),
        # "for an hour", "a day ago"; but "errors an hour" is a rate
        (rf"(?:^|{_BEFORE_ONE})an? (?P<unit>{_LONG_UNIT}|week|month|year|fortnight)\b", _one),
        (rf"\ban? (?P<unit>{_LONG_UNIT}|week|month|year|fortnight)\b(?= ago\b)", _one),
        # the last hour, la dernière heure, the past week
        (rf"(?:\bthe |\bla |\bl' ?|\ble )?\b(?:{_RECENT}) (?P<unit>{_LONG_UNIT})\b", _one),
        (r"(?:\bthe )?\bpast (?P<unit>week|fortnight|month|year)\b", _one),
        (r"(?:over|within|during) the last (?P<unit>week|fortnight|month|year)\b", _one),
        (rf"\b(?P<unit>{_LONG_UNIT}|semaine) (?:passee|ecoulee)\b", _one),
    )
]  # fmt: skip
