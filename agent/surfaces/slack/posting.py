"""Messages of ours that stand in Slack once: noted before and after they are posted, and found after a crash."""

from agent.conversation.posted import Post, Posted
from agent.surfaces.slack.blocks import Message
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.sender import Sender


class Posting:
    """Posts, by what the store knows of what was posted."""

    def __init__(self, kept: Posted, sender: Sender) -> None:
        self._kept, self._sender = kept, sender

    async def known(self, subject: str) -> dict[str, str]:
        """Where it was posted, and the timestamp it got there; an empty one where somebody was about to post it."""
        return {post.place: post.name for post in await self._kept.posted(NAME, subject)}

    async def note(self, subject: str, channel: str, ts: str = "") -> None:
        """Notes that it stands there; without a timestamp, that it is about to."""
        await self._kept.note_post(Post(NAME, subject, channel, ts))

    async def once(
        self, subject: str, channel: str, shown: Message, *, thread: str, anew: bool = False
    ) -> bool:
        """Posts it, unless it was posted: by our notes, or, where somebody died posting it, by what stands there.

        `anew` where what was posted is gone. False where it can never be posted there. Raises `VoiceUnavailable`.
        """
        if not channel:
            return False
        known = await self.known(subject)
        if known.get(channel) and not anew:
            return True
        ts = None
        if channel in known and thread and not anew:
            ts = await self._sender.find(channel, thread, subject)
        if ts is None:
            await self.note(subject, channel)
            ts = await self._sender.post(channel, shown, thread=thread, subject=subject)
        if ts is not None:
            await self.note(subject, channel, ts)
        return ts is not None
