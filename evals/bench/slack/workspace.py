"""A Slack workspace on this machine: it keeps messages, refuses what Slack refuses, and sends signed events and clicks.

What it refuses is in `judge`, written down again from Slack's pages and not taken from the product.
"""

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, web

from evals.bench.slack import judge
from evals.bench.slack.rooms import Rooms

SECRET = "a signing secret"
BOT, TEAM = "UBOT", "T1"


@dataclass
class Workspace:
    """What has been posted, and a way to speak and click in it."""

    api: str = ""
    bot: str = ""  # where events are sent to
    messages: list[dict[str, Any]] = field(default_factory=list)
    whispers: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    reactions: list[tuple[str, str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    shared: list[tuple[str, str, str]] = field(default_factory=list)  # channel, thread, name
    calls: list[str] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str], str]] = field(default_factory=list)  # of the next posts
    update_failures: list[str] = field(default_factory=list)  # of the next changes of messages
    home_failures: list[str] = field(default_factory=list)  # of the next home tabs
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    streaming: set[str] = field(default_factory=set)
    statuses: list[str] = field(default_factory=list)
    prompts: dict[str, list[str]] = field(default_factory=dict)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    rooms: Rooms = field(default_factory=Rooms)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)  # those who are not plain members
    outside: set[str] = field(default_factory=set)  # channels that the bot is not in
    scopes: list[str] = field(default_factory=list)  # that the app has
    late: bool = False  # no form opens any more: the click is too old
    revoked: str = ""  # why no token is taken any more
    _count: int = 0

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """A connection of Socket Mode: every envelope goes to all of them, which is the hardest case."""
        held = web.WebSocketResponse()
        await held.prepare(request)
        await held.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        self.sockets.append(held)
        async for heard in held:
            answer = json.loads(heard.data)
            if "envelope_id" in answer:
                self.acknowledged.setdefault(answer["envelope_id"], answer.get("payload") or {})
        self.sockets.remove(held)
        return held

    async def envelope(self, kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Sends it, and waits until somebody acknowledged it; gives what they answered."""
        self._count += 1
        name = f"E{self._count}"
        sent = {"envelope_id": name, "type": kind, "payload": payload, "accepts_response_payload": True}
        for held in list(self.sockets):
            await held.send_json(sent)
        while name not in self.acknowledged:
            await asyncio.sleep(0.01)
        return self.acknowledged[name]

    def refuses(self, body: Mapping[str, Any]) -> str | None:
        """Why a message is not taken, as Slack says it."""
        if self.outside and body["channel"] in self.outside:
            return "not_in_channel"
        why = judge.message(body.get("blocks", []), body.get("text", ""))
        return None if why is None else why.partition(":")[0]

    # --- what the bot calls --------------------------------------------------------------------------------------

    async def call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        raw = await request.text()
        body: dict[str, Any] = (
            json.loads(raw or "{}")
            if request.content_type == "application/json"
            else dict(await request.post())
        )
        body = {**request.query, **body}
        self.calls.append(method)
        if method.startswith("chat.post") and self.failures:
            status, headers, error = self.failures.pop(0)
            return web.json_response({"ok": False, "error": error}, status=status, headers=headers)
        if self.revoked:
            return web.json_response({"ok": False, "error": self.revoked})
        own = "_" + method.replace(".", "_")
        whose = self if hasattr(self, own) else self.rooms
        answer: dict[str, Any] = getattr(whose, own, lambda _body: {})(body)
        scopes = {"x-oauth-scopes": ",".join(self.scopes)}
        return web.json_response({"ok": "error" not in answer, **answer}, headers=scopes)

    def _apps_connections_open(self, _body: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.api.replace("http://", "ws://").replace("/api/", "/link/?ticket=1")}

    def _auth_test(self, _body: dict[str, Any]) -> dict[str, Any]:
        return {"user_id": BOT, "team_id": TEAM, "url": "https://harbourlane.slack.com/", "bot_id": "B1"}

    def _chat_postMessage(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        if why := self.refuses(body):
            return {"error": why}
        self._count += 1
        ts = f"1800000000.{self._count:06}"
        self.messages.append({**body, "ts": ts})
        return {"ts": ts, "channel": body["channel"]}

    def _chat_update(self, body: dict[str, Any]) -> dict[str, Any]:
        if why := self.refuses(body):
            return {"error": why}
        if self.update_failures:
            return {"error": self.update_failures.pop(0)}
        for one in self.messages:
            if (one["channel"], one["ts"]) == (body["channel"], body["ts"]):
                if one["ts"] in self.streaming:
                    return {"error": "streaming_state_conflict"}
                one.update(body)
                return {"ts": body["ts"]}
        return {"error": "message_not_found"}

    def _chat_postEphemeral(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        if body["channel"] in self.outside:
            return {"error": "not_in_channel"}
        self.whispers.append(body)
        return {}

    def _conversations_replies(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["channel"] in self.outside:
            return {"error": "not_in_channel"}
        ours = [one for one in self.messages if one.get("thread_ts") == body["ts"]]
        return {"messages": ours} if ours else self.rooms.replies(body)

    def _users_info(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"user": self.user(body["user"])}

    def user(self, id_: str) -> dict[str, Any]:
        """Somebody as `users.info` has them."""
        return {"id": id_, "team_id": TEAM, "name": id_.lower(), "deleted": False, **self.users.get(id_, {})}

    def _reactions_add(self, body: dict[str, Any]) -> dict[str, Any]:
        self.reactions.append((body["channel"], body["timestamp"], body["name"]))
        return {}

    def _conversations_open(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{body['users']}"}}

    def _assistant_threads_setStatus(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        self.statuses.append(body["status"])
        return {}

    def _assistant_threads_setSuggestedPrompts(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if why := judge.prompts(body["prompts"], body["title"]):
            return {"error": why}
        self.prompts[body["channel_id"]] = [one["message"] for one in body["prompts"]]
        return {}

    def _chat_startStream(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        if not (body.get("thread_ts") and body.get("recipient_user_id") and body.get("recipient_team_id")):
            return {"error": "invalid_arguments"}
        self._count += 1
        ts = f"1800000000.{self._count:06}"
        self.messages.append({"channel": body["channel"], "thread_ts": body["thread_ts"], "ts": ts,
                              "text": body["markdown_text"], "blocks": []})  # fmt: skip
        self.streaming.add(ts)
        return {"ts": ts, "channel": body["channel"]}

    def _chat_appendStream(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        if body["ts"] not in self.streaming:
            return {"error": "message_not_in_streaming_state"}
        if len(body["markdown_text"]) > 12_000:
            return {"error": "msg_too_long"}
        next(one for one in self.messages if one["ts"] == body["ts"])["text"] += body["markdown_text"]
        return {}

    def _chat_stopStream(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        if body["ts"] not in self.streaming:
            return {"error": "message_not_in_streaming_state"}
        self.streaming.remove(body["ts"])
        return {}

    def _reactions_remove(self, body: dict[str, Any]) -> dict[str, Any]:
        found = (body["channel"], body["timestamp"], body["name"])
        if found not in self.reactions:
            return {"error": "no_reaction"}
        self.reactions.remove(found)
        return {}

    def _files_getUploadURLExternal(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        self._count += 1
        return {
            "upload_url": self.api.replace("/api/", f"/upload/{body['filename']}"),
            "file_id": f"F{self._count}",
        }

    def _files_completeUploadExternal(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        listed = json.loads(body["files"]) if isinstance(body["files"], str) else body["files"]
        self.shared += [
            (str(body.get("channel_id")), str(body.get("thread_ts")), one["title"]) for one in listed
        ]
        return {"files": [{"id": one["id"]} for one in listed]}

    async def upload(self, request: web.Request) -> web.Response:
        """The content of a file."""
        self.files[request.match_info["name"]] = await request.read()
        return web.Response(text="OK")

    def _views_open(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.late:
            return {"error": "expired_trigger_id"}
        if why := judge.view(body["view"]):
            return {"error": why}
        self.views.append(body["view"])
        return {"view": {"id": f"V{len(self.views)}"}}

    _views_update = _views_open

    def _views_publish(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.home_failures:
            return {"error": self.home_failures.pop(0)}
        if why := judge.view(body["view"]):
            return {"error": why}
        self.homes[body["user_id"]] = body["view"]
        return {}

    # --- what people do ------------------------------------------------------------------------------------------

    async def send(
        self, form: Mapping[str, str] | None, body: str, *, at: float | None = None, secret: str = SECRET
    ) -> tuple[int, str]:
        """Posts a signed request to the bot; gives status and body of its answer."""
        raw = body if form is None else urlencode(form)
        stamp = str(int(time.time() if at is None else at))
        signed = hmac.new(secret.encode(), f"v0:{stamp}:{raw}".encode(), hashlib.sha256).hexdigest()
        kind = "application/json" if form is None else "application/x-www-form-urlencoded"
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signed}",
            "Content-Type": kind,
        }
        async with (
            ClientSession() as session,
            session.post(self.bot, data=io.BytesIO(raw.encode()), headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def say(
        self,
        text: str,
        *,
        user: str = "UMAYA",
        channel: str = "C1",
        thread: str = "",
        kind: str = "app_mention",
        ts: str = "",
        team: str = TEAM,
    ) -> str:
        """Somebody writes a message; gives its timestamp."""
        self._count += 1
        ts = ts or f"1700000000.{self._count:06}"
        event = {"type": kind, "user": user, "channel": channel, "ts": ts, "text": text, "team": team}
        if thread:
            event["thread_ts"] = thread
        said = {"user": user, "ts": ts, "text": text, **({"thread_ts": thread} if thread else {})}
        self.rooms[channel].messages[ts] = said
        await self.event(event, team=team)
        return ts

    async def event(self, event: Mapping[str, Any], *, team: str = TEAM) -> None:
        """Something happens in the workspace."""
        self._count += 1
        body = {"type": "event_callback", "team_id": team, "event_id": f"Ev{self._count}", "event": event}
        if self.sockets:
            await self.envelope("events_api", body)
        else:
            assert (await self.send(None, json.dumps(body)))[0] == 200

    def post(self, channel: str, text: str, *, thread: str = "") -> str:
        """A message of the bot's from before; gives its timestamp."""
        return str(
            self._chat_postMessage({"channel": channel, "text": text, "thread_ts": thread, "blocks": []})[
                "ts"
            ]
        )

    async def change(self, ts: str, before: str, after: str | None, *, channel: str = "C1") -> None:
        """The author of a message changes it, or deletes it."""
        old: dict[str, Any] = {"type": "message", "user": "UMAYA", "ts": ts, "text": before}
        held = self.rooms[channel].messages
        if after is None:
            held.pop(ts, None)
        else:
            self._count += 1
            old["edited"] = {"user": "UMAYA", "ts": f"1700001000.{self._count:06}"}
            held[ts] = {**held.get(ts, {}), **old, "text": after}
        event: dict[str, Any] = {"type": "message", "channel": channel, "previous_message": old}
        if after is None:
            event |= {"subtype": "message_deleted", "deleted_ts": ts}
        else:
            event |= {"subtype": "message_changed", "message": {**old, "text": after}}
        await self.event(event)

    async def click(
        self,
        action: str,
        value: str,
        *,
        user: str,
        channel: str = "C1",
        thread: str = "",
        team: str = TEAM,
        view: Mapping[str, Any] | None = None,
    ) -> int:
        """Somebody presses a button, of a message or of this view."""
        self._count += 1
        payload: dict[str, Any] = {
            "type": "block_actions",
            "team": {"id": team},
            "user": {"id": user, "team_id": team},
            "channel": {"id": channel},
            "message": {"ts": "1.1", "thread_ts": thread},
            "trigger_id": f"trigger.{self._count}",
            "actions": [{"action_id": action, "value": value, "type": "button", "block_id": "b"}],
        }
        if view is not None:
            payload = {**payload, "view": {**view, "id": "V1"}, "channel": None, "message": None}
        if self.sockets:
            await self.envelope("interactive", payload)
            return 200
        status, _ = await self.send({"payload": json.dumps(payload)}, "")
        return status

    async def shortcut(self, message: Mapping[str, Any], *, user: str = "UMAYA", channel: str = "C1") -> None:
        """Somebody asks about a message by its menu."""
        self._count += 1
        payload = {
            "type": "message_action",
            "callback_id": "sayso_ask",
            "trigger_id": f"trigger.{self._count}",
            "action_ts": f"1800000100.{self._count}",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "channel": {"id": channel},
            "message": message,
        }
        if self.sockets:
            await self.envelope("interactive", payload)
        else:
            assert (await self.send({"payload": json.dumps(payload)}, ""))[0] == 200

    async def submit(self, view: Mapping[str, Any], fields: Mapping[str, str], *, user: str) -> str:
        """Somebody sends a modal; gives the bot's answer."""
        values = {name: {name: {"type": "plain_text_input", "value": text}} for name, text in fields.items()}
        self._count += 1
        payload = {
            "type": "view_submission",
            "trigger_id": f"trigger.{self._count}",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "view": {**view, "id": "V1", "state": {"values": values}},
        }
        if self.sockets:
            answer = await self.envelope("interactive", payload)
            return json.dumps(answer) if answer else ""
        status, text = await self.send({"payload": json.dumps(payload)}, "")
        assert status == 200
        return text

    async def command(self, text: str, *, user: str = "UMAYA", channel: str = "C1") -> str:
        """Somebody uses the slash command."""
        self._count += 1
        form = {
            "command": "/sayso", "text": text, "user_id": user, "channel_id": channel, "team_id": TEAM,
            "trigger_id": f"13.{self._count}",
        }  # fmt: skip
        if self.sockets:
            return str((await self.envelope("slash_commands", form)).get("text", ""))
        status, answer = await self.send(form, "")
        assert status == 200
        return answer

    # --- what can be seen ----------------------------------------------------------------------------------------

    def texts(self, channel: str = "C1") -> list[str]:
        return [one["text"] for one in self.messages if one["channel"] == channel]

    def buttons(self, message: Mapping[str, Any]) -> dict[str, str]:
        """Action ids and values of a message's buttons."""
        return {
            one["action_id"]: one["value"]
            for block in message["blocks"]
            if block["type"] == "actions"
            for one in block["elements"]
        }

    def is_card(self, message: Mapping[str, Any]) -> bool:
        """Whether a message is an action's card, open or over."""
        return str(message["text"]).startswith("A-") and "(" in str(message["text"])

    async def shows(self, text: str, channel: str = "C1") -> dict[str, Any]:
        """Waits for a message that has this in its text or its blocks."""
        while True:
            for one in self.messages:
                if one["channel"] == channel and text in json.dumps(one, ensure_ascii=False):
                    return one
            await asyncio.sleep(0.02)

    async def whispered(self, text: str) -> dict[str, Any]:
        while True:
            for one in self.whispers:
                if text in one["text"]:
                    return one
            await asyncio.sleep(0.02)

    async def opened(self, count: int = 1) -> dict[str, Any]:
        while len(self.views) < count:
            await asyncio.sleep(0.02)
        return self.views[-1]


@asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    """A workspace for as long as the block lasts."""
    made = Workspace()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", made.call)
    app.router.add_get("/link/", made.socket)
    app.router.add_post("/upload/{name}", made.upload)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.api = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield made
    await runner.cleanup()
