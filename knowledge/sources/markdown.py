"""Markdown by itself: one page as a document, and a folder of such pages only."""

from collections.abc import Mapping
from pathlib import Path

from knowledge.port import Document, Kind
from knowledge.sources.folder import DocumentFolder
from knowledge.sources.readers.markdown import anchor_of, front_matter, sections

__all__ = ["MarkdownFolder", "anchor_of", "front_matter", "page", "sections"]


class MarkdownFolder(DocumentFolder):
    """A `Source` of every `*.md` file under one folder; see `DocumentFolder` for what the options mean."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "docs",
        permalink: str | None = None,
        members: frozenset[str] | None = None,
        restricted: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        super().__init__(
            folder, name=name, permalink=permalink, members=members, restricted=restricted, include=("*.md",)
        )


def page(key: str, *, source: str, place: str, body: str, title: str = "", stem: str = "") -> Document:
    """One Markdown page as a document. Without a title it has its first heading's, or else `stem`."""
    heading, parts = sections(body, stem=stem)
    return Document(key, source, Kind.PAGE, title or heading, body, place, parts)
