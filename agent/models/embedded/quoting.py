"""Which sentences of a passage an answer quotes."""

import re

from agent.models.embedded.folding import as_words, stem
from knowledge.sentences import best as best_of
from knowledge.sentences import onward, sentences

_FIX = re.compile(
    r"\b(?:fix(?:ed)?|roll(?:ed|ing)?[- ]?back|rollback|revert(?:ed)?|resolved|mitigated|solved|corrig\w+"
    r"|retour arri\w+|"
    r"r[ée]solu\w*|revenu\w*)\b",
    re.IGNORECASE,
)
_SAYS_NOTHING = {
    "the", "a", "an", "is", "are", "was", "of", "in", "on", "to", "for", "we", "it", "do", "did", "how", "what", "who",
    "why", "where", "when", "le", "la", "les", "de", "du", "des", "un", "une", "est", "en", "et", "que", "qui", "quoi",
    "comment", "pourquoi", "qu'",
}  # fmt: skip
_A_REMARK = 12  # characters; "Fixed!" says nothing
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_SAME_THING = 0.6  # share of the words in common


def best(text: str, question: str, heading: str = "") -> str:
    """The sentence that shares most words with the question, and those after it in its paragraph as long as they fit.

    It is what was written, character for character: a piece of `text`.
    """
    wanted = _words(question)
    return best_of(text, lambda said: len(wanted & _words(said)), heading)


def fix(text: str) -> str:
    """The sentence that says how it was repaired, or "" when none does."""
    parts = sentences(text)
    start = next(
        (at for at, part in enumerate(parts) if _FIX.search(part.said) and len(part.said) > _A_REMARK), None
    )
    return "" if start is None else onward(text, parts, start)


def opening(text: str) -> str:
    """The first sentences of a quotation, as many as fit."""
    parts = sentences(text)
    return onward(text, parts, 0) if parts else text.strip()


def differing(one: str, other: str) -> bool:
    """Whether two quotations speak of the same thing with other figures: a reader should see both, and their dates."""
    figures, others = set(_FIGURE.findall(one)), set(_FIGURE.findall(other))
    mine, theirs = _words(_FIGURE.sub(" ", one)), _words(_FIGURE.sub(" ", other))
    alike = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
    return bool(figures and others) and figures.isdisjoint(others) and alike >= _SAME_THING


def is_fix(heading: str) -> bool:
    """Whether a heading announces the repair."""
    return _FIX.search(heading) is not None


def _words(text: str) -> set[str]:
    return {stem(word) for word in as_words(text).split() if word not in _SAYS_NOTHING and len(word) > 1}
