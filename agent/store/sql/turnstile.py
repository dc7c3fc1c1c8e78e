"""Processes that write to one file go one after the other: whoever waits goes before whoever just wrote.

SQLite has a process that finds the file locked look again after ever longer pauses, up to 100 ms, and lets one that
writes without end take the lock again meanwhile. Here whoever is next holds a lock of the system's on a file beside
it, and looks often; the others wait for that one. Between the processes of one machine only, as SQLite itself.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PAUSE = 0.0005  # seconds between two looks: a transaction takes a few times as long


class Turnstile:
    """`clock` and `sleep` are passed in so that a test need not wait."""

    def __init__(
        self,
        file: Path,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._file, self._clock, self._sleep = file, clock, sleep
        self._descriptor: int | None = None

    def until(self, there: Callable[[], bool], within: float) -> bool:
        """Looks whether it is `there`, again and again, as the one who is next; False after so many seconds."""
        end = self._clock() + within
        with self._next(end):
            while not there():
                if self._clock() >= end:
                    return False
                self._sleep(PAUSE)
        return True

    def close(self) -> None:
        """Lets go of the file; it stays, for the others."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def _next(self, end: float) -> Iterator[None]:
        """As the one who is next; at the `end` also without, since whoever is may be suspended."""
        while not (held := self._taken()) and self._clock() < end:
            self._sleep(PAUSE)
        try:
            yield
        finally:
            if held and self._descriptor is not None and sys.platform != "win32":
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _taken(self) -> bool:
        if sys.platform == "win32":
            return True
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # no such file may be made here, or this file system knows no locks: it goes without
            return True
        return True
