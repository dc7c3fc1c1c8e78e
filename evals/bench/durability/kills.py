"""A thousand actions while workers are killed: `python -m evals.bench.durability.kills --store sqlite|postgres`.

Every action lives its whole life: somebody asks for it in a thread, a worker answers and proposes, somebody else
approves (or rejects, or the asker withdraws), a worker runs it, verifies it and says how it ended. All the while a
worker is killed with -9 after a random moment of work, and a new one takes its place. In the end the store is compared
with what outsiders saw: the witness that counts effects, and the file of everything that was told.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from agent.app import App
from agent.approvals.action import Action, State, Verdict
from agent.audit.chain import verify
from agent.bootstrap import utc_now
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.jobs.station import Role, Station
from evals.bench.durability.server import server
from evals.bench.durability.stamps import PEOPLE, SURFACE, WitnessVoice, opened

QUIET = 120.0  # seconds after the last kill within which everything has to be done
OVER = frozenset(
    {
        State.SUCCEEDED,
        State.FAILED,
        State.REJECTED,
        State.WITHDRAWN,
        State.EXPIRED,
        State.STALE,
        State.UNKNOWN,
    }
)


@dataclass
class Crew:
    """Worker processes: kept at a number, killed at random."""

    folder: Path
    url: str | None
    size: int
    chance: random.Random
    kills: int = 0
    started: int = 0
    _processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    _hired: list[asyncio.subprocess.Process] = field(default_factory=list)  # and those of before

    async def hire(self) -> asyncio.subprocess.Process:
        """A worker at work: it said so."""
        self.started += 1
        place = ["--url", self.url] if self.url else []
        command = [sys.executable, "-m", "evals.bench.durability.worker", str(self.folder), *place]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        self._hired.append(process)
        assert process.stdout is not None
        if not await process.stdout.readline():
            raise RuntimeError(f"a worker ended with {await process.wait()} before it began to work")
        return process

    async def staff(self) -> None:
        self._processes = list(await asyncio.gather(*(self.hire() for _ in range(self.size))))

    async def harry(self, lifetime: float) -> None:
        """Kills each after a while, and hires another in its place, until it is cancelled."""
        await asyncio.gather(*(self._harry(place, lifetime) for place in range(self.size)))

    async def _harry(self, place: int, lifetime: float) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(0.1, lifetime))
            self._processes[place].kill()
            await self._processes[place].wait()
            self.kills += 1
            self._processes[place] = await self.hire()

    async def replace(self, place: int) -> int:
        """Asks one to stop, and hires another; gives the exit code of the first."""
        self._processes[place].send_signal(signal.SIGTERM)
        code = await self._processes[place].wait()
        self._processes[place] = await self.hire()
        return code

    async def dismiss(self) -> None:
        left = [process for process in self._hired if process.returncode is None]
        for process in left:
            process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(process.wait() for process in left))


@dataclass
class People:
    """Those who ask and those who decide; they know nothing of workers."""

    app: App
    station: Station
    chance: random.Random
    heard: dict[TurnId, str] = field(default_factory=dict)

    async def ask(self, count: int, at_once: int) -> None:
        """Asks for stamps, some of them twice in a row in one thread; not more than so many wait at a time."""
        while len(self.heard) < count:
            open_ = len(await self.app.store.unfinished())
            open_ += len(await self.app.store.actions(state=State.AWAITING_APPROVAL, limit=at_once))
            if open_ >= at_once:
                await asyncio.sleep(0.05)
                continue
            thread = ThreadId(f"{SURFACE}:{uuid4().hex[:12]}")
            for _ in range(self.chance.choice((1, 1, 2))):
                text = uuid4().hex
                turn = await self.app.store.hear(Said(text, thread, "maya", f"stamp {text}", utc_now()))
                assert turn is not None
                self.heard[turn] = text
                await self.station.worker.submit_turn(turn, thread)

    async def decide(self) -> None:
        """Decides whatever waits: most get a yes, some twice; a few a no, or are withdrawn. Until it is cancelled."""
        tom, maya = PEOPLE.get("tom"), PEOPLE.get("maya")
        while True:
            for action in await self.app.store.actions(state=State.AWAITING_APPROVAL, limit=200):
                lot = self.chance.random()
                if lot < 0.03:
                    await self.app.decide(action, tom, Verdict.REJECT, reason="not now")
                elif lot < 0.06:
                    await self.app.withdraw(action, maya)
                else:
                    told = await self.app.decide(action, tom, Verdict.APPROVE)
                    if lot > 0.9:  # an impatient click
                        await self.app.decide(action, tom, Verdict.APPROVE, digest=action.digest)
                    await self.station.worker.submit_run(told.action)
            await asyncio.sleep(0.02)

    async def unfinished(self) -> int:
        """How much is still to be done."""
        acts = await self.app.store.actions(limit=1_000_000)
        open_ = sum(action.state not in OVER for action in acts)
        return open_ + len(await self.app.store.unfinished()) + len(await self.app.store.due(utc_now()))


async def run(arguments: argparse.Namespace, folder: Path, url: str | None) -> dict[str, object]:
    chance = random.Random(arguments.seed)
    app = await opened(folder, url or folder / "sayso.db")
    station = Station(
        app, url or folder / "jobs.db", Role.SURFACE, {SURFACE: WitnessVoice(folder / "told")}, utc_now
    )
    await station.start()
    people, crew = People(app, station, chance), Crew(folder, url, arguments.workers, chance)
    await crew.staff()
    began = time.monotonic()
    deciding = asyncio.create_task(people.decide())
    harrying = asyncio.create_task(crew.harry(arguments.lifetime))
    await people.ask(arguments.actions, arguments.at_once)
    while await people.unfinished() > arguments.at_once // 4 and not harrying.done():
        await asyncio.sleep(0.2)
    harrying.cancel()
    ended = await asyncio.gather(harrying, return_exceptions=True)
    worked = time.monotonic() - began
    quiet = time.monotonic() + QUIET
    while await people.unfinished() and time.monotonic() < quiet:
        await asyncio.sleep(0.2)
    settled = time.monotonic() - began - worked
    deciding.cancel()
    await crew.dismiss()
    found = await report(app, people, folder)
    await station.stop(0)
    await app.close()
    problems = [repr(one) for one in ended if isinstance(one, Exception)]
    return {
        "store": "postgres" if url else "sqlite",
        "workers": arguments.workers,
        "kills": crew.kills,
        "seconds": round(worked, 1),
        "seconds_until_quiet": round(settled, 1),
        **found,
        **({"problems": problems} if problems else {}),
    }


async def report(app: App, people: People, folder: Path) -> dict[str, object]:
    """The store compared with the witnesses."""
    actions: list[Action] = list(await app.store.actions(limit=1_000_000))
    stamped = (folder / "witness").read_text().splitlines()
    effects = Counter(line.split()[0] for line in stamped)
    texts = Counter(line.split()[1] for line in stamped)
    told = [line.split() for line in (folder / "told").read_text().splitlines()]
    answers = Counter(line[1] for line in told if line[0] == "answer")
    outcomes = {line[1] for line in told if line[0] == "notice"}
    cards = {line[1]: line[2] for line in told if line[0] == "card"}  # the last one counts
    states = Counter(action.state for action in actions)
    events = [event async for event in app.store.events()]
    records = {turn: await app.store.turn(turn) for turn in people.heard}
    leaders = {
        turn: (record.answered_as or turn) if record and record.finished_at else None
        for turn, record in records.items()
    }
    ran = [action for action in actions if action.state in (State.SUCCEEDED, State.FAILED, State.UNKNOWN)]
    died = [event for event in events if event.fact.kind.value == "unknown"]
    return {
        "messages": len(people.heard),
        "lost_messages": sum(leader is None for leader in leaders.values()),
        "answers_never_told": sum(leader is not None and answers[leader] == 0 for leader in leaders.values()),
        "answers_told_twice": sum(count > 1 for count in answers.values()),
        "actions": len(actions),
        "states": {state.value: count for state, count in sorted(states.items())},
        "effects": len(stamped),
        "doubled_effects": sum(count > 1 for count in (*effects.values(), *texts.values())),
        "approved_and_forgotten": states[State.APPROVED] + states[State.RUNNING],
        "requests_without_an_action": len(people.heard) - len({a.arguments["text"] for a in actions}),
        "requests_with_two_actions": len(actions) - len({a.arguments["text"] for a in actions}),
        "state_differs_from_the_world": sum(
            (action.state is State.SUCCEEDED) != (effects[action.id] == 1)
            for action in actions
            if action.state is not State.UNKNOWN
        ),
        "workers_died_in_running": len(died),
        "of_those_settled_or_unknown_with_a_notice": len({e.fact.subject for e in died} & outcomes),
        "ended_without_a_notice": sum(action.id not in outcomes for action in ran),
        "cards_not_up_to_date": sum(cards.get(action.id) != action.state.value for action in actions),
        "still_to_be_told": len(await app.store.due(utc_now())),
        "chain_whole": verify(events).whole,
        "audit_rows": len(events),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.durability.kills", description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument(
        "--workers", type=int, help="one on SQLite, three on PostgreSQL, unless said otherwise"
    )
    parser.add_argument("--at-once", type=int, default=60, help="requests that wait at the same time")
    parser.add_argument("--lifetime", type=float, default=3.0, help="seconds that a worker lives at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    arguments.workers = arguments.workers or (1 if arguments.store == "sqlite" else 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.store == "sqlite":
            found = asyncio.run(run(arguments, folder, None))
        else:
            with server() as url:
                found = asyncio.run(run(arguments, folder, url))
    print(json.dumps(found, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
