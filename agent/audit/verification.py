"""Verifying a trail: its chain from the first row on, and the signed checkpoints beside it."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

from agent.audit.chain import Chain, Report, hash_of
from agent.audit.checkpoint import Checkpoint, NoCheckpoint
from agent.audit.event import Event
from agent.audit.ports import Keys


@dataclass(frozen=True, slots=True)
class Witness:
    """A source of checkpoints in the order of their rows: the store's own, or a file kept elsewhere."""

    name: str
    lines: AsyncIterator[str]


async def verify(
    events: Callable[[int], AsyncIterator[Event]], store: str, witnesses: tuple[Witness, ...], keys: Keys
) -> Report:
    """Reads events and checkpoints side by side, in constant memory, and names what does not fit.

    `events` gives the rows behind one; it is asked again for what others write and sign meanwhile.

    The chain alone shows a row that was changed, removed, added or moved. Whoever computes all hashes anew, or cuts the
    end off, is shown by the checkpoints: their signatures cannot be made without the key.
    """
    chain = Chain()
    readers = [_Reader(witness, store, keys, chain) for witness in witnesses]
    for reader in readers:
        await reader.turn()
    start = -1
    while start < chain.last and (start == -1 or any(reader.ahead for reader in readers)):
        start = chain.last
        async for event in events(start):
            chain.take(event)
            for reader in readers:
                await reader.compare(event)
    for reader in readers:
        await reader.close()
    return replace(
        chain.report(),
        signed=max((reader.signed for reader in readers), default=0),
        checkpoints=max((reader.fitting for reader in readers), default=0),
    )


class _Reader:
    """Goes through one witness, with the next checkpoint that is genuine always at hand."""

    def __init__(self, witness: Witness, store: str, keys: Keys, chain: Chain) -> None:
        self._witness, self._store, self._keys, self._chain = witness, store, keys, chain
        self._next: Checkpoint | None = None
        self._line = 0
        self._reached = 0  # the highest row that a genuine checkpoint named so far
        self._rewritten = False
        self.signed = self.fitting = 0

    async def turn(self) -> None:
        """Takes up the next genuine checkpoint; names those that are not."""
        self._next = None
        async for line in self._witness.lines:
            self._line += 1
            if (checkpoint := self._genuine(line)) is not None:
                self._next = checkpoint
                self._reached = checkpoint.seq
                return

    @property
    def ahead(self) -> bool:
        """Whether a checkpoint is still waiting for its row."""
        return self._next is not None

    async def compare(self, event: Event) -> None:
        """Holds the row against the checkpoint that names it."""
        while self._next is not None and self._next.seq <= event.seq:
            # A row that was changed alone is named by the chain: either of its hashes is still the one that was signed.
            if self._next.seq == event.seq and self._next.hash in (event.hash, hash_of(event)):
                self.signed = event.seq
                self.fitting += 1
            elif self._next.seq == event.seq and not self._rewritten:
                self._rewritten = True
                self._blame_rewriting(self._next)
            await self.turn()

    async def close(self) -> None:
        """Names the rows that were signed and are not there."""
        latest = self._next
        while self._next is not None:
            latest = self._next
            await self.turn()
        if latest is not None:
            end = self._chain.last
            left = f"rows {self.signed + 1} to {end}" if end > self.signed + 1 else f"row {end}"
            doubt = f"; {left} before that may have been changed too" if end > self.signed else ""
            rows = f"rows {end + 1} to {latest.seq} are" if latest.seq > end + 1 else f"row {latest.seq} is"
            self._chain.blame(
                end + 1,
                f"the trail was cut off: {rows} missing, and row {latest.seq} was signed at {_when(latest)}{doubt}",
            )

    def _blame_rewriting(self, checkpoint: Checkpoint) -> None:
        first, last = self.signed + 1, checkpoint.seq
        rows = f"row {last}" if first == last else f"some of the rows {first} to {last}"
        self._chain.blame(
            first,
            f"{rows} changed and all hashes computed anew: "
            f"row {last} is not the one that was signed at {_when(checkpoint)}",
        )

    def _genuine(self, line: str) -> Checkpoint | None:
        place = f"checkpoint {self._line} of {self._witness.name}"
        try:
            checkpoint = Checkpoint.of(line)
        except NoCheckpoint as error:
            self._chain.blame(self._reached + 1, f"{place} was exchanged: {error}")
            return None
        trouble = self._trouble(checkpoint)
        if trouble:
            self._chain.blame(max(1, checkpoint.seq), f"{place} {trouble}")
            return None
        return checkpoint

    def _trouble(self, checkpoint: Checkpoint) -> str:
        if checkpoint.store != self._store:
            return f"is of another store ({checkpoint.store[:8]}, and this is {self._store[:8]})"
        match self._keys.signed(checkpoint.key, checkpoint.message, checkpoint.signature):
            case False:
                return "was exchanged: its signature does not fit"
            case None:
                return f"is signed by a key that is not at hand ({checkpoint.key}); give it with --key"
            case True:
                pass
        if checkpoint.seq <= self._reached:
            return f"was exchanged: it is of row {checkpoint.seq}, behind one of row {self._reached}"
        return ""


def _when(checkpoint: Checkpoint) -> str:
    return checkpoint.at.strftime("%Y-%m-%d %H:%M:%S UTC")


async def each(lines: Iterator[str]) -> AsyncIterator[str]:
    """Lines of a file as a witness gives them."""
    for line in lines:
        yield line
