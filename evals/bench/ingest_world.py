"""A world that changes between two ingestions: a folder of pages and a Slack export, made and edited by a seed.

Every section and every message holds a word that occurs nowhere else, its mark: whoever asks for the mark must find it.
"""

import json
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from knowledge.port import Document, Source
from knowledge.sources.markdown import MarkdownFolder
from knowledge.sources.slack_export import SlackExport

PAGES = 150
SECTIONS = 8  # of a page at most: with these, a change is more than one batch of an ingestion
TURNOVER = 6  # pages added, and pages deleted, at most, in one change
MEMBER = "U1"  # is in the private channel; U2 is not
CHANNELS = {"C1": "deploys", "C2": "support", "G1": "security"}
PRIVATE = "G1"
_OPENED = datetime(2026, 10, 1, 9, tzinfo=UTC)
_MINUTE = 60
_MARK = re.compile(r"\bmark[a-p]+\b")
_STEMS = (
    "cache",
    "queue",
    "disk",
    "alert",
    "token",
    "pool",
    "retry",
    "shard",
    "ledger",
    "broker",
    "probe",
    "quota",
)
_ENDS = (
    "fills",
    "drains",
    "waits",
    "fails",
    "returns",
    "holds",
    "moves",
    "grows",
    "stops",
    "starts",
    "blocks",
)


class World:
    """The pages and the export below one folder. The same seed makes the same world, and the same changes."""

    def __init__(self, home: Path, chance: random.Random, pages: int = PAGES) -> None:
        self._pages, self._export = home / "pages", home / "export"
        self._chance, self._numbers = chance, count()
        self._held: dict[str, list[str]] = {}  # the sections of each page
        self._said: dict[str, list[dict[str, str]]] = {channel: [] for channel in CHANNELS}
        self._pages.mkdir(parents=True)
        self._people()
        for _ in range(pages):
            self._add_page()
        for channel in CHANNELS:
            self._speak(channel, 30)

    def change(self) -> None:
        """Edits a third of the pages, adds and deletes some, and lets people go on talking."""
        names = sorted(self._held)
        for name in self._chance.sample(names, len(names) // 3):
            sections = self._held[name]
            for at in self._chance.sample(range(len(sections)), self._chance.randint(1, len(sections))):
                sections[at] = self._section()
            self._write_page(name)
        for name in self._chance.sample(names, self._chance.randint(1, TURNOVER)):
            del self._held[name]
            (self._pages / name).unlink()
        for _ in range(self._chance.randint(1, TURNOVER)):
            self._add_page()
        for channel in self._chance.sample(sorted(CHANNELS), 2):
            self._speak(channel, self._chance.randint(2, 8))

    def _add_page(self) -> None:
        name = f"page-{next(self._numbers):05}.md"
        self._held[name] = [self._section() for _ in range(self._chance.randint(2, SECTIONS))]
        self._write_page(name)

    def _write_page(self, name: str) -> None:
        title = name.removesuffix(".md").replace("-", " ").capitalize()
        text = f"# {title}\n\n" + "\n\n".join(self._held[name]) + "\n"
        (self._pages / name).write_text(text, encoding="utf-8")

    def _section(self) -> str:
        return f"## About the {self._chance.choice(_STEMS)}\n\n{self._text(self._chance.randint(80, 160))}"

    def _speak(self, channel: str, messages: int) -> None:
        """Some new threads, some answers in those there are."""
        said = self._said[channel]
        for _ in range(messages):
            stamp = f"{_OPENED.timestamp() + next(self._numbers) * _MINUTE:.6f}"
            opened = self._chance.choice(said)["thread_ts"] if said and self._chance.random() < 0.6 else stamp
            text, user = self._text(self._chance.randint(10, 50)), self._chance.choice((MEMBER, "U2"))
            said.append({"type": "message", "ts": stamp, "thread_ts": opened, "user": user, "text": text})
        days: dict[str, list[dict[str, str]]] = {}
        for message in said:
            days.setdefault(f"{datetime.fromtimestamp(float(message['ts']), UTC):%Y-%m-%d}", []).append(
                message
            )
        for day, messages_of_it in days.items():
            _write(self._export / CHANNELS[channel] / f"{day}.json", messages_of_it)

    def _people(self) -> None:
        _write(self._export / "users.json", [{"id": MEMBER, "name": "one"}, {"id": "U2", "name": "two"}])
        held = [
            {"id": key, "name": name, "members": [MEMBER] if key == PRIVATE else [MEMBER, "U2"]}
            for key, name in CHANNELS.items()
        ]
        _write(self._export / "channels.json", [one for one in held if one["id"] != PRIVATE])
        _write(self._export / "groups.json", [one for one in held if one["id"] == PRIVATE])

    def _text(self, words: int) -> str:
        """Sentences of nothing in particular, with a mark in their middle."""
        said = [
            f"The {self._chance.choice(_STEMS)}{self._chance.randint(1, 400)} {self._chance.choice(_ENDS)}."
            for _ in range(words // 3)
        ]
        said.insert(len(said) // 2, f"It is called {_mark(next(self._numbers))}.")
        return " ".join(said)


def sources_of(home: Path) -> tuple[Source, ...]:
    """The sources of the world in a folder."""
    return (
        MarkdownFolder(home / "pages"),
        SlackExport(home / "export", workspace_url="https://harbourlane.slack.com"),
    )


async def documents_of(home: Path) -> Mapping[str, Document]:
    """Every document there is in the world now, by its id."""
    found: dict[str, Document] = {}
    for source in sources_of(home):
        for unit in await source.units():
            async for one in source.read(unit):
                if isinstance(one, Document):
                    found[one.id] = one
    return found


def marks_of(document: Document) -> frozenset[str]:
    """The marks of its sections or messages."""
    return frozenset(_MARK.findall(document.text))


def _mark(number: int) -> str:
    """A number in letters, as a word index might take `mark17` for two words."""
    return "mark" + "".join(chr(ord("a") + int(digit, 16)) for digit in f"{number:x}")


def _write(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")
