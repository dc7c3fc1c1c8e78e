"""PDF files: the text of each page, found again by its number."""

import io
import logging
from datetime import datetime

from pypdf import DocumentInformation, PdfReader

from knowledge.sources.readers.reading import Reading, Section, Unreadable

logging.getLogger("pypdf").setLevel(
    logging.CRITICAL
)  # what is wrong with a file is told as a trouble, not printed


def read(data: bytes) -> Reading:
    """A PDF, one section a page. Raises `Unreadable` when it is encrypted or scanned, and what pypdf does."""
    pdf = PdfReader(io.BytesIO(data))
    if pdf.is_encrypted:
        raise Unreadable("an encrypted PDF: save it without a password")
    pages, sections, at = [page.extract_text() for page in pdf.pages], [], 0
    if not any(page.strip() for page in pages):
        raise Unreadable("a PDF without text, as scanners make them: run character recognition on it first")
    written: list[str] = []
    for number, page in enumerate(pages, start=1):
        # a lone surrogate cannot be stored or searched
        clean = page.encode("utf-8", errors="replace").decode("utf-8").replace("\x00", "").rstrip() + "\n\n"
        written.append(clean)
        sections.append(
            Section(at, at + len(clean), (f"page {number}",), anchor=f"page={number}", page=number)
        )
        at += len(clean)
    title, front = _said(pdf.metadata)
    return Reading(title, "".join(written), tuple(sections), front)


def _said(about: DocumentInformation | None) -> tuple[str, dict[str, object]]:
    """Title, author and date, of what the metadata has; a date that is none is left out."""
    if about is None:
        return "", {}
    try:
        date: datetime | None = about.modification_date or about.creation_date
    except ValueError:
        date = None
    return (about.title or "").strip(), {"author": about.author, "date": date}
