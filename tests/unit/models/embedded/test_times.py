"""Times as people say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.embedded.folding import as_words, fold
from agent.models.embedded.lengths import lengths, short
from agent.models.embedded.numerals import number, whole
from agent.models.embedded.times import times
from agent.models.embedded.when import When, as_length, instant

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 15, 42, tzinfo=UTC)  # a Monday, 16:42 in Paris


def said(text: str) -> When:
    (when,) = times(as_words(text), NOW, PARIS)
    return when


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("over the last 40 minutes", "40m"),
        ("a quarter of an hour", "15m"),
        ("three quarters of an hour", "45m"),
        ("half an hour", "30m"),
        ("an hour and a half", "90m"),
        ("two and a half hours", "150m"),
        ("the past couple of days", "2d"),
        ("in the last 36h", "36h"),
        ("1h30", "90m"),
        ("2 hours and 5 minutes", "125m"),
        ("the last hour", "1h"),
        ("the past fortnight", "14d"),
        ("les 50 dernières minutes", "50m"),
        ("le dernier quart d'heure", "15m"),
        ("trois quarts d’heure", "45m"),
        ("une demi-heure", "30m"),
        ("une heure et demie", "90m"),
        ("les trois derniers jours", "3d"),
        ("depuis deux semaines", "14d"),
        ("il y a vingt minutes", "20m"),
        ("five hours ago", "5h"),
        ("depuis 12h", "12h"),
    ],
)
def test_a_length_has_one_normal_form(text: str, normal: str) -> None:
    assert said(text).length is not None
    assert short(said(text).length or timedelta()) == normal


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("since noon", "2026-11-23T12:00"),
        ("since 9am", "2026-11-23T09:00"),
        ("since 14:30", "2026-11-23T14:30"),
        ("since last tuesday", "2026-11-17T00:00"),
        ("yesterday", "2026-11-22T00:00"),
        ("yesterday at 18:15", "2026-11-22T18:15"),
        ("this morning", "2026-11-23T00:00"),
        ("last night", "2026-11-22T18:00"),
        ("last week", "2026-11-16T00:00"),
        ("on 12 November", "2026-11-12T00:00"),
        ("in March", "2026-03-01T00:00"),
        ("depuis midi", "2026-11-23T12:00"),
        ("depuis 14h", "2026-11-23T14:00"),
        ("depuis hier", "2026-11-22T00:00"),
        ("hier soir", "2026-11-22T18:00"),
        ("avant-hier", "2026-11-21T00:00"),
        ("lundi dernier", "2026-11-16T00:00"),
        ("la semaine dernière", "2026-11-16T00:00"),
        ("le mois dernier", "2026-10-01T00:00"),
        ("le 3 novembre", "2026-11-03T00:00"),
    ],
)
def test_a_point_in_time_is_read_in_the_zone_of_the_person(text: str, start: str) -> None:
    moment = said(text).start
    assert moment is not None
    assert moment.astimezone(PARIS).strftime("%Y-%m-%dT%H:%M") == start


@pytest.mark.parametrize("text", ["between 9 and 11:30", "from 9am to 11:30", "entre 9h et 11h30"])
def test_a_range_of_hours_has_both_ends(text: str) -> None:
    when = said(text)
    assert (when.start, when.end) == (
        datetime(2026, 11, 23, 9, tzinfo=PARIS),
        datetime(2026, 11, 23, 11, 30, tzinfo=PARIS),
    )


@pytest.mark.parametrize(
    "text", ["tomorrow", "in 10 minutes", "next week", "demain", "dans une heure", "at 18:00"]
)
def test_what_lies_ahead_is_marked(text: str) -> None:
    assert said(text).future


@pytest.mark.parametrize(
    "text", ["from 3 to 6 replicas", "any 502s", "errors an hour", "12 workers", "api 2.4"]
)
def test_other_numbers_are_no_times(text: str) -> None:
    assert times(as_words(text), NOW, PARIS) == ()


def test_an_instant_carries_the_offset_of_the_zone() -> None:
    assert instant(NOW, PARIS) == "2026-11-23T16:42:00+01:00"


def test_a_calendar_day_is_a_day_long_whatever_the_hour() -> None:
    assert as_length(said("today"), NOW) == timedelta(days=1)


@given(st.integers(1, 399), st.sampled_from(["seconds", "minutes", "hours", "days", "weeks"]))
def test_a_length_survives_being_written_and_read_again(count: int, unit: str) -> None:
    length = timedelta(**{unit: count})
    (_, read), *_ = sorted(lengths(short(length)), key=lambda found: found[0][0] - found[0][1])
    assert read == length


@given(st.text(max_size=200))
def test_any_text_can_be_searched_for_times(text: str) -> None:
    for when in times(as_words(text), NOW, PARIS):
        assert 0 <= when.span[0] < when.span[1]


@given(st.text(max_size=200))
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a dozen", 12), ("half a dozen", 6), ("une douzaine", 12), ("une demi douzaine", 6), ("a couple of", 2),
        ("twenty-five", 25), ("vingt et un", 21), ("quatre-vingt-dix", 90), ("soixante-dix", 70), ("seventeen", 17),
    ],
)  # fmt: skip
def test_number_words_count(text: str, value: int) -> None:
    assert whole(text) == value


def test_half_of_one_thing_is_no_whole_number() -> None:
    assert whole("1,5") is None
    assert number("1,5") == 1.5
