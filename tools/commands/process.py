"""Running a program: an argument list, no shell, a minimal environment, a limit on time and output."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tools.commands.tape import Tape, Teller
from tools.contract import Progress, ToolFailed, ToolUnavailable

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
GRACE_SECONDS = 2.0  # between the request to end and the end
_CHUNK = 16 * 1024


class Unanswered(ToolFailed):
    """Nobody saw the end of a program. It may have done its work, or half of it; `output` is what it wrote."""

    def __init__(self, message: str, output: str = "", lost: int = 0) -> None:
        super().__init__(message)
        self.output, self.lost = output, lost


class Overdue(Unanswered):
    """A program took too long and was ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `output` is what it wrote (both streams), at most the limit; `lost` bytes are missing."""

    code: int
    output: str
    lost: int = 0

    @property
    def ok(self) -> bool:
        return self.code == 0


class Runs(Protocol):
    """Where programs run: here, or on another machine."""

    async def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path | None,
        environment: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 - the program is ended, not only left alone
        limit: int,
        progress: Progress | None = None,
    ) -> Ended:
        """Runs a program to its end. Raises `ToolUnavailable` when it cannot start, `Unanswered` without its end."""
        ...


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs programs found on `path` with nothing of our own environment but what is given here."""

    path: str = SEARCH_PATH
    environment: Mapping[str, str] = field(default_factory=dict)

    async def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path | None,
        environment: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 - the program is ended, not only left alone
        limit: int,
        progress: Progress | None = None,
    ) -> Ended:
        """Runs a program to its end. Raises `ToolUnavailable` when it cannot start, `Overdue` when it takes too long.

        The program and everything it started are ended when time is over or the caller stops waiting.
        """
        process = await self._start(arguments, cwd, environment)
        tape, code = Tape(limit), None
        try:
            async with asyncio.timeout(timeout):
                await _read(process, tape, Teller(progress))
                code = await process.wait()
        except TimeoutError as error:
            told = f"{arguments[0]} was ended after {timeout:g} s; what it did until then stays"
            raise Overdue(told, tape.text, tape.lost) from error
        finally:
            if code is None:
                await _end_all(process)
        return Ended(code, tape.text, tape.lost)

    async def _start(
        self, arguments: Sequence[str], cwd: Path | None, environment: Mapping[str, str]
    ) -> asyncio.subprocess.Process:
        program = shutil.which(arguments[0], path=self.path)
        if program is None:
            raise ToolUnavailable(f"there is no program {arguments[0]!r} on {self.path}")
        try:
            return await asyncio.create_subprocess_exec(
                program,
                *arguments[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=cwd,
                env={"PATH": self.path, "LANG": "C.UTF-8", **self.environment, **environment},
                start_new_session=True,  # its own group, so that all of it can be ended
            )
        except OSError as error:
            raise ToolUnavailable(f"{arguments[0]!r} cannot be started: {error.strerror}") from error


async def _read(process: asyncio.subprocess.Process, tape: Tape, teller: Teller) -> None:
    """Everything the program writes, to its end."""
    if process.stdout is None:
        return
    while chunk := await process.stdout.read(_CHUNK):
        tape.take(chunk)
        await teller.take(chunk)
    await teller.end()


async def end(process: asyncio.subprocess.Process) -> None:
    """Ends the program's group, kindly and then for certain. What has ended already is left alone."""
    if process.returncode is not None:
        return
    _signal(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE_SECONDS):
            await process.wait()
    except TimeoutError:
        _signal(process.pid, signal.SIGKILL)
        await process.wait()


async def _end_all(process: asyncio.subprocess.Process) -> None:
    """The same, and what it left behind where it has ended itself: whoever holds its output is of its group still."""
    if process.returncode is None:
        await end(process)
    elif process.stdout is not None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while await process.stdout.read(_CHUNK):
                    pass
    _signal(process.pid, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
