"""The processes of a storm: the bot, as an operator starts it, and what they cost."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

SERVE = (sys.executable, "-m", "agent.cli", "serve")
LONGEST = 120.0  # seconds until a bot is connected


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
        """Megabytes: resident, proportional (shared pages divided) and unique, summed over all."""
        found = [one.memory_full_info() for one in self._alive()]
        return {
            "rss": round(sum(one.rss for one in found) / 2**20, 1),
            "pss": round(sum(one.pss for one in found) / 2**20, 1),
            "uss": round(sum(one.uss for one in found) / 2**20, 1),
        }

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


def serving(home: Path, role: str) -> tuple[str, ...]:
    """How an operator starts it; `all` is what `sayso serve` does by itself."""
    return (*SERVE, "--home", str(home), *(() if role == "all" else ("--role", role)))


def slope(minutes: Sequence[float]) -> float:
    """By how much each minute differs from the one before, by least squares."""
    count = len(minutes)
    middle, mean = (count - 1) / 2, sum(minutes) / count
    across = sum((place - middle) ** 2 for place in range(count))
    return sum((place - middle) * (value - mean) for place, value in enumerate(minutes)) / (across or 1)
