"""The chance that a passage answers a question, from how near it is and how much of the question it speaks of.

A logistic rule over two numbers between 0 and 1: the cosine's rise above the model's floor, and the share of the
question's words (rare ones weighing more) that the passage has. Without an embedding model the second one decides.
"""

import math

# Fitted on three public sets (alerts to runbooks twice, chat questions to threads): each question's right passage
# against the best wrong one, so 0.5 is as often right as wrong when the library knows something near. Checked by
# leaving one set out at a time: AUC .74 to .79 against such near misses.
_BIAS, _RISE, _COVERAGE = -3.9, 5.5, 1.9
_BIAS_FOREIGN, _RISE_FOREIGN = (
    -3.6,
    7.9,
)  # the same without words; a translation is about .03 of cosine farther off
_BIAS_WORDS, _COVERAGE_WORDS = -1.5, 2.8


def confidence(rise: float | None, coverage: float, *, foreign: bool = False) -> float:
    """From 0 to 1. `rise` is None when there is no embedding model.

    A `foreign` passage is in another language than the question, and cannot have its words.
    """
    if rise is None:
        return _logistic(_BIAS_WORDS + _COVERAGE_WORDS * coverage)
    if foreign:
        return _logistic(_BIAS_FOREIGN + _RISE_FOREIGN * rise)
    return _logistic(_BIAS + _RISE * rise + _COVERAGE * coverage)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
