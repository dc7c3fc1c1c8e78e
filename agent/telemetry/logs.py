"""Logs: lines for people on a terminal, JSON for machines; secrets are blacked out in both."""

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

from agent.conversation.redact import Redactor

# What a library logs is of use to whoever debugs it; here it is noise below this level.
QUIET = ("dbos", "alembic", "slack_bolt", "slack_sdk", "httpx", "openai", "chromadb", "aiohttp.access")


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message`, and `error` with its traceback."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redactor.text(record.getMessage()),
        }
        for name in ("turn", "action", "trace_id"):
            if (value := getattr(record, name, None)) is not None:
                entry[name] = value
        if record.exc_info:
            entry["error"] = self._redactor.text(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class Plain(logging.Formatter):
    """`15:04:05 warning sayso.jobs: message`."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.text(super().format(record))


def log_to(stream: TextIO, *, style: str, level: str, redactor: Redactor) -> logging.Handler:
    """Sends all logs there: as `json`, as `text`, or by what the stream is for `auto`. Returns the handler."""
    chosen = style if style != "auto" else ("text" if stream.isatty() else "json")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(redactor) if chosen == "json" else Plain(redactor))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
