"""Log files of JSON lines in `<folder>/<environment>/<service>.log`, rotated as `.log.1`, `.log.2` and so on."""

import asyncio
import heapq
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tools.contract import ToolUnavailable
from tools.logs.backwards import LONGEST, SLACK, lines_before, lines_with, position_after
from tools.logs.port import Budget, Estimate, Level, Line, Query, Scanned
from tools.vocabulary import unknown

_TIME = re.compile(rb'"(?:ts|time|timestamp|@timestamp)"\s*:\s*"([^"]{10,40})"')
_PLAIN = re.compile(r"[A-Za-z0-9 _.,:;()\[\]{}=+*?!@#%&|~^$-]+")  # stands in JSON as it is
_SAMPLE = 64 * 1024
_LEVELS = {
    "trace": Level.DEBUG,
    "warn": Level.WARNING,
    "err": Level.ERROR,
    "critical": Level.ERROR,
    "fatal": Level.ERROR,
    "panic": Level.ERROR,
    **{level.value: level for level in Level},
}
_OWN = frozenset(
    {"ts", "time", "timestamp", "@timestamp", "level", "service", "environment", "version", "message", "msg"}
)


@dataclass(slots=True)
class _Tally:
    """What was read so far; `passed` lines were only searched for a text, and lines of `octets` taken apart."""

    lines: int = 0
    passed: int = 0
    octets: int = 0
    unreadable: int = 0
    reached: datetime | None = None
    searched: datetime | None = (
        None  # the first line of the block that was searched last, whatever stands in it
    )


