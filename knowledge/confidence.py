"""The chance that a passage answers a question, from how near it is and what it has of the question.

A logistic rule over few signs. A cosine tells what a passage is about and hardly whether the very thing asked for is in
it, so half of the signs are about that: the most of the question's words that two sentences have which also have the
kind of thing asked for, whether that kind is missing altogether, whether anybody ever wrote of the thing. BM25 is no
sign: it moves a little with the length of what others keep private (docs/adr/0007), and a confidence must not.
"""

import math
from dataclasses import dataclass

SURE = 0.65  # from here on a passage may be told as the answer
NEAR = 0.15  # below this it is not even worth showing as the nearest


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a passage, each from 0 to 1, and what speaks against it."""

    rise: float | None  # of the cosine above what unrelated texts have; None without an embedding model
    coverage: float  # the share of the question's words, rare ones weighing more
    pointed: float  # the same of two sentences in a row that have the kind of thing asked for
    misses_name: bool = False  # a name of the question is not in it
    lacks: bool = False  # nothing of the kind asked for is in it
    foreign: bool = False  # another language, which the ranking gives something that is to be earned here
    unheard: bool = False  # no document has the word for what is asked for: "which tool", "how many days"
    elsewhere: bool = False  # it is about another service


@dataclass(frozen=True, slots=True)
class _Weights:
    bias: float
    rise: float
    coverage: float
    pointed: float
    misses_name: float
    lacks: float
    foreign: float
    unheard: float
    elsewhere: float

    def sum(self, signs: Signs) -> float:
        return (
            self.bias
            + self.rise * (signs.rise or 0.0)
            + self.coverage * signs.coverage
            + self.pointed * signs.pointed
            + self.misses_name * signs.misses_name
            + self.lacks * signs.lacks
            + self.foreign * signs.foreign
            + self.unheard * signs.unheard
            + self.elsewhere * signs.elsewhere
        )


# Fitted on 230 questions in English and French to a company's documents and chat, a third of them about what is not
# written there but could well be, and on the answerable ones again with their answers taken away; another 150 were held
# out (docs/reference/measurements.md).
_BOTH = _Weights(-7.6, 9.65, 1.8, 2.85, -0.5, -1.85, -1.45, -3.1, -4.65)
_WORDS = _Weights(-3.8, 0.0, 3.3, 1.65, -1.15, -3.15, 0.0, -3.15, -4.05)


def confidence(signs: Signs) -> float:
    """From 0 to 1."""
    weights = _WORDS if signs.rise is None else _BOTH
    return 1 / (1 + math.exp(-weights.sum(signs)))


def heeding(chance: float, marked: int) -> float:
    """The chance, once people have said of the same question what helped: sure, or not to be told as the answer."""
    if marked > 0:
        return max(chance, SURE)
    return min(chance, SURE / 2) if marked < 0 else chance
