"""What is a message that somebody wrote just now: most of what comes, and kept without a detour."""

from collections.abc import Mapping

import pytest

from agent.surfaces.slack.events import is_spoken

WRITTEN: Mapping[str, object] = {"type": "message", "channel": "C1", "user": "U1", "text": "hi", "ts": "1.1"}


@pytest.mark.parametrize("change", [{}, {"type": "app_mention"}, {"subtype": "file_share"}])
def test_what_a_person_writes_is_spoken(change: Mapping[str, object]) -> None:
    assert is_spoken({"event": {**WRITTEN, **change}})


@pytest.mark.parametrize(
    "change",
    [{"bot_id": "B1"}, {"subtype": "message_changed"}, {"subtype": "message_deleted"}, {"type": "pin_added"}],
)
def test_what_a_bot_writes_and_what_changes_is_not(change: Mapping[str, object]) -> None:
    assert not is_spoken({"event": {**WRITTEN, **change}})


@pytest.mark.parametrize("body", [{}, {"event": None}, {"event": "hi"}, {"event": {}}])
def test_what_cannot_be_read_is_not(body: Mapping[str, object]) -> None:
    assert not is_spoken(body)
