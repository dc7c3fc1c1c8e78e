"""Logs: JSON for machines, lines for people, and no secrets in either."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from agent.conversation.redact import Redactor
from agent.telemetry.logs import log_to

KEY = "AKIA" + "IOSFODNN7EXAMPLE"


@pytest.fixture
def logging_to() -> Iterator[Callable[[str], io.StringIO]]:
    root, handlers = logging.getLogger(), []
    level = root.level

    def begin(style: str) -> io.StringIO:
        stream = io.StringIO()
        handlers.append(log_to(stream, style=style, level="info", redactor=Redactor()))
        return stream

    yield begin
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def test_a_line_of_json_says_when_how_grave_who_and_what(logging_to: Callable[[str], io.StringIO]) -> None:
    stream = logging_to("auto")  # no terminal
    logging.getLogger("sayso.jobs").warning("took over %d jobs", 3)
    entry = json.loads(stream.getvalue())
    assert entry.pop("at").startswith("20")
    assert entry == {"level": "warning", "logger": "sayso.jobs", "message": "took over 3 jobs"}


def test_an_error_brings_its_traceback(logging_to: Callable[[str], io.StringIO]) -> None:
    stream = logging_to("json")
    try:
        int("no such thing")
    except ValueError:
        logging.getLogger("sayso").exception("it failed")
    assert "ValueError: invalid literal" in json.loads(stream.getvalue())["error"]


@pytest.mark.parametrize("style", ["json", "text"])
def test_secrets_are_blacked_out(logging_to: Callable[[str], io.StringIO], style: str) -> None:
    stream = logging_to(style)
    logging.getLogger("sayso").info("key %s was refused", KEY)
    assert "was refused" in stream.getvalue()
    assert KEY not in stream.getvalue()


def test_lines_for_people_are_plain(logging_to: Callable[[str], io.StringIO]) -> None:
    stream = logging_to("text")
    logging.getLogger("sayso.jobs").info("hello")
    logging.getLogger("sayso.jobs").debug("not this")
    assert stream.getvalue().endswith("INFO sayso.jobs: hello\n")
