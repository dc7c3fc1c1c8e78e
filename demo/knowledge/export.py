"""A chat history in the shape of a Slack export: files by channel and day, threads, reactions, pins."""

import json
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from demo.knowledge.cast import (
    BOT,
    CHANNEL,
    MEMBER,
    TEAM_ID,
    WORKSPACE,
    JsonObject,
    conversations_json,
    users_json,
)

_EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold; a real clock would change the bytes
_NAMES = uuid.UUID("8f0b2c52-7a1e-4d0c-9a55-2f6b6d1c0e11")


@dataclass(frozen=True, slots=True)
class Thread:
    """The thread a message is in: the id and the speaker of its parent (which is in it as well)."""

    ts: str
    opener: str


@dataclass(frozen=True, slots=True)
class Post:
    """One message with its id; `text` is Slack's markup."""

    channel: str
    ts: str
    speaker: str
    text: str
    thread: Thread | None = None
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    file: str | None = None
    edited: bool = False
    pinned: bool = False
    joins: bool = False

    @property
    def opens_thread(self) -> bool:
        return self.thread is not None and self.thread.ts == self.ts

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(float(self.ts), UTC)


def permalink(channel: str, ts: str) -> str:
    """The address of a message, as Slack makes it."""
    return f"{WORKSPACE}/archives/{CHANNEL[channel].channel_id}/p{ts.replace('.', '')}"


def write_files(target: Path, posts: Sequence[Post]) -> None:
    """Write the export into a folder, or into one archive when `target` ends in `.zip`.

    `posts` are in order of time. Raises OSError when the place cannot be written.
    """
    if target.suffix == ".zip":
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w") as archive:
            for name, text in _files(posts):
                entry = zipfile.ZipInfo(name, _EPOCH_OF_ZIP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, text)
        return
    for name, text in _files(posts):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _files(posts: Iterable[Post]) -> Iterator[tuple[str, str]]:
    """The export's files: relative path and text."""
    answers: dict[tuple[str, str], list[Post]] = defaultdict(list)
    days: dict[tuple[str, date], list[Post]] = defaultdict(list)
    pins: dict[str, list[JsonObject]] = defaultdict(list)
    for post in posts:
        days[post.channel, post.at.date()].append(post)
        if post.thread is not None and not post.opens_thread:
            answers[post.channel, post.thread.ts].append(post)
        if post.pinned:
            pins[post.channel].append(_pin(post))
    yield "channels.json", _json(conversations_json(private=False, pins=pins))
    yield "groups.json", _json(conversations_json(private=True, pins=pins))
    yield "users.json", _json(users_json())
    for (channel, day), said in sorted(days.items()):
        messages = [_message(post, answers[channel, post.ts]) for post in said]
        yield f"{channel}/{day.isoformat()}.json", _json(messages)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _message(post: Post, answers: Sequence[Post]) -> JsonObject:
    message: JsonObject = {"type": "message", **_author(post), "text": post.text, "ts": post.ts}
    message |= _thread(post, answers)
    if post.reactions:
        message["reactions"] = [
            {"name": name, "users": _user_ids(handles), "count": len(handles)}
            for name, handles in post.reactions
        ]
    if post.file:
        message |= {"files": [_attached(post, post.file)], "upload": True}
    if post.edited:
        message["edited"] = {
            "user": MEMBER[post.speaker].user_id,
            "ts": f"{int(post.at.timestamp()) + 95}.000000",
        }
    if post.pinned:
        message["pinned_to"] = [CHANNEL[post.channel].channel_id]
    return message


def _author(post: Post) -> Mapping[str, object]:
    if post.speaker in BOT:
        bot = BOT[post.speaker]
        return {"subtype": "bot_message", "bot_id": bot.bot_id, "username": bot.username}
    user = MEMBER[post.speaker].user_id
    if post.joins:
        return {"subtype": "channel_join", "user": user}
    mark = uuid.uuid5(_NAMES, f"{post.channel}/{post.ts}")
    return {"user": user, "client_msg_id": str(mark), "team": TEAM_ID}


def _thread(post: Post, answers: Sequence[Post]) -> JsonObject:
    if post.thread is None:
        return {}
    if not post.opens_thread:
        return {"thread_ts": post.thread.ts, "parent_user_id": MEMBER[post.thread.opener].user_id}
    users = list(dict.fromkeys(_user_ids(answer.speaker for answer in answers)))
    return {
        "thread_ts": post.ts,
        "reply_count": len(answers),
        "reply_users_count": len(users),
        "latest_reply": answers[-1].ts,
        "reply_users": users,
        "replies": [{"user": MEMBER[answer.speaker].user_id, "ts": answer.ts} for answer in answers],
    }


def _user_ids(handles: Iterable[str]) -> list[str]:
    return [MEMBER[handle].user_id for handle in handles]


def _attached(post: Post, name: str) -> JsonObject:
    number = f"F0HL{post.ts.replace('.', '')[-9:]}"
    return {
        "id": number,
        "created": int(post.at.timestamp()),
        "name": name,
        "title": name,
        "filetype": name.rpartition(".")[2],
        "user": MEMBER[post.speaker].user_id,
        "mode": "hosted",
        "url_private": f"{WORKSPACE}/files/{number}/{name}",
    }


def _pin(post: Post) -> JsonObject:
    user = MEMBER[post.speaker].user_id
    return {"id": post.ts, "type": "C", "created": int(post.at.timestamp()) + 60, "user": user, "owner": user}