class LogFiles:
    """Reads the files below `folder`, newest line first, over the rotated files and over several services."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        stop = threading.Event()  # a thread cannot be cancelled, so it is asked
        if budget.seconds <= 0:
            stop.set()  # no time is none, however fast the thread is
        timer = asyncio.get_running_loop().call_later(budget.seconds, stop.set)
        try:
            return await asyncio.to_thread(self._scan, query, budget, take, stop)
        except OSError as error:
            raise ToolUnavailable(f"the logs in {self._folder} cannot be read: {error.strerror}") from error
        finally:
            timer.cancel()
            stop.set()

    async def estimate(self, query: Query) -> Estimate:
        """By the octets between the ends of the window, and the lengths of the lines at its end."""
        try:
            return await asyncio.to_thread(self._estimate, query)
        except OSError as error:
            raise ToolUnavailable(f"the logs in {self._folder} cannot be read: {error.strerror}") from error

    def _estimate(self, query: Query) -> Estimate:
        octets = lines = 0
        with ExitStack() as stack:
            for path in self._chosen(query).values():
                for file in _rotated(path, stack):
                    start, end = (
                        position_after(file, each, stamp) for each in (query.window.start, query.window.end)
                    )
                    if end > start:
                        file.seek(max(start, end - _SAMPLE))
                        sample = file.read(min(_SAMPLE, end - start))
                        octets += end - start
                        lines += round((end - start) * max(sample.count(b"\n"), 1) / len(sample))
        return Estimate(lines, octets)

    def _scan(
        self, query: Query, budget: Budget, take: Callable[[Line], None], stop: threading.Event
    ) -> Scanned:
        tally = _Tally()
        with ExitStack() as stack:
            opened = {service: _rotated(path, stack) for service, path in self._chosen(query).items()}

            def spent() -> str | None:
                return _spent(tally, budget, stop)

            streams = [_lines(files, service, query, tally, spent) for service, files in opened.items()]
            for line in heapq.merge(*streams, key=_age):
                if spent():
                    break  # what other services still held ready is older than what was not read here
                tally.reached = line.at
                if query.wants(line):
                    take(line)
        paths = [self._folder / query.environment / f"{service}.log" for service in opened]
        places = tuple(str(path.relative_to(self._folder.parent)) for path in paths)
        link = paths[0].absolute().as_uri() if len(paths) == 1 else None
        reached = tally.reached
        if (
            len(opened) == 1 and tally.searched is not None
        ):  # of several, each was searched to a point of its own
            reached = min(reached or tally.searched, tally.searched)
        return Scanned(max(tally.lines, tally.passed), tally.unreadable, places, link, reached, spent())

    def _chosen(self, query: Query) -> dict[str, Path]:
        """The newest file of each service that is asked for."""
        folder = self._folder / query.environment
        if not self._folder.is_dir():
            raise ToolUnavailable(f"there is no folder of logs {self._folder}")
        found = {path.name.removesuffix(".log"): path for path in sorted(folder.glob("*.log"))}
        if query.service is None:
            return found
        if query.service not in found:
            raise unknown(
                "service",
                query.service,
                found,
                f"there are no logs of {query.service!r} in {query.environment}",
                none="none at all",
            )
        return {query.service: found[query.service]}


def _rotated(path: Path, stack: ExitStack) -> list[BinaryIO]:
    """The file and its predecessors, newest first, all opened at once: rotating moves names, not open files."""
    numbered = {0: path}
    for other in path.parent.glob(f"{path.name}.*"):
        suffix = other.name.removeprefix(f"{path.name}.")
        if suffix.isdigit():
            numbered[int(suffix)] = other
    files: list[BinaryIO] = []
    seen = set()
    for _, each in sorted(numbered.items()):
        try:
            file = stack.enter_context(each.open("rb"))
        except FileNotFoundError:
            continue  # rotated away since it was listed; its lines are in the next one
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino)  # the same file twice, when it was renamed in between
        if identity not in seen:
            seen.add(identity)
            files.append(file)
    return files


def _lines(
    files: list[BinaryIO], service: str, query: Query, tally: _Tally, spent: Callable[[], str | None]
) -> Iterator[Line]:
    """The lines of one service from the end of the window to its start, newest first, until the budget is spent."""
    end, start = query.window.end + SLACK, query.window.start - SLACK
    needle = _needle(query)
    for file in files:
        for raw in _raw(file, position_after(file, end, stamp), start, needle, tally, spent):
            if spent():
                return
            tally.lines += 1
            tally.octets += len(raw) + 1
            line = parse(raw, service)
            if line is None:
                tally.unreadable += 1
                continue
            if line.at < start:
                return
            yield line


def _raw(
    file: BinaryIO,
    end: int,
    start: datetime,
    needle: bytes | None,
    tally: _Tally,
    spent: Callable[[], str | None],
) -> Iterator[bytes]:
    """The lines before an offset, last one first; with a needle only those that may be wanted."""
    if needle is None:
        yield from lines_before(file, end)
        return

    def read(block: bytes) -> bool:
        tally.passed += block.count(b"\n")
        tally.searched = stamp(block[: max(block.find(b"\n"), 0)]) or tally.searched
        return not spent()

    for line in lines_with(file, position_after(file, start, stamp), end, needle, read):
        yield line[:LONGEST]


def _needle(query: Query) -> bytes | None:
    """Octets that every wanted line has, as they stand in JSON; `None` where that cannot be told.

    Writers of JSON may escape what is not plain ASCII.
    """
    text = query.contains or ""
    return text.encode() if _PLAIN.fullmatch(text) else None


def _age(line: Line) -> float:
    return -line.at.timestamp()


def _spent(tally: _Tally, budget: Budget, stop: threading.Event) -> str | None:
    if tally.lines >= budget.lines:
        return f"{budget.lines:,} lines were read"
    if tally.octets >= budget.octets:
        return f"{budget.octets / 2**20:,.0f} MB were read"
    return f"{budget.seconds:g} s were over" if stop.is_set() else None


def stamp(raw: bytes) -> datetime | None:
    """The time of a line, found without parsing the rest of it."""
    found = _TIME.search(raw)
    return _moment(found[1].decode(errors="replace")) if found else None


def parse(raw: bytes, service: str) -> Line | None:
    """One line, or `None` when it is not a JSON object with a time and a message."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    at = _moment(_first(said, "ts", "time", "timestamp", "@timestamp") or "")
    message = _first(said, "message", "msg")
    if at is None or message is None:
        return None
    return Line(
        at=at,
        level=_LEVELS.get(str(said.get("level", "info")).lower(), Level.INFO),
        service=str(said.get("service") or service),
        message=message,
        version=_first(said, "version"),
        raw=raw.decode(errors="replace"),
        details={name: str(value) for name, value in said.items() if name not in _OWN and value is not None},
    )


def _first(said: dict[str, object], *names: str) -> str | None:
    return next((str(said[name]) for name in names if said.get(name) is not None), None)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
