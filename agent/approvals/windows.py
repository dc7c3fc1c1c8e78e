"""Times when a rule is open or shut: hours of the week, weekly and dated freezes, and who may override them.

Times are wall-clock times of a zone. Where a clock change makes one happen twice or not at all, the reading counts
that keeps the rule shut for longer: a freeze begins at the earlier instant and ends at the later one.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tools.contract import Json

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "|".join(DAYS)
_TIME = r"([01]?\d|2[0-4]):([0-5]\d)"
_MOMENT = re.compile(rf"({_DAY})[a-z]*\s+{_TIME}", re.IGNORECASE)
_SOME = rf"(?:{_DAY})(?:-(?:{_DAY}))?"
_OPEN = re.compile(rf"(daily|{_SOME}(?:,{_SOME})*)\s+{_TIME}\s*-\s*{_TIME}", re.IGNORECASE)
HOURS = (
    "hours "  # what shuts a rule outside its hours is called so; no freeze can be, for its name has no space
)
WEEK = 7 * 24 * 60  # minutes
MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True)
class Override:
    """What it takes to act although the rule is shut: other approvers (else the rule's own), and more of them."""

    quorum: int
    approvers: frozenset[str] = frozenset()
    reason_required: bool = True

    def as_json(self) -> dict[str, Json]:
        return {
            "quorum": self.quorum,
            "approvers": sorted(self.approvers),
            "reason_required": self.reason_required,
        }


@dataclass(frozen=True, slots=True)
class Shut:
    """A rule that is shut at the moment asked about: by what, until when, and what would override it."""

    name: str
    until: datetime
    override: Override | None


@dataclass(frozen=True, slots=True)
class Weekly:
    """From one moment of the week to another, in minutes since Monday 00:00; it may run over Sunday."""

    start: int
    end: int
    said: str

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the span that `at` lies in ends; None where it lies in none."""
        local = at.astimezone(zone)
        monday = datetime.combine(local.date() - timedelta(days=local.weekday()), time())
        for week in (-1, 0, 1):
            begins = monday + timedelta(weeks=week, minutes=self.start)
            ends = begins + timedelta(minutes=(self.end - self.start) % WEEK)
            if earliest(begins, zone) <= at < latest(ends, zone):
                return latest(ends, zone)
        return None


@dataclass(frozen=True, slots=True)
class Dated:
    """From one date and time to another, without a zone of its own."""

    start: datetime
    end: datetime
    said: str

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """As `Weekly.until`."""
        ends = latest(self.end, zone)
        return ends if earliest(self.start, zone) <= at < ends else None


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing the rule covers may happen, except by its override."""

    name: str
    span: Weekly | Dated
    zone: str = "UTC"
    override: Override | None = None

    def shut(self, at: datetime) -> Shut | None:
        """Whether it is on."""
        until = self.span.until(at, ZoneInfo(self.zone))
        return None if until is None else Shut(self.name, until, self.override)

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "span": self.span.said,
            "zone": self.zone,
            "override": self.override.as_json() if self.override else None,
        }


@dataclass(frozen=True, slots=True)
class Open:
    """Days of the week (Monday is 0) and the minutes between which they are open; `end` may lie on the next day."""

    days: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hours:
    """The only times at which what the rule covers may happen, except by its override."""

    opens: tuple[Open, ...]
    said: str
    zone: str = "UTC"
    override: Override | None = None

    def shut(self, at: datetime) -> Shut | None:
        """Whether it is outside the hours; it ends when they next begin."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        starts = []
        for offset in range(-1, 9):
            day = today + timedelta(days=offset)
            midnight = datetime.combine(day, time())
            for part in self.opens:
                if day.weekday() in part.days:
                    begins = latest(midnight + timedelta(minutes=part.start), zone)
                    length = (part.end - part.start) % MIDNIGHT or MIDNIGHT
                    ends = earliest(midnight + timedelta(minutes=part.start + length), zone)
                    if begins <= at < ends:
                        return None
                    starts.append(begins)
        return Shut(f"{HOURS}{self.said}", min(begin for begin in starts if begin > at), self.override)

    def as_json(self) -> dict[str, Json]:
        return {
            "open": self.said,
            "zone": self.zone,
            "override": self.override.as_json() if self.override else None,
        }


def earliest(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant that a wall clock of `zone` may be read as `local`."""
    return min(_readings(local, zone))


