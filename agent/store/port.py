"""What one store adapter provides: threads and turns, the ledger of actions, and the audit trail.

Errors::

    StoreError
    ├── StoreBusy       another process holds the lock for too long; try again, nothing was lost
    ├── StoreFull       the disk is full; what was accepted before is safe, this was not accepted
    ├── StoreReadOnly   the file or its folder cannot be written by this user
    ├── StoreDamaged    the file is no SQLite database any more; restore a copy
    ├── StoreNewer      a newer sayso made it; upgrade, or use another home
    └── StoreUnreachable  the database server does not answer; it was tried again for a while
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.approvals.action import ActionId
from agent.approvals.ports import Beats, Ledger
from agent.audit.ports import Checkpoints, Trail
from agent.conversation.asked import Asked
from agent.conversation.inbox import Inbox
from agent.conversation.outbox import Outbox
from agent.conversation.overheard import Overheard
from agent.conversation.ports import Threads
from agent.conversation.posted import Posted
from agent.conversation.thread import ThreadId, TurnId
from tools.contract import Json


class StoreError(Exception):
    """The store could not do it; the message says what to do, and nothing is half done."""


class StoreBusy(StoreError):
    """Another process holds the lock for too long."""


class StoreFull(StoreError):
    """The disk is full."""


class StoreReadOnly(StoreError):
    """The file cannot be written."""


class StoreDamaged(StoreError):
    """The file is not readable as a store."""


class StoreNewer(StoreError):
    """The file was made by a newer version."""


class StoreUnreachable(StoreError):
    """The database server does not answer."""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A turn as it was kept; `answer` and `record` are empty until it is finished."""

    turn: TurnId
    thread: ThreadId
    speaker: str
    question: str
    asked_at: datetime
    answer: str = ""
    record: Mapping[str, Json] | None = None
    finished_at: datetime | None = None
    answered_as: TurnId | None = None  # the turn that has the answer, where several messages share one
    worker: str | None = None  # who answers it, or did
    event_id: str = ""  # what it was heard under

    @property
    def private(self) -> str:
        """The answer, where it is for the speaker alone; `answer` is what the others read in its place."""
        return str((self.record or {}).get("private_answer") or "")

    @property
    def whole(self) -> str:
        """The answer as its speaker reads it."""
        return self.private or self.answer


class Turns(Protocol):
    """Turns looked at afterwards."""

    async def turn(self, id_: TurnId) -> TurnRecord | None: ...

    async def heard_as(self, event_id: str) -> TurnRecord | None:
        """The turn that was opened for this event."""
        ...

    async def unfinished(self, most: int | None = None) -> Sequence[TurnRecord]:
        """Turns that were accepted and have no answer yet, oldest first: what a restart has to go on with.

        The `most` oldest ones only, where that is given.
        """
        ...

    async def say(
        self,
        thread: ThreadId,
        text: str,
        at: datetime,
        *,
        key: str | None = None,
        card: ActionId | None = None,
    ) -> None:
        """Adds a line that sayso says by itself, such as the outcome of an action; one with a key only once.

        With it, the card of an action is shown anew.
        """
        ...


class Store(Threads, Turns, Inbox, Outbox, Posted, Ledger, Beats, Trail, Checkpoints, Protocol):
    """One adapter for all of it, so that a state and its audit row are one transaction."""

    @property
    def asked(self) -> Asked:
        """What was asked in vain, and which answers helped."""
        ...

    @property
    def overheard(self) -> Overheard:
        """What is said in channels that are followed."""
        ...

    async def close(self) -> None: ...
