"""Finds sentences, lines and table rows in a text, each as the span it has there."""

import re
from collections.abc import Iterator

from knowledge.port import Extent

MOST = 700  # characters of one quote; a card shows a few lines
_BREAK = re.compile(
    r"(?<=[.!?…])[\"»)*_`\]]*[ \t]+(?=[\"«(*_`\[]*[A-ZÀ-ÖØ-Þ0-9`])"  # a sentence
    r"|(?<=[.!?…:])[*_`]*\n|\n\s*\n|\n(?=\s*(?:[-*+•]|\d+[.)])\s)|\n(?=\s*\|)"  # a line that ends, a list, a table
)
_ABBREVIATED = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|v|approx|no|nr|p\.ex|cf|env|resp|mr|ms|dr)\.$", re.IGNORECASE
)
_MONTH = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|fév|avr|mai|juin|juil|août|déc)\w*", re.IGNORECASE
)
_LEAD = re.compile(r"(?:\s|[-*+•](?=\s)|\d+[.)](?=\s)|>(?=\s))+")
_CELLS = re.compile(r"[^|]+")


def trimmed(text: str, extent: Extent) -> Extent:
    """The extent without white space and list marks around it."""
    start, end = extent
    start = _begin(text, start, end)
    return start, start + len(text[start:end].rstrip())


def sentences(text: str, extent: Extent) -> Iterator[Extent]:
    """The sentences and list items of a span, in order; of a table, the last cell of each row."""
    start, end = extent
    while (start := _begin(text, start, end)) < end:
        if text.startswith("|", start):
            line = text.find("\n", start, end)
            stop = line + 1 if line >= 0 else end
            piece = _last_cell(text, (start, stop))
        else:
            stop = _stop(text, start, end)
            piece = trimmed(text, (start, stop))
        if piece[0] < piece[1]:
            yield piece
        start = stop


def lines(text: str, extent: Extent) -> Iterator[Extent]:
    """The lines of a span that are not empty, without the line break."""
    start, end = extent
    for line in re.finditer(r"[^\n]+", text[start:end]):
        piece = trimmed(text, (start + line.start(), start + line.end()))
        if piece[0] < piece[1]:
            yield piece


def excerpt(text: str, extent: Extent, most: int = MOST) -> Extent:
    """The beginning of a span: all of it where it is short, else as many whole sentences as fit."""
    start, end = trimmed(text, extent)
    if end - start <= most:
        return start, end
    ends = [stop for _, stop in sentences(text, (start, end)) if stop - start <= most]
    return trimmed(text, (start, ends[-1] if ends else start + most))


def _begin(text: str, start: int, end: int) -> int:
    lead = _LEAD.match(text, start, end)
    return lead.end() if lead else start


def _stop(text: str, start: int, end: int) -> int:
    for found in _BREAK.finditer(text, start, end):
        if found.end() > start and not _is_inside(text, found.start(), found.end()):
            return found.end()
    return end


def _is_inside(text: str, stop: int, start: int) -> bool:
    """Whether a full stop is one of an abbreviation or of a date ("3. February"), and no end."""
    before = text[max(0, stop - 8) : stop]
    dated = re.search(r"\d\.$", before) and _MONTH.match(text, start)
    return bool(_ABBREVIATED.search(before) or dated)


def _last_cell(text: str, row: Extent) -> Extent:
    cells = [c for c in _CELLS.finditer(text, row[0], row[1]) if c.group().strip(" \t\n:-")]
    return trimmed(text, (cells[-1].start(), cells[-1].end())) if cells else (row[1], row[1])
