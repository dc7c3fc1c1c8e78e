"""sayso's voice in Slack: answers, notices and cards, each posted once and changed where it stands."""

from agent.app import App
from agent.approvals.action import Action, State
from agent.conversation.ports import Audience
from agent.conversation.posted import Post
from agent.conversation.room import ALONE, SHARE, Room
from agent.conversation.thread import Said, ThreadId
from agent.conversation.turn import Answer
from agent.store.port import TurnRecord
from agent.surfaces.slack import answers, cards, mrkdwn
from agent.surfaces.slack.blocks import Message, message, section
from agent.surfaces.slack.events import NAME, place_of
from agent.surfaces.slack.running import Running
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.unseen import Unseen
from agent.surfaces.slack.watching import Seat, Watching
from agent.words.catalogue import say


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
    ) -> None:
        """`approvals` is a channel where every card is shown as well; `directly`: to each approver, too."""
        self._app, self._sender, self._approvals, self._directly = app, sender, approvals, directly
        self.team = ""  # the workspace, once Slack has told it
        self._watching: dict[ThreadId, Watching] = {}  # turns that this process answers
        self._running: dict[str, Running] = {}  # actions that this process runs

    def audience(self, said: Said) -> Audience:
        slack = self._app.settings.slack
        if slack is not None and slack.here(place_of(said.thread)[0]).quiet:
            return Unseen()
        seat = Seat(
            place=lambda: self._place(said.thread, said.text),
            keep=lambda channel, ts: self._app.store.note_post(
                Post(NAME, _working(said.thread), channel, ts)
            ),
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
        channel, thread = await self._place(record.thread, record.question)
        locale = self._locale(record)
        if record.private:
            told = message(record.answer, [section(mrkdwn.mrkdwn(record.answer))])
            await self._instead(f"{record.turn}/private", record.thread, channel, told, thread=thread)
            channel, thread = await self._alone_with(record.speaker), ""
        if channel:
            first, *rest = answers.of(record, locale)
            await self._instead(f"{record.turn}/0", record.thread, channel, first, thread=thread)
            for place, one in enumerate(rest, 1):
                await self._once(f"{record.turn}/{place}", channel, one, thread=thread)
            for file in answer.files if answer is not None else ():
                await self._sender.upload(channel, file.name, file.content, thread=thread)

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        channel, ts = await self._place(thread, "")
        shown = message(text, [section(mrkdwn.mrkdwn(text))])
        await self._once(f"{thread}/{subject}", channel, shown, thread=ts)

    async def shown(self, action: Action) -> None:
        if action.state is not State.RUNNING and (running := self._running.pop(action.id, None)) is not None:
            await running.end()
        locale = self._app.locale_of(action.requester)
        drawn = cards.of(action, self._app.card(action, locale), locale)
        channel, ts = await self._place(ThreadId(action.thread), "")
        places = [(channel, ts)]
        if self._approvals and self._approvals != channel:
            places.append((self._approvals, ""))
        asked = self._app.asked_as_well(action)
        if self._directly and action.state is State.AWAITING_APPROVAL:
            asked += self._app.may_decide(action)
        for person in dict.fromkeys(one.id for one in asked):
            if direct := await self._alone_with(person):
                places.append((direct, ""))
        known = {post.place: post.name for post in await self._app.store.posted(NAME, action.id)}
        for where, thread in places:
            if known.get(where):
                await self._sender.update(where, known[where], drawn)
            else:
                await self._once(action.id, where, drawn, thread=thread)
        for where in known.keys() - {place for place, _ in places}:  # shown there while it waited
            if known[where]:
                await self._sender.update(where, known[where], drawn)

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
        channel, thread = await self._place(ThreadId(action.thread), "")
        subject = f"{action.id}/output"
        known = {post.place: post.name for post in await self._app.store.posted(NAME, subject)}
        if known.get(channel):
            await self._sender.update(channel, known[channel], shown)
        else:
            await self._once(subject, channel, shown, thread=thread)

    async def _instead(
        self, subject: str, of: ThreadId, channel: str, shown: Message, *, thread: str
    ) -> None:
        """Puts it in the place of the message that showed the work, where there is one; else posts it, once."""
        working = {post.place: post.name for post in await self._app.store.posted(NAME, _working(of))}
        ts = working.get(channel)
        if ts:
            await self._sender.update(channel, ts, shown)
            await self._app.store.note_post(Post(NAME, subject, channel, ts))
            await self._app.store.note_post(Post(NAME, _working(of), channel))
        else:
            await self._once(subject, channel, shown, thread=thread)

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

    async def _alone_with(self, person: str) -> str:
        """The direct messages with somebody; empty where Slack has none."""
        user = self._user(person)
        return await self._sender.direct(user) if user else ""

    def _user(self, person: str) -> str:
        """Slack's id of a person; empty for somebody who left the settings, or has none."""
        known = {one.id: one for one in self._app.directory.everybody()}
        return known[person].identities.get(NAME, "") if person in known else ""

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


def _working(thread: str) -> str:
    """What the message is kept under that shows the work on a question of this thread."""
    return f"working/{thread}"
