"""Times of day: noon, 9am, 14:30, 14h30, midi."""

import re
from collections.abc import Mapping
from datetime import datetime

_NAMED = r"(?P<noon>noon|midday|midi)|(?P<midnight>midnight|minuit)"
# A time of day by itself, and one that only its place in a sentence tells ("between 9 and 11:30", "depuis 14h").
CLOCK = rf"(?:{_NAMED}|(?P<hour>\d{{1,2}})(?:(?::|h)(?P<minute>\d{{2}}) ?(?P<half>[ap]m\b)?| ?(?P<half2>[ap]m\b)))"
LOOSE_CLOCK = (
    rf"(?:{_NAMED}|(?P<hour>\d{{1,2}})(?: ?(?:[:h]|heures?) ?(?P<minute>\d{{2}})?)?(?: ?(?P<half>[ap]m\b))?)"
)
_RANGE = re.compile(
    rf"\b(?:between|from|entre|de) (?P<first>{LOOSE_CLOCK.replace('?P<', '?P<first_')}) (?:and|to|et|a|until|till|-) "
    rf"(?P<last>{LOOSE_CLOCK.replace('?P<', '?P<last_')})(?!\w)"
)
_TELLS = ("noon", "midnight", "minute", "half")


def time_of_day(groups: Mapping[str, str | None], day: datetime, prefix: str = "") -> datetime | None:
    """The moment of `day` (a midnight) that the groups of a match name, or `None`."""
    said = {
        name.removeprefix(prefix): value
        for name, value in groups.items()
        if value and name.startswith(prefix)
    }
    if "noon" in said:
        return day.replace(hour=12)
    if "midnight" in said:
        return day
    if "hour" not in said:
        return None
    hour, minute, half = (
        int(said["hour"]),
        int(said.get("minute", 0)),
        said.get("half") or said.get("half2", ""),
    )
    if half.startswith("p") and hour < 12:
        hour += 12
    elif half.startswith("a") and hour == 12:
        hour = 0
    return day.replace(hour=hour, minute=minute) if hour < 24 and minute < 60 else None


def ranges(text: str, day: datetime) -> list[tuple[tuple[int, int], datetime, datetime]]:
    """Every "between 9 and 11:30" of a folded text on `day`, with its span. "From 3 to 6" counts something else."""
    found = []
    for match in _RANGE.finditer(text):
        groups = match.groupdict()
        told = any(groups[f"{end}_{name}"] for end in ("first", "last") for name in _TELLS)
        if not told and not re.search(r"\d ?h(?:eures?)?\b", match[0]):
            continue
        start, end = time_of_day(groups, day, "first_"), time_of_day(groups, day, "last_")
        if start is not None and end is not None:
            found.append((match.span(), start, end))
    return found
