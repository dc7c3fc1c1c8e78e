"""What is seen in Slack while a question is answered, on a workspace that streams, and stops streaming."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation.messages import ResultKind, Step, ToolCall
from agent.conversation.thread import Said, ThreadId
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.watching import Seat, Watching
from evals.bench.slack.workspace import Workspace, workspace

LOGS = ToolCall("c1", "logs", '{"service": "payments"}')


class Seen:
    """A question in a channel, and whoever watches its answer; beats come when the test says so."""

    def __init__(
        self, slack: Workspace, team: str = "T1", channel: str = "C1", soon: float = 3600, edited: str = ""
    ) -> None:
        self.slack, self.kept = slack, dict[str, str]()
        thread = ThreadId(f"slack:{channel}:1.1")
        said = Said(f"slack:{channel}:1.1{edited}", thread, "maya", "why?", datetime.now(UTC))
        sender = Sender(AsyncWebClient(token="xoxb-1", base_url=slack.api), clock=lambda: 0.0, sleep=_at_once)
        seat = Seat(self.place, self.keep, "en", "UMAYA", team)
        self.channel = channel
        self.watching = Watching(sender, said, seat, soon, quiet=3600)

    async def place(self) -> tuple[str, str]:
        return self.channel, "1.1"

    async def keep(self, channel: str, ts: str) -> None:
        self.kept[channel] = ts

    @property
    def text(self) -> str:
        (message,) = self.slack.messages
        return str(message["text"])

    @property
    def blocks(self) -> str:
        (message,) = self.slack.messages
        return str(message["blocks"])


async def _at_once(_seconds: float) -> None:
    """Nobody waits in a test."""


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


async def test_steps_are_shown_in_one_message_that_the_answer_takes(slack: Workspace) -> None:
    seen = Seen(slack)
    await seen.watching.progress(Step(LOGS))
    await seen.watching.show()
    assert "⏳ logs · payments" in seen.blocks
    await seen.watching.progress(Step(LOGS, ResultKind.FOUND, "12 errors"))
    await seen.watching.show()
    assert "✓ logs · payments" in seen.blocks
    assert slack.buttons(slack.messages[0]) == {"sayso_stop": "slack:C1:1.1"}
    assert seen.kept == {"C1": slack.messages[0]["ts"]}
    await seen.watching.end()


async def test_words_are_streamed_to_who_asked_as_they_come(slack: Workspace) -> None:
    seen = Seen(slack)
    await seen.watching.text("Payments fails ")
    await seen.watching.show()
    await seen.watching.text("since noon.")
    await seen.watching.show()
    assert seen.text == "Payments fails since noon."
    assert slack.streaming == {slack.messages[0]["ts"]}
    await seen.watching.end()
    assert slack.streaming == set()  # so that the answer can take its place


async def test_a_stream_that_died_is_carried_on_by_changing_the_message(slack: Workspace) -> None:
    seen = Seen(slack)
    await seen.watching.text("Payments fails ")
    await seen.watching.show()
    slack.streaming.clear()
    await seen.watching.text("since noon.")
    await seen.watching.show()
    assert seen.text == "Payments fails since noon."
    assert slack.calls.count("chat.update") == 1
    await seen.watching.end()


async def test_where_nothing_can_be_streamed_the_message_is_changed(slack: Workspace) -> None:
    seen = Seen(slack, team="")
    for piece in ("Payments fails ", "since noon."):
        await seen.watching.text(piece)
        await seen.watching.show()
    assert seen.text == "Payments fails since noon."
    assert slack.streaming == set()
    await seen.watching.end()


async def test_what_a_model_said_before_a_call_was_no_answer_yet(slack: Workspace) -> None:
    seen = Seen(slack, team="")
    await seen.watching.text("Let me look.")
    await seen.watching.show()
    await seen.watching.progress(Step(LOGS))
    await seen.watching.show()
    assert "Let me look" not in seen.text + seen.blocks
    await seen.watching.end()


async def test_nothing_new_is_not_shown_again(slack: Workspace) -> None:
    seen = Seen(slack)
    await seen.watching.progress(Step(LOGS))
    for _ in range(3):
        await seen.watching.show()
    assert [call for call in slack.calls if call.startswith("chat.")] == ["chat.postMessage"]
    await seen.watching.end()


async def test_an_answer_that_comes_at_once_leaves_no_trace(slack: Workspace) -> None:
    seen = Seen(slack)
    await seen.watching.text("Yes.")
    await seen.watching.end()
    assert slack.calls == []


async def test_alone_with_somebody_slack_shows_a_status(slack: Workspace) -> None:
    seen = Seen(slack, channel="D1", soon=0)
    while not slack.statuses:
        await asyncio.sleep(0.01)
    await seen.watching.end()
    assert slack.statuses == ["is looking into it…"]
    assert "reactions.add" not in slack.calls


async def test_in_a_channel_a_reaction_says_that_it_was_heard_until_the_answer_is_there(
    slack: Workspace,
) -> None:
    seen = Seen(slack, soon=0)
    while not slack.reactions:
        await asyncio.sleep(0.01)
    await seen.watching.end()
    assert slack.reactions == []


async def test_a_question_that_was_edited_is_seen_to_be_heard_too(slack: Workspace) -> None:
    seen = Seen(slack, soon=0, edited="#edited")
    while not slack.reactions:
        await asyncio.sleep(0.01)
    assert slack.reactions == [("C1", "1.1", "eyes")]
    await seen.watching.end()
