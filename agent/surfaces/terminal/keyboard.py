"""A keyboard under a conversation: lines as they are typed, and Ctrl-C, which stops an answer and not the chat."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession


async def typed(prompt: "PromptSession[str]", mark: Callable[[], str]) -> AsyncIterator[str]:
    """Lines typed at a prompt, until Ctrl-D or Ctrl-C on an empty line; Ctrl-C elsewhere empties the line."""
    from prompt_toolkit.patch_stdout import patch_stdout

    while True:
        try:
            with patch_stdout(raw=True):
                line = await prompt.prompt_async(mark())
        except KeyboardInterrupt:
            if prompt.default_buffer.text:
                continue
            return
        except EOFError:
            return
        yield line


async def stoppable(work: Coroutine[object, object, None]) -> bool:
    """Runs `work` to its end, or until Ctrl-C; returns whether it came to its end.

    Where the system has no such signal for an event loop (Windows), Ctrl-C ends the program as ever.
    """
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    try:
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    except (NotImplementedError, RuntimeError, ValueError):  # no such signal here, or not the main thread
        await task
        return True
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()  # when the chat itself is ended; a task that is done is not touched
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
    if task.cancelled():
        return False
    task.result()
    return True
