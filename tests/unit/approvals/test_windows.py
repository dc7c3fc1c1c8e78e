"""Freezes and hours: their borders to the minute, over weeks, zones and changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals.windows import Freeze, Hours, opening, span

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def freeze(start: object, end: object, zone: str = "UTC") -> Freeze:
    return Freeze("freeze", span(start, end), zone)


def hours(*texts: str, zone: str = "UTC") -> Hours:
    return Hours(tuple(opening(text) for text in texts), "; ".join(texts), zone)


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-11-27 15:59:59", False),
        ("2026-11-27 16:00", True),
        ("2026-11-29 23:59", True),
        ("2026-11-30 07:59:59", True),
        ("2026-11-30 08:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", PARIS, NEW_YORK, "Asia/Kolkata"])
def test_a_weekend_freeze_has_exact_borders_in_its_own_zone(moment: str, on: bool, zone: str) -> None:
    found = freeze("fri 16:00", "mon 08:00", zone).shut(at(moment, zone))
    assert (found is not None) is on
    if found is not None:
        assert found.until == at("2026-11-30 08:00", zone)


def test_a_dated_freeze_is_on_from_midnight_to_midnight_of_its_zone() -> None:
    christmas = freeze(date(2026, 12, 20), "2027-01-02", NEW_YORK)
    assert christmas.shut(at("2026-12-20 04:59")) is None
    assert christmas.shut(at("2026-12-20 05:00")) is not None
    assert christmas.shut(at("2027-01-02 04:59")) is not None
    assert christmas.shut(at("2027-01-02 05:00")) is None


def test_a_time_that_happens_twice_begins_early_and_ends_late() -> None:
    """On 2026-10-25 the clocks of Paris go back from 03:00 to 02:00."""
    ending, beginning = freeze("sat 20:00", "sun 02:30", PARIS), freeze("sun 02:30", "sun 12:00", PARIS)
    first, second = at("2026-10-25 02:30", PARIS), at("2026-10-25 02:30", PARIS, fold=1)
    assert second - first == timedelta(hours=1)
    assert ending.shut(second - timedelta(seconds=1)) is not None
    assert ending.shut(second) is None
    assert beginning.shut(first - timedelta(seconds=1)) is None
    assert beginning.shut(first) is not None


def test_a_time_that_does_not_happen_begins_early_and_ends_late() -> None:
    """On 2026-03-29 the clocks of Paris go forward from 02:00 to 03:00."""
    ending, beginning = freeze("sat 20:00", "sun 02:30", PARIS), freeze("sun 02:30", "sun 12:00", PARIS)
    assert ending.shut(at("2026-03-29 00:59")) is not None
    assert ending.shut(at("2026-03-29 01:29")) is not None
    assert ending.shut(at("2026-03-29 01:30")) is None
    assert beginning.shut(at("2026-03-29 00:29")) is None
    assert beginning.shut(at("2026-03-29 00:30")) is not None


def test_over_a_change_of_the_clock_a_weekend_is_an_hour_longer_or_shorter() -> None:
    weekend = freeze("fri 16:00", "mon 08:00", PARIS)
    lengths = {}
    for friday in ("2026-03-27", "2026-10-23", "2026-11-27"):
        begins = at(f"{friday} 16:00", PARIS)
        found = weekend.shut(begins)
        assert found is not None
        lengths[friday] = (found.until - begins) / timedelta(hours=1)
    assert lengths == {"2026-03-27": 63, "2026-10-23": 65, "2026-11-27": 64}


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23 08:59", "2026-11-23 09:00"),
        ("2026-11-23 09:00", None),
        ("2026-11-23 16:59", None),
        ("2026-11-23 17:00", "2026-11-24 09:00"),
        ("2026-11-27 18:00", "2026-11-28 10:00"),
        ("2026-11-28 12:00", "2026-11-30 09:00"),
    ],
)
def test_outside_its_hours_a_rule_is_shut_until_they_begin(moment: str, opens: str | None) -> None:
    found = hours("mon-fri 09:00-17:00", "sat 10:00-12:00", zone=PARIS).shut(at(moment, PARIS))
    assert (found.until if found else None) == (at(opens, PARIS) if opens else None)


def test_hours_may_run_over_midnight() -> None:
    night = hours("fri 22:00-06:00")
    assert night.shut(at("2026-11-28 05:59")) is None
    assert night.shut(at("2026-11-28 06:00")) is not None
    assert night.shut(at("2026-11-27 21:59")) is not None


def test_daily_around_the_clock_is_always_open() -> None:
    assert hours("daily 00:00-24:00").shut(at("2026-11-28 00:00")) is None


@given(st.integers(0, 366 * 24 * 60), st.sampled_from(["UTC", PARIS, NEW_YORK, "Australia/Lord_Howe"]))
def test_a_shut_rule_is_open_again_exactly_when_it_says(minutes: int, zone: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    for window in (
        freeze("fri 16:00", "mon 08:00", zone),
        hours("mon-thu 02:15-09:30", "fri 22:00-02:30", zone=zone),
    ):
        found = window.shut(moment)
        if found is not None:
            assert found.until > moment
            assert window.shut(found.until - timedelta(seconds=1)) is not None
            assert window.shut(found.until) is None


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("friday afternoon", "mon 08:00", "one of each"),
        ("fri 16:00", "2026-12-20", "one of each"),
        ("fri 16:00", "fri 16:00", "another moment"),
        ("2026-12-20", "2026-12-20", "end after it begins"),
        ("2026-12-20 16:00+01:00", "2026-12-21", "no zone"),
        ("someday", "never", "should be a moment of the week such as 'fri 16:00'"),
        ("fri 24:30", "mon 08:00", "no time of the day"),
    ],
)
def test_a_span_that_cannot_be_read_says_what_would_be_right(start: object, end: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        span(start, end)


@pytest.mark.parametrize(
    "text", ["9-17", "mon 9-17", "mon-fri 09:00", "mun 09:00-17:00", "mon-wed-fri 09:00-10:00"]
)
def test_hours_that_cannot_be_read_say_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="mon-fri 09:00-17:00"):
        opening(text)
