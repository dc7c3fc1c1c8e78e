"""Everything that goes to Slack goes through here: in order within a channel, as fast as Slack lets us, never dropped.

A channel takes about one message a second. When Slack says 429 the whole workspace waits as long as it asks for. Of
several updates of one message that wait, only the newest is sent. What fails for now raises `VoiceUnavailable`, and is
told again later from the store; what can never work is logged and let go.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from agent.jobs.voice import VoiceUnavailable
from agent.surfaces.slack.blocks import Block, Message

LOG = logging.getLogger("sayso.slack")
EVERY = 1.0  # seconds between two messages of a channel
TRIES = 5
PAUSE = 1.0  # seconds before a second try; twice as long before each next one
LONGEST = 60.0  # seconds that Slack may ask us to wait here; beyond that it is told later
# There is no use in trying again: https://docs.slack.dev/reference/methods/chat.postMessage#errors
FOR_GOOD = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "user_not_found",
        "user_not_in_channel",
        "already_reacted",
        "no_reaction",
        "invalid_blocks",
        "msg_too_long",
        "msg_blocks_too_long",
        "expired_trigger_id",
    }
)
Sleep = Callable[[float], Awaitable[None]]


class Sender:
    """Sends with this client. `sleep` and `clock` are passed in so that a test need not wait."""

    def __init__(
        self,
        client: AsyncWebClient,
        clock: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client, self._clock, self._sleep = client, clock, sleep
        self._channels: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[str, float] = {}  # when a channel takes its next message
        self._open_at = 0.0  # when the workspace takes anything again
        self._updates: dict[tuple[str, str], Message] = {}
        self._direct: dict[str, str] = {}
        self.trouble: str | None = None

    async def post(
        self, channel: str, message: Message, *, thread: str = "", subject: str = ""
    ) -> str | None:
        """Posts it, and gives its timestamp; None where it can never be posted. Raises `VoiceUnavailable`."""
        metadata = {"event_type": "sayso", "event_payload": {"subject": subject}} if subject else None
        async with self._channels[channel]:
            await self._turn(channel)
            answer = await self._call(
                "chat.postMessage",
                {
                    "channel": channel,
                    "text": message.text,
                    "blocks": list(message.blocks),
                    "unfurl_links": False,
                    "unfurl_media": False,
                    **({"thread_ts": thread} if thread else {}),
                    **({"metadata": metadata} if metadata else {}),
                },
            )
        return None if answer is None else str(answer.get("ts"))

    async def update(self, channel: str, ts: str, message: Message) -> None:
        """Changes a message; an update that a newer one has overtaken is not sent. Raises `VoiceUnavailable`."""
        self._updates[channel, ts] = message
        async with self._channels[channel]:
            newest = self._updates.pop((channel, ts), None)
            if newest is None:
                return  # it went with an earlier one
            await self._call(
                "chat.update",
                {"channel": channel, "ts": ts, "text": newest.text, "blocks": list(newest.blocks)},
            )

    async def upload(self, channel: str, name: str, content: bytes, *, thread: str = "") -> None:
        """Puts a file into a thread. Raises `VoiceUnavailable`."""
        try:
            await self._client.files_upload_v2(
                channel=channel, filename=name, content=content, thread_ts=thread or None
            )
        except SlackApiError as error:
            why, _, _ = _said(error)
            if why not in FOR_GOOD:
                raise VoiceUnavailable(f"Slack: {name} was not uploaded: {why}") from error
            LOG.warning("%s was not uploaded: %s", name, why)
        except (OSError, TimeoutError) as error:
            raise VoiceUnavailable(f"Slack: {name} was not uploaded: {error}") from error

    async def whisper(self, channel: str, user: str, text: str, *, thread: str = "") -> None:
        """Says something that only one person sees. Raises `VoiceUnavailable`."""
        body = {"channel": channel, "user": user, "text": text, **({"thread_ts": thread} if thread else {})}
        await self._call("chat.postEphemeral", body)

    async def direct(self, user: str) -> str:
        """The channel to write to somebody alone; empty where there can be none. Raises `VoiceUnavailable`."""
        if user not in self._direct:
            answer = await self._call("conversations.open", {"users": user})
            channel = answer.get("channel") if answer is not None else None
            if not isinstance(channel, Mapping):
                return ""
            self._direct[user] = str(channel.get("id") or "")
        return self._direct[user]

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

    async def open_view(self, trigger: str, view: Block) -> None:
        """Opens a modal. Raises `VoiceUnavailable`."""
        await self._call("views.open", {"trigger_id": trigger, "view": view})

    async def update_view(self, view_id: str, view: Block) -> None:
        """Shows something else in a modal that is open. Raises `VoiceUnavailable`."""
        await self._call("views.update", {"view_id": view_id, "view": view})

    async def home(self, user: str, view: Block) -> None:
        """Shows somebody their home tab. Raises `VoiceUnavailable`."""
        await self._call("views.publish", {"user_id": user, "view": view})

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
        if self._open_at > self._clock():
            return None
        try:
            answer = await self._client.api_call(method, json=dict(body))
        except (SlackApiError, OSError, TimeoutError) as error:
            LOG.debug("%s: %s", method, error)
            return None
        data = answer.data
        return data if isinstance(data, Mapping) else {}

    async def _call(self, method: str, body: Mapping[str, object]) -> Mapping[str, object] | None:
        """Calls it until it works; None where it never will. Raises `VoiceUnavailable`."""
        pause, why = PAUSE, ""
        for _ in range(TRIES):
            if (wait := self._open_at - self._clock()) > 0:
                await self._sleep(wait)
            try:
                answer = await self._client.api_call(method, json=dict(body))
            except SlackApiError as error:
                why, status, headers = _said(error)
                if status == 429 or why == "ratelimited":
                    asked = float(headers.get("Retry-After", pause))
                    if asked > LONGEST:
                        break
                    self._open_at = self._clock() + asked
                    continue
                if why in FOR_GOOD:
                    LOG.warning("%s: %s; this is not tried again", method, why)
                    return None
                if status < 500:
                    break
            except (OSError, TimeoutError) as error:  # aiohttp's errors of connections are OSErrors
                why = str(error) or type(error).__name__
            else:
                self.trouble = None
                data = answer.data
                return data if isinstance(data, Mapping) else {}
            await self._sleep(pause)
            pause *= 2
        self.trouble = f"{method}: {why}"
        raise VoiceUnavailable(f"Slack: {self.trouble}")


def _said(error: SlackApiError) -> tuple[str, int, Mapping[str, str]]:
    """Why, with which status and headers; what is no answer of Slack's API (a proxy's page) counts as its failure."""
    answer = error.response
    if isinstance(answer, AsyncSlackResponse):
        return str(answer.get("error") or error), answer.status_code, {**answer.headers}
    return "no answer of Slack's", 500, {}
