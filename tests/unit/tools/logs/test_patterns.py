"""What log lines have in common."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.logs.patterns import Pattern, Patterns
from tools.logs.port import Level, Line

START = datetime(2026, 11, 23, tzinfo=UTC)


def mined(*messages: str, level: Level = Level.ERROR) -> list[Pattern]:
    patterns = Patterns()
    for second, message in enumerate(messages):
        patterns.add(Line(START + timedelta(seconds=second), level, "payments", message, "2.4.0", message))
    return patterns.top(100)


def test_numbers_identifiers_and_lengths_of_time_are_one_pattern() -> None:
    (found,) = mined(
        "charged order 12 for 9d8f6c2e-0f8e-4b5e-9a37-5b1c2d3e4f50 in 31ms from 10.0.0.1:80",
        "charged order 977 for 11111111-2222-3333-4444-555555555555 in 1.5s from 10.0.0.2:81",
    )
    assert found.count == 2
    assert found.template == "charged order <NUM> for <UUID> in <DURATION> from <IP>"


def test_what_never_changes_is_shown_as_it_stands() -> None:
    (found,) = mined(*["payment failed: payments answered 503"] * 3)
    assert found.template == "payment failed: payments answered 503"


def test_only_the_words_that_change_are_masked() -> None:
    (found,) = mined("8 of 8 connections in use, waited 750 ms", "8 of 8 connections in use, waited 751 ms")
    assert found.template == "8 of 8 connections in use, waited <NUM> ms"


def test_different_messages_are_different_patterns_most_first() -> None:
    found = mined("disk full", "connection refused by host", "disk full")
    assert [(each.template, each.count) for each in found] == [
        ("disk full", 2),
        ("connection refused by host", 1),
    ]


def test_a_pattern_knows_its_first_and_last_line_in_any_order() -> None:
    patterns = Patterns()
    for second in (5, 1, 9):
        at = START + timedelta(seconds=second)
        patterns.add(Line(at, Level.ERROR, "payments", "no", f"2.{second}", ""))
    (found,) = patterns.top(1)
    assert (found.first, found.last) == (START + timedelta(seconds=1), START + timedelta(seconds=9))
    assert found.versions == {"2.5", "2.1", "2.9"}


def test_levels_are_kept_apart() -> None:
    patterns = Patterns()
    for level in (Level.INFO, Level.ERROR):
        patterns.add(Line(START, level, "payments", "no answer", None, ""))
    assert [found.level for found in patterns.top(5)] == [Level.ERROR, Level.INFO]


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), max_size=40))
def test_every_line_is_counted_in_exactly_one_pattern(messages: list[str]) -> None:
    assert sum(found.count for found in mined(*messages)) == len(messages)


def test_two_short_messages_that_share_a_word_are_two_patterns() -> None:
    found = mined("cache hit", "cache miss", "POST /payments", "POST /checkout", "took 12 ms", "took 9 ms")
    assert {pattern.template for pattern in found} == {
        "cache hit", "cache miss", "POST /payments", "POST /checkout", "took <NUM> ms",
    }  # fmt: skip


def test_short_messages_with_different_values_are_one_pattern() -> None:
    (pattern,) = mined("attempt 1", "attempt 2", "attempt 3")
    assert (pattern.template, pattern.count) == ("attempt <NUM>", 3)
