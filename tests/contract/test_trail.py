"""The contract of a trail and its checkpoints, kept by every store alike."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.approvals.action import Verdict
from agent.audit.event import TRAIL, Fact, FactKind
from agent.audit.speaking import speaks_through
from agent.store.memory import MemoryStore
from agent.store.port import Store
from tests.fakes.office import Office
from tests.fakes.stores import KINDS, opened
from tests.fakes.trails import NOW, Signed, rows


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await opened(request.param, request, tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def signed(store: Store) -> Signed:
    signed = Signed(store)
    await signed.happen(10)
    return signed


async def test_rows_are_read_by_subject_place_and_time(store: Store, signed: Signed) -> None:
    async def found(**where: object) -> list[int]:
        return [event.seq async for event in store.events(**where)]  # type: ignore[arg-type]  # any of its arguments

    assert await found(subject="A-3") == [4]
    assert await found(after=8) == [9, 10]
    since = NOW + timedelta(minutes=3)
    assert await found(since=since, until=since + timedelta(minutes=2)) == [3, 4]


async def test_the_tip_is_the_latest_row(store: Store, signed: Signed) -> None:
    tip = await store.tip()
    assert tip == (await rows(store))[-1]


async def test_an_empty_trail_has_no_tip_and_nothing_to_prune(store: Store) -> None:
    assert await store.tip() is None
    assert (await store.prune(NOW, "nora", NOW)).rows == 0
    assert await rows(store) == []


async def test_a_pruning_takes_the_bodies_of_old_rows_and_records_itself(
    store: Store, signed: Signed
) -> None:
    until = NOW + timedelta(minutes=5)
    done = await store.prune(until, "nora", signed.now)
    events = await rows(store)
    assert (done.rows, done.first, done.last) == (4, 1, 4)
    assert [event.pruned for event in events] == [True] * 4 + [False] * 7
    assert [bool(event.fact.data) for event in events] == [False] * 4 + [True] * 7
    fact = events[-1].fact
    assert (fact.kind, fact.actor, fact.subject) == (FactKind.PRUNED, "nora", TRAIL)
    assert fact.data == {"rows": 4, "first": 1, "last": 4, "until": until.isoformat()}
    assert (await signed.verified()).whole


async def test_pruning_again_takes_what_is_new_and_leaves_the_prunings(store: Store, signed: Signed) -> None:
    await store.prune(signed.now, "nora", signed.now)
    await signed.happen(3)
    again = await store.prune(signed.now + timedelta(days=1), "nora", signed.now)
    assert (again.rows, again.first, again.last) == (4, 10, 14)
    assert [event.seq for event in await rows(store) if not event.pruned] == [11, 15]
    assert (await signed.verified()).whole


async def test_pruning_when_there_is_nothing_old_leaves_no_trace(store: Store, signed: Signed) -> None:
    assert (await store.prune(NOW, "nora", signed.now)).rows == 0
    assert len(await rows(store)) == 10


async def test_a_store_keeps_its_id_and_checkpoints_the_first_of_each_row(store: Store) -> None:
    assert await store.store_id() == await store.store_id() != await MemoryStore().store_id()
    assert await store.last_checkpoint() is None
    for seq, line in ((9, "nine"), (2, "two"), (9, "another nine")):
        await store.keep_checkpoint(seq, line)
    assert await store.last_checkpoint() == "nine"
    assert [line async for line in store.checkpoints()] == ["two", "nine"]


async def test_a_secret_in_any_text_of_a_fact_is_blacked_out_before_it_is_chained(store: Store) -> None:
    await store.record(
        Fact(
            FactKind.DECIDED,
            "tom",
            "A-1",
            NOW,
            {
                "reason": "the key is AKIAIOSFODNN7EXAMPLE, and password=hunter2secret",
                "arguments": {"access_token": "zq81-plain-words", "hosts": ["postgres://a:pa55word@db/x"]},
                "digest": "9f" * 32,
            },
        )
    )
    text = str((await rows(store))[0].fact.data)
    for secret in ("AKIAIOSFODNN7EXAMPLE", "hunter2secret", "zq81-plain-words", "pa55word"):
        assert secret not in text
    assert "9f" * 32 in text


async def test_every_row_about_an_action_says_of_what_by_which_rule_and_how_long_after(store: Store) -> None:
    office = Office(store)
    action = await office.proposed()
    office.clock.pass_(minutes=4)
    decided = await office.decisions.decide(action, "tom", Verdict.APPROVE)
    await office.executor.run(decided.action, office.heard)
    bodies = [event.fact.data for event in await rows(store)]
    assert [body["state"] for body in bodies] == ["awaiting_approval", "approved", "running", "succeeded"]
    assert [body["timings"] for body in bodies] == [
        {"since_proposed": 0.0},
        {"since_proposed": 240.0},
        {"since_proposed": 240.0, "since_started": 0.0},
        {"since_proposed": 240.0, "since_started": 0.0},
    ]
    for body in bodies:
        known = (body["tool"], body["digest"], body["rule"], body["policy_version"])
        assert known == ("valve", action.digest, "valves", office.policy.version)


async def test_a_fact_says_through_what_its_person_spoke_and_nothing_of_the_kind_for_sayso(
    store: Store,
) -> None:
    speaks_through("slack", "U012AB3CD")
    for actor in ("tom", "sayso"):
        await store.record(Fact(FactKind.DECIDED, actor, "A-1", NOW))
    person, machine = [event.fact.data for event in await rows(store)]
    assert person == {"through": {"platform": "slack", "identity": "U012AB3CD"}}
    assert machine == {}
