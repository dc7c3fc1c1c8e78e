"""Six months of the demo's chat history, written as a Slack export: the same bytes every time.

The threads that carry knowledge come from `stories/`, the rest is ordinary talk, bots and handovers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zlib import crc32

from demo.knowledge.cast import CHANNELS, FIRST_DAY, LAST_DAY, MEMBER
from demo.knowledge.conversation import Conversation, Line
from demo.knowledge.export import Post, Thread, write_files
from demo.knowledge.markup import to_slack
from demo.knowledge.releases import deploy_notices
from demo.knowledge.rota import entries, handovers
from demo.knowledge.smalltalk import Talk, load_stock
from demo.knowledge.stories import Story, load_stories

SEED = 20260518


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds."""

    target: Path
    channels: int
    users: int
    messages: int
    threads: int
    pins: int
    first: datetime
    last: datetime


def write_export(target: Path) -> ExportSummary:
    """Write the history into the folder `target`, or into one archive when `target` ends in `.zip`.

    Files that are there already are overwritten. Raises OSError when the place cannot be written.
    """
    posts = history()
    write_files(target, posts)
    return ExportSummary(
        target=target,
        channels=len(CHANNELS),
        users=len(MEMBER),
        messages=len(posts),
        threads=sum(post.opens_thread for post in posts),
        pins=sum(post.pinned for post in posts),
        first=posts[0].at,
        last=posts[-1].at,
    )


def history() -> list[Post]:
    """Every message of the six months, in order of time."""
    posts = [post for story in load_stories() for post in _told(story)]
    taken = {(post.channel, post.ts) for post in posts}
    for conversation in _conversations():
        posts.extend(_numbered(conversation, taken))
    return sorted(posts, key=lambda post: (float(post.ts), post.channel))


def _conversations() -> Iterator[Conversation]:
    """Everything besides the stories; each kind has its own chance, so a new line in one leaves the others alone."""
    stock = load_stock()
    talk, alerts = Talk(stock, Random(SEED)), Talk(stock, Random(SEED + 1))
    day = FIRST_DAY
    while day <= LAST_DAY:
        if day.weekday() < 5:
            yield from talk.day(day)
        yield from alerts.alerts(day)
        day += timedelta(days=1)
    for notice in deploy_notices(Random(SEED + 2)):
        yield Conversation("deploys", (Line("deploybot", notice.at, notice.text),))
    yield from handovers(Random(SEED + 3))
    yield from entries()


def _told(story: Story) -> Iterator[Post]:
    thread = Thread(story.ts, story.talk[0].handle) if len(story.talk) > 1 else None
    for said in story.talk:
        yield Post(
            story.channel,
            said.ts,
            said.handle,
            to_slack(said.text),
            thread,
            said.reactions,
            said.file,
            edited=said.edited,
            pinned=said.pinned,
        )


def _numbered(conversation: Conversation, taken: set[tuple[str, str]]) -> Iterator[Post]:
    """Give each line an id that is free in its channel."""
    thread: Thread | None = None
    for line in conversation.lines:
        ts = _free_ts(conversation.channel, line, taken)
        if conversation.threaded and len(conversation.lines) > 1:
            thread = thread or Thread(ts, line.speaker)
        text = (
            f"<@{MEMBER[line.speaker].user_id}> has joined the channel" if line.joins else to_slack(line.text)
        )
        yield Post(conversation.channel, ts, line.speaker, text, thread, line.reactions, joins=line.joins)


def _free_ts(channel: str, line: Line, taken: set[tuple[str, str]]) -> str:
    seconds = int(line.at.timestamp())
    mark = crc32(f"{channel}/{seconds}/{line.speaker}/{line.text}".encode()) % 1_000_000
    while (channel, f"{seconds}.{mark:06d}") in taken:
        mark = (mark + 1) % 1_000_000
    taken.add((channel, f"{seconds}.{mark:06d}"))
    return f"{seconds}.{mark:06d}"
