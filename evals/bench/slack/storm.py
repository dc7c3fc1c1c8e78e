"""Clicks that come twice, many messages a second, and ten minutes: `python -m evals.bench.slack.storm`.

`clicks`: two bots on one store; every envelope goes to both, every approval is clicked twice. `load`: `sayso serve`, as
an operator starts it, gets so many messages a second, is killed with -9 in the middle and started again; what it
acknowledged has to be answered, once. `flat`: ten minutes at a rate that it keeps up with; its memory each minute. The
model is the embedded planner. Slack and the supervisor are a process of their own. Says what does not hold, and
exits with 1 then.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from evals.bench.slack.clicks import clicks
from evals.bench.slack.line import Line, Sent, line
from evals.bench.slack.posted import Posted
from evals.bench.slack.processes import LONGEST, SERVE, Family, serving, slope, waited
from evals.bench.slack.questions import Mix, furnish

BAR_MS = 100.0
BAR_SLOPE = 1.0  # megabytes a minute of anonymous memory, over the second half of the time
Figures = dict[str, object]


@dataclass(frozen=True, slots=True)
class Storm:
    """Everything that is there during one."""

    home: Path
    line: Line
    posted: Posted
    bots: Family
    others: Family
    roles: Sequence[str]

    async def start(self) -> None:
        """Starts the bots, and waits until they hear."""
        for role in self.roles:
            await self.bots.start(*serving(self.home, role))
        hearing = sum(role != "worker" for role in self.roles)
        until = time.monotonic() + LONGEST
        while len(self.line.sockets) < hearing:
            if time.monotonic() > until:
                raise TimeoutError("no bot has connected")
            await asyncio.sleep(0.01)

    async def answers(self, acknowledged: Sequence[Sent], patience: float) -> float:
        """Waits until all of these are answered; gives how many seconds that took."""
        began = time.monotonic()
        wanted = {one.ts for one in acknowledged}
        while time.monotonic() - began < patience:
            self.posted.look()
            if wanted <= self.posted.answered:
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(3.0)  # what would be said twice
        self.posted.look()
        return time.monotonic() - began - 3.0


@asynccontextmanager
async def storm(roles: Sequence[str]) -> AsyncIterator[Storm]:
    """A furnished home, its Slack, and nobody who hears yet."""
    with tempfile.TemporaryDirectory() as name:
        log, home, others, bots = Path(name) / "log", Path(name) / "home", Family(), Family()
        async with line(Mix(1)) as made:
            slack = await others.start(sys.executable, "-m", "evals.bench.slack.standin", made.url, str(log))
            assert slack.stdout is not None
            port = int(await slack.stdout.readline())
            furnish(home, api=f"http://127.0.0.1:{port}/api/", supervisor=port, port=0)
            indexing = await asyncio.create_subprocess_exec(
                *SERVE[:-1], "ingest", "--home", str(home), stdout=asyncio.subprocess.DEVNULL
            )
            assert await indexing.wait() == 0
            try:
                yield Storm(home, made, Posted(log), bots, others, roles)
            finally:
                await bots.kill()
                await others.kill()


async def load(rate: int, seconds: int, roles: Sequence[str], patience: float) -> Figures:
    """`rate` messages a second for so many seconds, with a kill of all processes in the middle."""
    async with storm(roles) as there:
        await there.start()
        own, began = time.process_time(), os.getloadavg()[0]
        await there.line.send(rate, seconds / 2)
        before_death = there.bots.cpu()
        await there.bots.kill()
        there.line.orphaned()
        while there.line.sockets:
            await asyncio.sleep(0.01)
        await there.start()
        await there.line.send(rate, seconds / 2)
        await there.line.settle(30.0)
        cpu = {
            "bot_before_the_kill": before_death,
            "bot": there.bots.cpu(),
            "slack": there.others.cpu(),
            "senders": time.process_time() - own,
        }
        ended, memory, waiting = os.getloadavg()[0], there.bots.memory(), waited(there.bots.pids())
        acknowledged = [one for one in there.line.events if one.acknowledged is not None]
        at_once = len(_unanswered(there, acknowledged))
        took = await there.answers(acknowledged, patience)
        return {
            "rate": rate,
            "seconds": seconds,
            "sent": len(there.line.events),
            "acknowledged": len(acknowledged),
            "delivered": sum(one.deliveries for one in there.line.events),
            "in_flight_at_the_kill": sum(one.orphan for one in there.line.events),
            **_times(there.line.events),
            "waited_when_the_last_was_acknowledged": at_once,
            "answered_after_seconds": round(took, 1),
            "acknowledged_and_not_answered": len(_unanswered(there, acknowledged)),
            "answered_twice": there.posted.twice({one.ts for one in there.line.events}),
            "cards": there.posted.cards,
            "cpu_seconds": {name: round(value, 1) for name, value in cpu.items()},
            "bot_waited_for_a_core_seconds": round(waiting, 1),
            "memory_mb": memory,
            "load_average": [round(began, 1), round(ended, 1)],
        }


async def flat(rate: float, minutes: int, roles: Sequence[str], patience: float) -> Figures:
    """Memory at each minute, at a rate that is kept up with."""
    async with storm(roles) as there:
        await there.start()
        seen: list[Mapping[str, float]] = []
        waiting: list[int] = []
        sending = asyncio.create_task(there.line.send(rate, 60.0 * minutes))
        for minute in range(minutes):
            await asyncio.sleep(60.0)
            there.posted.look()
            seen.append(there.bots.memory())
            waiting.append(len(there.line.events) - len(there.posted.answered))
            said = {"minute": minute + 1, **seen[-1], "waiting": waiting[-1]}
            sys.stderr.write(json.dumps(said) + "\n")
        await sending
        await there.line.settle(30.0)
        acknowledged = [one for one in there.line.events if one.acknowledged is not None]
        await there.answers(acknowledged, patience)
        late = seen[len(seen) // 2 :]
        return {
            "rate": rate,
            "minutes": minutes,
            "sent": len(there.line.events),
            "acknowledged": len(acknowledged),
            **_times(there.line.events),
            "acknowledged_and_not_answered": len(_unanswered(there, acknowledged)),
            "answered_twice": there.posted.twice({one.ts for one in there.line.events}),
            "memory_mb": seen,
            "waiting": waiting,
            "mb_a_minute": {
                kind: round(slope([one[kind] for one in late]), 2) for kind in ("anon", "rss", "pss", "uss")
            },
            "load_average": round(os.getloadavg()[0], 1),
        }


def _unanswered(there: Storm, acknowledged: Sequence[Sent]) -> set[str]:
    there.posted.look()
    return {one.ts for one in acknowledged} - there.posted.answered


def _times(events: Sequence[Sent]) -> Figures:
    """What a killed process left is not among them: nobody was there to acknowledge it."""
    heard = [one for one in events if one.acknowledged is not None and not one.orphan]
    return {
        "ack_ms": _spread([one.took for one in heard]),
        "sent_late_ms": _spread([one.late for one in heard]),
    }


def _spread(seconds: Sequence[float]) -> Mapping[str, float]:
    ordered = sorted(seconds) or [0.0]
    places = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
    found = {name: ordered[min(len(ordered) - 1, int(len(ordered) * at))] for name, at in places.items()}
    return {name: round(1000 * value, 1) for name, value in {**found, "max": ordered[-1]}.items()}


def broken(found: Mapping[str, Figures]) -> list[str]:
    """What does not hold, in words."""
    wrong: list[str] = []
    for part, figures in found.items():
        never = (
            "doubled",
            "missing",
            "outcomes_told_twice",
            "acknowledged_and_not_answered",
            "answered_twice",
        )
        wrong += [f"{part}: {name} = {figures[name]}" for name in never if figures.get(name)]
        if figures.get("sent") != figures.get("acknowledged"):
            wrong.append(f"{part}: {figures['sent']} sent, {figures['acknowledged']} acknowledged")
        times = figures.get("ack_ms")
        if isinstance(times, Mapping) and times["p99"] >= BAR_MS:
            wrong.append(f"{part}: acknowledged after {times['p99']} ms (p99); the bar is {BAR_MS:.0f} ms")
        grows = figures.get("mb_a_minute")
        if isinstance(grows, Mapping) and grows["anon"] > BAR_SLOPE:
            wrong.append(f"{part}: memory grows by {grows['anon']} MB a minute; the bar is {BAR_SLOPE}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.slack.storm", description=__doc__)
    parser.add_argument("--clicks", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--flat-rate", type=float, default=10.0, help="messages a second over those minutes")
    parser.add_argument("--patience", type=float, default=1800, help="seconds until all is answered")
    parser.add_argument("--apart", action="store_true", help="one process hears, another one works")
    parser.add_argument("--only", choices=("clicks", "load", "flat"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    roles = ("surface", "worker") if arguments.apart else ("all",)
    found: dict[str, Figures] = {}
    if arguments.only in (None, "clicks"):
        found["clicks"] = asyncio.run(clicks(arguments.clicks))
    if arguments.only in (None, "load"):
        found["load"] = asyncio.run(load(arguments.rate, arguments.seconds, roles, arguments.patience))
    if arguments.only in (None, "flat"):
        found["flat"] = asyncio.run(flat(arguments.flat_rate, arguments.minutes, roles, arguments.patience))
    print(json.dumps(found, indent=None if arguments.json else 2))
    wrong = broken(found)
    for line_ in wrong:
        sys.stderr.write(f"does not hold: {line_}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
