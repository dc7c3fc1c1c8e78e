"""What is still to be told in threads where nobody sits in front of this process: answers, outcomes, cards.

A row is written with what it is about, in one transaction, and goes away when a surface has told it. So whatever
dies in between, it is told at last: once as a rule, and once more where a process died right after telling it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from agent.conversation.thread import ThreadId

ATTENDED = "terminal"  # a surface whose people wait for the process that answers them


class Kind(StrEnum):
    """What a row is about."""

    ANSWER = "answer"  # of a turn
    NOTICE = "notice"  # a line that sayso says by itself
    CARD = "card"  # an action that is not as it was shown


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to tell. `subject` is a turn (`T-4`), a notice (`N-7`) or an action (`A-17`)."""

    kind: Kind
    subject: str
    thread: ThreadId
    version: int
    at: datetime


def surface_of(thread: str) -> str:
    """The surface a thread lives on: `slack` of `slack:C012:1700000000.1`."""
    return thread.partition(":")[0]


def channel_of(thread: str) -> str:
    """The channel a thread is in: `C012` of `slack:C012:1700000000.1`."""
    return thread.split(":", 2)[1] if thread.count(":") > 1 else ""


def attended(thread: str) -> bool:
    """Whether people of this thread see what happens by sitting there."""
    return surface_of(thread) == ATTENDED


class Outbox(Protocol):
    """What was not told yet."""

    async def due(self, before: datetime) -> Sequence[Due]:
        """What nobody has begun to tell and was written before this moment, oldest first."""
        ...

    async def take(self, thread: ThreadId, worker: str) -> Sequence[Due]:
        """Everything due in this thread, for this worker to tell; others do not get it until it is let go."""
        ...

    async def told(self, due: Sequence[Due]) -> None:
        """These were told: they go away, but where there is something newer to tell of the same, that is free then."""
        ...

    async def give_back(self, due: Due) -> None:
        """It could not be told now: it is free again."""
        ...

    async def let_go(self, worker: str) -> int:
        """Frees what a worker took and did not tell; says how much."""
        ...

    async def notice(self, subject: str) -> str | None:
        """The text of a notice."""
        ...
