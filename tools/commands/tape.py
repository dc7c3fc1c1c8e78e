"""What a program writes, while it runs: kept from both ends where it is too much, and told line by line."""

from collections import deque

from tools.contract import Progress

MOST_TOLD = 200  # lines passed on while it runs; of those after them, the last ones at the end
LAST_TOLD = 10
_LONGEST = 500  # characters of a line that is passed on
_HELD = 16 * 1024  # octets of a line without an end


class Tape:
    """The first and the last half of `limit` octets; `lost` were dropped in between."""

    def __init__(self, limit: int) -> None:
        self._half, self._head, self._tail = limit // 2, bytearray(), bytearray()
        self.lost = 0

    def take(self, chunk: bytes) -> None:
        room = max(self._half - len(self._head), 0)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if (more := len(self._tail) - self._half) > 0:
            self.lost += more
            del self._tail[:more]

    @property
    def text(self) -> str:
        gap = f"\n... {self.lost:,} bytes left out ...\n".encode() if self.lost else b""
        return bytes(self._head + gap + self._tail).decode(errors="replace")


class Teller:
    """Passes lines on as they come; of very many the first and the last ones, with the number of the others."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._rest = progress, b""
        self._told = self._held_back = 0
        self._last: deque[bytes] = deque(maxlen=LAST_TOLD)

    async def take(self, chunk: bytes) -> None:
        if self._progress is None:
            return
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[-_HELD:]
        for line in lines:
            await self._line(line)

    async def end(self) -> None:
        """Tells what had no end, and the last of what was held back."""
        if self._progress is None:
            return
        await self._line(self._rest)
        self._rest = b""
        if (hidden := self._held_back - len(self._last)) > 0:
            await self._progress(f"... {hidden:,} more lines ...")
        for line in self._last:
            await self._progress(_shown(line))
        self._last.clear()

    async def _line(self, line: bytes) -> None:
        if not line.strip() or self._progress is None:
            return
        if self._told >= MOST_TOLD:
            self._held_back += 1
            self._last.append(line)
            return
        self._told += 1
        await self._progress(_shown(line))


def _shown(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")[:_LONGEST]
