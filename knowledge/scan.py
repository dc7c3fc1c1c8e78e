"""Vectors in plain files that any number of processes map and scan whole: exact under every filter.

An approximate index loses recall or speed when the asker may see little of it; a scan does not, and a byte a number
is little enough that a million vectors are read in some 50 ms. Each vector stands in a row of four files:

    epoch-<n>/bytes    384 signed bytes, each vector stretched so that its largest number is 127
    epoch-<n>/halves   the same in half precision, to judge the best of the scan exactly
    epoch-<n>/places   the number of the place it is from; -1 once it is swept
    epoch-<n>/dates    unix seconds, or NO_DATE

Rows are only added, by the one writer; how many of them count is in the catalogue, so that a crash leaves rows that
nobody looks at and the next batch writes over. When many rows are swept, the rest moves to a new epoch.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from knowledge.catalogue import Scanned
    from knowledge.port import Vectors

    Rows = NDArray[np.int64]  # shape (found,)

NO_DATE = -(2**62)
NOWHERE = -1
_JUDGED = (
    400  # candidates of the byte scan that are judged in half precision, at least; four for each one wanted
)
_GATHER_BELOW = 0.35  # of all rows: fewer are copied together first, more are scanned where they stand
_THREADS = 2
_FILES = ("bytes", "halves", "places", "dates")


class Window(NamedTuple):
    """What a scan may look at: the numbers of places, rows (all if None), and a span of unix seconds."""

    places: frozenset[int]
    rows: "Rows | None" = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """One row to add: a place's number and a date."""

    place: int
    date: int | None


class Scan:
    """The rows that count at one moment, mapped for reading. Raises `FileNotFoundError` for an epoch that is over."""

    def __init__(self, folder: Path, scanned: "Scanned", dims: int) -> None:
        import numpy as np

        self.scanned, self._dims = scanned, dims
        epoch, rows = folder / f"epoch-{scanned.epoch}", scanned.rows
        if rows == 0:
            self._bytes = np.zeros((0, dims), dtype=np.int8)
            self._halves = np.zeros((0, dims), dtype=np.float16)
            self._places = np.zeros(0, dtype=np.int32)
            self._dates = np.zeros(0, dtype=np.int64)
            return
        self._bytes = np.memmap(epoch / "bytes", np.int8, "r", shape=(rows, dims))
        self._halves = np.memmap(epoch / "halves", np.float16, "r", shape=(rows, dims))
        self._places = np.memmap(epoch / "places", np.int32, "r", shape=(rows,))
        self._dates = np.memmap(epoch / "dates", np.int64, "r", shape=(rows,))

    def search(self, vector: "Vectors", window: Window, limit: int) -> list[tuple[int, float]]:
        """The rows nearest to one vector (shape (dims,)) within a window, with their cosines, best first."""
        import numpy as np

        allowed = self._allowed(window)
        if not len(allowed):
            return []
        cosines = self._rough(vector, allowed)
        wanted = min(max(_JUDGED, 4 * limit), len(allowed))
        best = allowed[np.argpartition(-cosines, wanted - 1)[:wanted]]
        exact = self.cosines(vector, best)
        order = np.argsort(-exact, kind="stable")[:limit]
        return list(zip(best[order].tolist(), exact[order].tolist(), strict=True))

    def cosines(self, vector: "Vectors", rows: "Rows | Sequence[int]") -> "NDArray[np.float32]":
        """The cosines of given rows to one vector."""
        import numpy as np

        held = self._halves[np.asarray(rows, dtype=np.int64)].astype(np.float32)
        return np.asarray(held @ vector, dtype=np.float32)

    def vectors(self, rows: Sequence[int]) -> "Vectors":
        """The vectors at given rows, shape (rows, dims)."""
        import numpy as np

        return self._halves[np.asarray(rows, dtype=np.int64)].astype(np.float32)

    def placed(self) -> "NDArray[np.int32]":
        """The number of the place of every row; `NOWHERE` for one that is swept."""
        import numpy as np

        return np.asarray(self._places)

    def _allowed(self, window: Window) -> "Rows":
        import numpy as np

        if window.rows is not None:
            rows = window.rows[window.rows < self.scanned.rows]
            fits = np.isin(self._places[rows], list(window.places))
        else:
            rows = None
            fits = self._in(window.places)
        dates = self._dates if rows is None else self._dates[rows]
        if window.since is not None:
            fits &= dates >= window.since
        if window.until is not None:
            fits &= (dates < window.until) & (dates != NO_DATE)
        return np.flatnonzero(fits) if rows is None else rows[fits]

    def _in(self, places: frozenset[int]) -> "NDArray[np.bool_]":
        """Which rows are in these places: a table looked up by number, with the last entry for `NOWHERE`."""
        import numpy as np

        known = np.zeros(max(places, default=0) + 2, dtype=bool)
        known[list(places)] = True
        numbers = np.minimum(self._places, len(known) - 1)
        return np.asarray(known[numbers], dtype=bool)

    def _rough(self, vector: "Vectors", allowed: "Rows") -> "NDArray[np.float64]":
        question = in_bytes(vector[None, :])
        if len(allowed) < _GATHER_BELOW * self.scanned.rows:
            held = self._bytes[allowed]
            return 1.0 - _distances(question, held)
        return 1.0 - _distances(question, self._bytes)[allowed]


