"""Which sentences of a passage an answer quotes."""

import re
from typing import NamedTuple

from agent.models.embedded.folding import as_words, stem

_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[\w«“\"#*-])|\n+")
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
_LONGEST = 230
_A_REMARK = 12  # characters; "Fixed!" says nothing
_AROUND = " -*\t"  # what stands around a sentence in a list
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_SAME_THING = 0.6  # share of the words in common


class Sentence(NamedTuple):
    """A sentence and where it stands: `text[start:end]`."""

    start: int
    end: int
    said: str


def sentences(text: str, heading: str = "") -> list[Sentence]:
    """The sentences of a passage, without headings and table rules."""
    found: list[Sentence] = []
    start = 0
    for boundary in (*_SENTENCE.finditer(text), None):
        end = len(text) if boundary is None else boundary.start()
        piece = text[start:end]
        said = piece.strip(_AROUND)
        if len(said) > 2 and not said.startswith(("#", "|--", "---")) and said != heading:
            at = start + len(piece) - len(piece.lstrip(_AROUND))
            found.append(Sentence(at, at + len(said), said))
        start = len(text) if boundary is None else boundary.end()
    return found


def best(text: str, question: str, heading: str = "") -> str:
    """The sentence that shares most words with the question, and those after it on its line as long as they fit.

    It is what was written, character for character: a piece of `text`.
    """
    parts = sentences(text, heading)
    if not parts:
        return text.strip()
    wanted = _words(question)
    scores = [len(wanted & _words(part.said)) / (1 + len(part.said) / 400) for part in parts]
    start = max(range(len(parts)), key=lambda at: scores[at])
    return _from(text, parts, start)


def fix(text: str) -> str:
    """The sentence that says how it was repaired, or "" when none does."""
    parts = sentences(text)
    start = next(
        (at for at, part in enumerate(parts) if _FIX.search(part.said) and len(part.said) > _A_REMARK), None
    )
    return "" if start is None else _from(text, parts, start)


def opening(text: str) -> str:
    """The first sentences of a quotation, as many as fit on its first line."""
    parts = sentences(text)
    return _from(text, parts, 0) if parts else text.strip()


def differing(one: str, other: str) -> bool:
    """Whether two quotations speak of the same thing with other figures: a reader should see both, and their dates."""
    figures, others = set(_FIGURE.findall(one)), set(_FIGURE.findall(other))
    mine, theirs = _words(_FIGURE.sub(" ", one)), _words(_FIGURE.sub(" ", other))
    alike = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
    return bool(figures and others) and figures.isdisjoint(others) and alike >= _SAME_THING


def is_fix(heading: str) -> bool:
    """Whether a heading announces the repair."""
    return _FIX.search(heading) is not None


def _from(text: str, parts: list[Sentence], start: int) -> str:
    end = parts[start].end
    for part in parts[start + 1 :]:
        if part.end - parts[start].start > _LONGEST or "\n" in text[end : part.start]:
            break
        end = part.end
    return text[parts[start].start : end]


def _words(text: str) -> set[str]:
    return {stem(word) for word in as_words(text).split() if word not in _SAYS_NOTHING and len(word) > 1}
