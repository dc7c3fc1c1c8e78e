"""Finding a point in time in a file, and reading backwards from it."""

import io
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tools.logs.backwards import lines_before, lines_with, position_after

START = datetime(2026, 11, 23, tzinfo=UTC)
OFFSETS = st.lists(st.integers(0, 300), max_size=60).map(sorted)


def stamp(line: bytes) -> datetime | None:
    """The seconds at the head of a test line; lines that begin with a blank have none."""
    head = line.split(b" ", 1)[0]
    return START + timedelta(seconds=int(head)) if head.isdigit() else None


@given(
    offsets=OFFSETS,
    paddings=st.lists(st.integers(0, 80), min_size=60, max_size=60),
    continued=st.sets(st.integers(0, 59)),
    moment=st.integers(-1, 301),
)
def test_bisection_finds_the_place_behind_the_last_line_that_is_not_later(
    offsets: list[int], paddings: list[int], continued: set[int], moment: int
) -> None:
    content, expected = b"", 0
    for number, offset in enumerate(offsets):
        content += f"{offset} {'x' * paddings[number]}\n".encode()
        if offset <= moment:
            expected = len(content)
        if number in continued:
            content += b" a line without a time\n"
    found = position_after(io.BytesIO(content), START + timedelta(seconds=moment), stamp)
    assert found == expected


@given(
    lines=st.lists(
        st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=40), max_size=30
    ),
    block=st.integers(1, 64),
    ended=st.booleans(),
)
def test_lines_come_last_first_whatever_the_block(lines: list[str], block: int, ended: bool) -> None:
    content = "\n".join(lines).encode() + (b"\n" if ended and lines else b"")
    found = list(lines_before(io.BytesIO(content), len(content), block))
    assert found == [line.encode() for line in reversed(lines) if line.encode().strip()]


def test_a_line_without_an_end_in_sight_comes_in_pieces_and_not_whole() -> None:
    content = b"y" * 3_000_000
    pieces = list(lines_before(io.BytesIO(content), len(content)))
    assert b"".join(reversed(pieces)) == content
    assert max(len(piece) for piece in pieces) < 1_200_000


@given(st.lists(st.text(alphabet="abcXYZ é", max_size=12), max_size=40), st.integers(3, 40))
def test_lines_that_have_a_text_are_those_a_search_line_by_line_finds(lines: list[str], block: int) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    counted = []

    def read(part: bytes) -> bool:
        counted.append((part.count(b"\n"), len(part)))
        return True

    found = list(lines_with(io.BytesIO(content), 0, len(content), b"AX", read, block))
    assert found == [line.encode() for line in reversed(lines) if "ax" in line.lower()]
    assert sum(number for number, _ in counted) == len(lines)
    assert sum(octets for _, octets in counted) == len(content)


def test_a_search_stops_when_it_is_told_to() -> None:
    content = b"ax\n" * 100
    found = list(lines_with(io.BytesIO(content), 0, len(content), b"ax", lambda _: False, 30))
    assert found == [b"ax"] * 10  # of the block that was read
