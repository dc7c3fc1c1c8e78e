"""An operation of the store: what many ask for at the same moment is done by one run of its statements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Connection

from agent.store.sql.group import Group

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome
Together = Callable[[Connection, Sequence[I]], Sequence[O]]


class Promise(Enum):
    """What is promised of an operation once it is acknowledged."""

    READ = auto()  # it changed nothing
    FAST = auto()  # it survives a killed process
    CHAINED = auto()  # the same, for what adds to the audit chain
    SAFE = auto()  # it is on disk


class Kind(Protocol):
    """An operation, whatever its items are."""

    @property
    def promise(self) -> Promise: ...

    def begin(self) -> None:
        """A transaction begins, perhaps once more."""
        ...

    def run(self, connection: Connection) -> None:
        """Does what was added since."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One item in a transaction; `add` puts it among those that its operation does next."""

    kind: Kind
    add: Callable[[], None]


class Operation(Generic[I, O]):
    """`together` does a sequence of items, all or none, with an outcome for each.

    Several operations share a transaction (`together_in`): each runs once in it, over all its items. The group that
    brings the items has one thread, so an operation is in one transaction at a time.
    """

    def __init__(self, promise: Promise, group: "Group[Part, None]", together: Together[I, O]) -> None:
        self.promise, self._group, self._together = promise, group, together
        self._added: list[tuple[I, list[O]]] = []

    async def do(self, item: I) -> O:
        """The outcome of this item, once it is committed. Raises what `together` raises for it."""
        outcome: list[O] = []
        await self._group.do(Part(self, lambda: self._added.append((item, outcome))))
        return outcome[0]

    def begin(self) -> None:
        self._added.clear()

    def run(self, connection: Connection) -> None:
        outcomes = self._together(connection, [item for item, _ in self._added])
        for (_, kept), outcome in zip(self._added, outcomes, strict=True):
            kept[:] = [outcome]  # the last run counts: it is the one that was committed


def together_in(connection: Connection, parts: Sequence[Part]) -> Sequence[None]:
    """Does all of them in this transaction, those of one operation together, in the order operations came."""
    kinds = dict.fromkeys(part.kind for part in parts)
    for kind in kinds:
        kind.begin()
    for part in parts:
        part.add()
    for kind in kinds:
        kind.run(connection)
    return [None] * len(parts)


def each(connection: Connection, works: Sequence[Callable[[Connection], None]]) -> Sequence[None]:
    """Works that nothing was written for to do them together: one after the other."""
    for work in works:
        work(connection)
    return [None] * len(works)
