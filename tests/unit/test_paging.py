"""Which lines of a whole result are wanted."""

import argparse

import pytest

from agent.verbs.exits import Stop
from agent.verbs.show import wanted_lines


def given(lines: str | None, raw: int | None = 1) -> argparse.Namespace:
    return argparse.Namespace(lines=lines, raw=raw)


@pytest.mark.parametrize(
    ("lines", "wanted"), [(None, (1, None)), ("1-200", (1, 200)), ("5000-", (5000, None)), ("7-7", (7, 7))]
)
def test_a_page_is_two_numbers_or_goes_to_the_end(lines: str | None, wanted: tuple[int, int | None]) -> None:
    assert wanted_lines(given(lines)) == wanted


@pytest.mark.parametrize("lines", ["5", "0-3", "a-b", "3-x", "-", "-4", "1-2-3", "٣-٤", ""])
def test_anything_else_is_refused_with_what_would_be_right(lines: str) -> None:
    with pytest.raises(Stop, match="should be FROM-TO beside --raw"):
        wanted_lines(given(lines))


def test_lines_of_nothing_are_refused() -> None:
    with pytest.raises(Stop, match="beside --raw"):
        wanted_lines(given("1-2", raw=None))
