"""A folder of documents - Markdown, reStructuredText, HTML, text, PDF, Word - with links and with rights by folder."""

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from knowledge.port import Document, Kind, Part, Place, SourceFailed, Trouble, Unit
from knowledge.sources.front import date_of, owner_of, services_of, standing_of, text_of
from knowledge.sources.links import FIELDS, LinkTemplate
from knowledge.sources.readers import BINARY, BY_SUFFIX, read, suffix_of
from knowledge.sources.readers.reading import Reading, Unreadable

_EDITION = "1"  # of the readers: another one, and unchanged files are read again
_LARGEST = 5_000_000  # characters; a bigger "document" is a dump that belongs in a log search
_STRANGE = "\ufffd"
_LARGEST_BINARY = 100_000_000  # bytes of a PDF or a Word file, most of which are pictures


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of a file: which commit, when, and by whom."""

    commit: str
    date: datetime | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Paths of a folder, relative and with `/`, and their last change where it is known."""

    paths: tuple[str, ...]
    changes: Mapping[str, Change] = field(default_factory=dict)
    head: Change | None = None  # for files without a change of their own


class DocumentFolder:
    """A `Source` of the documents under one folder, each read by the reader for its suffix.

    `members` (identity keys) may read it, all if None; `restricted` gives subfolders, `{"security": members}`, which
    are places of their own: the most specific counts. `include` and `exclude` are patterns of paths or names
    (`*.md`, `drafts/*`). `permalink` is a `LinkTemplate`; without one, links are `path#anchor` in the folder.
    Hidden files, `node_modules` and links that lead out of the folder or into another place are not read.
    """

    link_fields = FIELDS

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "docs",
        permalink: str | None = None,
        members: frozenset[str] | None = None,
        restricted: Mapping[str, frozenset[str]] | None = None,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
    ) -> None:
        self.name = name
        self._folder = folder
        self._links = LinkTemplate(permalink or "{path}#{anchor}", self.link_fields)
        self._include, self._exclude = tuple(include), tuple(exclude)
        root = Place(f"{name}:", name, name, public=members is None, members=members or frozenset())
        held = {_subfolder(key): who for key, who in (restricted or {}).items()}
        self._restricted = {
            key: Place(f"{name}:{key}/", f"{name}/{key}", name, public=False, members=who)
            for key, who in sorted(held.items(), key=lambda item: -len(PurePosixPath(item[0]).parts))
        }
        self._root = root
        self._listed: Listing | None = None

    async def places(self) -> Sequence[Place]:
        """The place of the folder, and of each restricted one. Raises `SourceFailed` when the folder is not there."""
        if not await asyncio.to_thread(self._folder.is_dir):
            raise SourceFailed(
                f"source {self.name!r}: {str(self._folder)!r} is not a folder; give the path of one",
                source=self.name,
                path=str(self._folder),
            )
        return (self._root, *self._restricted.values())

    async def units(self) -> Sequence[Unit]:
        """A unit for each file; its stamp comes from size, time of change and these settings. Raises `SourceFailed`."""
        await self.places()
        self._listed = await asyncio.to_thread(self._list)
        return await asyncio.to_thread(lambda listed: [*self._units(listed)], self._listed)

    async def read(self, unit: Unit) -> AsyncIterator[Document | Trouble]:
        """The document of one file, and what is wrong with it; nothing for a file that is gone."""
        if self._listed is None:
            self._listed = await asyncio.to_thread(self._list)
        for found in await asyncio.to_thread(
            self._read, unit.key.removeprefix(f"{self.name}:"), self._listed
        ):
            yield found

    async def documents(self) -> AsyncIterator[Document | Trouble]:
        """All of it, file after file, in the order of their paths. Raises `SourceFailed`."""
        for unit in await self.units():
            async for found in self.read(unit):
                yield found

    def _list(self) -> Listing:
        """Which files there are. Overridden where something else than the disk knows."""
        paths: list[str] = []
        for at, folders, files in os.walk(self._folder):  # does not follow links to folders
            folders[:] = [name for name in folders if not _is_hidden(name)]
            paths += [(Path(at) / name).relative_to(self._folder).as_posix() for name in files]
        return Listing(tuple(paths))

    def _units(self, listed: Listing) -> Iterator[Unit]:
        settings = f"{_EDITION}\0{self._links.template}"
        # As `Path` sorts: by the pieces of a path.
        for path in sorted(filter(self._is_wanted, listed.paths), key=lambda path: path.split("/")):
            seen = self._stat(path)
            if seen is None:
                continue
            change = _change(listed, path)
            known = (settings, str(seen.st_size), str(seen.st_mtime_ns), self._place_of(path).id, str(change))
            stamp = hashlib.sha256("\0".join(known).encode("utf-8", "surrogateescape")).hexdigest()[:24]
            yield Unit(f"{self.name}:{_written(path)}", stamp, max(1, seen.st_size))

    def _is_wanted(self, path: str) -> bool:
        if suffix_of(path) not in BY_SUFFIX or any(map(_is_hidden, path.split("/"))):
            return False
        return (not self._include or _matches(path, self._include)) and not _matches(path, self._exclude)

    def _stat(self, path: str) -> os.stat_result | None:
        """Of a file that may be read as being where it is: no link out of the folder or into another place."""
        try:
            real = (self._folder / path).resolve(strict=True)
            inside = real.relative_to(self._folder.resolve()).as_posix()
            seen = real.stat()
        except (OSError, ValueError, RuntimeError):
            return None
        moved = self._place_of(inside) != self._place_of(path) or any(map(_is_hidden, inside.split("/")))
        return None if moved or not stat.S_ISREG(seen.st_mode) else seen

    def _place_of(self, path: str) -> Place:
        for key, place in self._restricted.items():
            if path.startswith(f"{key}/"):
                return place
        return self._root

    def _read(self, path: str, listed: Listing) -> Sequence[Document | Trouble]:
        key, seen = f"{self.name}:{path}", self._stat(path) if self._is_wanted(path) else None
        if seen is None:
            return (Trouble(path, "its name is not UTF-8: rename it", key),) if _STRANGE in path else ()
        largest = _LARGEST_BINARY if suffix_of(path) in BINARY else _LARGEST
        if seen.st_size > largest:
            return (Trouble(path, f"larger than {largest // 1_000_000} MB", key),)
        try:
            reading = read(path, (self._folder / path).read_bytes())
        except (OSError, Unreadable) as error:
            return (Trouble(path, str(error), key),)
        if len(reading.text) > _LARGEST:
            return (Trouble(path, f"longer than {_LARGEST} characters", key),)
        notes = [Trouble(path, note, key) for note in reading.notes]
        return (*notes, self._document(key, path, reading, _change(listed, path)))

    def _document(self, key: str, path: str, reading: Reading, change: Change | None) -> Document:
        front, commit = reading.front, change.commit if change else None
        owner = owner_of(front) or (change.author if change else None)
        standing, superseded_by = standing_of(front)
        parts = tuple(
            Part(
                section.start,
                section.end,
                section.headings,
                link=self._links.to(
                    path, anchor=section.anchor, line=section.line, page=section.page, commit=commit
                ),
            )
            for section in reading.sections
        )
        return Document(
            id=key,
            source=self.name,
            kind=Kind.PAGE,
            title=text_of(front.get("title")) or reading.title or PurePosixPath(path).stem,
            text=reading.text,
            place=self._place_of(path).id,
            parts=parts,
            author=owner,
            date=date_of(front) or (change.date if change else None),
            link=self._links.to(path, commit=commit),
            services=services_of(front),
            people=(owner,) if owner else (),
            pinned=front.get("pinned") is True,
            standing=standing,
            superseded_by=superseded_by,
        )


def _change(listed: Listing, path: str) -> Change | None:
    return listed.changes.get(path, listed.head)


def _written(path: str) -> str:
    """A path as it can be stored: what is not UTF-8 in it is replaced, and then no file has that name."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "node_modules"


def _matches(path: str, patterns: Collection[str]) -> bool:
    """Whether a pattern fits the path or the file's name; `**/` at its start fits no folder as well."""
    names = (path, PurePosixPath(path).name)
    return any(fnmatchcase(name, p.removeprefix("**/")) for name in names for p in patterns)


def _subfolder(key: str) -> str:
    parts = PurePosixPath(key).parts
    if not parts or ".." in parts or key.startswith("/"):
        raise ValueError(f"a restricted folder is a path inside the source, such as 'security', not {key!r}")
    return "/".join(parts)
