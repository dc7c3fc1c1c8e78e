"""Word documents (.docx): paragraphs, heading styles as sections, a line a table row."""

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.sources.readers.reading import Mark, Reading, Unreadable, cut

_HEADING = re.compile(r"heading ([1-9])\Z", re.IGNORECASE)
_LARGEST = 200_000_000  # bytes unpacked; a zip may claim to hold far more than it weighs


def read(data: bytes) -> Reading:
    """A Word document. Raises `Unreadable` when it unpacks to too much, and what python-docx does."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > _LARGEST:
            raise Unreadable(f"unpacks to more than {_LARGEST // 1_000_000} MB")
    word = docx.Document(io.BytesIO(data))
    written: list[str] = []
    marks: list[Mark] = []
    at, title = 0, ""
    for style, line in _lines(word.iter_inner_content()):
        heading = _HEADING.match(style)
        if heading:
            marks.append(Mark(at, int(heading.group(1)), " ".join(line.split())))
        elif style.lower() == "title" and not title:
            title = " ".join(line.split())
        written.append(line + ("\n" if style == "table" else "\n\n"))
        at += len(written[-1])
    text, about = "".join(written), word.core_properties
    first = next((mark.heading for mark in marks if mark.level == 1), "")
    front: dict[str, object] = {"author": about.author, "date": about.modified or about.created}
    return Reading(about.title.strip() or title or first, text, cut(text, marks), front)


def _lines(content: Iterator[Paragraph | Table]) -> Iterator[tuple[str, str]]:
    """Style and text of each paragraph, and each row of a table as a line of cells."""
    for block in content:
        if isinstance(block, Table):
            for row in block.rows:
                cells = [" ".join(cell.text.split()) for cell in row.cells]
                yield (
                    "table",
                    " | ".join(dict.fromkeys(cells)),
                )  # a merged cell is given once for each it covers
        elif block.text.strip():
            yield (block.style.name if block.style else None) or "", block.text.strip()
