"""A time that was said, and how an argument wants it: as a length, or as an instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from agent.models.embedded.lengths import MINUTE


@dataclass(frozen=True, slots=True)
class When:
    """A time that was said: a `length` back from now, or a `start` with perhaps an `end`.

    `coarse` is the length of the calendar period it names (a day for "yesterday"); `future` times lie ahead;
    `span` is where the words stand in the text.
    """

    span: tuple[int, int]
    length: timedelta | None = None
    start: datetime | None = None
    end: datetime | None = None
    coarse: timedelta | None = None
    future: bool = False


def instant(moment: datetime, zone: tzinfo) -> str:
    """ISO 8601 with the offset of `zone`, to the second."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def as_length(when: When, now: datetime) -> timedelta | None:
    """How long a window must be to hold what was said: the calendar period if one was named."""
    if when.length is not None:
        return when.length
    if when.coarse is not None:
        return when.coarse
    if when.start is None or when.start >= now:
        return None
    minutes = -(-(now - when.start) // MINUTE)
    return max(minutes, 1) * MINUTE
