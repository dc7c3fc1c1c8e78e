"""Workers as processes, on a file and on a real PostgreSQL: killed, stopped, cut off, and carried on by others."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.app import App
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.bootstrap import utc_now
from agent.conversation.thread import Said, ThreadId, TurnId
from evals.bench.durability.stamps import PEOPLE, SURFACE, opened
from tests.fakes.cable import Cable
from tests.fakes.postgres import PostgresServer

ROOT = Path(__file__).parents[3]
TOM = PEOPLE.get("tom")
PATIENCE = "2"  # seconds; twenty in real life


@dataclass
class Yard:
    """People on one side, worker processes on the other, a store between them."""

    folder: Path
    place: Path | str
    app: App
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def worker(self, *options: str, url: str | None = None) -> asyncio.subprocess.Process:
        place = ["--url", url or str(self.place)] if isinstance(self.place, str) else []
        command = [sys.executable, "-m", "evals.bench.durability.worker", str(self.folder), *place, *options]
        process = await asyncio.create_subprocess_exec(
            *command, "--patience", PATIENCE, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        self.workers.append(process)
        assert process.stdout is not None
        assert await process.stdout.readline()
        return process

    async def hear(self, text: str, thread: str = "1") -> TurnId:
        said = Said(text, ThreadId(f"{SURFACE}:{thread}"), "maya", text, utc_now())
        turn = await self.app.store.hear(said)
        assert turn is not None
        return turn

    async def action(self, id_: str = "A-1") -> Action | None:
        return await self.app.store.action(ActionId(id_))

    async def reaches(self, *states: State, id_: str = "A-1") -> Action:
        while True:
            action = await self.action(id_)
            if action is not None and action.state in states:
                return action
            await asyncio.sleep(0.05)

    async def answered(self, turn: TurnId) -> str:
        while True:
            record = await self.app.store.turn(turn)
            if record is not None and record.finished_at is not None:
                return record.answer
            await asyncio.sleep(0.05)

    async def told(self, line: str) -> None:
        """Waits until something was told that begins so."""
        while line not in "".join(self.lines("told")):
            await asyncio.sleep(0.05)

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines(keepends=True) if file.exists() else []

    def effects(self) -> Counter[str]:
        return Counter(line.split()[0] for line in self.lines("witness"))


@pytest.fixture(params=["sqlite", "postgres"])
async def yard(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Yard]:
    place: Path | str = tmp_path / "sayso.db"
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        place = server.database()
    made = Yard(tmp_path, place, await opened(tmp_path, place))
    yield made
    for process in made.workers:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await made.app.close()


async def test_a_request_lives_its_whole_life_in_another_process(yard: Yard) -> None:
    turn = await yard.hear("stamp one")
    await yard.worker()
    assert await yard.answered(turn) == "It is proposed."
    action = await yard.action()
    assert action is not None
    await yard.app.decide(action, TOM, Verdict.APPROVE)
    done = await yard.reaches(State.SUCCEEDED)
    assert yard.effects() == {"A-1": 1}
    assert done.worker != yard.app.fleet.me
    await yard.told("notice A-1")
    await yard.told("card A-1 succeeded")


async def test_what_a_killed_worker_had_in_its_hands_is_carried_on_by_another(yard: Yard) -> None:
    turn = await yard.hear("stamp one")
    slow = await yard.worker("--pause", "600")
    await yard.told("begins")
    slow.kill()
    await slow.wait()
    await yard.worker()
    assert await yard.answered(turn) == "It is proposed."


async def test_a_worker_of_another_machine_is_dead_when_it_beats_no_more(yard: Yard) -> None:
    turn = await yard.hear("stamp one")
    slow = await yard.worker("--pause", "600", "--machine", "east")
    await yard.told("begins")
    other = await yard.worker("--machine", "west")
    slow.kill()
    await slow.wait()
    assert await yard.answered(turn) == "It is proposed."
    assert other.returncode is None


async def test_an_action_in_the_hands_of_a_killed_worker_is_not_run_again(yard: Yard) -> None:
    turn = await yard.hear("stamp one")
    slow = await yard.worker("--longest", "3")
    await yard.answered(turn)
    action = await yard.action()
    assert action is not None
    await yard.app.decide(action, TOM, Verdict.APPROVE)
    await yard.reaches(State.RUNNING)
    slow.kill()
    await slow.wait()
    await yard.worker()
    done = await yard.reaches(State.SUCCEEDED, State.FAILED)
    effects = yard.effects()["A-1"]
    assert effects <= 1
    assert (done.state is State.SUCCEEDED) == (effects == 1)
    await yard.told("notice A-1")


async def test_a_worker_that_is_told_to_stop_ends_what_it_has_begun(yard: Yard) -> None:
    turn = await yard.hear("stamp one")
    worker = await yard.worker("--pause", "1.5")
    await yard.told("begins")
    worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    record = await yard.app.store.turn(turn)
    assert record is not None
    assert record.answer == "It is proposed."
    await yard.told(f"answer {turn}")
    assert await yard.app.store.beats() == {}


async def test_messages_of_one_thread_are_answered_in_order(yard: Yard) -> None:
    turns = [await yard.hear(f"stamp {n}", thread="busy") for n in range(3)]
    elsewhere = await yard.hear("stamp else", thread="quiet")
    await yard.worker()
    for turn in (*turns, elsewhere):
        await yard.answered(turn)
    shared = [await yard.app.store.turn(turn) for turn in turns]
    assert [one.answered_as for one in shared if one is not None] == [turns[2], turns[2], None]
    assert len(await yard.app.store.actions()) == 4


async def test_a_worker_cut_off_in_the_middle_of_a_run_goes_on_without_hands(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.database()
    yard = Yard(tmp_path, url, await opened(tmp_path, url))
    async with Cable.to(postgres.port) as cable:
        head, _, tail = url.rpartition("@")
        turn = await yard.hear("stamp one")
        await yard.worker("--longest", "2", url=f"{head}@127.0.0.1:{cable.port}/{tail.partition('/')[2]}")
        await yard.answered(turn)
        action = await yard.action()
        assert action is not None
        await yard.app.decide(action, TOM, Verdict.APPROVE)
        await yard.reaches(State.RUNNING)
        cable.unplug()
        await asyncio.sleep(4)  # longer than the run takes, and than the worker's patience
        cable.plug()
        done = await yard.reaches(State.SUCCEEDED, State.FAILED, State.UNKNOWN)
        assert yard.effects()["A-1"] <= 1
        assert done.state is State.SUCCEEDED
        await yard.told("notice A-1")
        yard.workers[0].kill()
        await yard.workers[0].wait()
    await yard.app.close()


async def test_what_a_cut_off_worker_had_begun_is_settled_by_another_and_not_run_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Its sockets are closed while its action runs; another worker looks at the world, and it comes back too late."""
    url = postgres.database()
    yard = Yard(tmp_path, url, await opened(tmp_path, url))
    async with Cable.to(postgres.port) as cable:
        head, _, tail = url.rpartition("@")
        through = f"{head}@127.0.0.1:{cable.port}/{tail.partition('/')[2]}"
        turn = await yard.hear("stamp one")
        await yard.worker("--longest", "1", "--machine", "east", url=through)
        await yard.answered(turn)
        action = await yard.action()
        assert action is not None
        await yard.app.decide(action, TOM, Verdict.APPROVE)
        running = await yard.reaches(State.RUNNING)
        cable.unplug()
        await yard.worker("--machine", "west")
        done = await yard.reaches(State.SUCCEEDED, State.FAILED)
        assert (done.state, done.worker) == (State.SUCCEEDED, running.worker)
        assert yard.effects() == {"A-1": 1}
        cable.plug()
        again = await yard.hear("stamp two")
        await yard.answered(again)
        assert (await yard.reaches(State.SUCCEEDED)).revision == done.revision
        assert yard.effects() == {"A-1": 1}
        await yard.told("notice A-1")
        for process in yard.workers:
            process.kill()
            await process.wait()
    await yard.app.close()
