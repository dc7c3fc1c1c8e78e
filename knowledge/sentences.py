"""Sentences of a text and where they stand, so that what is quoted is what was written."""

import re
from collections.abc import Callable
from typing import NamedTuple

LONGEST = 230  # characters of a quotation
_BOUNDARY = re.compile(r"(?<=[.!?…])\s+(?=[\w«“\"#*`-])|\n\s*\n\s*|\n(?=\s*(?:[-*#|>]|\d+[.)]\s))")
_NEW_BLOCK = re.compile(r"\n\s*\n|\n\s*[-*#|>]|\n\s*\d+[.)]")
_AROUND = " -*\t\n"  # what stands around a sentence in a list


class Sentence(NamedTuple):
    """A sentence and where it stands: `text[start:end]`."""

    start: int
    end: int
    said: str


def sentences(text: str, heading: str = "") -> list[Sentence]:
    """The sentences of a passage, without headings and table rules."""
    found: list[Sentence] = []
    start = 0
    for boundary in (*_BOUNDARY.finditer(text), None):
        end = len(text) if boundary is None else boundary.start()
        piece = text[start:end]
        said = piece.strip(_AROUND)
        if len(said) > 2 and not said.startswith(("#", "|--", "---")) and said != heading:
            at = start + len(piece) - len(piece.lstrip(_AROUND))
            found.append(Sentence(at, at + len(said), said))
        start = len(text) if boundary is None else boundary.end()
    return found


def best(text: str, worth: Callable[[str], float], heading: str = "") -> str:
    """The sentence worth most, and those after it in its paragraph as long as they fit: a piece of `text`."""
    parts = sentences(text, heading)
    if not parts:
        return text.strip()
    scores = [worth(part.said) / (1 + len(part.said) / 400) for part in parts]
    return onward(text, parts, max(range(len(parts)), key=lambda at: scores[at]))


def onward(text: str, parts: list[Sentence], start: int) -> str:
    """One sentence, and those after it in its paragraph as long as they fit."""
    end = parts[start].end
    for part in parts[start + 1 :]:
        if part.end - parts[start].start > LONGEST or _NEW_BLOCK.search(text[end : part.start]):
            break
        end = part.end
    return text[parts[start].start : end]
