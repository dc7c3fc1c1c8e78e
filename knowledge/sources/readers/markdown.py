"""Markdown: front matter, sections by heading, anchors as forges make them."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import cast

from knowledge.port import Part
from knowledge.sources.readers.reading import Reading, Section, decoded, line_of

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def read(data: bytes) -> Reading:
    """A Markdown file. Raises `ValueError` when it is not UTF-8 or its front matter is not a mapping."""
    whole = decoded(data)
    front, body_at = front_matter(whole)
    body = whole[body_at:]
    title, parts = sections(body, stem="")
    found = tuple(
        Section(p.start, p.end, p.headings, anchor=p.link, line=line_of(whole, body_at + p.start))
        for p in parts
    )
    return Reading(title, body, found, front)


def front_matter(text: str) -> tuple[Mapping[str, object], int]:
    """The YAML front matter of a page and where its body begins. Raises `ValueError` when it is not a mapping."""
    found = _FRONT.match(text)
    if found is None:
        return {}, 0
    import yaml

    try:
        values = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        raise ValueError(f"front matter is not YAML: {error}") from error
    if values is None:
        return {}, found.end()
    if not isinstance(values, dict):
        raise ValueError(f"front matter must be keys and values, not {type(values).__name__}")  # noqa: TRY004 - bad text, not a bad call
    return {str(k).lower(): v for k, v in cast("dict[object, object]", values).items()}, found.end()


def sections(body: str, *, stem: str) -> tuple[str, tuple[Part, ...]]:
    """Title and parts of a page: one part a heading, its own line included, what stands before the first one too.

    The `link` of each part is its anchor, made as GitHub and GitLab make them.
    """
    marks = list(_headings(body))
    title = marks[0][2] if marks and marks[0][1] == 1 else stem
    starts = [at for at, _, _ in marks]
    parts: list[Part] = []
    if not marks or body[: starts[0]].strip():
        parts.append(Part(0, starts[0] if marks else len(body)))
    elif starts[0] > 0:
        starts[0] = 0
    path: list[tuple[int, str]] = []
    used: dict[str, int] = {}
    for index, (_, level, heading) in enumerate(marks):
        path = [(depth, name) for depth, name in path if depth < level] + [(level, heading)]
        end = starts[index + 1] if index + 1 < len(starts) else len(body)
        parts.append(
            Part(starts[index], end, tuple(name for _, name in path), link=_unique(anchor_of(heading), used))
        )
    return title, tuple(parts)


def anchor_of(heading: str) -> str:
    """The anchor of a heading: lower case, hyphens for spaces, and nothing but letters, digits, `-` and `_`."""
    plain = unicodedata.normalize("NFC", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def _headings(body: str) -> Iterator[tuple[int, int, str]]:
    """Offset, level and text of each heading outside code fences."""
    at, fence = 0, ""
    for line in body.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif not fence and (found := _HEADING.match(line.rstrip("\r\n"))):
            yield at, len(found.group(1)), found.group(2)
        at += len(line)


def _unique(anchor: str, used: dict[str, int]) -> str:
    count = used.get(anchor, 0)
    used[anchor] = count + 1
    return f"{anchor}-{count}" if count else anchor
