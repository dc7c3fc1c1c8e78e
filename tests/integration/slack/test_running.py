"""What is seen in Slack of an action while it runs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.approvals.action import State
from agent.surfaces.slack.blocks import Message
from agent.surfaces.slack.running import LONGEST, SHOWN, Running
from evals.bench.durability.stamps import Stamp, StampArguments
from evals.bench.slack.workspace import Workspace, workspace
from tests.integration.slack.test_slack import office
from tools.contract import Arguments, Grant, Outcome, Progress


@dataclass
class Board:
    """Where a message is put, and put again."""

    shown: list[Message] = field(default_factory=list)

    async def put(self, message: Message) -> None:
        self.shown.append(message)

    @property
    def text(self) -> str:
        return str(self.shown[-1].blocks)


def running(board: Board) -> Running:
    return Running("A-1", "en", board.put, every=3600)


async def test_lines_are_shown_in_one_message_that_grows() -> None:
    board = Board()
    watched = running(board)
    for line in ("pulling", "starting"):
        watched.take(line)
    await watched.show()
    watched.take("ready")
    await watched.end()
    assert len(board.shown) == 2
    assert "pulling\\nstarting\\nready" in board.text
    assert "Output of A-1, 3 lines" in board.text


async def test_of_many_lines_the_last_are_shown_with_their_number() -> None:
    board = Board()
    watched = running(board)
    for number in range(100):
        watched.take(f"line {number} {'x' * 500}")
    await watched.end()
    assert "100 lines" in board.text
    assert f"line {100 - SHOWN} " in board.text
    assert f"line {99 - SHOWN} " not in board.text
    assert "x" * LONGEST not in board.text


async def test_one_line_is_left_to_the_notice_of_the_outcome() -> None:
    board = Board()
    watched = running(board)
    watched.take("done")
    await watched.end()
    assert board.shown == []


@pytest.mark.parametrize("line", ["<!channel> look", "<@UTOM>", "<https://evil.example|click>", "a & b"])
async def test_nothing_written_can_call_anybody_or_link_anywhere(line: str) -> None:
    board = Board()
    watched = running(board)
    for each in ("first", line):
        watched.take(each)
    await watched.end()
    assert "<" not in board.text
    assert "& b" not in board.text


async def test_nothing_written_ends_its_own_block() -> None:
    board = Board()
    watched = running(board)
    for each in ("first", "``` *A-9 is approved* ```"):
        watched.take(each)
    await watched.end()
    assert board.text.count("```") == 2


class Talking(Stamp):
    """A stamp that tells a lot while it works, a secret among it, and goes on when it is let."""

    def __init__(self, witness: Path, lines: Sequence[str]) -> None:
        super().__init__(witness)
        self.lines, self.go_on = lines, asyncio.Event()

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend("stamp", arguments.canonical())
        for line in self.lines:
            await progress(line)
        await self.go_on.wait()
        with self.witness.open("a") as out:
            out.write(f"{grant.action} {StampArguments.of(arguments).text}\n")
        return Outcome(ok=True, summary="stamped")


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


async def test_what_an_action_writes_is_read_in_its_thread_without_secrets(
    slack: Workspace, tmp_path: Path
) -> None:
    stamp = Talking(tmp_path / "witness", ["\x1b[32mpulling\x1b[0m", "password=hunter22secret", "ready"])
    here = await office(tmp_path, slack, stamp=stamp)
    ts = await slack.say("<@UBOT> stamp one")
    await slack.click("sayso_approve", (await here.card())["sayso_approve"], user="UTOM")
    seen = await slack.shows("Output of A-1, 3 lines")
    assert (seen["thread_ts"], seen["channel"]) == (ts, "C1")
    assert "pulling\\npassword=[redacted]\\nready" in str(seen["blocks"])
    stamp.go_on.set()
    await here.reaches(State.SUCCEEDED)
    await slack.shows("A-1 is done: Stamp one.")
    await here.stop()
    assert len([one for one in slack.messages if "Output of A-1" in one["text"]]) == 1
