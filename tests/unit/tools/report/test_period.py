"""Named periods and their rows, in the days of the people who ask."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.contract import BadArguments, Window
from tools.report.period import PERIODS, By, Today, cells, spelled, usual

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)  # a Wednesday
TODAY = Today(NOW, PARIS)


def utc(day: int, hour: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", utc(24, 23), NOW),
        ("yesterday", utc(23, 23), utc(24, 23)),
        ("this_week", utc(22, 23), NOW),
        ("last_week", utc(15, 23), utc(22, 23)),
        ("7d", utc(18, 23), NOW),
        ("this_month", utc(31, 23, 10), NOW),
        ("last_month", utc(30, 22, 9), utc(31, 23, 10)),  # it began in summer time
        ("24h", NOW - timedelta(days=1), NOW),
    ],
)
def test_a_period_is_what_people_mean_by_it(name: str, start: datetime, end: datetime) -> None:
    assert PERIODS[name](TODAY) == Window(start, end)


def test_last_week_has_seven_days_from_monday_on() -> None:
    days = cells(PERIODS["last_week"](TODAY), By.DAY, PARIS)
    assert [day.start.astimezone(PARIS).strftime("%a") for day in days] == [
        "Mon",
        "Tue",
        "Wed",
        "Thu",
        "Fri",
        "Sat",
        "Sun",
    ]


def test_the_day_the_clocks_go_back_has_25_hours() -> None:
    (day,) = cells(Window(utc(24, 22, 10), utc(25, 23, 10)), By.DAY, PARIS)
    assert day.length == timedelta(hours=25)


@given(
    offset=st.timedeltas(timedelta(0), timedelta(days=330)),
    length=st.timedeltas(timedelta(minutes=1), timedelta(days=12)),
    by=st.sampled_from([By.HOUR, By.DAY, By.WEEK]),
)
def test_rows_follow_each_other_and_cover_the_whole(offset: timedelta, length: timedelta, by: By) -> None:
    start = utc(1, 0, 1) + offset
    window = Window(start, start + length)
    found = cells(window, by, PARIS)
    assert (found[0].start, found[-1].end) == (window.start, window.end)
    assert all(one.end == other.start for one, other in itertools.pairwise(found))
    assert all(one.start < one.end for one in found)


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(BadArguments, match="more than 400 rows"):
        cells(Window(NOW - timedelta(days=30), NOW), By.HOUR, PARIS)


@pytest.mark.parametrize(("days", "by"), [(1, By.HOUR), (7, By.DAY), (90, By.WEEK)])
def test_rows_suit_the_length_of_the_time(days: int, by: By) -> None:
    assert usual(Window(NOW - timedelta(days=days), NOW)) is by


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("yesterday", "2026-11-24"),
        ("last_week", "2026-11-16 – 2026-11-22"),
        ("today", "2026-11-25 – 10:30"),
        ("24h", "2026-11-24 10:30 – 2026-11-25 10:30"),
    ],
)
def test_a_period_is_spelled_short(name: str, text: str) -> None:
    assert spelled(PERIODS[name](TODAY), PARIS) == text
