"""Clicks that come twice to two bots: a file outside counts what was done."""

import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from evals.bench.slack.workspace import Workspace, workspace

CHANNELS = 200


async def clicks(count: int) -> dict[str, object]:
    """`count` clicks on half as many cards, each delivered to both bots."""
    cards = count // 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with workspace() as slack:
            bots = [await _bot(folder, slack), await _bot(folder, slack)]
            began = time.monotonic()
            clicked: set[str] = set()
            asking = asyncio.create_task(_ask(slack, cards))
            while len(clicked) < cards:
                for message in list(slack.messages):
                    value = slack.buttons(message).get("sayso_approve")
                    if value is not None and value not in clicked:
                        clicked.add(value)
                        both = [_press(slack, value, message["channel"]) for _ in range(2)]
                        await asyncio.gather(*both)
                await asyncio.sleep(0.02)
            await asking
            quiet = time.monotonic() + 120
            while time.monotonic() < quiet and _done(slack) < cards:
                await asyncio.sleep(0.1)
            for process in bots:
                process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(process.wait() for process in bots))
            effects = Counter((folder / "witness").read_text().split()[1::2])
            return {
                "clicks": 2 * cards,
                "deliveries": 4 * cards,
                "actions": cards,
                "seconds": round(time.monotonic() - began, 1),
                "effects": sum(effects.values()),
                "doubled": sum(number > 1 for number in effects.values()),
                "missing": cards - len(effects),
                "outcomes_told": _done(slack),
                "outcomes_told_twice": _twice(slack),
            }


async def _bot(folder: Path, slack: Workspace) -> asyncio.subprocess.Process:
    """A bot that hears and works."""
    before = len(slack.sockets)
    command = [sys.executable, "-m", "evals.bench.slack.bot", str(folder), slack.api]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline()
    while len(slack.sockets) <= before:
        await asyncio.sleep(0.01)
    return process


async def _ask(slack: Workspace, count: int) -> None:
    for number in range(count):
        await slack.say(f"<@UBOT> stamp s{number}", channel=f"C{number % CHANNELS}")


async def _press(slack: Workspace, value: str, channel: str) -> None:
    await slack.click("sayso_approve", value, user="UTOM", channel=channel)


def _done(slack: Workspace) -> int:
    return len({message["text"].split()[0] for message in slack.messages if " is done: " in message["text"]})


def _twice(slack: Workspace) -> int:
    told = Counter(
        message["text"].split()[0] for message in slack.messages if " is done: " in message["text"]
    )
    return sum(number > 1 for number in told.values())
