"""How much of a question stands in one spot of a passage, beside the thing that it asks for.

A passage may have all words of a question, each in another paragraph, and the number that is asked for in none of them.
What answers says it in a breath: two sentences in a row.
"""

from collections.abc import Callable
from typing import NamedTuple

from knowledge.analyzer import Terms
from knowledge.expected import Expected
from knowledge.question import Question
from knowledge.sentences import sentences


class Pointed(NamedTuple):
    """`share` of the question in the best spot that has what is asked for; `lacks` when no spot has that."""

    share: float
    lacks: bool


def pointed(question: Question, kind: Expected | None, text: str, terms: Callable[[str], Terms]) -> Pointed:
    """Looks at each two sentences in a row of a passage."""
    said = [sentence.said for sentence in sentences(text)] or [text]
    has = [kind is None or kind.in_(sentence) for sentence in said]
    spoken = [terms(sentence) for sentence in said]
    share = 0.0
    for at, one in enumerate(spoken):
        before = max(0, at - 1)
        if has[at] or has[before]:
            both = Terms(spoken[before].words + one.words, spoken[before].names + one.names)
            share = max(share, question.coverage(both))
    return Pointed(share, lacks=kind is not None and not kind.in_(text))
