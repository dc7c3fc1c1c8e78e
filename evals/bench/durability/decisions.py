"""Many people deciding at once: `python -m evals.bench.durability.decisions [--decisions N] [--clickers N] [--json]`.

50 clickers in one process click for 10,000 decisions over the real `Decisions` and the real store, as fast as they are
answered; a click is what a surface does with one: reading the action and deciding it. Of five clicks one is a duplicate
(the same person's click once more, at the same moment), and of ten one comes after the action expired. Half of the
actions get two people who disagree at the same moment. Time is that of a click, from its start until it is on disk:
SQLite with `synchronous=FULL`, PostgreSQL as it comes (fsync and synchronous_commit on).

In the end each action has exactly one outcome, which follows from exactly the votes that were told they count, and the
audit chain has a row for every click.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.approvals.action import Action, ActionId, Draft, Requirement, State, Verdict
from agent.approvals.decide import Answer, Decisions
from agent.audit.chain import verify
from agent.audit.event import FactKind
from agent.bootstrap import utc_now
from agent.people.person import Directory, Person
from agent.store.sql.store import SqlStore
from evals.bench.durability.server import server
from tools.contract import Change, Plan, Undo

BAR_MS = 25.0
KEEPERS = [f"keeper-{number}" for number in range(50)]
PEOPLE = Directory(
    [Person("maya", "Maya", frozenset({"op"}))]
    + [Person(id_, id_.capitalize(), frozenset({"keeper"})) for id_ in KEEPERS]
)


@dataclass(frozen=True, slots=True)
class Click:
    """One press of a button."""

    action: ActionId
    person: str
    verdict: Verdict
    late: bool


@dataclass
class Tally:
    """What became of the clicks."""

    seconds: list[float] = field(default_factory=list)
    answers: list[tuple[Click, Answer]] = field(default_factory=list)


def draft(number: int, at: datetime, *, late: bool) -> Draft:
    return Draft(
        key=f"T-{number}/0",
        tool="deploy",
        tool_version="1",
        arguments={"service": "payments", "version": f"2026.11.{number}", "environment": "production"},
        provenance={"service": "asker", "version": "asker", "environment": "settings"},
        requester="maya",
        thread=f"bench:{number % 50}",
        why=f"deploy payments 2026.11.{number}",
        plan=Plan(
            "Deploy payments",
            (Change("payments", "2026.11.0", f"2026.11.{number}"),),
            ("payments",),
            {"version": "2026.11.0", "replicas": 3},
            Undo("deploy", {"service": "payments", "version": "2026.11.0", "environment": "production"}),
        ),
        requirement=Requirement("deploys", frozenset({"keeper"}), quorum=1, policy_version="p1"),
        created_at=at,
        expires_at=at + timedelta(minutes=-1 if late else 60),
    )


async def clicks(store: SqlStore, count: int, chance: random.Random) -> list[Click]:
    """The actions are proposed, and the clicks on them laid out so that rivals and duplicates meet."""
    made: list[Click] = []
    now = datetime.now(UTC)
    number = 0
    while len(made) < count:
        number += 1
        late = chance.random() < 0.1
        action = await store.propose(draft(number, now, late=late))
        first, second = chance.sample(KEEPERS, 2)
        made.append(Click(action.id, first, Verdict.APPROVE, late))
        if chance.random() < 0.5:
            made.append(Click(action.id, second, Verdict.REJECT, late))
        if chance.random() < 0.375:  # a quarter of the first clicks, which is a fifth of all
            made.append(made[-1])
    return made[:count]


async def click_all(store: SqlStore, given: list[Click], clickers: int) -> Tally:
    """Every clicker takes the next click as soon as its last one was answered."""
    decisions, tally, waiting = Decisions(store, PEOPLE, utc_now), Tally(), iter(given)

    async def clicker() -> None:
        for click in waiting:
            start = time.perf_counter()
            action = await store.action(click.action)
            assert action is not None
            answer = await decisions.decide(action, click.person, click.verdict, reason="looked at it")
            tally.seconds.append(time.perf_counter() - start)
            tally.answers.append((click, answer))

    await asyncio.gather(*(clicker() for _ in range(clickers)))
    return tally


async def judged(store: SqlStore, tally: Tally, before: int) -> dict[str, object]:
    """Compares what people were told with what is stored; the first rows of the trail are of the time before."""
    counted: dict[ActionId, list[Click]] = {}
    for click, answer in tally.answers:
        counted.setdefault(click.action, [])
        if answer.refusal is None:
            counted[click.action].append(click)
    wrong = 0
    late = {click.action for click, _ in tally.answers if click.late}
    for id_, votes in counted.items():
        kept: Action | None = await store.action(id_)
        assert kept is not None
        if id_ in late:
            right = kept.state is State.EXPIRED and not votes
        else:
            told = State.APPROVED if votes and votes[0].verdict is Verdict.APPROVE else State.REJECTED
            right = len(votes) == 1 and kept.state is told and len(kept.decisions) == 1
        wrong += not right
    events = [event async for event in store.events()]
    report = verify(events)
    kinds = Counter(event.fact.kind for event in events[before:])
    refusals = Counter(
        answer.refusal.reason.value for _, answer in tally.answers if answer.refusal is not None
    )
    seen = Counter((click.action, click.person) for click, _ in tally.answers)
    milliseconds = sorted(seconds * 1000 for seconds in tally.seconds)
    return {
        "decisions": len(milliseconds),
        "actions": len(counted),
        "duplicates": sum(count - 1 for count in seen.values()),
        "late": sum(click.late for click, _ in tally.answers),
        "without_exactly_one_outcome": wrong,
        "counted": kinds[FactKind.DECIDED],
        "refused": dict(refusals),
        "every_click_is_audited": kinds[FactKind.DECIDED] + kinds[FactKind.DECISION_REFUSED]
        == len(milliseconds),
        "chain_whole": report.whole,
        "p50_ms": round(statistics.median(milliseconds), 2),
        "p95_ms": round(milliseconds[int(len(milliseconds) * 0.95)], 2),
        "p99_ms": round(milliseconds[int(len(milliseconds) * 0.99)], 2),
        "max_ms": round(milliseconds[-1], 2),
    }


async def measure(place: Path | str, decisions: int, clickers: int, seed: int) -> dict[str, object]:
    store = await SqlStore.open(place)
    given = await clicks(store, decisions, random.Random(seed))
    warm = given[: clickers * 2]
    await click_all(
        store, [Click(ActionId("A-1"), "maya", Verdict.APPROVE, late=False)] * len(warm), clickers
    )
    before = len([event async for event in store.events()])
    wall, cpu = time.perf_counter(), time.process_time()
    tally = await click_all(store, given, clickers)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = await judged(store, tally, before)
    found["decisions_per_s"] = round(decisions / wall)
    found["cpu_ms_each"] = round(cpu * 1000 / decisions, 3)
    await store.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.durability.decisions", description=__doc__)
    parser.add_argument("--decisions", type=int, default=10_000)
    parser.add_argument("--clickers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), action="append", help="default: both")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    size = (given.decisions, given.clickers, given.seed)
    found: dict[str, object] = {"clickers": given.clickers, "cores": os.cpu_count(), "bar_p95_ms": BAR_MS}
    on = given.on or ["sqlite", "postgresql"]
    if "sqlite" in on:
        with tempfile.TemporaryDirectory() as folder:
            found["sqlite"] = asyncio.run(measure(Path(folder) / "sayso.db", *size))
    if "postgresql" in on:
        with server() as url:
            found["postgresql"] = asyncio.run(measure(url, *size))
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
