"""Everything that goes to Slack: in order, no faster than it takes, never dropped, and overtaken updates not sent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from agent.jobs.voice import VoiceUnavailable
from agent.surfaces.slack.blocks import Message, message, section
from agent.surfaces.slack.sender import Sender
from evals.bench.slack.workspace import Workspace, workspace


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
