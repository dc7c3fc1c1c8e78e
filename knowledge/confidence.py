"""The chance that a passage answers a question, from how near it is and how much of the question it speaks of.

A logistic rule over six signs: the cosine's rise above the model's floor; the share of the question's words (rare ones
weighing more) that the passage has; the most of them that two sentences have which also have the kind of thing that is
asked for; whether a name of the question is missing; whether the kind of thing is; whether it is in another language,
which is given something in the ranking that it has to earn here. Without an embedding model the words decide.
"""

import math
from dataclasses import dataclass

# Fitted on 230 questions in English and French to a company's documents and chat, a third of them about what is not
# written there but could well be; another 150 were held out (see docs/reference/measurements.md).
_BIAS, _RISE, _COVERAGE, _POINTED, _NAME, _LACKS, _FOREIGN = -7.5, 9.72, 1.71, 2.76, -0.57, -1.86, -1.48
_BIAS_WORDS, _COVERAGE_WORDS, _POINTED_WORDS, _NAME_WORDS, _LACKS_WORDS = -3.7, 3.8, 1.4, -1.0, -2.0

SURE = 0.65  # from here on a passage may be told as the answer
NEAR = 0.25  # below this it is not even worth showing as the nearest


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a passage, and against it. `rise` is None when there is no embedding model."""

    rise: float | None
    coverage: float
    pointed: float
    misses_name: bool = False
    lacks: bool = False
    foreign: bool = False


def confidence(signs: Signs) -> float:
    """From 0 to 1."""
    if signs.rise is None:
        words = _COVERAGE_WORDS * signs.coverage + _POINTED_WORDS * signs.pointed
        without = _NAME_WORDS * signs.misses_name + _LACKS_WORDS * signs.lacks
        return _logistic(_BIAS_WORDS + words + without)
    words = _COVERAGE * signs.coverage + _POINTED * signs.pointed
    without = _NAME * signs.misses_name + _LACKS * signs.lacks + _FOREIGN * signs.foreign
    return _logistic(_BIAS + _RISE * signs.rise + words + without)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
