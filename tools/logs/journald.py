"""The logs of systemd's journal, read by `journalctl` newest first, in its JSON format."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.contract import BadArguments, ToolFailed, ToolUnavailable
from tools.logs.paging import line_of, moment
from tools.logs.port import Budget, Line, Query, Scanned
from tools.vocabulary import unknown

LONGEST = 1024 * 1024  # octets of one line
_PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")  # syslog(3)


class Journald:
    """Reads the journal of this machine, or of `directory`. `units` says which units a service of an environment is.

    A journal is of one machine, and so of one environment: `environment`.
    """

    def __init__(
        self,
        units: Mapping[str, Sequence[str]],
        environment: str,
        program: str = "journalctl",
        directory: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._units, self._environment = {name: tuple(each) for name, each in units.items()}, environment
        self._program, self._directory, self._clock = program, directory, clock

    async def scan(self, query: Query, budget: Budget, take: Callable[[Line], None]) -> Scanned:
        command, by_unit = self._command(query)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST,
            )
        except OSError as error:
            raise ToolUnavailable(f"{self._program} cannot be run: {error.strerror}") from error
        try:
            scanned = await self._read(process, query, budget, take, by_unit)
            if scanned.stopped is None and await process.wait() != 0:
                said = (
                    (await process.stderr.read(300)).decode(errors="replace").strip()
                    if process.stderr
                    else ""
                )
                raise ToolFailed(f"{self._program} ended with {process.returncode}: {said}")
            return scanned
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def _command(self, query: Query) -> tuple[list[str], dict[str, str]]:
        if query.environment != self._environment:
            raise BadArguments(
                f"environment = {query.environment!r}: this journal is of {self._environment!r}",
                field="environment",
                value=query.environment,
                nearest=(self._environment,),
            )
        if query.service is not None and query.service not in self._units:
            raise unknown(
                "service",
                query.service,
                self._units,
                f"no unit is known for {query.service!r}",
                none="none at all",
            )
        chosen = [query.service] if query.service else list(self._units)
        by_unit = {unit: service for service in chosen for unit in self._units[service]}
        # What reads a time of `journalctl` is local time, unless it is seconds since 1970.
        span = [
            f"--since=@{query.window.start.timestamp():.0f}",
            f"--until=@{query.window.end.timestamp() + 1:.0f}",
        ]
        where = [f"--directory={self._directory}"] if self._directory else []
        units = [f"--unit={unit}" for unit in by_unit]
        return [
            self._program,
            "--output=json",
            "--reverse",
            "--no-pager",
            "--quiet",
            *where,
            *span,
            *units,
        ], by_unit

    async def _read(
        self,
        process: asyncio.subprocess.Process,
        query: Query,
        budget: Budget,
        take: Callable[[Line], None],
        by_unit: Mapping[str, str],
    ) -> Scanned:
        if process.stdout is None:
            raise ToolFailed(f"{self._program} was started without a pipe")
        began, lines, octets, unreadable, reached, stopped = self._clock(), 0, 0, 0, None, None
        while stopped is None:
            try:
                raw = await process.stdout.readline()
            except ValueError:  # longer than the limit: that line is lost, the next may be read
                unreadable += 1
                continue
            if not raw:
                break
            lines, octets = lines + 1, octets + len(raw)
            line = entry(raw, by_unit)
            if line is None:
                unreadable += 1
            else:
                reached = line.at
                if query.wants(line):
                    take(line)
            stopped = _spent(budget, lines, octets, self._clock() - began)
        places = tuple(f"journal {unit}" for unit in by_unit)
        return Scanned(lines, unreadable, places, None, reached, stopped)


def entry(raw: bytes, by_unit: Mapping[str, str]) -> Line | None:
    """One entry of the journal; `MESSAGE` is a list of octets where it is no text (systemd.journal-fields(7))."""
    try:
        said = json.loads(raw)
        at = moment(int(said["__REALTIME_TIMESTAMP"]) / 1_000_000)
        message, unit = said["MESSAGE"], str(said.get("_SYSTEMD_UNIT") or said.get("UNIT") or "")
        text = bytes(message).decode(errors="replace") if isinstance(message, list) else str(message)
        priority = int(said.get("PRIORITY", 6))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    word = _PRIORITIES[priority] if 0 <= priority < len(_PRIORITIES) else "info"
    return line_of(at, text, by_unit.get(unit, unit), word)


def _spent(budget: Budget, lines: int, octets: int, seconds: float) -> str | None:
    if lines >= budget.lines:
        return f"{budget.lines:,} lines were read"
    if octets >= budget.octets:
        return f"{budget.octets / 2**20:,.0f} MB were read"
    return f"{budget.seconds:g} s were over" if seconds >= budget.seconds else None
