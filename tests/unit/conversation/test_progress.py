"""Lines of progress: readable, without secrets, and nothing in them that a terminal would obey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.progress import Redacted, readable
from agent.conversation.redact import Redactor

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAAC3NzaC1lZDI1\n-----END OPENSSH PRIVATE KEY-----"


async def told(*lines: str) -> list[str]:
    heard: list[str] = []

    async def hear(line: str) -> None:
        heard.append(line)

    passing = Redacted(Redactor(), hear)
    for line in lines:
        await passing(line)
    return heard


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[1;32mready\x1b[0m", "ready"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("10%\r50%\r100%", "100%"),
        ("done\r", "done"),
        ("a\x08\x08b\x07", "ab"),
        ("left\u202eright", "leftright"),
        ("a\tb", "a\tb"),
    ],
)
def test_a_line_is_shown_as_it_would_stand_on_a_screen_in_the_end(written: str, shown: str) -> None:
    assert readable(written) == shown


@given(st.text())
def test_nothing_that_is_not_printable_is_left(line: str) -> None:
    assert all(sign == "\t" or sign.isprintable() for sign in readable(line))


async def test_a_secret_is_blacked_out_though_colours_stand_in_it() -> None:
    assert await told("pass\x1b[31mword=\x1b[0mmellon-1954") == ["password=[redacted]"]


async def test_a_private_key_over_several_lines_goes_as_one() -> None:
    heard = await told("before", *KEY.splitlines(), "after")
    assert heard == ["before", "-----BEGIN OPENSSH PRIVATE KEY-----[redacted]", "after"]


async def test_a_key_without_an_end_hides_what_follows() -> None:
    assert await told(*KEY.splitlines()[:2], "more") == ["-----BEGIN OPENSSH PRIVATE KEY-----[redacted]"]
