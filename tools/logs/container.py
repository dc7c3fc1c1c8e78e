"""A line that a container wrote, JSON or plain: when it was written, and how bad it is."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tools.logs.paging import line_of
from tools.logs.port import Line

_WORDS = "ERROR|ERR|FATAL|CRITICAL|PANIC|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE"
_LEVEL = re.compile(
    r"(?i:\b(?:level|lvl|severity)\W{0,3}(?P<named>[a-z]+)\b)"
    r"|^\S*?\b(?P<klog>[IWEF])\d{4} "
    rf"|(?<![\w/.-])(?P<word>{_WORDS})(?![\w/-])"  # prose has these words, too, but in small letters
    rf"|(?i:(?:^|[\[(])(?P<marked>{_WORDS})(?=[\]):]))"
)
_FAR = 80  # characters from the start in which a line's level stands
_KLOG = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}
_FIRST = ("ts", "time", "timestamp", "@timestamp")


def container_line(at: datetime, text: str, service: str, version: str) -> Line:
    """A line as its service wrote it, at the time when the node heard it where it names no time of its own."""
    line = line_of(at, _dated(at, text), service, level_in(text))
    return replace(line, service=service, raw=text, version=line.version or version or None)


def _dated(at: datetime, text: str) -> str:
    """JSON with a time and a message by the names that all stores know."""
    if not text.startswith("{"):
        return text
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(said, Mapping):
        return text
    given = {str(name): value for name, value in said.items()}
    if not any(given.get(name) for name in _FIRST) or not _is_time(given):
        given = {**{name: value for name, value in given.items() if name not in _FIRST}, "ts": at.isoformat()}
    if "message" not in given and "msg" not in given:
        given["message"] = str(given.get("event") or given.get("log") or text)
    if "level" not in given and "severity" in given:
        given["level"] = given["severity"]
    return json.dumps(given, ensure_ascii=False)


def _is_time(given: Mapping[str, object]) -> bool:
    said = next((given[name] for name in _FIRST if given.get(name)), None)
    try:
        datetime.fromisoformat(str(said))
    except ValueError:
        return False
    return True


def level_in(text: str) -> str | None:
    """The word for the level at the start of a plain line: `level=warn`, `E1123 ...`, `[ERROR]`; `None` without one."""
    found = _LEVEL.search(text[:_FAR])
    if found is None:
        return None
    if found["klog"]:
        return _KLOG[found["klog"].upper()]
    word = (found["named"] or found["word"] or found["marked"]).lower()
    return "fatal" if word == "panic" else word
