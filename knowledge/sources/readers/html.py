"""HTML pages: their text block by block, sections by heading, links by `id`."""

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from knowledge.sources.readers.reading import Mark, Reading, cut

_LEFT_OUT = frozenset({"script", "style", "nav", "footer", "noscript", "template", "svg", "head", "title"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "fieldset",
        ),
        *(
            "figcaption",
            "figure",
            "form",
            "header",
            "hr",
            "li",
            "main",
            "ol",
            "p",
            "pre",
            "section",
            "summary",
        ),
        *("table", "tbody", "thead", "tr", "ul", *_HEADINGS),
    }
)
_CELLS = frozenset({"td", "th"})
_FRONT = {  # names of <meta>, to what front matter calls it
    "author": "author",
    "date": "date",
    "dcterms.date": "date",
    "dcterms.modified": "date",
    "article:modified_time": "date",
    "article:published_time": "date",
    "service": "service",
    "status": "status",
    "owner": "owner",
    "superseded_by": "superseded_by",
}


def read(data: bytes) -> Reading:
    """An HTML page, in the encoding it says it has. Never runs or fetches anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a page looks like XML, or like a path: it is read all the same
        soup = BeautifulSoup(data, "html.parser")
    writer = _Writer()
    for element, opening in _walk(soup):
        if isinstance(element, Tag):
            (writer.open if opening else writer.close)(element)
        elif isinstance(element, NavigableString) and not isinstance(element, PreformattedString):
            writer.say(str(element))
    writer.end_line()
    text = "".join(writer.written)
    title = _squeezed(soup.title.get_text()) if soup.title else ""
    first = next((mark.heading for mark in writer.marks if mark.level == 1), "")
    return Reading(title or first, text, cut(text, writer.marks), _front(soup))


class _Writer:
    """Takes the page tag by tag and writes it line by line, noting where headings start."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.marks: list[Mark] = []
        self._length = 0
        self._line: list[str] = []
        self._heading: tuple[int, Tag] | None = None
        self._pre = 0

    def open(self, tag: Tag) -> None:
        if tag.name in _BLOCKS or tag.name == "br":
            self.end_line(blank=tag.name in _HEADINGS or tag.name in ("p", "pre", "table", "ul", "ol"))
        if tag.name in _HEADINGS and self._heading is None:
            self._heading = (_HEADINGS[tag.name], tag)
        elif tag.name == "li":
            self._line.append("- ")
        elif tag.name == "pre":
            self._pre += 1
        elif tag.name in _CELLS and "".join(self._line).strip():
            self._line.append(" | ")

    def close(self, tag: Tag) -> None:
        if tag.name in _BLOCKS:
            self.end_line()
        if tag.name == "pre":
            self._pre -= 1
        if self._heading is not None and self._heading[1] is tag:
            self._heading = None

    def say(self, text: str) -> None:
        if self._pre:
            self._line.append(text)
        else:
            self._line.append(re.sub(r"\s+", " ", text))

    def end_line(self, *, blank: bool = False) -> None:
        """Ends the line being written, if there is one; `blank` leaves an empty one after it."""
        raw = "".join(self._line)
        self._line = []
        line = raw.strip("\n").rstrip() if self._pre else _squeezed(raw)
        if line and line != "-":
            if self._heading is not None:
                level, tag = self._heading
                self.marks.append(Mark(self._length, level, line, _anchor(tag), tag.sourceline))
            self._write(line + "\n")
        if blank and self.written and self.written[-1] != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        self.written.append(text)
        self._length += len(text)


def _walk(soup: BeautifulSoup) -> Iterator[tuple[PageElement, bool]]:
    """Every element, opening and closing, without recursion: pages nest deeper than Python does."""
    stack: list[tuple[PageElement, bool]] = [(soup, True)]
    while stack:
        element, opening = stack.pop()
        if isinstance(element, Tag) and element.name in _LEFT_OUT:
            continue
        yield element, opening
        if isinstance(element, Tag) and opening:
            stack.append((element, False))
            stack.extend((child, True) for child in reversed(element.contents))


def _anchor(heading: Tag) -> str | None:
    """The `id` of a heading, of an anchor in it, or of the section that it opens."""
    inner = heading.find(lambda tag: tag.has_attr("id") or tag.has_attr("name"))
    around = (
        heading.parent if heading.parent and heading.parent.name in ("section", "article", "div") else None
    )
    opens = around if around and around.find(list(_HEADINGS)) is heading else None
    for tag in (heading, inner, opens):
        if isinstance(tag, Tag) and (found := tag.get("id") or tag.get("name")):
            return str(found)
    return None


def _front(soup: BeautifulSoup) -> dict[str, object]:
    found: dict[str, object] = {}
    for tag in soup.find_all("meta"):
        name = str(tag.get("name") or tag.get("property") or "").lower()
        if name in _FRONT and tag.get("content"):
            found.setdefault(_FRONT[name], str(tag["content"]))
    return found


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
