"""What was asked in vain, and which passages helped: kept so that somebody can write what is missing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class InVain:
    """One question without a clear answer, and the `query` it was looked up by.

    `gist` is the same for the same query, however it is put. `public` is whether everybody could read it where it was
    asked. `turn` makes it one row, whatever is run again.
    """

    turn: str
    gist: str
    question: str
    query: str
    person: str
    at: datetime
    public: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """A question asked in vain that needs no answer any more: who said so (`sayso` once it is answered), and why."""

    asked: InVain
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """The same question, asked in vain once or more, as far as somebody may know of it."""

    id: str  # `Q-12`: the first of the turns it was asked in
    gist: str
    question: str  # as it was put last
    query: str
    people: tuple[str, ...]
    times: int
    first: datetime
    last: datetime
    rows: tuple[InVain, ...]  # those it is made of, oldest first


@dataclass(frozen=True, slots=True)
class Mark:
    """One person's word that a document answered a question, or did not."""

    gist: str
    document: str
    person: str
    helpful: bool
    question: str
    at: datetime
    reason: str = ""


class Asked(Protocol):
    """The durable memory of both."""

    async def in_vain(self, question: InVain) -> None:
        """Notes a question that found no clear answer; a turn that was noted before is not noted twice."""

    async def unanswered(self) -> Sequence[InVain]:
        """All that was asked in vain and not closed since, oldest first."""

    async def close_asked(self, turns: Collection[str], by: str, reason: str, at: datetime) -> None:
        """Closes the questions asked in these turns. Asked again, in another turn, a question is open again."""

    async def closed(self) -> Sequence[Closed]:
        """All that was closed, in the order it was asked."""

    async def mark(self, mark: Mark) -> None:
        """Notes a mark; a later one of the same person about the same replaces it."""

    async def marks(self, gist: str | None = None) -> Sequence[Mark]:
        """The marks of one question, or all, the latest first."""


def gaps(rows: Iterable[InVain], person: str, *, sees_all: bool) -> tuple[Gap, ...]:
    """The gaps somebody may know of, the most asked first.

    One's own questions and those asked in public; with `sees_all` everybody's. What a person may not know of is not
    counted either.
    """
    held: dict[str, list[InVain]] = {}
    for row in rows:
        if may_know(row, person, sees_all=sees_all):
            held.setdefault(row.gist, []).append(row)
    found = [gap_of(asked) for asked in held.values()]
    return tuple(sorted(found, key=lambda gap: (-gap.times, -gap.last.timestamp())))


def may_know(row: InVain, person: str, *, sees_all: bool) -> bool:
    """Whether somebody may know that this was asked."""
    return sees_all or row.public or row.person == person


def balance(marks: Iterable[Mark]) -> Mapping[str, int]:
    """For each document how many more called it helpful than wrong; below zero when it is the other way."""
    counted: dict[str, int] = {}
    for mark in marks:
        counted[mark.document] = counted.get(mark.document, 0) + (1 if mark.helpful else -1)
    return counted


def gap_of(asked: Sequence[InVain]) -> Gap:
    """The gap that these questions of one gist are, oldest first."""
    first, last = asked[0], asked[-1]
    people = tuple(dict.fromkeys(row.person for row in asked))
    number = first.turn.partition("-")[2]
    return Gap(
        f"Q-{number}",
        first.gist,
        last.question,
        last.query,
        people,
        len(asked),
        first.at,
        last.at,
        tuple(asked),
    )
