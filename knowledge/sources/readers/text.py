"""Plain text: paragraphs between blank lines, in UTF-8 or else Windows-1252."""

import re

from knowledge.sources.readers.reading import Reading, Section, Unreadable, decoded

_BLANK = re.compile(r"\n[ \t]*\n\s*")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read(data: bytes) -> Reading:
    """A plain text file, one section a paragraph. Raises `Unreadable` when it is binary."""
    notes: tuple[str, ...] = ()
    try:
        text = decoded(data).removeprefix("\ufeff")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        notes = ("not UTF-8: read as Windows-1252",)
    if _CONTROLS.search(text):
        raise Unreadable("not text: it holds control characters, as binary files do")
    ends = [found.end() for found in _BLANK.finditer(text) if found.end() < len(text)]
    starts = [0, *ends]
    paragraphs, line, last = [], 1, 0
    for start, end in zip(starts, [*ends, len(text)], strict=True):
        line += text.count("\n", last, start)
        last = start
        paragraphs.append(Section(start, end, line=line))
    return Reading("", text, tuple(paragraphs), notes=notes)
