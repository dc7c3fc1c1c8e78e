"""Everything that goes to Slack goes through here: in order within a channel, as fast as Slack lets us, never dropped.

A channel takes about one message a second. When Slack says 429 the whole workspace waits as long as it asks for. Of
several updates of one message that wait, only the newest is sent. What fails for now raises `VoiceUnavailable`, and is
told again later from the store; what Slack will never take in that place is logged, and whoever sends it is told.
Blocks that it does not take are sent as text: what was to be said is said.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from slack_sdk.web.async_client import AsyncWebClient

from agent.surfaces.slack.blocks import Block, Message
from agent.surfaces.slack.calls import Calls, Never, Sleep

LOG = logging.getLogger("sayso.slack")
EVERY = 1.0  # seconds between two messages of a channel
UNREADABLE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
PLAIN = 3000  # characters of a text that stands for blocks


class Sender:
    """Sends with this client. `sleep` and `clock` are passed in so that a test need not wait."""

    def __init__(
        self,
        client: AsyncWebClient,
        clock: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client, self._clock, self._sleep = client, clock, sleep
        self._calls = Calls(clock, sleep)
        self._channels: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[str, float] = {}  # when a channel takes its next message
        self._updates: dict[tuple[str, str], Message] = {}
        self._direct: dict[str, str] = {}

    @property
    def trouble(self) -> str | None:
        """What Slack does not take at the moment."""
        return self._calls.trouble

    async def post(
        self, channel: str, message: Message, *, thread: str = "", subject: str = ""
    ) -> str | None:
        """Posts it, and gives its timestamp; None where it can never be posted. Raises `VoiceUnavailable`."""
        metadata = {"event_type": "sayso", "event_payload": {"subject": subject}} if subject else None
        body = {
            "channel": channel,
            "unfurl_links": False,
            "unfurl_media": False,
            **({"thread_ts": thread} if thread else {}),
            **({"metadata": metadata} if metadata else {}),
        }
        async with self._channels[channel]:
            await self._turn(channel)
            answer = await self._show("chat.postMessage", body, message)
        return None if answer is None else str(answer.get("ts"))

    async def update(self, channel: str, ts: str, message: Message) -> bool:
        """Changes a message; an update that a newer one has overtaken is not sent. Raises `VoiceUnavailable`.

        False where it cannot be changed any more: then it has to be said anew.
        """
        at = (channel, ts)
        self._updates[at] = message
        async with self._channels[channel]:
            newest = self._updates.pop(at, None)
            if newest is None:
                return True  # it went with an earlier one
            try:
                answer = await self._show("chat.update", {"channel": channel, "ts": ts}, newest)
            except BaseException:
                self._updates.setdefault(at, newest)  # whoever waits for it sends it
                raise
            return answer is not None

    async def _show(
        self, method: str, body: Mapping[str, object], message: Message
    ) -> Mapping[str, object] | None:
        """Sends blocks; as text, where Slack does not take them. None where it takes nothing.

        Raises `VoiceUnavailable`.
        """
        shown = {**body, "text": message.text, "blocks": list(message.blocks)}
        try:
            return await self._sent(method, shown)
        except Never as never:
            if never.why == "streaming_state_conflict":  # whoever began the stream has died
                await self.stop_stream(str(body["channel"]), str(body["ts"]))
                return await self._call(method, shown)
            if never.why not in UNREADABLE:
                LOG.warning("%s", never)
                return None
            LOG.warning("%s; it is sent as text", never)
        return await self._call(method, {**body, "text": message.text[:PLAIN], "blocks": []})

    async def upload(self, channel: str, name: str, content: bytes, *, thread: str = "") -> bool:
        """Puts a file into a thread; False where it can never be. Raises `VoiceUnavailable`."""
        async with self._channels[channel]:
            await self._turn(channel)
            try:
                await self._calls.until_done(
                    f"upload of {name}",
                    lambda: self._client.files_upload_v2(
                        channel=channel, filename=name, content=content, thread_ts=thread or None
                    ),
                )
            except Never as never:
                LOG.warning("%s was not uploaded: %s", name, never)
                return False
        return True

    async def whisper(self, channel: str, user: str, text: str, *, thread: str = "") -> bool:
        """Says something that only one person sees; False where that is not possible. Raises `VoiceUnavailable`."""
        body = {"channel": channel, "user": user, "text": text, **({"thread_ts": thread} if thread else {})}
        return await self._call("chat.postEphemeral", body) is not None

    async def direct(self, user: str) -> str:
        """The channel to write to somebody alone; empty where there can be none. Raises `VoiceUnavailable`."""
        if user not in self._direct:
            answer = await self._call("conversations.open", {"users": user})
            channel = answer.get("channel") if answer is not None else None
            if not isinstance(channel, Mapping):
                return ""
            self._direct[user] = str(channel.get("id") or "")
        return self._direct[user]

    async def workspace(self) -> str:
        """The address of the workspace; empty where Slack does not say."""
        answer = await self._try("auth.test", {})
        return "" if answer is None else str(answer.get("url") or "")

    async def react(self, channel: str, ts: str, name: str, *, away: bool = False) -> None:
        """Adds a reaction to a message, or takes it away. Raises `VoiceUnavailable`."""
        method = "reactions.remove" if away else "reactions.add"
        await self._call(method, {"channel": channel, "timestamp": ts, "name": name})

    async def status(self, channel: str, thread: str, text: str) -> bool:
        """What Slack shows below a thread until the next message there; False where it shows no such thing."""
        body = {"channel_id": channel, "thread_ts": thread, "status": text}
        return await self._try("assistant.threads.setStatus", body) is not None

    async def prompts(self, channel: str, title: str, prompts: Sequence[Mapping[str, str]]) -> None:
        """What Slack offers to ask where somebody opens a conversation with us."""
        body = {"channel_id": channel, "title": title, "prompts": list(prompts)}
        await self._try("assistant.threads.setSuggestedPrompts", body)

    async def start_stream(self, channel: str, text: str, *, thread: str, user: str, team: str) -> str | None:
        """Begins a message that grows, for this person; its timestamp, or None where Slack does not take it."""
        body = {
            "channel": channel,
            "thread_ts": thread,
            "markdown_text": text,
            "recipient_user_id": user,
            "recipient_team_id": team,
        }
        answer = await self._try("chat.startStream", body)
        return None if answer is None else str(answer.get("ts") or "") or None

    async def append_stream(self, channel: str, ts: str, text: str) -> bool:
        """Lets it grow; False where the stream has died."""
        body = {"channel": channel, "ts": ts, "markdown_text": text}
        return await self._try("chat.appendStream", body) is not None

    async def stop_stream(self, channel: str, ts: str) -> None:
        """Ends it, so that the message can be changed."""
        await self._try("chat.stopStream", {"channel": channel, "ts": ts})

    async def open_view(self, trigger: str, view: Block) -> bool:
        """Opens a modal; False where it is too late for that. Raises `VoiceUnavailable`."""
        return await self._call("views.open", {"trigger_id": trigger, "view": view}) is not None

    async def update_view(self, view_id: str, view: Block) -> None:
        """Shows something else in a modal that is open. Raises `VoiceUnavailable`."""
        await self._call("views.update", {"view_id": view_id, "view": view})

    async def home(self, user: str, view: Block) -> None:
        """Shows somebody their home tab. Raises `VoiceUnavailable`."""
        await self._call("views.publish", {"user_id": user, "view": view})

    async def home_again(self, user: str, view: Block) -> None:
        """The same, once and unasked: what comes late may as well not be shown."""
        await self._try("views.publish", {"user_id": user, "view": view})

    async def find(self, channel: str, thread: str, subject: str) -> str | None:
        """The message about this subject in a thread, if we posted it: by what we wrote beside it."""
        answer = await self._call(
            "conversations.replies",
            {"channel": channel, "ts": thread, "include_all_metadata": True, "limit": 200},
        )
        messages = answer.get("messages") if answer is not None else None
        for one in messages if isinstance(messages, list) else []:
            metadata = one.get("metadata") if isinstance(one, Mapping) else None
            payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
            if isinstance(payload, Mapping) and payload.get("subject") == subject:
                return str(one["ts"])
        return None

    async def _turn(self, channel: str) -> None:
        """Waits until the channel takes another message."""
        wait = self._next.get(channel, 0.0) - self._clock()
        if wait > 0:
            await self._sleep(wait)
        self._next[channel] = self._clock() + EVERY

    async def _try(self, method: str, body: Mapping[str, object]) -> Mapping[str, object] | None:
        """Calls it once; None where that did not work. For what may as well not be shown."""
        return await self._calls.once(method, lambda: self._client.api_call(method, json=dict(body)))

    async def _sent(self, method: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Calls it until it works. Raises `Never`, `VoiceUnavailable`."""
        return await self._calls.until_done(method, lambda: self._client.api_call(method, json=dict(body)))

    async def _call(self, method: str, body: Mapping[str, object]) -> Mapping[str, object] | None:
        """Calls it until it works; None where it never will. Raises `VoiceUnavailable`."""
        try:
            return await self._sent(method, body)
        except Never as never:
            LOG.warning("%s", never)
            return None
