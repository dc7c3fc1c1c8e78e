"""A folder of Markdown files: front matter, sections by heading, links by anchor."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from knowledge.port import Document, Kind, Part, Place, SourceFailed, Standing, Trouble

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_OBSOLETE = frozenset({"obsolete", "deprecated", "archived", "retired"})
_LARGEST = 5_000_000  # characters; a bigger "document" is a dump that belongs in a log search


class MarkdownFolder:
    """A `Source` of every `*.md` file under one folder.

    `place` names who may read it: public unless `members` (identity keys) are given. `permalink` is a template with
    `{path}` and `{anchor}`, such as `https://git.example.com/ops/docs/blob/main/{path}#{anchor}`; without one, links
    are `path#anchor` relative to the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "docs",
        permalink: str | None = None,
        members: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self._folder = folder
        self._permalink = permalink or "{path}#{anchor}"
        self._place = Place(f"{name}:", name, name, public=members is None, members=members or frozenset())

    async def places(self) -> Sequence[Place]:
        """The one place of a folder. Raises `SourceFailed` when the folder is not there."""
        if not await asyncio.to_thread(self._folder.is_dir):
            raise SourceFailed(
                f"source {self.name!r}: {str(self._folder)!r} is not a folder; give the path of one",
                source=self.name,
                path=str(self._folder),
            )
        return (self._place,)

    async def documents(self) -> AsyncIterator[Document | Trouble]:
        await self.places()
        for path in await asyncio.to_thread(lambda: sorted(self._folder.rglob("*.md"))):
            relative = path.relative_to(self._folder).as_posix()
            if any(piece.startswith(".") for piece in Path(relative).parts):
                continue
            yield await asyncio.to_thread(self._read, path, relative)

    def _read(self, path: Path, relative: str) -> Document | Trouble:
        key = f"{self.name}:{relative}"
        try:
            text = path.read_text(encoding="utf-8")
            if len(text) > _LARGEST:
                return Trouble(relative, f"longer than {_LARGEST} characters", key)
            front, body_at = front_matter(text)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            return Trouble(relative, str(error), key)
        return self._document(key, relative, text[body_at:], front)

    def _document(self, key: str, relative: str, body: str, front: Mapping[str, object]) -> Document:
        made = page(
            key,
            source=self.name,
            place=self._place.id,
            body=body,
            title=_text(front.get("title")),
            stem=Path(relative).stem,
        )
        owner = _text(front.get("owner") or front.get("author")) or None
        standing, superseded_by = _standing(front)
        return replace(
            made,
            parts=tuple(replace(part, link=self._link(relative, part.link)) for part in made.parts),
            author=owner,
            date=_moment(front.get("date") or front.get("updated")),
            link=self._link(relative, None),
            services=_names(front.get("service") or front.get("services")),
            people=(owner,) if owner else (),
            pinned=front.get("pinned") is True,
            standing=standing,
            superseded_by=superseded_by,
        )

    def _link(self, relative: str, anchor: str | None) -> str:
        return self._permalink.format(path=relative.replace(" ", "%20"), anchor=anchor or "").removesuffix(
            "#"
        )


def page(key: str, *, source: str, place: str, body: str, title: str = "", stem: str = "") -> Document:
    """One Markdown page as a document. Without a title it has its first heading's, or else `stem`."""
    heading, parts = sections(body, stem=stem)
    return Document(key, source, Kind.PAGE, title or heading, body, place, parts)


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


def _standing(front: Mapping[str, object]) -> tuple[Standing, str | None]:
    status, superseded_by = _text(front.get("status")).lower(), _text(front.get("superseded_by")) or None
    if status in _OBSOLETE:
        return Standing.OBSOLETE, superseded_by
    if superseded_by or status == "superseded":
        return Standing.SUPERSEDED, superseded_by
    return Standing.CURRENT, None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(item) for item in value if _text(item))
    return tuple(piece.strip() for piece in _text(value).split(",") if piece.strip())


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
