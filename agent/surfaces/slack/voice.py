"""sayso's voice in Slack: answers, notices and cards, each posted once and changed where it stands."""

from collections.abc import Callable

from agent.app import App
from agent.approvals.action import Action, State
from agent.conversation.ports import Audience
from agent.conversation.room import ALONE, SHARE, Room
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.turn import Answer
from agent.store.port import TurnRecord
from agent.surfaces.slack import answers, cards, details, mrkdwn
from agent.surfaces.slack.blocks import Message, message, paragraphs
from agent.surfaces.slack.copies import Copies
from agent.surfaces.slack.events import NAME, is_time, place_of
from agent.surfaces.slack.posting import Posting
from agent.surfaces.slack.running import Running
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.unseen import Unseen
from agent.surfaces.slack.watching import Seat, Watching
from agent.words.catalogue import say
from tools.contract import File


class SlackVoice:
    """Implements `agent.jobs.voice.Voice`."""

    surface = NAME

    def __init__(
        self,
        app: App,
        sender: Sender,
        approvals: str | None = None,
        *,
        directly: bool = False,
        changed: Callable[[Action], None] = lambda _action: None,
    ) -> None:
        """`approvals` is a channel where every card is shown as well; `directly`: to each approver, too.

        `changed` hears of every action whose card was shown anew.
        """
        self._app, self._sender, self._changed = app, sender, changed
        self._posting = Posting(app.store, sender)
        self._copies = Copies(app, self._posting, self._alone_with, approvals, directly=directly)
        self.team, self.url = "", ""  # the workspace and its address, once Slack has told them
        self._watching: dict[ThreadId, Watching] = {}  # turns that this process answers
        self._running: dict[str, Running] = {}  # actions that this process runs

    def audience(self, said: Said) -> Audience:
        slack = self._app.settings.slack
        if slack is not None and slack.here(place_of(said.thread)[0]).quiet:
            return Unseen()
        seat = Seat(
            place=lambda: self._place(said.thread, said.text, said.speaker),
            keep=lambda channel, ts: self._posting.note(_working(said.thread), channel, ts),
            locale=self._app.locale_of(said.speaker),
            user=self._user(said.speaker),
            team=self.team,
        )
        watching = self._watching[said.thread] = Watching(self._sender, said, seat)
        return watching

    def room(self, said: Said) -> Room:
        """Whoever is in the channel; nobody in a direct message. Whether a channel is private is not known here."""
        channel, _ = place_of(said.thread)
        return ALONE if channel.startswith("D") else Room(channel, shared=said.event_id.startswith(SHARE))

    async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
        if (watching := self._watching.pop(record.thread, None)) is not None:
            await watching.end()
        channel, thread = await self._place(record.thread, record.question, record.speaker)
        locale = self._locale(record)
        if record.private:
            told = message(record.answer, paragraphs(mrkdwn.mrkdwn(record.answer)))
            await self._instead(f"{record.turn}/private", record.thread, channel, told, thread=thread)
            channel, thread = await self._alone_with(record.speaker), ""
        if not channel:
            return
        first, *rest = answers.of(record, locale)
        if not await self._instead(f"{record.turn}/0", record.thread, channel, first, thread=thread):
            channel, thread = await self._elsewhere(record.thread, record.question, record.speaker)
            await self._posting.once(f"{record.turn}/0", channel, first, thread=thread)
        for place, one in enumerate(rest, 1):
            await self._posting.once(f"{record.turn}/{place}", channel, one, thread=thread)
        _, files = answers.snippets(record, locale)
        for file in (*files, *(answer.files if answer is not None else ())):
            await self._upload(f"{record.turn}/{file.name}", channel, file, thread)

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        channel, ts = await self._place(thread, "", "")
        shown = message(text, paragraphs(mrkdwn.mrkdwn(text)))
        if not await self._posting.once(f"{thread}/{subject}", channel, shown, thread=ts):
            about = await self._app.store.actions(thread=thread, limit=1)
            channel, ts = await self._elsewhere(thread, "", about[0].requester if about else "")
            await self._posting.once(f"{thread}/{subject}", channel, shown, thread=ts)

    async def shown(self, action: Action) -> None:
        await self._ran(action)
        drawn = await self._drawn(action)
        channel, ts = await self._place(ThreadId(action.thread), "", action.requester)
        copies = await self._copies.of(action, channel)
        places = [(channel, ts), *((copy.place, "") for copy in copies)]
        known = await self._posting.known(action.id)
        for where, thread in places:
            if not (known.get(where) and await self._sender.update(where, known[where], drawn)):
                seen = await self._posting.once(
                    action.id, where, drawn, thread=thread, anew=bool(known.get(where))
                )
                if not seen and (where, thread) == (channel, ts):
                    where_else, root = await self._elsewhere(ThreadId(action.thread), "", action.requester)
                    await self._posting.once(action.id, where_else, drawn, thread=root)
        for where in known.keys() - {place for place, _ in places}:  # shown there while it waited
            if known[where]:
                await self._sender.update(where, known[where], drawn)
        await self._copies.remind(action, copies)
        self._changed(action)

    async def _ran(self, action: Action) -> None:
        """The last of what an action wrote stands before its card says how it ended."""
        if action.state is not State.RUNNING and (running := self._running.pop(action.id, None)) is not None:
            await running.end()

    async def _drawn(self, action: Action) -> Message:
        """The card of an action, with what it rests on and where it was asked for."""
        locale = self._app.locale_of(action.requester)
        turn = action.origin.turn
        record = await self._app.store.turn(TurnId(turn)) if turn else None
        rests = details.rests_on(action, record)
        return cards.of(
            action, self._app.actions.card(action, locale), locale, await self._asked_at(action), rests
        )

    async def _asked_at(self, action: Action) -> str:
        """The address of the thread that an action was asked for in."""
        channel, ts = await self._known_place(ThreadId(action.thread))
        return await self._permalink(channel, ts)

    async def link_to(self, action: Action) -> str:
        """The address of an action's card, or of its thread where it has none yet."""
        for post in await self._app.store.posted(NAME, action.id):
            if post.name and post.place == place_of(action.thread)[0]:
                return await self._permalink(post.place, post.name)
        return await self._asked_at(action)

    async def _permalink(self, channel: str, ts: str) -> str:
        self.url = self.url or await self._sender.workspace()  # a worker that hears nobody was not told
        if not (self.url and channel and is_time(ts)):
            return ""
        return f"{self.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"

    async def progress(self, action: Action, line: str) -> None:
        if action.id not in self._running:
            slack = self._app.settings.slack
            if slack is not None and slack.here(place_of(ThreadId(action.thread))[0]).quiet:
                return
            locale = self._app.locale_of(action.requester)
            self._running[action.id] = Running(action.id, locale, lambda shown: self._written(action, shown))
        self._running[action.id].take(line)

    async def _written(self, action: Action, shown: Message) -> None:
        """Puts what an action wrote into its thread, in one message."""
        channel, thread = await self._place(ThreadId(action.thread), "", action.requester)
        subject = f"{action.id}/output"
        known = await self._posting.known(subject)
        if not (known.get(channel) and await self._sender.update(channel, known[channel], shown)):
            await self._posting.once(subject, channel, shown, thread=thread, anew=bool(known.get(channel)))

    async def _instead(
        self, subject: str, of: ThreadId, channel: str, shown: Message, *, thread: str
    ) -> bool:
        """Puts it in the place of the message that showed the work, where there is one; else posts it, once.

        False where it can never be posted there.
        """
        working = await self._posting.known(_working(of))
        ts = working.get(channel)
        if not ts:
            return await self._posting.once(subject, channel, shown, thread=thread)
        changed = await self._sender.update(channel, ts, shown)
        if changed:
            await self._posting.note(subject, channel, ts)
        await self._posting.note(_working(of), channel)
        # Somebody deleted it, or it may not be changed any more: what was to be said is said anew.
        return changed or await self._posting.once(subject, channel, shown, thread=thread)

    async def _upload(self, subject: str, channel: str, file: File, thread: str) -> None:
        """Puts a file into the thread, once."""
        if any(post.name for post in await self._app.store.posted(NAME, subject)):
            return
        if await self._sender.upload(channel, file.name, file.content, thread=thread):
            await self._posting.note(subject, channel, "file")

    async def _alone_with(self, person: str) -> str:
        """The direct messages with somebody; empty where Slack has none."""
        user = self._user(person)
        return await self._sender.direct(user) if user else ""

    def _user(self, person: str) -> str:
        """Slack's id of a person; empty for somebody who left the settings, or has none."""
        known = {one.id: one for one in self._app.directory.everybody()}
        return known[person].identities.get(NAME, "") if person in known else ""

    async def _known_place(self, thread: ThreadId) -> tuple[str, str]:
        """Channel and timestamp of a thread: where Slack has it, or where a message of ours stands for it."""
        channel, ts = place_of(thread)
        for post in await self._app.store.posted(NAME, _root(thread)):
            if post.name:
                return post.place, post.name
        return channel, ts

    async def _place(self, thread: ThreadId, question: str, speaker: str) -> tuple[str, str]:
        """Channel and thread; what was asked by a command gets a message of ours to hang below."""
        channel, ts = await self._known_place(thread)
        if is_time(ts):
            return channel, ts
        text = say("slack.asked_here", self._app.settings.language, question=question or "…")
        shown = message(text, paragraphs(mrkdwn.escaped(text)))
        if await self._posting.once(_root(thread), channel, shown, thread=""):
            return await self._known_place(thread)
        return await self._elsewhere(thread, question, speaker)

    async def _elsewhere(self, thread: ThreadId, question: str, speaker: str) -> tuple[str, str]:
        """A thread in the direct messages of who asked, for what cannot be said where they did: sayso is not there."""
        direct = await self._alone_with(speaker) if speaker else ""
        if not direct:
            return "", ""
        text = say(
            "slack.not_there",
            self._app.locale_of(speaker),
            channel=f"<#{place_of(thread)[0]}>",
            question=mrkdwn.escaped(question or "…"),
        )
        if not await self._posting.once(_root(thread), direct, message(text, paragraphs(text)), thread=""):
            return "", ""
        return await self._known_place(thread)

    def _locale(self, record: TurnRecord) -> str:
        kept = (record.record or {}).get("locale")
        return str(kept) if kept in ("en", "fr") else self._app.locale_of(record.speaker)


def _root(thread: str) -> str:
    """What the message is kept under that stands for a thread that Slack does not have."""
    return f"root/{thread}"


def _working(thread: str) -> str:
    """What the message is kept under that shows the work on a question of this thread."""
    return f"working/{thread}"
