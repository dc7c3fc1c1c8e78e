"""What people see of an action while it runs: the last lines it wrote, in one message that is changed as more come.

Lines come redacted and without controls. What is shorter than a glance is left to the notice of the outcome.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from agent.jobs.voice import VoiceUnavailable
from agent.surfaces.slack import limits, mrkdwn
from agent.surfaces.slack.blocks import Message, context, message, section
from agent.words.catalogue import say

SHOWN = 12  # lines
LONGEST = 200  # characters of a line
EVERY = 1.5  # seconds between two changes of the message: chat.update takes about 50 a minute
Put = Callable[[Message], Awaitable[None]]


class Running:
    """The lines of one action. `put` posts the message, and changes it from then on; it raises `VoiceUnavailable`."""

    def __init__(self, action: str, locale: str, put: Put, every: float = EVERY) -> None:
        self._action, self._locale, self._put, self._every = action, locale, put, every
        self._lines: deque[str] = deque(maxlen=SHOWN)
        self._count = self._told = 0
        self._task: asyncio.Task[None] | None = None

    def take(self, line: str) -> None:
        """One more line. Never waits: the program that wrote it goes on."""
        self._lines.append(limits.cut(line, LONGEST))
        self._count += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._soon())

    async def end(self) -> None:
        """It runs no more: shows the last lines."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(VoiceUnavailable):
            await self.show()

    async def show(self) -> None:
        """Shows what came since the last time. Raises `VoiceUnavailable`."""
        if self._count == self._told or self._count < 2:
            return
        self._told = self._count
        await self._put(self._drawn())

    async def _soon(self) -> None:
        while self._count != self._told:
            await asyncio.sleep(self._every)
            with suppress(VoiceUnavailable):
                await self.show()
            if self._count < 2:
                return

    def _drawn(self) -> Message:
        text = say("slack.running", self._locale, action=self._action, lines=f"{self._count:,}")
        body = "\n".join(mrkdwn.escaped(line) for line in self._lines).replace("```", "´´´")
        return message(text, [context(text), section(f"```\n{body[-limits.SECTION + 100 :]}\n```")])
