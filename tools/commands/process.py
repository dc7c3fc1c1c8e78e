"""Running a program: an argument list, no shell, a minimal environment, a limit on time and output."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.contract import Progress, ToolFailed, ToolUnavailable

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_PROGRESS = 200  # lines passed on while it runs
GRACE_SECONDS = 2.0  # between the request to end and the end
_CHUNK = 16 * 1024


class Overdue(ToolFailed):
    """A program took too long and was ended. It may have done its work, or half of it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `output` is what it wrote (both streams), at most the limit; `lost` bytes are missing."""

    code: int
    output: str
    lost: int = 0

    @property
    def ok(self) -> bool:
        return self.code == 0


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
        try:
            async with asyncio.timeout(timeout):
                output, lost = await _read(process, limit, progress)
                code = await process.wait()
        except TimeoutError as error:
            raise ToolFailed(
                f"{arguments[0]} was ended after {timeout:g} s; what it did until then stays"
            ) from error
        finally:
            await end(process)
        return Ended(code, output, lost)

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


async def _read(
    process: asyncio.subprocess.Process, limit: int, progress: Progress | None
) -> tuple[str, int]:
    """The first and the last half of `limit` bytes of output, and how many in between were dropped."""
    if process.stdout is None:
        return "", 0
    head, tail, lost, told = bytearray(), bytearray(), 0, 0
    rest = b""
    while chunk := await process.stdout.read(_CHUNK):
        room = limit // 2 - len(head)
        head += chunk[: max(room, 0)]
        tail += chunk[max(room, 0) :]
        if len(tail) > limit // 2:
            lost += len(tail) - limit // 2
            del tail[: len(tail) - limit // 2]
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if progress is not None and told < MOST_PROGRESS and line.strip():
                told += 1
                await progress(line.decode(errors="replace")[:500])
        rest = rest[-_CHUNK:]
    gap = f"\n... {lost:,} bytes left out ...\n".encode() if lost else b""
    return bytes(head + gap + tail).decode(errors="replace"), lost


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


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
