"""The threads of the chat history that carry knowledge: written by hand in `stories/*.yaml`, read here.

A story is one thread::

    - id: payments-timeout            # names the thread in the questions and the tests
      channel: payments
      at: 2026-10-15 09:12            # UTC; the first message
      pinned: true                    # optional: pins the first message
      only_here: [SEC-31]             # optional: words that may occur in no public place
      talk:
        - raj: "text"                 # @person, #channel and [label](url) are written as in a chat
        - maya +4m: "text"            # four minutes after the message before; also +2h, +1d
          solved: [raj, sam]          # optional: who put :white_check_mark: on it
          react: {eyes: [tom]}        # optional: other reactions
          file: pool.png              # optional: an attached file
          edited: true                # optional
          pinned: true                # optional: pins this message
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated
from zlib import crc32

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from demo.knowledge.cast import CHANNEL, MEMBER

STORIES = Path(__file__).parent / "stories"

_SPEAKER = re.compile(r"(?P<handle>[a-z]+)(?: \+(?P<count>\d+)(?P<unit>[mhd]))?")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LINE_KEYS = frozenset({"solved", "react", "file", "edited", "pinned"})


class StoryError(Exception):
    """A story cannot be read, or there is none of that name."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a story. `ts` is Slack's id of it: seconds and six digits, unique in its channel."""

    handle: str
    text: str
    ts: str
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    file: str | None = None
    edited: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """One thread; the first message is its parent."""

    id: str
    channel: str
    talk: tuple[Said, ...]
    only_here: tuple[str, ...] = ()

    @property
    def ts(self) -> str:
        return self.talk[0].ts


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    handle: str
    after: timedelta
    text: str
    solved: tuple[str, ...] = ()
    react: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    file: str | None = None
    edited: bool = False
    pinned: bool = False


def _line(raw: object) -> object:
    """Lift the speaker, who is written as the key of the text, into fields of its own."""
    if not isinstance(raw, dict):
        return raw
    spoken = [key for key in raw if key not in _LINE_KEYS]
    match = _SPEAKER.fullmatch(spoken[0]) if len(spoken) == 1 and isinstance(spoken[0], str) else None
    if match is None or match["handle"] not in MEMBER:
        raise ValueError(f"one speaker a message, like 'maya +4m', not {spoken!r}")
    after = int(match["count"]) * _UNITS[match["unit"]] if match["count"] else timedelta(0)
    rest = {key: value for key, value in raw.items() if key in _LINE_KEYS}
    return {"handle": match["handle"], "after": after, "text": raw[spoken[0]], **rest}


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    channel: str
    at: datetime
    talk: Annotated[list[Annotated[_Line, BeforeValidator(_line)]], Field(min_length=1)]
    pinned: bool = False
    only_here: tuple[str, ...] = ()


@cache
def load_stories(folder: Path = STORIES) -> tuple[Story, ...]:
    """Every story of the folder, in order of file name and then as written.

    Raises StoryError when a file is not as the module's docstring says.
    """
    stories = tuple(story for path in sorted(folder.glob("*.yaml")) for story in _read(path))
    ids = [story.id for story in stories]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise StoryError(f"{folder.name}: the ids {twice!r} are used more than once")
    return stories


def story(name: str) -> Story:
    """The story with this id. Raises StoryError when there is none."""
    for told in load_stories():
        if told.id == name:
            return told
    raise StoryError(f"no story {name!r}")


def read_yaml(path: Path) -> object:
    """A YAML file as plain values, with the C reader where PyYAML has it (twenty times as fast)."""
    loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe loaders


def _read(path: Path) -> list[Story]:
    raw = read_yaml(path)
    if not isinstance(raw, list):
        raise StoryError(f"{path.name}: a list of stories is wanted")
    return [_story(path, item) for item in raw]


def _story(path: Path, raw: object) -> Story:
    try:
        written = _Written.model_validate(raw)
    except ValidationError as error:
        name = raw.get("id") if isinstance(raw, dict) else None
        raise StoryError(f"{path.name}, story {name!r}: {error}") from error
    if written.channel not in CHANNEL:
        raise StoryError(f"{path.name}, story {written.id!r}: no channel {written.channel!r}")
    return Story(written.id, written.channel, tuple(_spoken(written)), written.only_here)


def _spoken(written: _Written) -> list[Said]:
    """Give each message its time and id, which depend on this story alone: other talk may change, links stay."""
    talk: list[Said] = []
    minute = written.at.replace(tzinfo=UTC)
    last = 0
    for index, line in enumerate(written.talk):
        minute += line.after
        mark = crc32(f"{written.id}/{index}".encode())
        last = max(int(minute.timestamp()) + mark % 50, last + 7)
        reactions = {"white_check_mark": line.solved, **line.react} if line.solved else dict(line.react)
        talk.append(
            Said(
                handle=line.handle,
                text=line.text,
                ts=f"{last}.{mark % 1_000_000:06d}",
                reactions=tuple(reactions.items()),
                file=line.file,
                edited=line.edited,
                pinned=line.pinned or (written.pinned and index == 0),
            )
        )
    return talk
