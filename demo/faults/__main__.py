"""Fault drills from the command line: `python -m demo.faults list | record FAULT SEED FOLDER | furnish FOLDER`."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from demo.faults.recording import record
from demo.faults.ten import TEN
from demo.lifecycle import ShopTrouble, furnish

TRIES = 2  # a busy machine may not open a shop in time


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the names of the faults")
    recording = verbs.add_parser(
        "record", help="play one on a shop of its own, and keep what it leaves behind"
    )
    recording.add_argument("fault", choices=[each.name for each in TEN])
    recording.add_argument("seed", type=int)
    recording.add_argument("folder", type=Path)
    verbs.add_parser("furnish", help="the demo's settings and knowledge, without a shop").add_argument(
        "folder", type=Path
    )
    arguments = parser.parse_args()
    match arguments.verb:
        case "list":
            print("\n".join(each.name for each in TEN))
        case "furnish":
            await asyncio.to_thread(arguments.folder.mkdir, parents=True, exist_ok=True)
            await asyncio.to_thread(furnish, arguments.folder)
        case _:
            return await _record(arguments.fault, arguments.seed, arguments.folder)
    return 0


async def _record(name: str, seed: int, folder: Path) -> int:
    fault = next(each for each in TEN if each.name == name)
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as scratch:
            try:
                await record(folder, fault, seed, Path(scratch))
            except ShopTrouble as error:
                print(f"{name} {seed}: {error}")
            else:
                return 0
    return 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
