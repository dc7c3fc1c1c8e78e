"""The chance that a passage answers a question, from how near it is and how much of the question it speaks of.

A logistic rule over four things between 0 and 1: the cosine's rise above the model's floor, the share of the question's
words (rare ones weighing more) that the passage has, the most of them that it has close together, and whether a name in
the question is missing. Without an embedding model the words decide.
"""

import math
from dataclasses import dataclass

# Fitted on 380 questions in English and French to a company's documents and chat, a third of them about what is not
# written there but could well be; each set of them was held out in turn (see docs/reference/measurements.md).
_BIAS, _RISE, _COVERAGE, _TOGETHER, _NAME = -6.5, 6.35, 3.1, 1.55, -0.6
_BIAS_WORDS, _COVERAGE_WORDS, _TOGETHER_WORDS, _NAME_WORDS = -3.7, 3.8, 1.4, -1.0

SURE = 0.65  # from here on a passage may be told as the answer
NEAR = 0.25  # below this it is not even worth showing as the nearest


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a passage. `rise` is None when there is no embedding model."""

    rise: float | None
    coverage: float
    together: float
    misses_name: bool


def confidence(signs: Signs) -> float:
    """From 0 to 1."""
    if signs.rise is None:
        words = _COVERAGE_WORDS * signs.coverage + _TOGETHER_WORDS * signs.together
        return _logistic(_BIAS_WORDS + words + _NAME_WORDS * signs.misses_name)
    words = _COVERAGE * signs.coverage + _TOGETHER * signs.together
    return _logistic(_BIAS + _RISE * signs.rise + words + _NAME * signs.misses_name)


def heeding(chance: float, marked: int) -> float:
    """The chance, once people have said of the same question what helped: sure, or not to be told as the answer."""
    if marked > 0:
        return max(chance, SURE)
    return min(chance, SURE / 2) if marked < 0 else chance


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
