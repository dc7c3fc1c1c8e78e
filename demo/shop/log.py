"""Log files of JSON lines, one file a service and environment, rotated by size."""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from logging.handlers import RotatingFileHandler
from pathlib import Path

ROTATE_BYTES = 5_000_000
KEPT = 3
LEVELS = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


class JsonLines(logging.Formatter):
    """One object a line: when, how bad, who, what; and the fields given as `extra={"fields": {...}}`."""

    def __init__(self, identity: dict[str, str], skew: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__()
        self._identity, self._skew = identity, skew

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created + self._skew(), UTC).isoformat(timespec="milliseconds")
        line = {
            "ts": at.replace("+00:00", "Z"),
            "level": LEVELS.get(record.levelno, "info"),
            **self._identity,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, ensure_ascii=False)


class Appending(RotatingFileHandler):
    """Replicas of a service share the file: a line is one short append, and one of them rotates for all."""

    def emit(self, record: logging.LogRecord) -> None:
        self._follow()
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802 - the name the library calls
        with Path(self.baseFilename).with_suffix(".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            # Another replica may have rotated while we waited; then ours is the old file, and the new one is short.
            if not self._follow():
                super().doRollover()

    def _follow(self) -> bool:
        """Opens the file anew when its name stands for another one by now; whether it did."""
        if self.stream is None:
            return False
        held = self.stream.fileno()
        if _identity(Path(self.baseFilename).stat) == _identity(lambda: os.fstat(held)):
            return False
        self.stream.close()
        self.stream = self._open()
        return True


def _identity(look: Callable[[], os.stat_result]) -> tuple[int, int] | None:
    try:
        found = look()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def logger(home: Path, identity: dict[str, str], skew: Callable[[], float] = lambda: 0.0) -> logging.Logger:
    """The log of one process; `identity` holds service, environment, version and instance.

    `skew` is how many seconds the machine's clock is ahead: lines are stamped by that clock.
    """
    folder = home / "logs" / identity["environment"]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = Appending(folder / f"{identity['service']}.log", maxBytes=ROTATE_BYTES, backupCount=KEPT)
    handler.setFormatter(JsonLines(identity, skew))
    log = logging.getLogger(f"shop.{identity['service']}")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers = [handler]
    return log
