"""Cuts documents into chunks: whole sections or messages where they are short, even pieces where they are long.

A chunk is an exact span of its document, so a quote from it is character for character what was written. Spans of
about `WORDS` words did best in our measurements; whole runbooks embedded in one piece lose a quarter of their score.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from knowledge.port import Chunk, Document, Kind, Part

WORDS = 160
OVERLAP_WORDS = 24
OPENING_WORDS = 24
_CHARS_A_WORD = 12  # text without spaces (base64, Chinese) is measured by its characters
_BOUNDARIES = tuple(re.compile(p) for p in (r"\n[ \t]*\n+", r"\n", r"(?<=[.!?…;:])\s+", r"\s+"))
_SPEECH = re.compile(r"([^\s:]{1,30}): ")
_ADDRESSEE = re.compile(r"@?([^\s:,]{1,30})[:,]\s+")
_TRANSCRIPT_SHARE = 0.8
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of characters of a document, end not included."""

    start: int
    end: int


def chunks_of(document: Document, *, words: int = WORDS, overlap: int = OVERLAP_WORDS) -> tuple[Chunk, ...]:
    """The chunks of a document, in order. Together they cover every character of it that is not white space."""
    spans = _merged(document, [s for part in document.parts for s in _cut(document.text, part, words)], words)
    return tuple(_chunk(document, span, overlap if i else 0) for i, span in enumerate(spans))


def size(text: str) -> int:
    """How long a text is, in words; a run of characters without spaces counts as several."""
    return max(len(text.split()), len(text) // _CHARS_A_WORD)


def said(line: str, part: Part) -> str:
    """What a message says, without the name of who said it."""
    return line.strip().removeprefix(f"{part.author}: ")


def without_speakers(text: str) -> str:
    """A pasted chat log without its `name:` before each line; any other text as it is."""
    lines = [line for line in text.splitlines() if line.strip()]
    spoken = [_SPEECH.match(line) for line in lines]
    if len(lines) < 2 or sum(map(bool, spoken)) < _TRANSCRIPT_SHARE * len(lines):
        return text
    names = {line.group(1).lower() for line in spoken if line}
    bare = (line[found.end() :] if found else line for line, found in zip(lines, spoken, strict=True))
    return "\n".join(_without_addressee(line, names) for line in bare)


def _without_addressee(line: str, names: AbstractSet[str]) -> str:
    found = _ADDRESSEE.match(line)
    return line[found.end() :] if found and found.group(1).lower() in names else line


def _cut(text: str, part: Part, words: int) -> list[Span]:
    whole = size(text[part.start : part.end])
    if whole <= words:
        return [Span(part.start, part.end)]
    # Even pieces: a long section must not end in a scrap of five words.
    even = math.ceil(whole / math.ceil(whole / words) * 1.1)
    return _packed(
        text, list(_atoms(text, Span(part.start, part.end), min(even, words), 0)), min(even, words)
    )


def _atoms(text: str, span: Span, words: int, level: int) -> Iterator[Span]:
    """Pieces no longer than `words`, cut at the highest boundary that will do: paragraph, line, sentence, word."""
    if size(text[span.start : span.end]) <= words:
        yield span
    elif level == len(_BOUNDARIES):
        step = words * _CHARS_A_WORD
        for start in range(span.start, span.end, step):
            yield Span(start, min(start + step, span.end))
    else:
        start = span.start
        for boundary in _BOUNDARIES[level].finditer(text, span.start, span.end):
            if boundary.end() > start:
                yield from _atoms(text, Span(start, boundary.end()), words, level + 1)
                start = boundary.end()
        if start < span.end:
            yield from _atoms(text, Span(start, span.end), words, level + 1)


def _packed(text: str, spans: Sequence[Span], words: int) -> list[Span]:
    """Neighbours joined for as long as they fit."""
    packed: list[Span] = []
    held = 0
    for span in spans:
        more = size(text[span.start : span.end])
        if packed and held + more <= words:
            packed[-1] = Span(packed[-1].start, span.end)
            held += more
        else:
            packed.append(span)
            held = more
    return packed


def _merged(document: Document, spans: Sequence[Span], words: int) -> list[Span]:
    joined = _packed(document.text, spans, words)
    return [s for s in joined if document.text[s.start : s.end].strip()]


def _chunk(document: Document, span: Span, overlap: int) -> Chunk:
    start, end = _trimmed(document.text, span)
    if overlap:
        start = _reach_back(document, start, overlap)
    parts = tuple(p for p in document.parts if p.start < end and p.end > start)
    text, context = document.text[start:end], _context(document, start, parts[0])
    dated = parts[0].date or document.date
    # All that an index keeps of a chunk is in its id, so that an id never stands for two different entries.
    fields = (document.id, document.place, document.source, *document.services, *document.people, str(dated))
    key = "\x1f".join((*fields, str(start), context, text))
    return Chunk(hashlib.sha256(key.encode()).hexdigest()[:24], document.id, start, end, text, context, parts)


def _trimmed(text: str, span: Span) -> tuple[int, int]:
    piece = text[span.start : span.end]
    return span.start + len(piece) - len(piece.lstrip()), span.start + len(piece.rstrip())


def _reach_back(document: Document, start: int, overlap: int) -> int:
    """A start that takes in the end of what comes before: the last message, or the last lines of the same section."""
    part = next(p for p in document.parts if p.start <= start < p.end)
    if start > part.start and document.text[part.start : start].strip():
        floor = part.start
    elif document.kind is Kind.CHAT:
        floor = max((p.start for p in document.parts if p.end <= start), default=start)
    else:
        return start
    before = document.text[floor:start]
    if size(before) <= overlap:
        return floor + len(before) - len(before.lstrip())
    for boundary in (*_BOUNDARIES[1].finditer(before), *_BOUNDARIES[2].finditer(before)):
        if 0 < size(before[boundary.end() :]) <= overlap:
            return floor + boundary.end()
    return start


def _context(document: Document, start: int, first: Part) -> str:
    """What a chunk is about when its own words do not say: title and headings, or how the conversation began."""
    if document.kind is Kind.CHAT:
        channel = document.title.partition(":")[
            0
        ]  # the rest of a title is the opening, which the first chunk holds
        return f"{channel}\n{_first_words(document.text, OPENING_WORDS)}" if start > 0 else channel
    inside = start > first.start
    headings = first.headings if inside else first.headings[:-1]
    return " > ".join(dict.fromkeys((document.title, *headings)))


def _first_words(text: str, words: int) -> str:
    ends = [m.end() for _, m in zip(range(words), _WORD.finditer(text), strict=False)]
    return text[: ends[-1]] if ends else ""
