"""Lengths and instants as arguments write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.contract import BadArguments
from tools.times import instant, iso, length, spoken, window, written

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


@given(st.integers(1, 999_999))
def test_a_length_is_read_as_it_was_written(seconds: int) -> None:
    assert length(written(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m5", "-5m", "5 parsecs", "0m", "1e3s"])
def test_what_is_no_length_is_none(text: str) -> None:
    assert length(text) is None


def test_an_instant_without_an_offset_is_meant_here() -> None:
    assert instant("2026-11-23T07:00:00", PARIS) == NOW
    assert instant("2026-11-23T06:00:00Z", PARIS) == NOW
    assert instant("2026-11-23", PARIS) == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert instant("yesterday", PARIS) is None


def test_a_window_ends_now_at_the_latest() -> None:
    found = window("2h", "2027-01-01", NOW, PARIS)
    assert (found.start, found.end) == (NOW - timedelta(hours=2), NOW)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [("2026-12-01", None, "since"), ("1h", "2026-11-23T05:00:00Z", "until"), ("1h", "soon", "until")],
)
def test_an_impossible_window_names_the_argument_that_is_wrong(
    since: str, until: str | None, field: str
) -> None:
    with pytest.raises(BadArguments) as caught:
        window(since, until, NOW, UTC)
    assert caught.value.field == field


def test_facts_are_in_utc_and_people_read_their_own_clock() -> None:
    assert iso(NOW) == "2026-11-23T06:00:00Z"
    assert iso(NOW.replace(microsecond=120_000)) == "2026-11-23T06:00:00.120Z"
    assert spoken(window("2h", None, NOW, PARIS), PARIS) == "2026-11-23 05:00:00 to 07:00:00 CET"
