"""What signing and verifying the trail need from the outside: the trail, a key, and a file the store cannot reach."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Protocol

from agent.audit.event import Event, Pruning


class Trail(Protocol):
    """The audit trail of one store, read and pruned."""

    def events(
        self,
        subject: str | None = None,
        *,
        after: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Event]:
        """Events, oldest first: all, or those about one action or turn, behind a row, in a span of time."""
        ...

    async def tip(self) -> Event | None:
        """The latest event."""
        ...

    async def prune(self, until: datetime, by: str, at: datetime) -> Pruning:
        """Takes the bodies of all rows before the first one as young as `until`, and records that with it.

        Rows of the first format and prunings keep theirs: the chain rests on them.
        """
        ...


class Checkpoints(Protocol):
    """The checkpoints a store keeps beside the trail; lines as `Checkpoint.line` writes them."""

    async def store_id(self) -> str:
        """What tells this store from every other; made once."""
        ...

    async def keep_checkpoint(self, seq: int, line: str) -> None:
        """Keeps a checkpoint of row `seq`; one that is there already stays."""
        ...

    async def last_checkpoint(self) -> str | None: ...

    def checkpoints(self) -> AsyncIterator[str]:
        """All of them, by row."""
        ...


class Signer(Protocol):
    """A private key."""

    @property
    def fingerprint(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


class Keys(Protocol):
    """Public keys."""

    def signed(self, fingerprint: str, message: bytes, signature: bytes) -> bool | None:
        """Whether the key of this fingerprint made the signature; None when there is no such key."""
        ...


class Book(Protocol):
    """A file of checkpoints outside the store: it only grows."""

    @property
    def name(self) -> str: ...

    def append(self, line: str) -> None:
        """Adds a line, unless one of the same store and a row as late is there. Raises `OSError`."""
        ...

    def last(self) -> str | None: ...

    def lines(self) -> Iterator[str]: ...