def _distances(question: "NDArray[np.int8]", held: "NDArray[np.int8]") -> "NDArray[np.float64]":
    import numpy as np
    import simsimd

    distances: NDArray[np.float64] = np.asarray(
        simsimd.cdist(question, held, metric="cosine", threads=_THREADS), dtype=np.float64
    )
    return distances.reshape(-1)


class ScanWriter:
    """Adds and sweeps rows. Only whoever holds the library's lock makes one."""

    def __init__(self, folder: Path, dims: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self._dims = folder, dims

    def add(self, scanned: "Scanned", vectors: "Vectors", added: Sequence[Added]) -> None:
        """Writes rows after those that count, on the disk when it returns; the catalogue makes them count."""
        import numpy as np

        columns: dict[str, NDArray[np.generic]] = {
            "bytes": in_bytes(vectors),
            "halves": vectors.astype(np.float16),
            "places": np.array([one.place for one in added], dtype=np.int32),
            "dates": np.array([NO_DATE if one.date is None else one.date for one in added], dtype=np.int64),
        }
        epoch = self._epoch(scanned.epoch)
        for name, column in columns.items():
            _write_at(epoch / name, scanned.rows * column[:1].nbytes, np.ascontiguousarray(column).tobytes())

    def sweep(self, scanned: "Scanned", rows: Sequence[int]) -> None:
        """Takes rows out of every scan, at once and for all readers."""
        import numpy as np

        counted = [row for row in rows if row < scanned.rows]
        if counted:
            places = np.memmap(self._epoch(scanned.epoch) / "places", np.int32, "r+", shape=(scanned.rows,))
            places[counted] = NOWHERE
            places.flush()

    def move(self, scanned: "Scanned", rows: Sequence[int]) -> int:
        """Copies some rows, in this order, into a new epoch; returns its number. The old one stays until `tidy`."""
        import numpy as np

        epoch = scanned.epoch + 1
        shutil.rmtree(self.folder / f"epoch-{epoch}", ignore_errors=True)
        target, chosen = self._epoch(epoch), np.asarray(rows, dtype=np.int64)
        kinds = (np.int8, np.float16, np.int32, np.int64)
        for name, kind in zip(_FILES, kinds, strict=True):
            shape = (scanned.rows, self._dims) if name in ("bytes", "halves") else (scanned.rows,)
            held = np.memmap(self._epoch(scanned.epoch) / name, kind, "r", shape=shape)
            with (target / name).open("wb") as file:
                for at in range(0, len(chosen), 10_000):
                    file.write(np.ascontiguousarray(held[chosen[at : at + 10_000]]).tobytes())
                file.flush()
                os.fsync(file.fileno())
        return epoch

    def tidy(self, scanned: "Scanned") -> None:
        """Removes the files of other epochs; whoever has them mapped keeps what it sees."""
        for folder in self.folder.glob("epoch-*"):
            if folder.name != f"epoch-{scanned.epoch}":
                shutil.rmtree(folder, ignore_errors=True)

    def _epoch(self, number: int) -> Path:
        folder = self.folder / f"epoch-{number}"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder


def in_bytes(vectors: "Vectors") -> "NDArray[np.int8]":
    """Vectors as signed bytes, each stretched to its own largest number: a cosine does not mind."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True)
    return np.rint(vectors * (127 / np.where(largest == 0, 1, largest))).astype(np.int8)


def _write_at(file: Path, offset: int, data: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, offset)  # what a crash left beyond the rows that count
        os.lseek(descriptor, offset, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
