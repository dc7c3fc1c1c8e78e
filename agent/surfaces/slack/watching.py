"""What people see while a question is answered: that it was heard, what is looked at, and the words as they come.

Within a second there is a status, or a reaction where Slack has no status. When it takes longer, one message shows the
steps and then the words; the answer takes its place, so that nothing of it stays behind. Words are streamed where Slack
lets us; a stream that dies under long work is carried on by changing the message.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from agent.approvals.action import Action
from agent.conversation.messages import ResultKind, Step
from agent.conversation.thread import Said
from agent.jobs.voice import VoiceUnavailable
from agent.surfaces.slack import limits, mrkdwn
from agent.surfaces.slack.blocks import Block, Message, button, buttons, context, message, section
from agent.surfaces.slack.events import is_time, place_of
from agent.surfaces.slack.sender import Sender
from agent.words.catalogue import say
from tools.contract import Json

STOP = "sayso_stop"  # what the button is known by that ends an answer under way
BUSY = "eyes"  # the reaction that says that somebody is at it
SOON = 0.5  # seconds before it is said that the question was heard: many answers are there by then
QUIET = 2.0  # more seconds before a message shows what is done: most answers are there by then
EVERY = 1.5  # seconds between two changes of it: chat.update takes about 50 a minute
STREAM = 12_000  # characters of one call of a stream
SHOWN = 2800  # characters of words that are shown while they come
STEPS = 8  # of the latest ones
MARKS = {None: "⏳", ResultKind.FOUND: "✓", ResultKind.PROPOSED: "✓"}


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody asked, and how they are spoken to."""

    place: Callable[[], Awaitable[tuple[str, str]]]  # channel and thread of the answer
    keep: Callable[
        [str, str], Awaitable[None]
    ]  # notes channel and timestamp of the message that the answer takes
    locale: str
    user: str = ""  # Slack's id of who asked, and their workspace: a stream needs both
    team: str = ""


class Watching:
    """Implements `agent.conversation.ports.Audience`. What cannot be shown is left out; the answer goes on."""

    def __init__(
        self, sender: Sender, said: Said, seat: Seat, soon: float = SOON, quiet: float = QUIET
    ) -> None:
        self._sender, self._said, self._seat = sender, said, seat
        self._soon, self._quiet, self._reacted = soon, quiet, False
        self._steps: dict[str, str] = {}
        self._words = ""
        self._shown: tuple[str, ...] = ()
        self._channel, self._ts = "", ""
        self._streamed: int | None = None  # characters that went into a stream; None where there is none
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._watch())

    # --- what the turn says --------------------------------------------------------------------------------------

    async def text(self, piece: str) -> None:
        """A piece of the answer; the checked whole follows and takes its place."""
        self._words += piece

    async def progress(self, step: Step) -> None:
        """A call begins or is done; what the model said before it was no answer yet."""
        self._words = ""
        mark = MARKS.get(step.result, "✗")
        self._steps[step.call.id] = f"{mark} {mrkdwn.escaped(_named(step))}"

    async def card(self, action: Action) -> None:
        """It is told by the outbox."""

    async def end(self) -> None:
        """The answer takes over."""
        self._ended.set()
        await self._task

    # --- what is seen --------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        await self._wait(self._soon)
        if not self._ended.is_set():
            await self._begin()
        await self._wait(self._quiet)
        while not self._ended.is_set():
            with suppress(VoiceUnavailable):
                await self.show()
            await self._wait(EVERY)
        if self._streamed is not None:
            await self._sender.stop_stream(self._channel, self._ts)
        if self._reacted:
            await self._react(away=True)

    async def show(self) -> None:
        """Shows what came since the last time. Raises `VoiceUnavailable`."""
        now = (*list(self._steps.values())[-STEPS:], self._words)
        if now == self._shown or not any(now):
            return
        self._shown = now
        if self._words and await self._stream():
            return
        drawn = self._drawn()
        if self._ts:
            await self._sender.update(self._channel, self._ts, drawn)
            return
        self._channel, thread = await self._seat.place()
        await self._posted(await self._sender.post(self._channel, drawn, thread=thread))

    async def _stream(self) -> bool:
        """Whether the words went on in a stream; one that died is ended, and the message changed from then on."""
        if self._ts and self._streamed is None:
            return False
        if self._streamed is None:
            if not (self._seat.user and self._seat.team):
                return False
            self._channel, thread = await self._seat.place()
            first = self._words[:STREAM]
            ts = await self._sender.start_stream(
                self._channel, first, thread=thread, user=self._seat.user, team=self._seat.team
            )
            await self._posted(ts)
            self._streamed = len(first) if ts else None
            return ts is not None
        more = self._words[self._streamed : self._streamed + STREAM]
        if more and not await self._sender.append_stream(self._channel, self._ts, more):
            self._streamed = None
            return False
        self._streamed += len(more)
        return True

    async def _posted(self, ts: str | None) -> None:
        if ts:
            self._ts = ts
            await self._seat.keep(self._channel, ts)

    def _drawn(self) -> Message:
        if self._words:
            words = limits.cut(mrkdwn.mrkdwn(self._words), SHOWN)
            return message(words, [section(f"{words} …"), self._stop()])
        working = say("slack.working", self._seat.locale)
        lines = "\n".join(list(self._steps.values())[-STEPS:])
        return message(working, [context(f"{working}\n{lines}"), self._stop()])

    def _stop(self) -> Block:
        """The button that does what the word "stop" does; what is told in the end takes its place."""
        label = say("slack.stop", self._seat.locale)
        return buttons([button(label, STOP, self._said.thread)], "work")

    async def _begin(self) -> None:
        """Says that it was heard: by a status, which the answer clears, where Slack has one; else by a reaction."""
        channel, thread = place_of(self._said.thread)
        if channel.startswith("D") and is_time(thread):
            status = say("slack.status", self._seat.locale)
            if await self._sender.status(channel, thread, status):
                return
        self._reacted = is_time(self._asked_at()[1])
        if self._reacted:
            await self._react(away=False)

    def _asked_at(self) -> tuple[str, str]:
        """Channel and timestamp of the question; of one that was edited, they stayed the same."""
        channel, ts = place_of(self._said.event_id)
        return channel, ts.partition("#")[0]

    async def _react(self, *, away: bool) -> None:
        channel, ts = self._asked_at()
        with suppress(VoiceUnavailable):
            await self._sender.react(channel, ts, BUSY, away=away)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)


def _named(step: Step) -> str:
    """The tool and what it is asked about, in a few words."""
    values = [str(value) for value in _arguments(step).values() if isinstance(value, str | int | float)]
    return limits.cut(" · ".join((step.call.name, *values)), 120)


def _arguments(step: Step) -> dict[str, Json]:
    try:
        found = json.loads(step.call.arguments)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
