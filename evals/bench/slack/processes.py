"""The processes of a storm: the bot, as an operator starts it, and what they cost."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

SERVE = (sys.executable, "-m", "agent.cli", "serve")
LONGEST = 300.0  # seconds until a bot is connected


class Family:
    """Processes that were started together, with all that they started themselves."""

    def __init__(self) -> None:
        self._started: list[asyncio.subprocess.Process] = []
        self._spent: dict[int, float] = {}

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        """Starts one; its output can be read."""
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        self._started.append(process)
        return process

    async def kill(self) -> None:
        """Ends all of them with -9, at once."""
        self.cpu()
        for one in self._alive():
            one.kill()
        await asyncio.gather(*(one.wait() for one in self._started))
        self._started.clear()

    async def stop(self) -> list[int]:
        """Asks them to end; gives their exit codes."""
        self.cpu()
        for process in self._started:
            process.terminate()
        codes = [await process.wait() for process in self._started]
        self._started.clear()
        return codes

    def cpu(self) -> float:
        """Seconds of CPU that all of them have used so far, the dead ones too."""
        for one in self._alive():
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self._spent[one.pid] = times.user + times.system
        return sum(self._spent.values())

    def memory(self) -> dict[str, float]:
        """Megabytes over all: resident, proportional (shared pages divided), unique, and anonymous where that is told.

        What is shared with strangers, such as a library or a model's file, becomes unique when they end: proportional
        and unique memory move with what else the machine does. Anonymous memory is what a process made itself.
        """
        alive = self._alive()
        found = [one.memory_full_info() for one in alive]
        return {
            "anon": round(sum(_anonymous(one.pid) for one in alive) / 2**10, 1),
            "rss": round(sum(one.rss for one in found) / 2**20, 1),
            "pss": round(sum(one.pss for one in found) / 2**20, 1),
            "uss": round(sum(one.uss for one in found) / 2**20, 1),
        }

    def pids(self) -> list[int]:
        """Of those that live."""
        return [one.pid for one in self._alive()]

    def _alive(self) -> Sequence[psutil.Process]:
        found: list[psutil.Process] = []
        for process in self._started:
            if process.returncode is None:
                try:
                    one = psutil.Process(process.pid)
                    found += [one, *one.children(recursive=True)]
                except psutil.NoSuchProcess:
                    continue
        return found


def _anonymous(pid: int) -> int:
    """Kilobytes; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), 0)


def waited(pids: Sequence[int]) -> float:
    """Seconds that threads of these processes were ready and had no core (Linux tells; 0 elsewhere)."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text(encoding="utf-8").split()[1])
            except (OSError, IndexError):
                continue
    return total / 1e9


def serving(home: Path, role: str) -> tuple[str, ...]:
    """How an operator starts it; `all` is what `sayso serve` does by itself."""
    return (*SERVE, "--home", str(home), *(() if role == "all" else ("--role", role)))


def slope(minutes: Sequence[float]) -> float:
    """By how much each minute differs from the one before, by least squares."""
    count = len(minutes)
    middle, mean = (count - 1) / 2, sum(minutes) / count
    across = sum((place - middle) ** 2 for place in range(count))
    return sum((place - middle) * (value - mean) for place, value in enumerate(minutes)) / (across or 1)
