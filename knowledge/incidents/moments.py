"""Dates and times of day as reports write them. A time without a zone is no moment: it is left alone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "CET": 1, "BST": 1, "WEST": 1, "CEST": 2, "EET": 2, "EEST": 3}
_ZONE = re.compile(r"\b(UTC|GMT|WES?T|CES?T|BST|EES?T)\b")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier", "february feb février fevrier", "march mar mars", "april apr avril", "may mai",
            "june jun juin", "july jul juillet", "august aug août aout", "september sep sept septembre",
            "october oct octobre", "november nov novembre", "december dec décembre decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_DATE = re.compile(
    r"\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"
    r"|\b(?P<day_first>\d{1,2})(?:st|nd|rd|th|er|\.)?\s+(?:of\s+)?(?P<named>[^\W\d]{3,9})\.?,?\s+(?P<year_last>20\d\d)\b"
    r"|\b(?P<month_first>[^\W\d]{3,9})\.?\s+(?P<day_second>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year_us>20\d\d)\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b([01]?\d|2[0-3])[:h]([0-5]\d)\b")
_RANGE = re.compile(
    r"([01]?\d|2[0-3])[:h]([0-5]\d)\s*(?:to|until|till|-|–|—|à|and|et)\s*([01]?\d|2[0-3])[:h]([0-5]\d)",
    re.IGNORECASE,
)


def zone_in(text: str) -> timezone | None:
    """The time zone a text names, if it names one only."""
    named = {_ZONES[found] for found in _ZONE.findall(text)}
    return timezone(timedelta(hours=named.pop())) if len(named) == 1 else None


def stretch_in(text: str, zone: timezone | None) -> tuple[datetime, datetime] | None:
    """From when to when, where one line says "18 June 2026, 13:44 to 14:21 UTC"."""
    for line in text.splitlines():
        day, hours = next(_days(line), None), _RANGE.search(line)
        here = zone_in(line) or zone
        if day is None or hours is None or here is None:
            continue
        first, last = (int(hours[1]), int(hours[2])), (int(hours[3]), int(hours[4]))
        began, ended = _at(day, first, here), _at(day, last, here)
        return began, ended if ended >= began else ended + timedelta(days=1)
    return None


def moment_in(text: str, zone: timezone | None) -> datetime | None:
    """The first moment of a line that has both a date and a time of day, in UTC."""
    day, hour = next(_days(text), None), _CLOCK.search(text)
    here = zone_in(text) or zone
    return (
        None if day is None or hour is None or here is None else _at(day, (int(hour[1]), int(hour[2])), here)
    )


def _days(text: str) -> Iterator[datetime]:
    for found in _DATE.finditer(text):
        year = found["year"] or found["year_last"] or found["year_us"]
        named = (found["named"] or found["month_first"] or "").lower()
        month = int(found["month"]) if found["month"] else _MONTHS.get(named, 0)
        day = int(found["day"] or found["day_first"] or found["day_second"])
        try:
            yield datetime(int(year), month, day, tzinfo=UTC)
        except ValueError:
            continue


def _at(day: datetime, clock: tuple[int, int], zone: timezone) -> datetime:
    return day.replace(hour=clock[0], minute=clock[1], tzinfo=zone).astimezone(UTC)
