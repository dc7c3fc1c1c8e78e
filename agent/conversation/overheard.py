"""What is said in channels that somebody asked sayso to follow: the words, who may read them, how far they were read.

Ids are those of the platform. Times of messages (`ts`) are texts that sort by time, as the platform gives them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Walk:
    """A way back through a channel's history, from now down to `oldest`, a page at a time.

    `reached` is the oldest message that was seen, empty before the first page; `threads` are those whose replies are
    still to be read before the next page is.
    """

    oldest: str
    whole: bool = False  # all there is, and not only what may have been missed
    reached: str = ""
    threads: tuple[str, ...] = ()
    last: bool = False  # the page that these threads are of was the last one


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is followed, or was once: its rights are the platform's for good, and not those of an export.

    Unless told otherwise it is private and nobody is in it.
    """

    id: str
    name: str = ""
    private: bool = True
    archived: bool = False
    present: bool = False  # sayso is in it
    followed: bool = False  # somebody asked for it
    by: str = ""  # who asked for it, or put an end to it
    since: datetime | None = None
    url: str = ""  # of its workspace
    members: frozenset[str] = frozenset()
    pins: frozenset[str] = frozenset()
    moves: int = 0  # goes up whenever somebody comes or goes
    confirmed_at: datetime | None = None  # when the platform last said who is in it
    doubted: bool = False  # something may have happened since that nobody heard
    walks: tuple[Walk, ...] = ()
    covered: str = ""  # the oldest message down to which nothing is missing; empty while that is not known
    reader: str = ""  # the worker that reads it back, and speaks there
    told: str = ""  # what the channel was told last about being followed
    revision: int = 0  # goes up with everything that is said

    @property
    def heard(self) -> bool:
        """Whether what is said in it is kept. An archived channel that all may read stays as it was."""
        return self.followed and (self.present or (self.archived and not self.private))

    @property
    def news(self) -> str:
        """What the channel is to be told of; nothing where nobody ever asked for it."""
        return "" if self.since is None else f"{'on' if self.followed else 'off'} {self.since.isoformat()}"

    @property
    def outward(self) -> "Channel":
        """What of it those who search could notice."""
        return replace(
            self, confirmed_at=None, walks=(), told="", by="", since=None, reader="", moves=0, revision=0
        )


class Standing(IntEnum):
    """What became of a message."""

    STANDS = 0
    GONE = 1  # it is not there any more, as far as can be seen
    DELETED = 2  # somebody deleted it; nothing brings it back


@dataclass(frozen=True, slots=True)
class Remark:
    """One message as it reads now; `body` is the platform's own JSON of it, empty once it does not stand."""

    ts: str
    thread: str = ""  # the `ts` of the message that it answers
    edited: str = ""  # when it was edited last
    body: str = ""
    standing: Standing = Standing.STANDS


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of history as the platform has it: all that stands from `after` on and before `before`.

    With `thread` it is the replies of one message. `seen` is the channel's revision before it was asked for: what
    changed since is newer than this page. `walks` are what is still to be read once this page is kept.
    """

    remarks: tuple[Remark, ...]
    seen: int
    after: str = ""
    before: str = ""  # no end if empty
    thread: str = ""
    walks: tuple[Walk, ...] = ()
    covered: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody as the platform describes them; `body` is its own JSON.

    An `outsider` is no full member there: what all members may read is not theirs to read.
    """

    id: str
    body: str
    read_at: datetime
    outsider: bool = False


Amend = Callable[[Channel], Channel]


class Overheard(Protocol):
    """The durable memory of it."""

    async def channels(self) -> Sequence[Channel]:
        """All that are followed or were once."""
        ...

    async def channel(self, id_: str) -> Channel | None: ...

    async def amend(self, id_: str, amend: Amend) -> Channel:
        """Changes a channel, or a new one, while nobody else does. What is not heard any more is erased with that.

        `amend` may be called more than once, and may not change the revision.
        """
        ...

    async def note(self, channel: str, remark: Remark) -> bool:
        """Keeps a message that was said or edited, where the channel is heard; False where there was nothing new.

        An older wording never replaces a newer one, and what was deleted stays so.
        """
        ...

    async def strike(self, channel: str, ts: str) -> bool:
        """Keeps that a message was deleted, also one that was never heard; its words are erased."""
        ...

    async def turn(self, channel: str, page: Page, walks: Sequence[Walk]) -> bool:
        """Keeps a page, if `walks` are still the walks of the channel: what stood there and is not on it, is gone."""
        ...

    async def remarks(self, channel: str) -> Sequence[Remark]:
        """All messages of a channel, also those that do not stand any more, oldest first."""
        ...

    async def gone(self, channel: str, messages: Collection[str]) -> frozenset[str]:
        """Those of these messages, by `ts`, that are known not to stand any more."""
        ...

    async def count(self, channel: str) -> int:
        """How many messages stand."""
        ...

    async def signature(self) -> str:
        """Another one whenever something was said, or a channel reads otherwise, by its rights or in itself."""
        ...

    async def account(self, id_: str) -> Account | None: ...

    async def put_account(self, account: Account) -> None:
        """Keeps it, unless a later reading is there."""
        ...

    async def accounts(self) -> Sequence[Account]: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A message as it is kept, and the revision of its channel that it came with."""

    remark: Remark
    revision: int


def news(held: Remark | None, said: Remark) -> bool:
    """Whether this wording is to be kept: no older one, and none of what was deleted."""
    if held is None:
        return True
    if held.standing is Standing.DELETED or held == said:
        return False
    return held.standing is Standing.GONE or said.edited > held.edited


def turned(page: Page, held: Mapping[str, Held]) -> list[Remark]:
    """What a page changes in what is held of its channel, by `ts`: what it has otherwise, and what it has no more."""
    fresh = {remark.ts: remark for remark in page.remarks}
    changed = [remark for ts, remark in fresh.items() if _corrected(remark, held.get(ts), page.seen)]
    for ts, one in held.items():
        stands = one.remark.standing is Standing.STANDS and one.revision <= page.seen
        if stands and ts not in fresh and _belongs(one.remark, page):
            changed.append(Remark(ts, one.remark.thread, one.remark.edited, standing=Standing.GONE))
    return changed


def _corrected(remark: Remark, held: Held | None, seen: int) -> bool:
    if held is None:
        return True
    deleted = held.remark.standing is Standing.DELETED
    return held.revision <= seen and not deleted and held.remark != remark


def _belongs(remark: Remark, page: Page) -> bool:
    """Whether it would be on this page if it stood."""
    if page.thread:
        return remark.thread == page.thread
    return not remark.thread and page.after <= remark.ts and (not page.before or remark.ts < page.before)


def erased(remarks: Iterable[Remark]) -> list[Remark]:
    """What is left when a channel is not heard any more: what was deleted, so that no export brings it back."""
    return [remark for remark in remarks if remark.standing is Standing.DELETED]
