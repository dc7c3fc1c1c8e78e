"""The notary: signs the end of the trail now and then, off the path of those who write it, and prunes what is old.

Errors::

    TrailBroken       the trail does not go on from what was signed before: it is not signed again
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from agent.audit.chain import ROOT, Chain, genuine
from agent.audit.checkpoint import Checkpoint, NoCheckpoint
from agent.audit.event import TRAIL, FactKind
from agent.audit.ports import Book, Checkpoints, Signer, Trail

log = logging.getLogger("sayso.audit")
SLICE = 16  # rows checked before others get their turn: about a millisecond
DAY = timedelta(days=1)


class TrailBroken(Exception):
    """The trail does not go on from what was signed before; signing it would vouch for what was done to it."""


class SignedTrail(Trail, Checkpoints, Protocol):
    """A store, as the notary sees it."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When the end is signed: after so many rows, or so long after the first that is not; and how long bodies stay."""

    rows: int = 100
    every: timedelta = timedelta(minutes=1)
    keep: timedelta | None = None


class Notary:
    """Signs and prunes in the background. Trouble is logged and kept in `trouble`: nobody's work waits for it."""

    def __init__(
        self,
        trail: SignedTrail,
        signer: Callable[[bool], Signer],
        book: Book,
        clock: Callable[[], datetime],
        rhythm: Rhythm | None = None,
    ) -> None:
        """`signer(fresh)` loads the key; only where `fresh` (nothing was ever signed) may it make one."""
        self._trail, self._signer, self._book, self._clock = trail, signer, book, clock
        self._rhythm = rhythm or Rhythm()
        self._unsigned = 0
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.trouble = ""

    def noted(self) -> None:
        """A fact was written, or is about to be. Costs nothing; the first one starts the background task."""
        self._unsigned += 1
        if self._unsigned % self._rhythm.rows == 0:
            self._due.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Signs what is left."""
        if self._task is not None:
            async with self._turn:  # a signature that is being made is finished first
                self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._unsigned:
            await self._tidied()

    async def sign(self) -> Checkpoint | None:
        """Signs the latest row, if it is not signed yet. Raises `TrailBroken`, and what key, file and store raise."""
        async with self._turn:
            seen = self._unsigned
            signed = await self._signed()
            self._unsigned -= seen
            return signed

    async def _signed(self) -> Checkpoint | None:
        tip = await self._trail.tip()
        before = await self._last()
        if tip is None and before is None:
            return None
        await self._goes_on(before)
        if tip is None or (before is not None and before.seq >= tip.seq):
            return None
        signer = await asyncio.to_thread(self._signer, before is None)
        store = await self._trail.store_id()
        bare = Checkpoint(store, tip.seq, tip.hash, self._clock(), signer.fingerprint)
        checkpoint = replace(bare, signature=signer.sign(bare.message))
        await asyncio.to_thread(self._book.append, checkpoint.line())
        await self._trail.keep_checkpoint(checkpoint.seq, checkpoint.line())
        return checkpoint

    async def prune(self, now: datetime) -> bool:
        """Prunes what is older than the settings keep, once a day at most; whether there was something.

        Raises `TrailBroken` where a row that would go was changed: its body is what shows that.
        """
        if self._rhythm.keep is None:
            return False
        until = now - self._rhythm.keep
        async for event in self._trail.events(TRAIL):
            if event.fact.kind is FactKind.PRUNED and now - event.fact.at < DAY:
                return False
        async for event in self._trail.events(until=until):
            if event.seq % SLICE == 0:
                await asyncio.sleep(0)
            if not genuine(event):
                raise TrailBroken(f"row {event.seq} was changed, so nothing is pruned")
        return (await self._trail.prune(until, "sayso", now)).rows > 0

    async def _work(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), self._rhythm.every.total_seconds())
            if self._unsigned:
                await self._tidied()
            if self.trouble or self._unsigned < self._rhythm.rows:
                self._due.clear()  # after trouble the next try waits for its time

    async def _tidied(self) -> None:
        """Prunes and signs, whatever comes of it: an unsigned trail is worth a word, not an outage."""
        try:
            await self.sign()
            if await self.prune(self._clock()):
                await self.sign()
            self.trouble = ""
        except Exception as error:  # noqa: BLE001 - the edge of a job; it is logged, and surfaces say it
            self.trouble = str(error) or type(error).__name__
            log.error("trail_not_signed", extra={"why": self.trouble})  # noqa: TRY400 - no fault of the program

    async def _last(self) -> Checkpoint | None:
        """The latest checkpoint of this store, from wherever it is."""
        store = await self._trail.store_id()
        found = []
        for line in (await self._trail.last_checkpoint(), await asyncio.to_thread(self._book.last)):
            with contextlib.suppress(NoCheckpoint):
                if line is not None and (checkpoint := Checkpoint.of(line)).store == store:
                    found.append(checkpoint)
        return max(found, key=lambda checkpoint: checkpoint.seq, default=None)

    async def _goes_on(self, before: Checkpoint | None) -> None:
        """Whether the rows since the last checkpoint are one chain that starts at the row it signed."""
        seq, hash_ = (0, ROOT) if before is None else (before.seq, before.hash)
        chain = Chain(seq, hash_)
        found = before is None
        async for event in self._trail.events(after=max(0, seq - 1)):
            if event.seq == seq:
                found = event.hash == hash_
            else:
                chain.take(event)
            if event.seq % SLICE == 0:
                await asyncio.sleep(0)
        if not found:
            raise TrailBroken(
                f"row {seq}, which was signed, was changed or removed; `sayso audit verify` says more"
            )
        report = chain.report()
        if not report.whole:
            raise TrailBroken(f"row {report.broken}: {report.problem}; `sayso audit verify` says more")
