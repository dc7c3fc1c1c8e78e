"""Clicks that come twice to two bots, and many messages a second: `python -m evals.bench.slack.storm`.

`clicks`: two bot processes on one store; every envelope goes to both of them, and every approval is clicked twice. A
file outside counts what was done. `load`: a bot gets so many messages a second for a while, is killed with -9 in the
middle and started again; the time of an acknowledgement is measured here, and every message that was acknowledged has
to be answered. The bot is one process, or `--apart` one that hears and one that works. The model is a function: what is
measured is the edge, not the planner.
"""

import argparse
import asyncio
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil

from evals.bench.slack.workspace import Workspace, workspace

CHANNELS = 200  # each takes a message a second


async def bot(folder: Path, slack: Workspace, role: str = "all") -> asyncio.subprocess.Process:
    """A bot that hears, or works, or both."""
    before = len(slack.sockets)
    command = [sys.executable, "-m", "evals.bench.slack.bot", str(folder), slack.api, "--role", role]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline()
    while role != "worker" and len(slack.sockets) <= before:
        await asyncio.sleep(0.01)
    return process


async def clicks(count: int) -> dict[str, object]:
    """`count` clicks on half as many cards, each delivered to both bots."""
    cards = count // 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with workspace() as slack:
            bots = [await bot(folder, slack), await bot(folder, slack)]
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


async def load(rate: int, seconds: int, roles: Sequence[str]) -> dict[str, object]:
    """`rate` messages a second for so many seconds, with a kill of all processes in the middle."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with workspace() as slack:
            bots = [await bot(folder, slack, role) for role in roles]
            took: list[float] = []
            acknowledged: set[str] = set()
            memory: list[int] = []
            chance = random.Random(1)

            async def said(number: int) -> None:
                began = time.perf_counter()
                try:
                    ts = await asyncio.wait_for(
                        slack.say(f"hello {number}", channel=f"D{chance.randrange(3000)}", kind="message"), 20
                    )
                except TimeoutError:
                    return
                took.append(time.perf_counter() - began)
                acknowledged.add(ts)

            async def during(span: float, first: int) -> int:
                """Sends at an even rate, however long the answers take."""
                tasks, start, number = [], time.monotonic(), first
                while (passed := time.monotonic() - start) < span:
                    while number - first < passed * rate:
                        tasks.append(asyncio.create_task(said(number)))
                        number += 1
                    memory.append(sum(psutil.Process(one.pid).memory_info().rss for one in bots))
                    await asyncio.sleep(0.005)
                await asyncio.gather(*tasks)
                return number

            sent = await during(seconds / 2, 0)
            first_half = list(memory)
            for one in bots:
                one.kill()
            await asyncio.gather(*(one.wait() for one in bots))
            while slack.sockets:
                await asyncio.sleep(0.01)
            bots = [await bot(folder, slack, role) for role in roles]
            memory.clear()
            sent = await during(seconds / 2, sent)
            quiet = time.monotonic() + 180
            while time.monotonic() < quiet and len(_answered(slack) & acknowledged) < len(acknowledged):
                await asyncio.sleep(0.5)
            answers = Counter(message.get("thread_ts", "") for message in slack.messages)
            for process in bots:
                process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(process.wait() for process in bots))
            times = sorted(took)
            return {
                "rate": rate,
                "seconds": seconds,
                "sent": sent,
                "acknowledged": len(acknowledged),
                "ack_ms": {
                    "p50": round(statistics.median(times) * 1000, 1),
                    "p99": round(times[int(len(times) * 0.99)] * 1000, 1),
                    "max": round(times[-1] * 1000, 1),
                },
                "acknowledged_and_not_answered": len(acknowledged - _answered(slack)),
                "answered_twice": sum(answers[ts] > 1 for ts in acknowledged),
                "memory_mb": [round(max(half) / 2**20) for half in (first_half, memory) if half],
            }


def _answered(slack: Workspace) -> set[str]:
    return {str(message.get("thread_ts")) for message in slack.messages}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.slack.storm", description=__doc__)
    parser.add_argument("--clicks", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--apart", action="store_true", help="one process hears, another one works")
    parser.add_argument("--only", choices=("clicks", "load"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, object] = {}
    roles = ("surface", "worker") if arguments.apart else ("all",)
    if arguments.only != "load":
        found["clicks"] = asyncio.run(clicks(arguments.clicks))
    if arguments.only != "clicks":
        found["load"] = asyncio.run(load(arguments.rate, arguments.seconds, roles))
    print(json.dumps(found, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
