"""The embedded recorder: samples in one SQLite file, written by a scraper and read by `RecorderStore`.

Samples are what Prometheus would hold: a series is a name with labels, a sample is a value at an instant.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from tools.contract import ToolFailed, ToolUnavailable, Window
from tools.metrics.named import Formula, Scope
from tools.metrics.samples import Samples

SCHEMA = """
CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,  -- canonical JSON: sorted keys, no spaces
    UNIQUE(name, labels)
);
CREATE TABLE IF NOT EXISTS samples(
    series INTEGER NOT NULL,
    at REAL NOT NULL,  -- unix seconds
    value REAL NOT NULL,
    PRIMARY KEY(series, at)
) WITHOUT ROWID;
"""

FINEST = timedelta(seconds=5)
BUSY_SECONDS = 5.0

Sample = tuple[str, Mapping[str, str], float]


def canonical(labels: Mapping[str, str]) -> str:
    """Labels as the one JSON text that stands for them."""
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class RecorderWriter:
    """Appends samples to the file, which it creates for its owner alone. One writer, any number of readers.

    Calls block for about a millisecond; a scraper makes them through a thread. One call at a time.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=10.0)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)
        self._known: dict[tuple[str, str], int] = {}

    def append(self, at: float, samples: Iterable[Sample]) -> None:
        """Stores `(name, labels, value)` for the instant `at` (unix seconds), all of them or none.

        One call holds a whole round of scraping: gauges of several instances are added up by instant.

        A second value of one series at the same instant replaces the first. Raises `sqlite3.Error`.
        """
        try:
            with self._connection:
                rows = [(self._series(name, canonical(labels)), at, value) for name, labels, value in samples]
                self._connection.executemany("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", rows)
        except sqlite3.Error:
            self._known.clear()  # series that were new here are gone with the transaction
            raise

    def forget_before(self, at: float) -> int:
        """Deletes samples older than `at` (unix seconds) and returns how many there were."""
        with self._connection:
            return self._connection.execute("DELETE FROM samples WHERE at < ?", (at,)).rowcount

    def close(self) -> None:
        self._connection.close()

    def _series(self, name: str, labels: str) -> int:
        key = (name, labels)
        if key not in self._known:
            self._connection.execute("INSERT OR IGNORE INTO series(name, labels) VALUES (?, ?)", key)
            found = self._connection.execute("SELECT id FROM series WHERE name = ? AND labels = ?", key)
            self._known[key] = int(found.fetchone()[0])
        return self._known[key]


class RecorderStore:
    """Reads the file that a `RecorderWriter` writes, with a connection of its own for each question."""

    def __init__(self, path: Path, finest: timedelta = FINEST) -> None:
        self._path, self.finest = path, finest

    @property
    def name(self) -> str:
        return f"recorder {self._path.name}"

    async def evaluate(
        self, formula: Formula, scope: Scope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        return await asyncio.to_thread(self._evaluate, formula, scope, windows)

    async def origins(self, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return await self.values("origin", formula, scope, window)

    async def values(self, label: str, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        return await asyncio.to_thread(self._values, label, formula, scope, window)

    def link(self, query: str, window: Window) -> str | None:  # noqa: ARG002 - a file has no page
        return None

    def _evaluate(
        self, formula: Formula, scope: Scope, windows: Sequence[Window]
    ) -> tuple[float | None, ...]:
        with self._open() as db:
            reader = Samples(db, scope, windows)
            return tuple(reader.value(formula, number) for number in range(len(windows)))

    def _values(self, label: str, formula: Formula, scope: Scope, window: Window) -> frozenset[str]:
        with self._open() as db:
            return Samples(db, scope, (window,)).values(label, formula)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            raise ToolUnavailable(f"nothing is recorded yet: there is no {self._path}")
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as db:
                yield db
        except sqlite3.OperationalError as error:
            raise ToolUnavailable(f"the recorder {self._path} cannot be read now: {error}") from error
        except sqlite3.DatabaseError as error:
            raise ToolFailed(f"the recorder {self._path} is damaged: {error}") from error
