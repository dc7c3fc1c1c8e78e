"""Everything that goes to Slack: in order, no faster than it takes, never dropped, and overtaken updates not sent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from agent.jobs.voice import VoiceUnavailable
from agent.surfaces.slack.blocks import Message, message, section
from agent.surfaces.slack.sender import Sender
from evals.bench.slack.workspace import Workspace, workspace
from tools.contract import Json


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 2))
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sender(slack: Workspace, time: Time) -> Sender:
    return Sender(AsyncWebClient(token="xoxb-1", base_url=slack.api), time, time.sleep)


def text(words: str) -> Message:
    return message(words, [section(words)])


async def test_a_channel_gets_one_message_a_second_and_another_one_at_once(
    sender: Sender, slack: Workspace, time: Time
) -> None:
    for number in range(3):
        await sender.post("C1", text(f"{number}"))
    await sender.post("C2", text("at once"))
    assert slack.texts("C1") == ["0", "1", "2"]
    assert time.slept == [1.0, 1.0]


async def test_the_workspace_waits_as_long_as_slack_asks(
    sender: Sender, slack: Workspace, time: Time
) -> None:
    slack.failures = [(429, {"Retry-After": "7"}, "ratelimited")]
    await sender.post("C1", text("hello"))
    assert slack.texts("C1") == ["hello"]
    assert time.slept == [7.0]


async def test_what_fails_for_a_moment_is_tried_again(sender: Sender, slack: Workspace, time: Time) -> None:
    slack.failures = [(500, {}, "internal_error"), (503, {}, "service_unavailable")]
    await sender.post("C1", text("hello"))
    assert slack.texts("C1") == ["hello"]
    assert time.slept == [1.0, 2.0]
    assert sender.trouble is None


async def test_what_cannot_be_told_now_is_told_later_and_shown_as_trouble(
    sender: Sender, slack: Workspace
) -> None:
    slack.failures = [(200, {}, "token_revoked")]
    with pytest.raises(VoiceUnavailable, match="token_revoked"):
        await sender.post("C1", text("hello"))
    assert sender.trouble == "chat.postMessage: token_revoked"
    await sender.post("C1", text("hello"))
    assert sender.trouble is None


async def test_slack_is_not_waited_for_without_end(sender: Sender, slack: Workspace) -> None:
    slack.failures = [(429, {"Retry-After": "3600"}, "ratelimited")]
    with pytest.raises(VoiceUnavailable):
        await sender.post("C1", text("hello"))


async def test_what_can_never_be_posted_is_let_go(sender: Sender, slack: Workspace) -> None:
    slack.failures = [(200, {}, "is_archived")]
    assert await sender.post("C1", text("hello")) is None
    assert slack.texts("C1") == []


async def test_of_updates_that_wait_only_the_newest_is_sent(sender: Sender, slack: Workspace) -> None:
    ts = await sender.post("C1", text("0"))
    assert ts is not None
    await asyncio.gather(*(sender.update("C1", ts, text(f"{number}")) for number in range(1, 21)))
    assert slack.texts("C1") == ["20"]
    assert slack.calls.count("chat.update") <= 2


async def test_a_message_is_found_by_what_was_written_beside_it(sender: Sender) -> None:
    root = await sender.post("C1", text("root"))
    assert root is not None
    ts = await sender.post("C1", text("answer"), thread=root, subject="T-4/0")
    assert await sender.find("C1", root, "T-4/0") == ts
    assert await sender.find("C1", root, "T-4/1") is None


async def test_a_file_is_put_into_its_thread(sender: Sender, slack: Workspace) -> None:
    await sender.upload("C1", "failed.csv", b"day,payments", thread="1.1")
    assert slack.files == {"failed.csv": b"day,payments"}
    assert slack.shared == [("C1", "1.1", "failed.csv")]


async def test_blocks_that_slack_does_not_take_are_sent_as_text(sender: Sender, slack: Workspace) -> None:
    bad: dict[str, Json] = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    ts = await sender.post("C1", Message("what was to be said", (bad,)))
    assert ts is not None
    assert await sender.update("C1", ts, Message("and what it came to", (bad,)))
    assert slack.texts("C1") == ["and what it came to"]


async def test_a_message_that_is_gone_cannot_be_changed_and_that_is_told(sender: Sender) -> None:
    assert not await sender.update("C1", "404.404", text("the answer"))


async def test_a_stream_that_somebody_left_open_is_ended_before_its_message_is_changed(
    sender: Sender, slack: Workspace
) -> None:
    ts = await sender.start_stream("C1", "begun", thread="1.1", user="UMAYA", team="T1")
    assert ts is not None
    assert await sender.update("C1", ts, text("the whole answer"))
    assert slack.texts("C1") == ["the whole answer"]
    assert slack.streaming == set()


async def test_a_final_message_is_not_lost_with_the_update_that_took_it_along(
    sender: Sender, slack: Workspace
) -> None:
    ts = await sender.post("C1", text("0"))
    assert ts is not None
    slack.update_failures = ["not_authed"]  # it does not work at the moment, and is not tried again at once
    first, final = await asyncio.gather(
        sender.update("C1", ts, text("on its way")),
        sender.update("C1", ts, text("final")),
        return_exceptions=True,
    )
    assert isinstance(first, VoiceUnavailable)
    assert final is True
    assert slack.texts("C1") == ["final"]


async def test_while_slack_asks_to_wait_for_long_it_is_not_called(sender: Sender, slack: Workspace) -> None:
    slack.failures = [(429, {"Retry-After": "3600"}, "ratelimited")]
    for _ in range(3):
        with pytest.raises(VoiceUnavailable):
            await sender.post("C1", text("hello"))
    assert slack.calls == ["chat.postMessage"]


async def test_a_wait_that_cannot_be_read_is_a_short_one(
    sender: Sender, slack: Workspace, time: Time
) -> None:
    slack.failures = [(429, {"Retry-After": "soon"}, "ratelimited")]
    await sender.post("C1", text("hello"))
    assert slack.texts("C1") == ["hello"]
    assert time.slept == [1.0]


async def test_an_upload_waits_as_well_when_slack_asks_for_it(
    sender: Sender, slack: Workspace, time: Time
) -> None:
    slack.failures = [(429, {"Retry-After": "5"}, "ratelimited")]
    await sender.post("C1", text("hello"))
    await sender.upload("C1", "failed.csv", b"day", thread="1.1")
    assert time.slept == [5.0]  # by which time the channel takes its next message, too