def latest(local: datetime, zone: ZoneInfo) -> datetime:
    """The last one."""
    return max(_readings(local, zone))


def _readings(local: datetime, zone: ZoneInfo) -> list[datetime]:
    return [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]


def span(start: object, end: object) -> Weekly | Dated:
    """A span as people write it: two moments of the week, or two dates. Raises `ValueError`."""
    said = f"{_written(start)} - {_written(end)}"
    weekly = [_MOMENT.fullmatch(str(moment).strip()) for moment in (start, end)]
    if weekly[0] and weekly[1]:
        minutes = [
            DAYS.index(found[1].lower()) * MIDNIGHT + clock(found[2], found[3]) for found in weekly if found
        ]
        if minutes[0] % WEEK == minutes[1] % WEEK:
            raise ValueError("should end at another moment of the week than it begins")
        return Weekly(minutes[0], minutes[1], said)
    if weekly[0] or weekly[1]:
        raise ValueError(
            "should have two moments of the week (fri 16:00, mon 08:00) or two dates, not one of each"
        )
    dated = Dated(moment(start), moment(end), said)
    if dated.end <= dated.start:
        raise ValueError("should end after it begins")
    return dated


def moment(written: object) -> datetime:
    """A date, or a date and time, without a zone. Raises `ValueError`."""
    if isinstance(written, str):
        try:
            written = datetime.fromisoformat(written.strip())
        except ValueError:
            raise ValueError(
                f"{written!r} should be a moment of the week such as 'fri 16:00', or a date such as 2026-12-20 "
                "or '2026-12-20 16:00'"
            ) from None
    if isinstance(written, date) and not isinstance(written, datetime):
        return datetime.combine(written, time())
    if not isinstance(written, datetime):
        raise ValueError(f"{written!r} should be a moment such as 'fri 16:00' or 2026-12-20")  # noqa: TRY004 - pydantic turns ValueError into its own
    if written.tzinfo is not None:
        raise ValueError(f"{written.isoformat()} should have no zone of its own; say `zone`")
    return written


def next_moment(written: object, now: datetime, zone: ZoneInfo) -> datetime:
    """A moment as people write it: a date and time, else the next such moment of the week. Raises `ValueError`."""
    if isinstance(written, str) and (found := _MOMENT.fullmatch(written.strip())):
        minutes = DAYS.index(found[1].lower()) * MIDNIGHT + clock(found[2], found[3])
        local = now.astimezone(zone)
        monday = datetime.combine(local.date() - timedelta(days=local.weekday()), time())
        moments = [earliest(monday + timedelta(weeks=week, minutes=minutes), zone) for week in (0, 1, 2)]
        return next(one for one in moments if one >= now)
    if isinstance(written, str):
        try:
            written = datetime.fromisoformat(written.strip())
        except ValueError:
            raise ValueError(
                f"{written!r} should be a time such as '2026-12-20 16:00' or 'fri 16:00'"
            ) from None
    if isinstance(written, datetime) and written.tzinfo is not None:
        return written.astimezone(UTC)
    return earliest(moment(written), zone)


def opening(written: str) -> Open:
    """Hours as people write them: `mon-fri 09:00-17:00`, `sat,sun 10:00-12:00`, `daily 06:00-22:00`."""
    found = _OPEN.fullmatch(written.strip())
    if found is None:
        raise ValueError(
            f"{written!r} should be days and times such as 'mon-fri 09:00-17:00' or 'daily 06:00-22:00'"
        )
    return Open(_days(found[1].lower()), clock(found[2], found[3]), clock(found[4], found[5]))


def clock(hours: str, minutes: str) -> int:
    """Minutes since midnight. Raises `ValueError` after 24:00."""
    total = int(hours) * 60 + int(minutes)
    if total > MIDNIGHT:
        raise ValueError(f"{hours}:{minutes} is no time of the day")
    return total


def _days(written: str) -> frozenset[int]:
    if written == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in written.split(","):
        ends = [DAYS.index(day) for day in part.split("-")]
        found |= {(ends[0] + step) % 7 for step in range((ends[-1] - ends[0]) % 7 + 1)}
    return frozenset(found)


def _written(value: object) -> str:
    return value.isoformat(sep=" ", timespec="minutes") if isinstance(value, datetime) else str(value)
