"""The contract of what waits: messages without an answer, what is still to be told, who is at work."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.approvals.action import Action, State
from agent.approvals.ports import Beat
from agent.approvals.refusal import Reason, Refusal
from agent.audit.event import Fact, FactKind
from agent.conversation.outbox import Kind
from agent.conversation.posted import Post
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.store.port import Store
from tests.fakes.office import Office
from tests.fakes.stores import KINDS, opened

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
THREAD, OTHER = ThreadId("slack:C1:1"), ThreadId("slack:C1:2")


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await opened(request.param, request, tmp_path)
    yield store
    await store.close()


async def heard(
    store: Store, text: str, *, by: str = "maya", thread: ThreadId = THREAD, minute: int = 0
) -> TurnId:
    turn = await store.hear(Said(f"{thread}/{text}", thread, by, text, NOW + timedelta(minutes=minute)))
    assert turn is not None
    return turn


async def finished(store: Store, turn: TurnId) -> None:
    await store.finish(turn, "so", {"finished_at": NOW.isoformat()})


async def test_what_one_person_said_while_nobody_answered_is_answered_together(store: Store) -> None:
    first = await heard(store, "deploy 1.9.0")
    last = await heard(store, "to staging, please", minute=1)
    batch = await store.begin(THREAD, "w1")
    assert batch is not None
    assert (batch.turn, batch.parts) == (last, (first, last))
    assert (batch.said.text, batch.said.at) == ("deploy 1.9.0\nto staging, please", NOW)
    await finished(store, batch.turn)
    assert await store.begin(THREAD, "w1") is None
    told = await store.turn(first)
    assert told is not None
    assert (told.answered_as, told.finished_at) == (last, NOW)
    answered = await store.turn(last)
    assert answered is not None
    assert (answered.answered_as, answered.answer) == (None, "so")


async def test_what_comes_during_a_turn_joins_the_next_one(store: Store) -> None:
    first = await heard(store, "one")
    begun = await store.begin(THREAD, "w1")
    assert begun is not None
    second, third = await heard(store, "two"), await heard(store, "three")
    assert (
        await store.begin(THREAD, "w1") == begun
    )  # started over, or asked out of turn: the same turn goes on
    await finished(store, first)
    after = await store.begin(THREAD, "w1")
    assert after is not None
    assert after.parts == (second, third)


async def test_people_are_answered_one_by_one_in_the_order_they_spoke(store: Store) -> None:
    mayas, toms = await heard(store, "one"), await heard(store, "two", by="tom")
    late = await store.begin(THREAD, "w1")
    assert late is not None
    assert (late.turn, late.said.speaker) == (mayas, "maya")
    await finished(store, mayas)
    then = await store.begin(THREAD, "w1")
    assert then is not None
    assert (then.turn, then.said.speaker) == (toms, "tom")


async def test_while_a_worker_is_at_a_thread_others_leave_it_alone(store: Store) -> None:
    first = await heard(store, "one")
    assert await store.begin(THREAD, "w1") is not None
    second = await heard(store, "two")
    assert await store.begin(THREAD, "w2") is None
    begun = await store.turn(first)
    assert begun is not None
    assert begun.worker == "w1"
    await finished(store, first)
    batch = await store.begin(THREAD, "w2")
    assert batch is not None
    assert batch.parts == (second,)


async def test_what_a_worker_left_is_begun_by_another_as_it_was(store: Store) -> None:
    await heard(store, "one")
    begun = await store.begin(THREAD, "w1")
    await heard(store, "two")
    await store.leave("w1")
    assert await store.begin(THREAD, "w2") == begun


async def test_a_thread_does_not_wait_for_another(store: Store) -> None:
    await heard(store, "one")
    elsewhere = await heard(store, "two", thread=OTHER)
    batch = await store.begin(OTHER, "w1")
    assert batch is not None
    assert batch.parts == (elsewhere,)


async def test_open_turns_of_a_thread_are_stopped_once_and_by_name(store: Store) -> None:
    done, open_ = await heard(store, "one"), await heard(store, "two", by="tom")
    await finished(store, done)
    elsewhere = await heard(store, "three", thread=OTHER)
    assert await store.stop(THREAD, "maya") == (open_,)
    assert await store.stop(THREAD, "sam") == ()
    assert await store.stopped([done, open_, elsewhere]) == {open_: "maya"}
    batch = await store.begin(THREAD, "w1")
    assert batch is not None
    assert batch.stopped_by == "maya"


async def subjects(store: Store, before: datetime = NOW + timedelta(days=1)) -> list[tuple[Kind, str]]:
    return [(due.kind, due.subject) for due in await store.due(before)]


async def test_answers_notices_and_cards_are_due_until_they_are_told(store: Store) -> None:
    office = Office(store=store)
    turn = await heard(store, "one")
    await finished(store, turn)
    await store.say(THREAD, "A-1 is done", NOW)
    action = await office.proposed(thread=THREAD)
    assert await subjects(store) == [(Kind.ANSWER, turn), (Kind.NOTICE, "N-1"), (Kind.CARD, action.id)]
    assert await store.notice("N-1") == "A-1 is done"
    assert await store.notice("N-9") is None
    for due in await store.take(THREAD, "w1"):
        await store.told([due])
    assert await subjects(store) == []
    assert await store.take(THREAD, "w1") == []


async def test_nothing_is_due_where_somebody_sits_and_waits(store: Store) -> None:
    terminal = ThreadId("terminal:maya")
    await finished(store, await heard(store, "one", thread=terminal))
    await store.say(terminal, "A-1 is done", NOW)
    await Office(store=store).proposed(thread=terminal)
    assert await subjects(store) == []


async def test_what_a_worker_took_is_not_given_to_another_until_it_is_let_go(store: Store) -> None:
    await finished(store, await heard(store, "one"))
    taken = await store.take(THREAD, "w1")
    assert len(taken) == 1
    assert await store.take(THREAD, "w2") == []
    assert await subjects(store) == []
    assert await store.let_go("w2") == 0
    assert await store.let_go("w1") == 1
    assert [due.subject for due in await store.take(THREAD, "w2")] == [taken[0].subject]


async def test_a_card_that_changed_while_it_was_told_is_due_again(store: Store) -> None:
    office = Office(store=store)
    action = await office.proposed(thread=THREAD)
    shown = (await store.take(THREAD, "w1"))[0]
    await office.approve(action)
    await store.told([shown])
    again = await store.take(THREAD, "w1")
    assert [(due.kind, due.subject) for due in again] == [(Kind.CARD, action.id)]
    await store.told(again)
    assert await subjects(store) == []


async def test_a_turn_is_found_by_the_event_it_was_opened_for(store: Store) -> None:
    turn = await heard(store, "one")
    found = await store.heard_as(f"{THREAD}/one")
    assert found is not None
    assert (found.turn, found.question) == (turn, "one")
    assert await store.heard_as("never") is None


async def test_where_something_was_posted_is_found_again_and_noted_once_for_a_place(store: Store) -> None:
    for post in (
        Post("slack", "A-1", "C2", "1.1"),
        Post("slack", "A-1", "C1"),
        Post("slack", "A-1", "C1", "1.2"),
        Post("slack", "A-2", "C1", "1.3"),
        Post("teams", "A-1", "C1", "1.4"),
    ):
        await store.note_post(post)
    assert await store.posted("slack", "A-1") == [
        Post("slack", "A-1", "C1", "1.2"),
        Post("slack", "A-1", "C2", "1.1"),
    ]


async def test_only_what_is_older_is_due(store: Store) -> None:
    await store.say(THREAD, "early", NOW)
    await store.say(THREAD, "late", NOW + timedelta(seconds=10))
    assert await subjects(store, NOW + timedelta(seconds=5)) == [(Kind.NOTICE, "N-1")]


async def test_beats_are_counted_until_a_worker_leaves(store: Store) -> None:
    for worker in ("w1", "w2", "w1"):
        await store.beat(worker, "worker")
    assert await store.beats() == {"w1": Beat("worker", 2), "w2": Beat("worker", 1)}
    await store.leave("w1")
    assert await store.beats() == {"w2": Beat("worker", 1)}


async def test_a_worker_that_leaves_lets_go_of_what_it_took(store: Store) -> None:
    await store.say(THREAD, "early", NOW)
    await store.take(THREAD, "w1")
    await store.leave("w1")
    assert await subjects(store) == [(Kind.NOTICE, "N-1")]


def claimed(action: Action) -> tuple[Action, Fact]:
    running = replace(action.moved(State.RUNNING, at=NOW), worker="w1")
    return running, Fact(FactKind.CLAIMED, "sayso", action.id, NOW)


async def test_a_claim_is_turned_away_where_there_is_no_room_beside_what_runs(store: Store) -> None:
    office = Office(store=store)
    one = await office.approve(await office.proposed(key="a"))
    other = await office.approve(await office.proposed(key="b"))
    full = Refusal(Reason.BUSY, {"action": one.id})
    assert await store.claim(one, *claimed(one), lambda running: full if running else None) is True
    assert await store.claim(other, *claimed(other), lambda running: full if running else None) == full
    kept = await store.action(other.id)
    assert kept is not None
    assert kept.state is State.APPROVED
    assert await store.claim(other, *claimed(other), lambda _running: None) is True
    assert await store.claim(other, *claimed(other), lambda _running: None) is False
