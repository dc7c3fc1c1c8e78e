"""Log files of JSON lines, one file a service and environment, rotated by size."""

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

ROTATE_BYTES = 5_000_000
KEPT = 3
LEVELS = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


class JsonLines(logging.Formatter):
    """One object a line: when, how bad, who, what; and the fields given as `extra={"fields": {...}}`."""

    def __init__(self, identity: dict[str, str]) -> None:
        super().__init__()
        self._identity = identity

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "ts": at.replace("+00:00", "Z"),
            "level": LEVELS.get(record.levelno, "info"),
            **self._identity,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, ensure_ascii=False)


class Appending(RotatingFileHandler):
    """Replicas of a service share the file: a line is one short append, and whoever notices rotates."""

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is not None and not Path(self.baseFilename).exists():
            self.stream.close()
            self.stream = self._open()
        super().emit(record)


def logger(home: Path, identity: dict[str, str]) -> logging.Logger:
    """The log of one process; `identity` holds service, environment, version and instance."""
    folder = home / "logs" / identity["environment"]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = Appending(folder / f"{identity['service']}.log", maxBytes=ROTATE_BYTES, backupCount=KEPT)
    handler.setFormatter(JsonLines(identity))
    log = logging.getLogger(f"shop.{identity['service']}")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers = [handler]
    return log
