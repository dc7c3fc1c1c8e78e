"""Writes the conversations of one Slack channel down as documents: a line a message, names for ids."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape

from knowledge.port import Document, Kind, Part, Place
from knowledge.sources.slack_wire import Channel, Message, User

_TITLE_CHARS = 80
_MENTION = re.compile(r"<([@#!])([^>|]+)(?:\|([^>]*))?>")
_URL = re.compile(r"<([a-z][a-z0-9+.-]*:[^>|]+)(?:\|([^>]*))?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Writer:
    """What is the same for all documents of a channel. `channels` are the names of public ones, by id."""

    source: str
    url: str
    users: Mapping[str, User]
    channels: Mapping[str, str]
    channel: Channel
    place: Place

    def document(self, messages: Sequence[Message]) -> Document:
        """One conversation. Its parts are its messages; there is at least one."""
        lines, parts, at = [], [], 0
        for message in messages:
            author = self._author(message)
            line = f"{author}: {self._said(message)}\n"
            parts.append(
                Part(
                    at,
                    at + len(line),
                    author=author,
                    date=message.moment,
                    link=self._link(message),
                    pinned=self._pinned(message),
                    solves=message.solves,
                )
            )
            lines.append(line)
            at += len(line)
        first = messages[0]
        return Document(
            id=f"{self.source}:{self.channel.id}/{first.thread_ts or first.ts}",
            source=self.source,
            kind=Kind.CHAT,
            title=f"{self.place.name}: {self._opening(first)}",
            text="".join(lines),
            place=self.place.id,
            parts=tuple(parts),
            author=self._author(first),
            date=first.moment,
            link=self._link(first),
            people=self._people(messages),
            pinned=any(part.pinned for part in parts),
            reactions=sum(r.count for m in messages for r in m.reactions),
        )

    def readable(self, text: str) -> str:
        """Slack's markup as people read it: names for ids, plain addresses for links."""
        text = _MENTION.sub(lambda found: self._mention(found.group(1), found.group(2), found.group(3)), text)
        text = _URL.sub(
            lambda found: f"{found.group(2)} ({found.group(1)})" if found.group(2) else found.group(1), text
        )
        return unescape(text)

    def _said(self, message: Message) -> str:
        files = (f"[file: {label}]" for label in message.attached)
        return " ".join(piece for piece in (self.readable(message.text).strip(), *files) if piece)

    def _opening(self, first: Message) -> str:
        opening = " ".join((self.readable(first.text).strip() or self._said(first)).split())
        if len(opening) <= _TITLE_CHARS:
            return opening
        return opening[: _TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"

    def _mention(self, mark: str, key: str, label: str | None) -> str:
        match mark:
            case "@":
                return f"@{self.users[key].called if key in self.users else label or key}"
            case "#":
                return f"#{label or self.channels.get(key, key)}"
            case _ if key.startswith("date^"):
                return label or key.split("^")[2]
            case _:
                return f"@{(label or key).split('^')[0].removeprefix('@')}"

    def _author(self, message: Message) -> str:
        """The name, of strangers from other workspaces as well: these carry it in their messages."""
        if message.user in self.users:
            return self.users[message.user].called
        theirs = message.user_profile
        return theirs.real_name or theirs.display_name or theirs.name or message.user or "somebody"

    def _people(self, messages: Sequence[Message]) -> tuple[str, ...]:
        """All a question may call the speakers: names, handle, identity key."""
        called: dict[str, None] = {}
        for message in messages:
            user = self.users.get(message.user)
            if user is not None:
                called |= dict.fromkeys((user.called, user.name, f"slack:{user.id}"))
        return tuple(sorted(name for name in called if name))

    def _pinned(self, message: Message) -> bool:
        pins = {pin.id for pin in self.channel.pins}
        return message.ts in pins or self.channel.id in message.pinned_to

    def _link(self, message: Message) -> str:
        link = f"{self.url}/archives/{self.channel.id}/p{message.ts.replace('.', '')}"
        if message.thread_ts is None or message.thread_ts == message.ts:
            return link
        return f"{link}?thread_ts={message.thread_ts}&cid={self.channel.id}"
