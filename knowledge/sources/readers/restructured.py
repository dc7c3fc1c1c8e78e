"""reStructuredText: the text as it was written, sections and fields as docutils sees them.

Nothing is included, fetched or run: directives that would are refused by docutils itself.
"""

import io
import re
from collections.abc import Iterator

from docutils import nodes
from docutils.core import publish_doctree

from knowledge.sources.readers.reading import Mark, Reading, cut, decoded

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*\Z")
_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,  # a lone first section stays a section
    "docinfo_xform": False,
    "report_level": 5,  # a role of Sphinx's is no reason not to read a page
    "halt_level": 5,
    "syntax_highlight": "none",
    "input_encoding": "unicode",
    "line_length_limit": 1_000_000,
}


def read(data: bytes) -> Reading:
    """A reStructuredText file. Raises `UnicodeDecodeError`, and whatever docutils does on text it cannot take."""
    text = decoded(data).removeprefix("\ufeff")
    tree = publish_doctree(text, settings_overrides={**_SETTINGS, "warning_stream": io.StringIO()})
    marks = list(_marks(tree, text))
    title = marks[0].heading if marks and marks[0].level == 1 else ""
    return Reading(title, text, cut(text, marks), _fields(tree))


def _marks(tree: nodes.document, text: str) -> Iterator[Mark]:
    """Each section of the tree at the line of the text where its title stands."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    at = 0
    for section in tree.findall(nodes.section):
        title = next(iter(section.findall(nodes.title)), None)
        if title is None:
            continue
        found = _title_line(lines, title.rawsource.strip(), at)
        if found is None:
            continue
        first, at = found
        anchor = next(iter(section["ids"]), None)
        yield Mark(starts[first], _depth(section), title.astext(), anchor, first + 1)


def _title_line(lines: list[str], title: str, at: int) -> tuple[int, int] | None:
    """The first line of a title, its overline if it has one, and the line to look on from."""
    for index in range(at, len(lines) - 1):
        if lines[index].strip() == title and title and _ADORNMENT.match(lines[index + 1]):
            over = index > at and lines[index - 1].rstrip() == lines[index + 1].rstrip()
            return index - over, index + 2
    return None


def _depth(section: nodes.Node) -> int:
    depth, node = 1, section.parent
    while isinstance(node, nodes.section):
        depth, node = depth + 1, node.parent
    return depth


def _fields(tree: nodes.document) -> dict[str, object]:
    """The field list at the top of a page, or right under its title."""
    for holder in (tree, next(iter(tree.findall(nodes.section)), None)):
        for child in holder.children if holder is not None else ():
            if isinstance(child, nodes.field_list):
                pairs = (list(field.children) for field in child.children)
                return {name.astext().strip().lower(): body.astext().strip() for name, body in pairs}
            if not isinstance(child, nodes.title | nodes.comment | nodes.target):
                break
    return {}
