"""Recordings of faults: a shop of real processes is opened, broken and closed, and what it left behind is kept."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from demo import lifecycle
from demo.faults.fault import Fault
from demo.faults.play import Script, play, script

KEPT = ("deployments.json", lifecycle.CHANGES)
ABOUT = "recording.json"


async def record(folder: Path, fault: Fault, seed: int, scratch: Path) -> None:
    """Plays a fault on a shop of its own below `scratch`, and keeps it in `folder`. Raises `ShopTrouble`.

    `recording.json` is written last, and tells what was played; `state.json` what ran in the end.
    """
    home = scratch / f"{fault.name}-{seed}"
    played = script(fault, seed)
    try:
        await play(home, played, _quiet)
        asked_at = datetime.now(UTC)
        state = await lifecycle.status(home)
        await asyncio.to_thread(_keep, home, folder)
    finally:
        await lifecycle.stop(home)
    await asyncio.to_thread(_tell, folder, state, about(played, asked_at))
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def about(played: Script, asked_at: datetime) -> dict[str, object]:
    """What was played, for whoever compares it with an answer."""
    return {
        "fault": played.fault.name,
        "seed": played.seed,
        "question": played.question,
        "causes": [[cause.kind, cause.subject] for cause in played.fault.causes],
        "harmless": played.fault.harmless,
        "herrings": [[herring.named, round(at - played.strikes, 1)] for at, herring in played.herrings],
        "struck_before": round(played.ends - played.strikes, 1),
        "asked_at": asked_at.isoformat(),
    }


def _keep(home: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(home / "logs", folder / "logs", dirs_exist_ok=True)
    for name in KEPT:
        if (home / name).exists():
            shutil.copyfile(home / name, folder / name)
    (folder / "metrics.db").unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(home / "metrics.db")) as live,
        closing(sqlite3.connect(folder / "metrics.db")) as kept,
    ):
        live.backup(kept)


def _tell(folder: Path, state: list[dict[str, object]] | None, told: dict[str, object]) -> None:
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    (folder / ABOUT).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


async def _quiet(_line: str) -> None:
    """Nobody is told."""
