"""The hash chain: each event's hash covers the one before, so that a changed trail shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from agent.audit.event import Event, Fact, FactKind
from tools.contract import Json, digest

ROOT = "0" * 64  # what the first event names as its predecessor
MOST = 20  # problems that are named; whoever changed more has changed everything


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not fit, and the row it is about."""

    row: int
    said: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. `checked` rows at the start are whole, `signed` is the last a checkpoint covers."""

    checked: int
    last_hash: str
    problems: tuple[Problem, ...] = ()
    rows: int = 0  # all there are
    pruned: int = 0  # of them without a body
    signed: int = 0
    checkpoints: int = 0  # that were compared, and fit

    @property
    def whole(self) -> bool:
        return not self.problems

    @property
    def broken(self) -> int | None:
        """The first row that does not fit."""
        return min((problem.row for problem in self.problems), default=None)

    @property
    def problem(self) -> str:
        """What is wrong with that row."""
        return next((one.said for one in self.problems if one.row == self.broken), "")


def seal(seq: int, fact: Fact, previous: str) -> Event:
    """The fact as event number `seq` after the event with the hash `previous`."""
    body_hash = digest(dict(fact.data))
    return Event(seq, fact, previous, hash_of(Event(seq, fact, previous, "", body_hash)), body_hash)


def hash_of(event: Event) -> str:
    """SHA-256 (hex) over the canonical JSON of everything an event says, its body by `body_hash`."""
    fact = event.fact
    said: dict[str, Json] = {
        "seq": event.seq,
        "at": fact.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": fact.kind.value,
        "actor": fact.actor,
        "subject": fact.subject,
        "previous": event.previous,
    }
    if event.body_hash is None:  # the first format
        return digest({**said, "data": dict(fact.data)})
    return digest({**said, "format": 2, "body_hash": event.body_hash})


def genuine(event: Event) -> bool:
    """Whether an event is what its own hashes say; a pruned body is taken at its word here."""
    if event.body_hash is not None and not event.pruned and event.body_hash != digest(dict(event.fact.data)):
        return False
    return event.hash == hash_of(event)


class Chain:
    """Checks events one after the other, in constant memory, and goes on behind a row that does not fit.

    `after` and `previous` let it start behind a row that is known.
    """

    def __init__(self, after: int = 0, previous: str = ROOT) -> None:
        self._next, self._previous = after + 1, previous
        self._rows, self._pruned, self._checked = 0, 0, after
        self._problems: dict[Problem, None] = {}
        self._bare: list[tuple[int, int]] = []  # runs of rows without a body that no pruning explains yet

    @property
    def last(self) -> int:
        return self._next - 1

    def blame(self, row: int, said: str) -> None:
        """Notes that something is wrong with a row."""
        if len(self._problems) < MOST:
            self._problems[Problem(row, said)] = None

    def take(self, event: Event) -> None:
        """Checks the next event."""
        self._rows += 1
        if event.seq > self._next:
            missing = event.seq - self._next
            rows = f"row {self._next} is" if missing == 1 else f"rows {self._next} to {event.seq - 1} are"
            self.blame(self._next, f"{rows} missing")
        elif event.seq < self._next:
            self.blame(event.seq, "it comes twice, or out of order")
            return
        elif event.previous != self._previous:
            self.blame(event.seq, "it does not follow the row before it")
        if not genuine(event):
            self.blame(event.seq, "its content was changed")
        if event.pruned and event.fact.kind is FactKind.PRUNED:
            self.blame(event.seq, "its body is gone, and that of a pruning never goes")
        elif event.pruned:
            self._pruned += 1
            self._note_bare(event.seq)
        elif event.fact.kind is FactKind.PRUNED:
            self._explain(event)
        self._next, self._previous = event.seq + 1, event.hash
        if not self._problems:
            self._checked = event.seq

    def report(self) -> Report:
        """What was found, after the last event."""
        for first, last in self._bare:
            rows = "its body is" if first == last else f"the bodies up to row {last} are"
            self.blame(first, f"{rows} gone, and no pruning in the trail explains it")
        problems = tuple(sorted(self._problems, key=lambda problem: problem.row))
        checked = min([self._checked, *(problem.row - 1 for problem in problems)])
        return Report(max(0, checked), self._previous, problems, self._rows, self._pruned)

    def _note_bare(self, seq: int) -> None:
        if self._bare and self._bare[-1][1] == seq - 1:
            self._bare[-1] = (self._bare[-1][0], seq)
        else:
            self._bare.append((seq, seq))

    def _explain(self, pruning: Event) -> None:
        """A pruning stands behind the rows it took the bodies of, and says up to where."""
        last = pruning.fact.data.get("last")
        if not isinstance(last, int) or last >= pruning.seq:
            return
        self._bare = [(max(start, last + 1), end) for start, end in self._bare if end > last]


def verify(events: Iterable[Event]) -> Report:
    """Recomputes the chain from its start and names the rows that are changed, missing, added or out of order."""
    chain = Chain()
    for event in events:
        chain.take(event)
    return chain.report()
