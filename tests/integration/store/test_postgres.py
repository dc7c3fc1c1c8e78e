"""A server that goes away, a commit that nobody answers, a wrong password: each put into words, and nothing doubled."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from agent.approvals.action import ActionId, State, Verdict
from agent.approvals.execute import Executor
from agent.audit.chain import verify
from agent.audit.event import Fact, FactKind
from agent.conversation.thread import Said, ThreadId
from agent.settings import Settings, SettingsError, load
from agent.store.port import StoreError, StoreUnreachable
from agent.store.sql.postgres import Postgres
from agent.store.sql.store import SqlStore
from agent.store.sql.versions import quiet
from tests.fakes.cable import Cable
from tests.fakes.office import Office
from tests.fakes.postgres import PostgresServer


@pytest.fixture
async def cable(postgres: PostgresServer) -> AsyncIterator[Cable]:
    async with Cable.to(postgres.port) as laid:
        yield laid


class Asking(Postgres):
    """Writes down what the server said about commits that it never answered."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[bool] = []

    def _was_committed(self, number: str, error: DBAPIError) -> bool:
        self.asked.append(super()._was_committed(number, error))
        return self.asked[-1]


def through(cable: Cable, url: str) -> str:
    """The same database, at the other end of the cable."""
    head, _, tail = url.rpartition("@")
    return f"{head}@127.0.0.1:{cable.port}/{tail.partition('/')[2]}"


async def test_a_cut_between_two_transactions_is_not_noticed(postgres: PostgresServer, cable: Cable) -> None:
    office = Office(store=await SqlStore.open(through(cable, postgres.database())))
    action = await office.proposed()
    cable.cut()
    answer = await office.decisions.decide(action, "tom", Verdict.APPROVE)
    assert answer.refusal is None
    cable.cut()
    said = Said("e1", ThreadId("t"), "maya", "hello", office.clock())
    assert await office.store.hear(said) is not None
    assert verify([event async for event in office.store.events()]).checked == 2
    await office.store.close()


@pytest.mark.parametrize("reached", [True, False], ids=["the commit arrived", "the commit was lost"])
async def test_a_commit_that_nobody_answers_is_looked_up(
    postgres: PostgresServer, cable: Cable, reached: bool
) -> None:
    """The connection ends while the commit is under way: whether it arrived or not, it is done once."""
    database = Asking(through(cable, postgres.database()))
    await database.open(quiet)
    office = Office(store=SqlStore(database))
    action = await office.proposed()

    cuts = iter([True])

    @event.listens_for(database._engine, "commit")
    def cut(_connection: Connection) -> None:
        if next(cuts, False):
            if reached:
                cable.cut_at_the_next_answer()
            else:
                cable.cut()

    answer = await office.decisions.decide(action, "tom", Verdict.APPROVE)
    assert database.asked == [reached]
    assert answer.refusal is None
    kept = await office.store.action(action.id)
    assert kept is not None
    assert (kept.state, len(kept.decisions)) == (State.APPROVED, 1)
    assert [event.fact.kind.value async for event in office.store.events()] == ["proposed", "decided"]
    await office.store.close()


async def test_a_server_that_is_gone_is_named_without_its_password(
    postgres: PostgresServer, cable: Cable
) -> None:
    url = through(cable, postgres.database()).replace("sayso@", "sayso:hush@")
    database = Postgres(url, patience=0.3)
    await database.open(quiet)
    store = SqlStore(database)
    cable.unplug()
    with pytest.raises(StoreUnreachable, match="does not answer") as told:
        await store.actions()
    assert "hush" not in str(told.value)
    cable.plug()
    assert await store.actions() == []
    await store.close()


async def test_nothing_listens(unused_tcp_port: int) -> None:
    with pytest.raises(StoreUnreachable, match="correct `store.url`"):
        await Postgres(f"postgresql+psycopg://sayso:hush@127.0.0.1:{unused_tcp_port}/x", patience=0.1).open(
            quiet
        )


async def test_a_user_without_rights_is_told_so(postgres: PostgresServer) -> None:
    url = postgres.database()
    with postgres.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(StoreError, match="cannot be written by this user"):
        await SqlStore.open(url.replace("sayso@", "guest@"))


def test_a_url_that_is_none_is_hidden(tmp_path: Path) -> None:
    file = tmp_path / "sayso.yaml"
    file.write_text("store:\n  url: 'mysql://sayso:hush@db/x'\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="postgresql") as told:
        load(file, {})
    assert "hush" not in str(told.value)
    given: Settings = load(Path(file), {"SAYSO_STORE__URL": "postgresql://sayso:hush@db/x"})
    assert "hush" not in repr(given)


async def test_a_cut_in_the_middle_of_an_execution_runs_nothing_twice(
    postgres: PostgresServer, cable: Cable
) -> None:
    """The worker's sockets are closed while its action runs, and stay so for a while: it goes on by itself."""
    office = Office(store=await SqlStore.open(through(cable, postgres.database())))
    action = await office.proposed()
    approved = (await office.decisions.decide(action, "tom", Verdict.APPROVE)).action

    async def cut(_line: str) -> None:
        cable.unplug()
        asyncio.get_running_loop().call_later(1.0, cable.plug)

    done = await office.executor.run(approved, cut)
    assert done.action.state is State.SUCCEEDED
    assert office.valve.witness == [action.id]
    assert verify([event async for event in office.store.events()]).whole
    await office.store.close()


async def test_a_worker_that_stays_cut_off_is_recovered_by_another_one(
    postgres: PostgresServer, cable: Cable
) -> None:
    url = postgres.database()
    database = Postgres(through(cable, url), patience=0.3)
    await database.open(quiet)
    office = Office(store=SqlStore(database))
    action = await office.proposed()
    approved = (await office.decisions.decide(action, "tom", Verdict.APPROVE)).action

    async def cut(_line: str) -> None:
        cable.unplug()

    with pytest.raises(StoreUnreachable):
        await office.executor.run(approved, cut)
    await office.store.close()

    office.store = await SqlStore.open(url)  # another worker, whose cable is whole
    running = await office.store.action(ActionId(action.id))
    assert running is not None
    assert running.state is State.RUNNING
    office.crew.dead.add(office.crew.me)
    office.clock.pass_(minutes=1)
    other: Executor = office.executor
    settled = await other.recover()
    assert [found.state for found in settled] == [State.SUCCEEDED]  # it looked at the world
    assert office.valve.witness == [action.id]
    assert timedelta(0) < office.clock() - action.created_at
    await office.store.close()


async def test_a_server_that_isolates_more_by_default_still_has_one_chain(postgres: PostgresServer) -> None:
    place = postgres.database()
    with postgres.connect() as admin:
        admin.autocommit = True
        name = place.rpartition("/")[2]
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'".encode())
    one, other = await SqlStore.open(place), await SqlStore.open(place)
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    facts = [Fact(FactKind.RATED, "maya", f"T-{number}", at, {}) for number in range(40)]
    for fact in facts:
        await asyncio.gather(one.record(fact), other.record(fact))
    report = verify([event async for event in one.events()])
    assert (report.whole, report.checked) == (True, 80)
    await one.close()
    await other.close()
