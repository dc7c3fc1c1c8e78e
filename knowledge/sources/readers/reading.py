"""What every reader gives: the text of a file, its sections, and what the file says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class Unreadable(ValueError):
    """A file has nothing to read: it is damaged, locked, scanned, or not of the kind its name says."""


@dataclass(frozen=True, slots=True)
class Section:
    """The span [start, end) of a text under one heading, and where a link to it points.

    `anchor` is what stands behind the `#` of a link, `page` counts from 1, and so does `line`, in the file itself.
    """

    start: int
    end: int
    headings: tuple[str, ...] = ()
    anchor: str | None = None
    page: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One file as text. `sections` cover `text` in order, without gaps; `front` has lower-case keys.

    `title` is empty when the file does not say; `notes` are what whoever reads it should know.
    """

    title: str
    text: str
    sections: tuple[Section, ...]
    front: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A heading found in a text: where its line starts, how deep it is, what it says, and its anchor."""

    start: int
    level: int
    heading: str
    anchor: str | None = None
    line: int | None = None


def decoded(data: bytes) -> str:
    """Text of a UTF-8 file, with plain line ends. Raises `UnicodeDecodeError`."""
    return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def line_of(text: str, offset: int) -> int:
    """The number of the line an offset is in, from 1."""
    return text.count("\n", 0, offset) + 1


def cut(text: str, marks: Sequence[Mark]) -> tuple[Section, ...]:
    """Sections from headings in order; what stands before the first, if it says anything, has no heading."""
    if not marks:
        return (Section(0, len(text), line=1),)
    made: list[Section] = []
    first = marks[0].start if text[: marks[0].start].strip() else 0
    if first:
        made.append(Section(0, first, line=1))
    path: list[Mark] = []
    for index, mark in enumerate(marks):
        path = [held for held in path if held.level < mark.level] + [mark]
        end = marks[index + 1].start if index + 1 < len(marks) else len(text)
        start = mark.start if index else first
        made.append(
            Section(start, end, tuple(held.heading for held in path), anchor=mark.anchor, line=mark.line)
        )
    return tuple(made)
