"""A question made ready: what to look up, what is wanted of a passage, and how much of it a passage speaks of."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from knowledge.analyzer import Terms

_CLOSE = 28  # stems; about forty words with the small ones


@dataclass(frozen=True, slots=True)
class Wanted:
    """One word or name of a question: as it was typed, how rare it is, and the terms that answer to it.

    Terms are its own stem, and what stands for it in the other language.
    """

    typed: str
    weight: float
    terms: frozenset[str]
    held: bool  # whether anything the asker may read has one of them
    name: bool = False  # has a digit, or a capital where a sentence does not begin

    def in_(self, said: AbstractSet[str]) -> bool:
        """Whether a passage speaks of it."""
        return not self.terms.isdisjoint(said)

    def or_as(self, written: Iterable[str]) -> "Wanted":
        """The same, also found where it and its neighbour are written as one word: "fail over" in "failover"."""
        return replace(self, terms=self.terms.union(written), held=True)


@dataclass(frozen=True, slots=True)
class Question:
    """A question made ready: what to look up in which field, and what is wanted of a passage.

    A chunk with all that is `asked` scores about 1. `leads` are enough to find chunks worth scoring: words and names,
    and the grams of words that no chunk has.
    """

    asked: tuple[tuple[str, str, float], ...]  # field, term, boost
    leads: tuple[tuple[str, str, float], ...]
    wanted: tuple[Wanted, ...]

    def coverage(self, said: Terms) -> float:
        """How much of the question a passage speaks of, 0 to 1; words that no document has count too."""
        whole = sum(one.weight for one in self.wanted)
        return self.overlap(said) / whole if whole else 0.0

    def overlap(self, said: Terms) -> float:
        """The weight of what question and passage share."""
        has = {*said.words, *said.names}
        return sum(one.weight for one in self.wanted if one.in_(has))

    def together(self, said: Terms) -> float:
        """The most of the question that stands close together in a passage, 0 to 1: within some forty words of it."""
        whole = sum(one.weight for one in self.wanted)
        starts = range(0, max(1, len(said.words) - _CLOSE // 2), _CLOSE // 2)
        near = (Terms(said.words[at : at + _CLOSE], said.names) for at in starts)
        return max(self.overlap(some) for some in near) / whole if whole else 0.0

    def misses_name(self, said: Terms) -> bool:
        """Whether a name of the question (`INC-120`, `Redis`, `2.4.1`) is not in a passage."""
        has = {*said.words, *said.names}
        return any(one.name and not one.in_(has) for one in self.wanted)

    def first_in(self, part: str) -> Wanted | None:
        """The word that stands first in a part of the question; None if it has none of them."""
        text = part.lower()
        standing = [(text.find(one.typed.lower()), one) for one in self.wanted]
        return min((pair for pair in standing if pair[0] >= 0), key=lambda pair: pair[0], default=(0, None))[
            1
        ]

    def shared(self, said: Terms) -> tuple[str, ...]:
        """The words of the question, as typed, that a passage has, the rarest first."""
        has = {*said.words, *said.names}
        both = [one for one in self.wanted if one.in_(has)]
        return tuple(dict.fromkeys(one.typed for one in sorted(both, key=lambda one: -one.weight)))
