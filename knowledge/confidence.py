"""The chance that a passage answers a question, from how near it is and how much of the question it speaks of.

A logistic rule over five things between 0 and 1: the cosine's rise above the model's floor, the share of the question's
words (rare ones weighing more) that the passage has, the most of them that it has close together, whether a name in
the question is missing, and whether the passage lacks the kind of thing asked for. Without an embedding model the words
decide.
"""

import math
from dataclasses import dataclass

# Fitted on 230 questions in English and French to a company's documents and chat, a third of them about what is not
# written there but could well be; 150 others, never looked at, are the check (docs/reference/measurements.md).
_BIAS, _RISE, _COVERAGE, _TOGETHER, _NAME, _LACKS = -4.4, 3.6, 2.4, 1.55, -0.85, -1.5
_BIAS_WORDS, _COVERAGE_WORDS, _TOGETHER_WORDS, _NAME_WORDS, _LACKS_WORDS = -2.45, 2.0, 1.7, -0.9, -1.2

SURE = 0.65  # from here on a passage may be told as the answer
NEAR = 0.25  # below this it is not even worth showing as the nearest


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a passage. `rise` is None when there is no embedding model."""

    rise: float | None
    coverage: float
    together: float
    misses_name: bool
    lacks: bool = False  # anything of the kind that was asked for: a date, a sum


def confidence(signs: Signs) -> float:
    """From 0 to 1."""
    if signs.rise is None:
        words = _COVERAGE_WORDS * signs.coverage + _TOGETHER_WORDS * signs.together
        missing = _NAME_WORDS * signs.misses_name + _LACKS_WORDS * signs.lacks
        return _logistic(_BIAS_WORDS + words + missing)
    words = _COVERAGE * signs.coverage + _TOGETHER * signs.together
    missing = _NAME * signs.misses_name + _LACKS * signs.lacks
    return _logistic(_BIAS + _RISE * signs.rise + words + missing)


def heeding(chance: float, marked: int) -> float:
    """The chance, once people have said of the same question what helped: sure, or not to be told as the answer."""
    if marked > 0:
        return max(chance, SURE)
    return min(chance, SURE / 2) if marked < 0 else chance


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
