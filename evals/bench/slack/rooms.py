"""The channels of a workspace on this machine: who is in them, what people said there, what Slack answers of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BOT = "UBOT"


@dataclass
class Room:
    """One channel. The bot is one of its members."""

    id: str
    name: str = "payments"
    private: bool = False
    archived: bool = False
    members: list[str] = field(default_factory=lambda: [BOT])
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)

    def thread(self, ts: str) -> Iterator[dict[str, Any]]:
        """A message and its replies, oldest first."""
        for _, one in sorted(self.messages.items()):
            if ts in (one["ts"], one.get("thread_ts")):
                yield self.shown(one)

    def shown(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A message as history has it: one that was answered says how often."""
        ts = message["ts"]
        replies = [one for one in self.messages.values() if one.get("thread_ts") == ts and one["ts"] != ts]
        told = {"thread_ts": ts, "reply_count": len(replies)} if replies else {}
        return {"type": "message", **message, **told}


@dataclass
class Rooms:
    """All of them. `most` is how many members and replies come on one page."""

    rooms: dict[str, Room] = field(default_factory=dict)
    most: int = 2

    def __getitem__(self, id_: str) -> Room:
        return self.rooms.setdefault(id_, Room(id_))

    def _seen(self, body: Mapping[str, Any]) -> Room | None:
        """The channel, if the bot can see it."""
        room = self.rooms.get(body["channel"])
        return None if room is None or (room.private and BOT not in room.members) else room

    def _conversations_info(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if (room := self._seen(body)) is None:
            return {"error": "channel_not_found"}
        return {
            "channel": {
                "id": room.id,
                "name": room.name,
                "is_private": room.private,
                "is_archived": room.archived,
                "is_member": BOT in room.members,
                "is_im": room.id.startswith("D"),
            }
        }

    def _conversations_members(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if (room := self._seen(body)) is None:
            return {"error": "channel_not_found"}
        at = int(body.get("cursor") or 0)
        more = at + self.most < len(room.members)
        return {
            "members": room.members[at : at + self.most],
            "response_metadata": {"next_cursor": str(at + self.most) if more else ""},
        }

    def _conversations_history(self, body: Mapping[str, Any]) -> dict[str, Any]:
        room = self._seen(body)
        if room is None or BOT not in room.members:
            return {"error": "channel_not_found" if room is None else "not_in_channel"}
        found = [
            room.shown(one)
            for ts, one in sorted(room.messages.items(), reverse=True)
            if body.get("oldest", "") < ts < (body.get("latest") or "9")
            and (one.get("thread_ts") in (None, ts) or one.get("subtype") == "thread_broadcast")
        ]
        limit = int(body["limit"])
        return {"messages": found[:limit], "has_more": len(found) > limit}

    def replies(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What `conversations.replies` answers; nothing where people said nothing."""
        room = self._seen(body)
        found = [] if room is None else list(room.thread(body["ts"]))
        if not found:
            return {"error": "thread_not_found"}
        at = int(body.get("cursor") or 0)
        more = at + self.most < len(found)
        shown = found[at : at + self.most]
        return {
            "messages": shown if at == 0 else [found[0], *shown],  # the first one is on every page
            "has_more": more,
            "response_metadata": {"next_cursor": str(at + self.most) if more else ""},
        }

    def _pins_list(self, body: Mapping[str, Any]) -> dict[str, Any]:
        room = self._seen(body)
        pins = [] if room is None else room.pins
        return {"items": [{"type": "message", "message": {"ts": ts}} for ts in pins]}
