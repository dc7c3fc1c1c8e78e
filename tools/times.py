"""Lengths of time and instants as arguments write them: `30m`, `7d`, `2026-11-23T12:00:00Z`."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

from pydantic import AfterValidator, Field

from tools.contract import BadArguments, Window

_LENGTH = re.compile(r"(\d{1,6})\s?(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIZES = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def length(text: str) -> timedelta | None:
    """The length of `30s`, `15m`, `2h`, `7d`, `1w`; `None` for anything else and for nothing at all (`0m`)."""
    found = _LENGTH.fullmatch(text.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) or None if found else None


def written(span: timedelta) -> str:
    """A length of time as arguments write it, in the largest unit that leaves no rest."""
    seconds = round(span.total_seconds())
    unit = next((unit for unit, size in _SIZES.items() if seconds % size == 0), "s")
    return f"{seconds // _SIZES[unit]}{unit}"


def instant(text: str, zone: tzinfo) -> datetime | None:
    """An ISO 8601 instant in UTC; one without an offset is meant in `zone`, a bare date is its midnight."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def window(since: str, until: str | None, now: datetime, zone: tzinfo) -> Window:
    """The range from `since` (a length back from now, or an instant) to `until` (an instant, or now).

    Raises `BadArguments` when it is empty or has not begun.
    """
    end = min(_instant("until", until, zone), now) if until else now
    back = length(since)
    start = now - back if back else _instant("since", since, zone)
    if start >= now:
        raise BadArguments(f"since = {since!r} has not come yet", field="since", value=since)
    if start >= end:
        raise BadArguments(f"until = {until!r} is not after since = {since!r}", field="until", value=until)
    return Window(start, end)


def clock_time(moment: datetime, zone: tzinfo = UTC) -> str:
    """An instant for people: `2026-11-23 05:00:07`, in `zone`."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def iso(moment: datetime) -> str:
    """An instant for facts: ISO 8601 in UTC with a `Z`, milliseconds where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def spoken(window: Window, zone: tzinfo) -> str:
    """A window for people, in `zone`."""
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    until = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {until} {start.tzname() or ''}".rstrip()


def _instant(field: str, text: str, zone: tzinfo) -> datetime:
    moment = instant(text, zone)
    if moment is None:
        raise BadArguments(
            f"{field} = {text!r} should be an instant such as 2026-11-23T12:00:00Z", field=field, value=text
        )
    return moment


def _a_length(text: str) -> str:
    if length(text) is None:
        raise ValueError("should be a length of time such as 30s, 15m, 2h or 7d")
    return text.strip()


def _a_start(text: str) -> str:
    if length(text) is None and instant(text, UTC) is None:
        raise ValueError("should be a length back from now such as 30m, 2h or 7d, or an ISO 8601 instant")
    return text.strip()


def _an_instant(text: str) -> str:
    if instant(text, UTC) is None:
        raise ValueError("should be an ISO 8601 instant such as 2026-11-23T12:00:00Z")
    return text.strip()


Length = Annotated[str, AfterValidator(_a_length), Field(description="30s, 15m, 2h, 7d")]
Since = Annotated[str, AfterValidator(_a_start)]
Until = Annotated[str, AfterValidator(_an_instant)]
