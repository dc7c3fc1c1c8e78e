"""Named periods and their cells: days, weeks and hours as the people of one time zone live them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from tools.contract import BadArguments, Window

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MOST_CELLS = 400


class By(StrEnum):
    """What a report has a row for."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Today:
    """The moment a report is made, and the midnights around it."""

    now: datetime
    zone: tzinfo

    @property
    def day(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def monday(self) -> date:
        return self.day - DAY * self.day.weekday()

    def midnight(self, day: date) -> datetime:
        """When a day begins here, in UTC; with summer time days have 23 to 25 hours."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def days(self, first: date, after: date | None = None) -> Window:
        """From the start of `first` to the start of `after`, or to now."""
        end = self.now if after is None else min(self.midnight(after), self.now)
        return Window(self.midnight(first), end)


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


PERIODS: Mapping[str, Callable[[Today], Window]] = {
    "today": lambda today: today.days(today.day),
    "yesterday": lambda today: today.days(today.day - DAY, today.day),
    "24h": lambda today: Window(today.now - DAY, today.now),
    "this_week": lambda today: today.days(today.monday),
    "last_week": lambda today: today.days(today.monday - 7 * DAY, today.monday),
    "7d": lambda today: today.days(today.day - 6 * DAY),
    "this_month": lambda today: today.days(_first_of_month(today.day)),
    "last_month": lambda today: today.days(
        _first_of_month(_first_of_month(today.day) - DAY), _first_of_month(today.day)
    ),
    "30d": lambda today: today.days(today.day - 29 * DAY),
}


def spelled(window: Window, zone: tzinfo) -> str:
    """A window for a chart: the days it holds, or the minutes it runs from and to."""
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    if start.time() == time() and end.time() == time():
        last = end.date() - DAY
        return f"{start:%Y-%m-%d}" if start.date() == last else f"{start:%Y-%m-%d} – {last:%Y-%m-%d}"
    since = f"{start:%Y-%m-%d}" if start.time() == time() else f"{start:%Y-%m-%d %H:%M}"
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{since} – {until}"


def usual(window: Window) -> By:
    """The rows that suit a window: hours up to two days, days up to two months, weeks beyond."""
    if window.length <= 2 * DAY:
        return By.HOUR
    return By.DAY if window.length <= 62 * DAY else By.WEEK


def cells(window: Window, by: By, zone: tzinfo) -> tuple[Window, ...]:
    """The window cut at the hours, midnights or Mondays of `zone`. Raises `BadArguments` when there are too many."""
    if by is By.SERVICE:
        return (window,)
    edges = [window.start]
    for edge in _edges(Today(window.start, zone), by):
        if edge >= window.end:
            break
        if edge > window.start:
            edges.append(edge)
        if len(edges) > MOST_CELLS:
            raise BadArguments(
                f"by = {by.value!r} makes more than {MOST_CELLS} rows of this time", field="by"
            )
    return tuple(Window(start, end) for start, end in zip(edges, [*edges[1:], window.end], strict=True))


def _edges(start: Today, by: By) -> Iterator[datetime]:
    """Where hours, days or weeks begin, from about the start on."""
    if by is By.HOUR:
        edge = start.now.replace(minute=0, second=0, microsecond=0)
        while True:
            yield edge
            edge += HOUR
    day, step = (start.monday, 7 * DAY) if by is By.WEEK else (start.day, DAY)
    while True:
        yield start.midnight(day)
        day += step
