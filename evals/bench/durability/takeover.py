"""How soon a dead worker's work is taken over: `python -m evals.bench.durability.takeover [--store sqlite|postgres]`.

`elsewhere`: a worker that the others take for one of another machine has turns and runs in its hands and is killed;
seconds until all of it is answered and settled. `here`: the same on one machine. `rolling`: workers are asked to stop,
one after the other, and new ones take their places, while people go on asking; nobody may see an error.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from agent.app import App
from agent.approvals.action import State, Verdict
from agent.bootstrap import utc_now
from agent.conversation.thread import Said, ThreadId
from evals.bench.durability.kills import Crew
from evals.bench.durability.server import server
from evals.bench.durability.stamps import PEOPLE, SURFACE, opened

IN_HAND = 10  # turns, and as many runs


@dataclass
class Place:
    """One folder, one store, and somebody who looks into it."""

    folder: Path
    url: str | None
    app: App

    async def worker(self, *options: str) -> asyncio.subprocess.Process:
        place = ["--url", self.url] if self.url else []
        command = [sys.executable, "-m", "evals.bench.durability.worker", str(self.folder), *place, *options]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        assert await process.stdout.readline()
        return process

    async def hear(self, text: str) -> None:
        said = Said(text, ThreadId(f"{SURFACE}:{text}"), "maya", f"stamp {text}", utc_now())
        assert await self.app.store.hear(said) is not None

    async def count(self, state: State) -> int:
        return len(await self.app.store.actions(state=state, limit=1000))

    def begun(self) -> int:
        told = self.folder / "told"
        return (
            sum(line.startswith("begins") for line in told.read_text().splitlines()) if told.exists() else 0
        )


async def killed(place: Place, *, machines: tuple[str, str] | None) -> float:
    """Seconds from a kill to the last answer and the last settled action."""
    first = ["--machine", machines[0]] if machines else []
    other = ["--machine", machines[1]] if machines else []
    quick = await place.worker(*first)
    for number in range(IN_HAND):
        await place.hear(f"a{number}")
    while await place.count(State.AWAITING_APPROVAL) < IN_HAND:
        await asyncio.sleep(0.05)
    quick.send_signal(signal.SIGTERM)
    await quick.wait()
    victim = await place.worker(*first, "--pause", "600", "--longest", "600")
    for action in await place.app.store.actions(state=State.AWAITING_APPROVAL, limit=1000):
        await place.app.decide(action, PEOPLE.get("tom"), Verdict.APPROVE)
    before = place.begun()
    for number in range(IN_HAND):
        await place.hear(f"b{number}")
    while await place.count(State.RUNNING) < IN_HAND or place.begun() < before + IN_HAND:
        await asyncio.sleep(0.05)
    rest = await place.worker(*other)
    await asyncio.sleep(3)
    victim.kill()
    await victim.wait()
    began = time.monotonic()
    while await place.count(State.RUNNING) or await place.app.store.unfinished():
        await asyncio.sleep(0.05)
    took = time.monotonic() - began
    rest.send_signal(signal.SIGTERM)
    await rest.wait()
    return took


async def rolling(place: Place, restarts: int) -> dict[str, object]:
    """Restarts in good order under load."""
    crew = Crew(place.folder, place.url, 2, random.Random(1))
    await crew.staff()
    asked = 0
    done = asyncio.Event()

    async def ask() -> None:
        nonlocal asked
        while not done.is_set():
            await place.hear(f"r{asked}")
            asked += 1
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask())
    codes = [await crew.replace(number % 2) for number in range(restarts)]
    done.set()
    await asking
    until = time.monotonic() + 60
    while await place.app.store.unfinished() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    await crew.dismiss()
    left = await place.app.store.unfinished()
    actions = [a for a in await place.app.store.actions(limit=100_000) if str(a.arguments["text"])[0] == "r"]
    return {
        "restarts": restarts,
        "exit_codes": sorted(set(codes)),
        "asked": asked,
        "unanswered": len(left),
        "proposals": len(actions),
    }


async def run(folder: Path, url: str | None) -> dict[str, object]:
    app = await opened(folder, url or folder / "sayso.db")
    place = Place(folder, url, app)
    found: dict[str, object] = {"store": "postgres" if url else "sqlite"}
    found["elsewhere_seconds" if url else "here_seconds"] = round(
        await killed(place, machines=("east", "west") if url else None), 1
    )
    found["rolling"] = await rolling(place, 6)
    await app.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.durability.takeover", description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="postgres")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if arguments.store == "sqlite":
            found = asyncio.run(run(Path(name), None))
        else:
            with server() as url:
                found = asyncio.run(run(Path(name), url))
    print(json.dumps(found, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
