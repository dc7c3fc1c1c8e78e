"""The keyboard under a conversation: Ctrl-C stops an answer, and leaves only at an empty prompt."""

import asyncio
import os
import signal

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from agent.surfaces.terminal.keyboard import stoppable, typed

CTRL_C, CTRL_D = "\x03", "\x04"


async def lines(*keys: str) -> list[str]:
    """What is read when these keys are typed, each after the prompt is there."""
    with create_pipe_input() as pipe:
        prompt: PromptSession[str] = PromptSession(input=pipe, output=DummyOutput())
        pending = list(keys)

        def mark() -> str:
            pipe.send_text(pending.pop(0))
            return "> "

        return [line async for line in typed(prompt, mark)]


async def test_ctrl_c_at_an_empty_prompt_leaves() -> None:
    assert await lines("hello\n", CTRL_C, "never read\n") == ["hello"]


async def test_ctrl_c_in_a_line_only_empties_it() -> None:
    assert await lines(f"half a li{CTRL_C}", "whole\n", CTRL_D) == ["whole"]


async def test_ctrl_c_during_an_answer_stops_the_answer_alone() -> None:
    begun = asyncio.Event()

    async def answer() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def press() -> None:
        await begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    pressing = asyncio.create_task(press())
    assert await stoppable(answer()) is False
    await pressing


async def test_an_answer_that_comes_to_its_end_says_so_and_leaves_ctrl_c_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)

    async def answer() -> None:
        return None

    assert await stoppable(answer()) is True
    assert signal.getsignal(signal.SIGINT) is before


async def test_what_goes_wrong_in_an_answer_is_raised() -> None:
    async def answer() -> None:
        raise LookupError("no such shelf")

    with pytest.raises(LookupError, match="no such shelf"):
        await stoppable(answer())


async def test_ending_the_chat_ends_its_answer() -> None:
    ended, begun = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    chat = asyncio.create_task(stoppable(answer()))
    await begun.wait()
    chat.cancel()
    with pytest.raises(asyncio.CancelledError):
        await chat
    await ended.wait()
