"""Reading files of time-ordered lines from a point in time backwards, without loading them.

Lines of several writers may be a little out of order, so positions are found with `SLACK` to spare.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

BLOCK = 64 * 1024
WIDE = 4 * 1024 * 1024  # where most lines are only searched
LONGEST = 1024 * 1024  # a line longer than this is given in pieces, which nobody can parse
SLACK = timedelta(seconds=5)

Stamp = Callable[[bytes], datetime | None]


def position_after(file: BinaryIO, moment: datetime, stamp: Stamp) -> int:
    """The offset behind the last line that is not later than `moment`, by bisection over the file's bytes.

    `stamp` reads the time of a line, `None` where it has none; such lines belong to the one before.
    """
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        start, at = _stamped_from(file, middle, high, stamp)
        if at is None:  # no line with a time begins between the middle and the high end
            high = middle
        elif at <= moment:
            low = start
        else:
            high = middle
    return low


def _stamped_from(file: BinaryIO, offset: int, limit: int, stamp: Stamp) -> tuple[int, datetime | None]:
    """The first line with a time that begins at or after `offset` and before `limit`: where it ends, and its time."""
    file.seek(max(offset - 1, 0))
    if offset > 0:
        file.readline(LONGEST)  # the rest of the line before, or just its end when a line begins at `offset`
    while file.tell() < limit:
        line = file.readline(LONGEST)
        at = stamp(line)
        if at is not None:
            return file.tell(), at
    return limit, None


def lines_before(file: BinaryIO, offset: int, block: int = BLOCK) -> Iterator[bytes]:
    """The lines before `offset`, last one first, without their ends."""
    rest = b""
    while offset > 0:
        size = min(block, offset)
        offset -= size
        file.seek(offset)
        first, *others = (file.read(size) + rest).split(b"\n")
        yield from (line for line in reversed(others) if line.strip())
        rest = first
        if len(rest) > LONGEST:
            yield rest
            rest = b""
    if rest.strip():
        yield rest


def lines_with(
    file: BinaryIO, start: int, end: int, needle: bytes, read: Callable[[bytes], bool], block: int = WIDE
) -> Iterator[bytes]:
    """The lines between two offsets that have `needle` in them in any case (ASCII), last one first.

    The others are only searched, not taken apart: some hundred MB in a second. `start` and `end` are ends of lines.
    `read` is given each block, and says whether to go on.
    """
    needle = needle.lower()
    while end > start:
        begin = _line_end(file, max(end - block, start), start)
        file.seek(begin)
        content = file.read(end - begin)
        yield from _found(content, needle)
        if not read(content):
            return
        end = begin


def _found(content: bytes, needle: bytes) -> Iterator[bytes]:
    lowered, at = content.lower(), len(content)
    while (hit := lowered.rfind(needle, 0, at)) >= 0:
        first = content.rfind(b"\n", 0, hit) + 1
        last = content.find(b"\n", hit)
        yield content[first : last if last >= 0 else len(content)]
        at = first


def _line_end(file: BinaryIO, offset: int, start: int) -> int:
    """The end of a line at or before `offset`, so that no line is cut; `start` when none is near."""
    if offset <= start:
        return start
    back = offset
    while back > start:
        size = min(BLOCK, back - start)
        file.seek(back - size)
        found = file.read(size).rfind(b"\n")
        if found >= 0:
            return back - size + found + 1
        back -= size
    return start
