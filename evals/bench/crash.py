"""What kill -9 costs: `python -m evals.bench.crash --kills 50 [--json]`.

A worker process hears messages, proposes, approves and runs actions on one SQLite store, and is killed at random
instants. The effect of a run is a line in a file of its own, the witness, written with the action's name. In the end
the store is compared with the witness: no action has two effects, no approved one was forgotten, no accepted message
lost.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from agent.approvals.action import Action, State, Verdict
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.policy import Policy, Rule
from agent.approvals.propose import Proposer
from agent.audit.chain import verify
from agent.bootstrap import utc_now
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.people.person import Directory, Person
from agent.store.fleet import Fleet
from agent.store.sql.store import SqlStore
from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    Verification,
)
from tools.contract import (
    Verdict as Seen,
)
from tools.registry import Registry

PEOPLE = Directory(
    [Person("maya", "Maya", frozenset({"op"})), Person("tom", "Tom", frozenset({"op", "keeper"}))]
)
POLICY = Policy([Rule("all", frozenset({"stamp"}), frozenset({"keeper"}))], {"stamp": frozenset({"op"})})


class StampArguments(Arguments):
    text: str


@dataclass
class Stamp:
    """Writes one line to the witness; looks for it to verify."""

    witness: Path
    spec: Spec

    async def plan(self, arguments: Arguments) -> Plan:
        text = StampArguments.of(arguments).text
        return Plan(f"Stamp {text}", (Change(text, "absent", "stamped"),), ("witness",), {})

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend("stamp", arguments.canonical())
        await asyncio.sleep(0.002)
        line = f"{grant.action} {StampArguments.of(arguments).text}\n".encode()
        descriptor = os.open(self.witness, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line)
        os.close(descriptor)
        await progress("stamped")
        await asyncio.sleep(0.002)
        return Outcome(ok=True, summary="stamped")

    async def verify(self, arguments: Arguments) -> Verification:
        found = (
            self.witness.exists() and f" {StampArguments.of(arguments).text}\n" in self.witness.read_text()
        )
        return Verification(Seen.DONE if found else Seen.NOT_DONE, "stamped" if found else "not stamped")


@dataclass
class Works:
    """The approvals room on one folder."""

    store: SqlStore
    proposer: Proposer
    decisions: Decisions
    executor: Executor

    @classmethod
    async def open(cls, folder: Path) -> "Works":
        store = await SqlStore.open(folder / "sayso.db")
        stamp = Stamp(folder / "witness", Spec("stamp", "Stamps a text", StampArguments, Effect.WRITE))
        registry = Registry([stamp])
        executor = Executor(store, registry, POLICY, PEOPLE, Fleet(store), utc_now, pauses=(0.0,))
        return cls(
            store, Proposer(store, registry, POLICY, utc_now), Decisions(store, PEOPLE, utc_now), executor
        )


async def quiet(_line: str) -> None:
    """Nobody watches."""


async def work(folder: Path) -> None:
    """Recovers, goes on with what was approved, then makes new actions until it is killed."""
    works = await Works.open(folder)
    asker = Asker("maya", PEOPLE.roles("maya"))
    accepted = (folder / "accepted").open("a", buffering=1)
    await works.executor.recover()
    for action in await works.store.actions(state=State.APPROVED, limit=1000):
        await works.executor.run(action, quiet)
    while True:
        text = uuid4().hex
        turn = await works.store.hear(Said(text, ThreadId(text), "maya", f"stamp {text}", utc_now()))
        accepted.write(f"{turn} {text}\n")
        action = await works.proposer.propose(
            "stamp",
            {"text": text},
            asker,
            thread=text,
            key=f"{turn}/0",
            why="test",
            provenance={"text": "asker"},
        )
        approved = await works.decisions.decide(action, "tom", Verdict.APPROVE)
        await works.executor.run(approved.action, quiet)


def kill_at_random(folder: Path, kills: int, chance: random.Random) -> None:
    """Starts the worker and kills it, as often as asked; each time after a random moment of real work."""
    for _ in range(kills):
        command = [sys.executable, "-m", "evals.bench.crash", "--work", str(folder)]
        process = subprocess.Popen(command)
        before = (folder / "witness").stat().st_size if (folder / "witness").exists() else 0
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:  # until it has started to work again
            if (folder / "witness").exists() and (folder / "witness").stat().st_size > before:
                break
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.12))
        process.kill()
        process.wait()


async def report(folder: Path) -> dict[str, object]:
    """Recovers one last time and compares the store with the witness."""
    works = await Works.open(folder)
    await works.executor.recover()
    for action in await works.store.actions(state=State.APPROVED, limit=10_000):
        await works.executor.run(action, quiet)
    actions: list[Action] = list(await works.store.actions(limit=100_000))
    effects = Counter(line.split()[0] for line in (folder / "witness").read_text().splitlines())
    states = Counter(action.state.value for action in actions)
    accepted = [line.split() for line in (folder / "accepted").read_text().splitlines()]
    lost = [turn for turn, _ in accepted if await works.store.turn(TurnId(turn)) is None]
    chain = verify([event async for event in works.store.events()])
    settled = [event async for event in works.store.events() if event.fact.kind.value == "settled"]
    wrong = [a.id for a in actions if (a.state is State.SUCCEEDED) != (effects[a.id] == 1)]
    await works.store.close()
    return {
        "actions": len(actions),
        "effects": sum(effects.values()),
        "doubled_effects": sum(count > 1 for count in effects.values()),
        "approved_and_forgotten": states[State.APPROVED.value] + states[State.RUNNING.value],
        "accepted_messages": len(accepted),
        "lost_messages": len(lost),
        "state_differs_from_the_world": len(wrong),
        "settled_after_a_crash": len(settled),
        "states": dict(states),
        "chain_whole": chain.whole,
        "audit_rows": chain.checked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        asyncio.run(work(arguments.work))
        return
    with tempfile.TemporaryDirectory() as name:
        kill_at_random(Path(name), arguments.kills, random.Random(arguments.seed))
        found = {"kills": arguments.kills, **asyncio.run(report(Path(name)))}
    print(json.dumps(found, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
