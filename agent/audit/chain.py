"""The hash chain: each event's hash covers the one before, so that a changed trail shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from agent.audit.event import Event, Fact
from tools.contract import digest

ROOT = "0" * 64  # what the first event names as its predecessor


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. `broken` is the first row that does not fit, and `problem` says how."""

    checked: int
    last_hash: str
    broken: int | None = None
    problem: str = ""

    @property
    def whole(self) -> bool:
        return self.broken is None


def seal(seq: int, fact: Fact, previous: str) -> Event:
    """The fact as event number `seq` after the event with the hash `previous`."""
    return Event(seq, fact, previous, hash_of(seq, fact, previous))


def hash_of(seq: int, fact: Fact, previous: str) -> str:
    """SHA-256 (hex) over the canonical JSON of everything an event says."""
    return digest(
        {
            "seq": seq,
            "at": fact.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "kind": fact.kind.value,
            "actor": fact.actor,
            "subject": fact.subject,
            "data": dict(fact.data),
            "previous": previous,
        }
    )


def verify(events: Iterable[Event]) -> Report:
    """Recomputes the chain from its start and names the first row that is changed, missing, added or out of order."""
    expected, previous = 1, ROOT
    for event in events:
        if event.seq != expected:
            problem = f"row {expected} is missing" if event.seq > expected else f"row {event.seq} comes twice"
            return Report(expected - 1, previous, event.seq, problem)
        if event.previous != previous:
            return Report(expected - 1, previous, event.seq, "it does not follow the row before it")
        if event.hash != hash_of(event.seq, event.fact, event.previous):
            return Report(expected - 1, previous, event.seq, "its content was changed")
        expected, previous = expected + 1, event.hash
    return Report(expected - 1, previous)
