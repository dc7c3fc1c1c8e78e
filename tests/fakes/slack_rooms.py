"""Slack's channels without a network: asked like Slack, and told of as Slack tells of them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from agent.surfaces.slack.reading import Reading, SlackRefuses
from evals.bench.slack.rooms import BOT, Room, Rooms


class Answering(Reading):
    """Answers from `rooms`, at once.

    `meanwhile` happens once, between a question (the method `during`, or any) and what is done with its answer.
    """

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.calls: list[tuple[str, Mapping[str, str]]] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.during = ""

    async def ask(
        self, method: str, parameters: Mapping[str, str], *, hurry: bool = False
    ) -> Mapping[str, object]:
        """What Slack would answer. Raises `SlackRefuses`."""
        self.calls.append((method, parameters))
        if method == "users.info":
            return {
                "user": {"id": parameters["user"], "team_id": "T1", "real_name": parameters["user"].title()}
            }
        name = method.replace(".", "_")
        answers = self.rooms.replies if name == "conversations_replies" else getattr(self.rooms, f"_{name}")
        answer: Mapping[str, object] = answers(parameters)
        if self.meanwhile is not None and self.during in ("", method):
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if "error" in answer:
            raise SlackRefuses(method, str(answer["error"]))
        return answer


class Town:
    """One channel, the people in it, a clock, and the events that Slack sends of what they do."""

    def __init__(self, *, private: bool = False) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.rooms = Rooms(most=2)
        self.room = self.rooms.rooms["C1"] = Room("C1", private=private)
        self._count = 0

    def clock(self) -> datetime:
        return self.now

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    def tick(self) -> str:
        """The next moment of a message."""
        self._count += 1
        return f"{self.now.timestamp() - 86400:.0f}.{self._count:06}"

    def says(self, text: str, *, user: str = "UMAYA", thread: str = "") -> Mapping[str, object]:
        """Somebody says something; the event of it."""
        ts = self.tick()
        message = {"type": "message", "user": user, "text": text, "ts": ts} | (
            {"thread_ts": thread} if thread else {}
        )
        self.room.messages[ts] = message
        return self._event({**message, "channel": "C1"})

    def edits(self, ts: str, text: str) -> Mapping[str, object]:
        """Somebody writes it anew."""
        message = self.room.messages[ts] = {
            **self.room.messages[ts],
            "text": text,
            "edited": {"user": "UMAYA", "ts": self.tick()},
        }
        return self._event(
            {"type": "message", "subtype": "message_changed", "channel": "C1", "message": message}
        )

    def deletes(self, ts: str) -> Mapping[str, object]:
        """Somebody takes it away; where others answered it, a gravestone stays."""
        if any(one.get("thread_ts") == ts for one in self.room.messages.values()):
            stone = {
                "type": "message",
                "subtype": "tombstone",
                "user": "USLACKBOT",
                "text": "deleted",
                "ts": ts,
            }
            self.room.messages[ts] = stone
            return self._event(
                {"type": "message", "subtype": "message_changed", "channel": "C1", "message": stone}
            )
        self.room.messages.pop(ts)
        return self._event(
            {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": ts}
        )

    def joins(self, user: str) -> Mapping[str, object]:
        """Somebody comes in."""
        if user not in self.room.members:
            self.room.members.append(user)
        return self._event({"type": "member_joined_channel", "user": user, "channel": "C1"})

    def leaves(self, user: str) -> Mapping[str, object]:
        """Somebody goes."""
        if user in self.room.members:
            self.room.members.remove(user)
        if user == BOT:
            return self._event({"type": "group_left", "channel": "C1"})
        return self._event({"type": "member_left_channel", "user": user, "channel": "C1"})

    def turns(self, *, private: bool) -> Mapping[str, object]:
        """It is private now, or public."""
        self.room.private = private
        subtype = f"channel_convert_to_{'private' if private else 'public'}"
        return self._event(
            {"type": "message", "subtype": subtype, "channel": "C1", "user": "UMAYA", "ts": "1.1"}
        )

    def standing(self) -> dict[str, str]:
        """What people said and did not take away."""
        messages = self.room.messages.items()
        return {ts: one["text"] for ts, one in messages if one.get("subtype") != "tombstone"}

    def _event(self, event: Mapping[str, object]) -> Mapping[str, object]:
        return {"type": "event_callback", "team_id": "T1", "event": event}
