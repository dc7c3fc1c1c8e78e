"""Events of channels in our words: what is kept of them, and what is passed over."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.overheard import Remark
from agent.surfaces.slack.happenings import (
    Changed,
    Deleted,
    Ended,
    Happening,
    Joined,
    Left,
    Pinned,
    Said,
    happening,
    remark,
)

SPOKEN: Mapping[str, object] = {"type": "message", "channel": "C1", "user": "U1", "text": "hi", "ts": "100.1"}


def heard(event: Mapping[str, object]) -> Happening | None:
    return happening({"type": "event_callback", "event": event})


@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_a_message_is_kept_with_its_words_and_its_writer(kind: str) -> None:
    found = heard({**SPOKEN, "type": kind})
    assert isinstance(found, Said)
    assert (found.channel, found.remark.ts, found.user) == ("C1", "100.1", "U1")
    assert '"text":"hi"' in found.remark.body


def test_a_reply_belongs_to_its_thread_and_a_thread_to_nobody() -> None:
    reply, root = heard({**SPOKEN, "thread_ts": "99.1"}), heard({**SPOKEN, "thread_ts": "100.1"})
    assert isinstance(reply, Said)
    assert isinstance(root, Said)
    assert (reply.remark.thread, root.remark.thread) == ("99.1", "")


def test_an_edit_says_when_it_was_made() -> None:
    found = heard(
        {
            "type": "message",
            "subtype": "message_changed",
            "channel": "C1",
            "message": {**SPOKEN, "text": "ho", "edited": {"user": "U1", "ts": "101.0"}},
        }
    )
    assert isinstance(found, Said)
    assert (found.remark.ts, found.remark.edited) == ("100.1", "101.0")


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"type": "message", "subtype": "message_deleted", "deleted_ts": "100.1"}, Deleted("C1", "100.1")),
        (
            {
                "type": "message",
                "subtype": "message_changed",
                "message": {"subtype": "tombstone", "ts": "9.1"},
            },
            Deleted("C1", "9.1"),
        ),
        ({"type": "message", "subtype": "channel_convert_to_private", "user": "U1"}, Changed("C1")),
        ({"type": "pin_added", "item": {"message": {"ts": "9.1"}}}, Pinned("C1", "9.1", True)),
        ({"type": "pin_removed", "item": {"message": {"ts": "9.1"}}}, Pinned("C1", "9.1", False)),
        ({"type": "member_joined_channel", "user": "U1"}, Joined("C1", "U1")),
        ({"type": "member_left_channel", "user": "U1"}, Left("C1", "U1")),
        ({"type": "channel_left"}, Left("C1", "")),
        ({"type": "group_left"}, Left("C1", "")),
        ({"type": "channel_archive"}, Changed("C1")),
        ({"type": "group_deleted"}, Changed("C1")),
    ],
)
def test_what_happens_to_messages_people_and_channels(event: Mapping[str, object], found: Happening) -> None:
    assert heard({"channel": "C1", **event}) == found


def test_channels_are_found_however_an_event_names_them() -> None:
    assert heard({"type": "channel_rename", "channel": {"id": "C1", "name": "new"}}) == Changed("C1")
    pin = {"type": "pin_added", "channel_id": "C1", "item": {"message": {"ts": "9.1"}}}
    assert heard(pin) == Pinned("C1", "9.1", True)


@pytest.mark.parametrize(
    ("event", "ended"),
    [
        ({"type": "app_uninstalled"}, True),
        ({"type": "tokens_revoked", "tokens": {"bot": ["UBOT"]}}, True),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, False),
    ],
)
def test_the_end_of_the_app_is_told_from_that_of_somebodys_own_token(
    event: Mapping[str, object], ended: bool
) -> None:
    assert (heard(event) == Ended()) is ended


@pytest.mark.parametrize(
    "event",
    [
        {**SPOKEN, "bot_id": "B1"},
        {**SPOKEN, "subtype": "channel_join"},
        {**SPOKEN, "subtype": "bot_message"},
        {**SPOKEN, "user": ""},
        {**SPOKEN, "ts": "yesterday"},
        {**SPOKEN, "channel": ""},
        {"type": "reaction_added", "channel": "C1", "user": "U1"},
        {"type": "member_left_channel", "channel": "C1"},
    ],
)
def test_what_no_person_said_and_what_cannot_be_read_is_passed_over(event: Mapping[str, object]) -> None:
    assert heard(event) is None


def test_of_a_message_nothing_is_kept_but_what_is_read_of_it() -> None:
    kept = remark({**SPOKEN, "blocks": [{"type": "rich_text"}], "client_msg_id": "x"})
    assert kept is not None
    assert kept[0] == Remark("100.1", body='{"user":"U1","text":"hi","ts":"100.1"}')


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["C1", "message", "1.1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "event",
                    "channel",
                    "message",
                    "ts",
                    "user",
                    "subtype",
                    "item",
                    "edited",
                    "files",
                    "tokens",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["event", "type"]), JSON))
def test_no_event_whatever_it_holds_is_an_error(body: Mapping[str, object]) -> None:
    happening(body)
