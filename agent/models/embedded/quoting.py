"""Which sentences of a passage an answer quotes."""

import re

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


def sentences(text: str, heading: str = "") -> list[str]:
    """The sentences of a passage, without headings and table rules."""
    found = [part.strip(" -*\t") for part in _SENTENCE.split(text)]
    return [
        part
        for part in found
        if len(part) > 2 and not part.startswith(("#", "|--", "---")) and part != heading
    ]


def best(text: str, question: str, heading: str = "") -> str:
    """The sentence that shares most words with the question, and those after it as long as they fit."""
    parts = sentences(text, heading)
    if not parts:
        return text
    wanted = _words(question)
    scores = [len(wanted & _words(part)) / (1 + len(part) / 400) for part in parts]
    start = max(range(len(parts)), key=lambda at: scores[at])
    return _from(parts, start)


def fix(text: str) -> str:
    """The sentence that says how it was repaired, or "" when none does."""
    parts = sentences(text)
    start = next((at for at, part in enumerate(parts) if _FIX.search(part) and len(part) > 12), None)
    return "" if start is None else _from(parts, start)


def is_fix(heading: str) -> bool:
    """Whether a heading announces the repair."""
    return _FIX.search(heading) is not None


def _from(parts: list[str], start: int) -> str:
    quote = parts[start]
    for part in parts[start + 1 :]:
        if len(quote) + len(part) > _LONGEST:
            break
        quote = f"{quote} {part}"
    return quote


def _words(text: str) -> set[str]:
    return {stem(word) for word in as_words(text).split() if word not in _SAYS_NOTHING and len(word) > 1}
