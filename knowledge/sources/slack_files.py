"""The files of a Slack export, zipped or not, read without trusting their names or their sizes."""

import hashlib
import os
import stat
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

LARGEST = 200 * 1024 * 1024  # bytes of one file; the fullest day of the fullest channel is far below
_BOMB_RATIO = 200  # chat compresses to a tenth or a twentieth; deflate can hide a thousand bytes in one
_BOMB_FROM = 10 * 1024 * 1024
_STEP = 1024 * 1024


class Unreadable(ValueError):
    """A file of an export that is refused or damaged; the message says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its path as the archive or the disk has it, its size, and a mark that changes when it does."""

    path: str
    size: int
    mark: str
    refused: str = ""


class ExportFiles:
    """The `*.json` files of an export, by their path from where `users.json` lies.

    Nothing is ever unpacked to disk. A file whose path leads out of the export, that is no plain file, or that is or
    would become too large is refused when it is read. Raises `OSError` or `zipfile.BadZipFile` when there is none.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self.mark = mark_of(path)
        self._largest = largest
        self._folder = path
        self._zip = None if path.is_dir() else zipfile.ZipFile(path)
        found = _zipped(self._zip) if self._zip else _on_disk(path)
        members = {name: one for name, one in found if name.endswith(".json") or one.refused}
        root = _root(members)
        self._members = {
            name.removeprefix(root): one
            for name, one in members.items()
            if name.startswith(root) or one.refused
        }
        self._folders: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._members):
            self._folders[name.rpartition("/")[0]].append(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._zip:
            self._zip.close()

    def has(self, name: str) -> bool:
        return name in self._members

    def within(self, folder: str) -> Sequence[str]:
        """The files that lie in a folder, in order."""
        return self._folders.get(folder, ())

    def size(self, names: Iterable[str]) -> int:
        """Bytes, all together."""
        return sum(self._members[name].size for name in names)

    def signature(self, names: Iterable[str] | None = None) -> str:
        """A mark that changes when one of these files does (of all, unless told), without reading them."""
        chosen = sorted(self._members) if names is None else sorted(names)
        lines = (f"{name}\0{self._members[name].size}\0{self._members[name].mark}\n" for name in chosen)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def strays(self, folders: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Refused files that lie in none of these folders, with the reason."""
        known = set(folders)
        for name, member in sorted(self._members.items()):
            if member.refused and name.rpartition("/")[0] not in known:
                yield name, member.refused

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises `KeyError` when there is none of that name, `Unreadable`, or `OSError`."""
        member = self._members[name]
        if member.refused:
            raise Unreadable(member.refused)
        if member.size > self._largest:
            raise Unreadable(f"{member.size} bytes; more than {self._largest} are not read")
        if self._zip is None:
            return self._plain(member)
        try:
            return self._unzipped(self._zip, member)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise Unreadable(f"damaged in the archive: {error}") from error

    def _plain(self, member: Member) -> bytes:
        with (self._folder / member.path).open("rb") as file:
            content = file.read(self._largest + 1)
        if len(content) > self._largest:
            raise Unreadable(f"it grew beyond {self._largest} bytes")
        return content

    def _unzipped(self, archive: zipfile.ZipFile, member: Member) -> bytes:
        """Step by step: what an archive says of a size need not be so."""
        info = archive.getinfo(member.path)
        if info.file_size > _BOMB_FROM and info.file_size > info.compress_size * _BOMB_RATIO:
            raise Unreadable(
                f"{info.compress_size} bytes that would become {info.file_size}: not what chat packs to"
            )
        pieces: list[bytes] = []
        with archive.open(info) as file:
            while piece := file.read(_STEP):
                pieces.append(piece)
        return b"".join(pieces)


def mark_of(path: Path) -> str:
    """A mark of an archive that changes when it is replaced; empty for a folder, which has none. Raises `OSError`."""
    seen = path.stat()
    return "" if stat.S_ISDIR(seen.st_mode) else f"{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ino}"


def _zipped(archive: zipfile.ZipFile) -> Iterator[tuple[str, Member]]:
    for info in archive.infolist():
        name = info.filename.replace("\\", "/")  # some packers on Windows write it so
        linked = stat.S_ISLNK(info.external_attr >> 16)
        refused = _escape(name) or ("it is a link, not a file" if linked else "")
        yield name, Member(info.filename, info.file_size, f"{info.CRC:08x}", refused)


def _on_disk(folder: Path) -> Iterator[tuple[str, Member]]:
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            seen = path.lstat()
            refused = "" if stat.S_ISREG(seen.st_mode) else "it is a link or a device, not a file"
            relative = path.relative_to(folder).as_posix()
            yield relative, Member(relative, seen.st_size, str(seen.st_mtime_ns), refused)


def _escape(name: str) -> str:
    absolute = name.startswith("/") or name[1:2] == ":"
    return "its path leads out of the export" if absolute or ".." in PurePosixPath(name).parts else ""


def _root(members: Mapping[str, Member]) -> str:
    """The folder of the `users.json` that lies highest."""
    lists = (
        name for name, one in members.items() if name.rpartition("/")[2] == "users.json" and not one.refused
    )
    return min(
        (name.removesuffix("users.json") for name in lists), key=lambda root: (len(root), root), default=""
    )
