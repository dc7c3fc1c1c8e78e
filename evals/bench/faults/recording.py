"""A recording of a fault, as `python -m demo.faults record` left it: files, and what is true about them."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ABOUT = "recording.json"
DRILLS = (sys.executable, "-m", "demo.faults")


class NotRecorded(Exception):
    """A play did not come about; the message has what the drill said."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What one play left in a folder: logs, measurements, changes and what ran; and what was played."""

    folder: Path
    fault: str
    seed: int
    question: str
    causes: tuple[tuple[str, str], ...]  # kind and subject, as an investigation names them
    harmless: bool
    herrings: tuple[str, ...]  # what an answer has to name when it rules them out
    asked_at: datetime

    @classmethod
    def of(cls, folder: Path) -> "Recording":
        """Reads what was kept. Raises `OSError` and `KeyError` where there is none."""
        told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return cls(
            folder,
            told["fault"],
            told["seed"],
            told["question"],
            tuple((kind, subject) for kind, subject in told["causes"]),
            told["harmless"],
            tuple(named for named, _ in told["herrings"]),
            datetime.fromisoformat(told["asked_at"]),
        )

    @property
    def state(self) -> list[dict[str, object]]:
        """What ran when the question was asked, as the supervisor told it."""
        told: list[dict[str, object]] = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
        return told


async def faults() -> tuple[str, ...]:
    """The names of the faults there are."""
    return tuple((await drill("list")).split())


async def record(fault: str, seed: int, folder: Path) -> Recording:
    """Plays a fault, which takes two to three minutes, unless it was kept already. Raises `NotRecorded`."""
    if not await asyncio.to_thread((folder / ABOUT).exists):
        await drill("record", fault, str(seed), str(folder))
    return Recording.of(folder)


async def drill(*arguments: str) -> str:
    """Runs the demo's drills in a process of their own. Raises `NotRecorded`."""
    command: Sequence[str] = (*DRILLS, *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise NotRecorded(f"{' '.join(arguments)}: {said.decode(errors='replace').strip()}")
    return said.decode()
