"""sayso's voice in Slack: answers, notices and cards, each posted once and changed where it stands."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from agent.app import App
from agent.approvals.action import Action
from agent.conversation.messages import Step
from agent.conversation.posted import Post
from agent.conversation.thread import Said, ThreadId
from agent.conversation.turn import Answer
from agent.jobs.voice import VoiceUnavailable
from agent.store.port import TurnRecord
from agent.surfaces.slack import answers, cards, mrkdwn
from agent.surfaces.slack.blocks import Message, message, section
from agent.surfaces.slack.events import NAME, place_of
from agent.surfaces.slack.sender import Sender
from agent.words.catalogue import say

BUSY = "eyes"  # the reaction that says that somebody is at it


class SlackVoice:
    """Implements `agent.jobs.voice.Voice`."""

    surface = NAME

    def __init__(
        self, app: App, sender: Sender, clock: Callable[[], datetime], approvals: str | None
    ) -> None:
        self._app, self._sender, self._clock, self._approvals = app, sender, clock, approvals
        self._watching: dict[ThreadId, Watching] = {}  # turns that this process answers

    def audience(self, said: Said) -> "Watching":
        watching = self._watching[said.thread] = Watching(self._sender, said)
        return watching

    def public(self, _thread: ThreadId, /) -> bool:
        """Channels whose id begins with C may be private as well: what everybody can read is not known here."""
        return False

    async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
        channel, thread = await self._place(record.thread, record.question)
        locale = self._locale(record)
        for place, one in enumerate(answers.of(record, locale)):
            await self._once(f"{record.turn}/{place}", channel, one, thread=thread)
        for file in answer.files if answer is not None else ():
            await self._sender.upload(channel, file.name, file.content, thread=thread)
        if (watching := self._watching.pop(record.thread, None)) is not None:
            await watching.end()

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        channel, ts = await self._place(thread, "")
        shown = message(text, [section(mrkdwn.mrkdwn(text))])
        await self._once(f"{thread}/{subject}", channel, shown, thread=ts)

    async def shown(self, action: Action) -> None:
        locale = self._app.locale_of(action.requester)
        drawn = cards.of(action, self._app.card(action, locale), locale)
        channel, ts = await self._place(ThreadId(action.thread), "")
        places = [(channel, ts)]
        if self._approvals and self._approvals != channel:
            places.append((self._approvals, ""))
        known = {post.place: post.name for post in await self._app.store.posted(NAME, action.id)}
        for where, thread in places:
            if known.get(where):
                await self._sender.update(where, known[where], drawn)
            else:
                await self._once(action.id, where, drawn, thread=thread)

    async def progress(self, action: Action, line: str) -> None:
        """Nothing: the card says that it runs, and the notice how it ended."""

    async def _once(self, subject: str, channel: str, shown: Message, *, thread: str) -> None:
        """Posts it, unless it was posted: by our notes, or, where somebody died posting it, by what stands there."""
        known = {post.place: post.name for post in await self._app.store.posted(NAME, subject)}
        if known.get(channel):
            return
        ts = None
        if channel in known and thread:
            ts = await self._sender.find(channel, thread, subject)
        if ts is None:
            await self._app.store.note_post(Post(NAME, subject, channel))
            ts = await self._sender.post(channel, shown, thread=thread, subject=subject)
        if ts is not None:
            await self._app.store.note_post(Post(NAME, subject, channel, ts))

    async def _place(self, thread: ThreadId, question: str) -> tuple[str, str]:
        """Channel and thread; what was asked by a command gets a message of ours to hang below."""
        channel, ts = place_of(thread)
        if ts.replace(".", "").isdigit():
            return channel, ts
        root = f"root/{thread}"
        for post in await self._app.store.posted(NAME, root):
            if post.name:
                return channel, post.name
        text = say("slack.asked_here", self._app.settings.language, question=question or "…")
        await self._once(root, channel, message(text, [section(mrkdwn.escaped(text))]), thread="")
        posts = await self._app.store.posted(NAME, root)
        return channel, posts[0].name if posts else ""

    def _locale(self, record: TurnRecord) -> str:
        kept = (record.record or {}).get("locale")
        return str(kept) if kept in ("en", "fr") else self._app.locale_of(record.speaker)


class Watching:
    """Implements `agent.conversation.ports.Audience`: a reaction says within a second that the question was heard."""

    def __init__(self, sender: Sender, said: Said) -> None:
        self._sender, self._said = sender, said
        self._begun = asyncio.create_task(self._begin())

    async def _begin(self) -> None:
        await self._react(away=False)

    async def end(self) -> None:
        """The answer is there."""
        await self._begun
        await self._react(away=True)

    async def _react(self, *, away: bool) -> None:
        channel, ts = _parts(self._said.event_id)
        if ts:
            with suppress(VoiceUnavailable):
                await self._sender.react(channel, ts, BUSY, away=away)

    async def text(self, piece: str) -> None:
        """The whole follows, checked."""

    async def progress(self, step: Step) -> None:
        """The reaction stays until the answer is there."""

    async def card(self, action: Action) -> None:
        """It is told by the outbox."""


def _parts(event_id: str) -> tuple[str, str]:
    channel, ts = place_of(event_id)
    return (channel, ts) if ts.replace(".", "").isdigit() else (channel, "")
