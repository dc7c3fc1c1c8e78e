"""The contract of what is asked for at the same moment: it is done together, and each comes out as if it were alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.approvals.action import Action, Draft, Requirement, State
from agent.approvals.refusal import Reason, Refusal
from agent.audit.chain import verify
from agent.audit.event import Fact, FactKind
from agent.conversation.messages import Reply
from agent.conversation.outbox import Kind
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.store.port import Store
from tests.fakes.stores import KINDS, opened
from tools.contract import Change, Plan

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
THREADS = [ThreadId(f"slack:C1:{number}") for number in range(12)]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await opened(request.param, request, tmp_path)
    yield store
    await store.close()


def said(thread: ThreadId, text: str = "hello") -> Said:
    return Said(f"{thread}/{text}", thread, "maya", text, NOW)


def draft(key: str) -> Draft:
    return Draft(
        key=key,
        tool="valve",
        tool_version="1",
        arguments={"position": 20},
        provenance={"position": "asker"},
        requester="maya",
        thread=THREADS[0],
        why="move it",
        plan=Plan("Move the valve", (Change("position", "10", "20"),), ("valve",), {"position": 10}),
        requirement=Requirement("valves", frozenset({"keeper"}), quorum=1, policy_version="p1"),
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


def fact(kind: FactKind, action: Action) -> Fact:
    return Fact(kind, "tom", action.id, NOW)


async def heard(store: Store, threads: Sequence[ThreadId] = THREADS) -> list[TurnId]:
    turns = await asyncio.gather(*(store.hear(said(thread)) for thread in threads))
    return [turn for turn in turns if turn is not None]


async def test_messages_of_a_thread_keep_their_order_and_an_event_is_heard_once(store: Store) -> None:
    words = [f"{number:02}" for number in range(30)]
    turns = await asyncio.gather(*(store.hear(said(THREADS[0], text)) for text in [*words, *words]))
    assert all(turn is not None for turn in turns[:30])
    assert turns[30:] == [None] * 30
    assert [record.question for record in await store.unfinished()] == words


async def test_each_thread_goes_to_one_worker_that_begins_it(store: Store) -> None:
    turns = await heard(store)
    begun = await asyncio.gather(*(store.begin(thread, who) for thread in THREADS for who in ("w1", "w2")))
    firsts, seconds = begun[::2], begun[1::2]
    assert [batch and batch.turn for batch in firsts] == turns
    assert seconds == [None] * len(THREADS)


async def test_each_turn_ends_with_its_own_answer_and_one_fact(store: Store) -> None:
    turns = await heard(store)
    await asyncio.gather(*(store.keep_reply(turn, 0, Reply(f"reply to {turn}")) for turn in turns))
    assert [(await store.replies(turn))[0].text for turn in turns] == [f"reply to {turn}" for turn in turns]
    ends = [store.finish(turn, f"answer to {turn}", {"finished_at": NOW.isoformat()}) for turn in turns * 2]
    await asyncio.gather(*ends)
    records = await asyncio.gather(*(store.turn(turn) for turn in [*turns, TurnId("T-999")]))
    assert [record and record.answer for record in records] == [*(f"answer to {one}" for one in turns), None]
    events = [event async for event in store.events()]
    assert sorted(event.fact.subject for event in events) == sorted(turns)
    assert verify(events).whole


async def test_each_thread_has_its_own_past(store: Store) -> None:
    turns = await heard(store)
    await asyncio.gather(*(store.say(thread, f"said in {thread}", NOW, key=thread) for thread in THREADS * 2))
    await asyncio.gather(*(store.say(THREADS[0], text, NOW) for text in ("once", "more")))
    after = await asyncio.gather(*(store.hear(said(thread, "again")) for thread in THREADS))
    asked = [
        (thread, turn, limit)
        for thread, turn in zip(THREADS, after, strict=True)
        if turn is not None
        for limit in (20, 1)
    ]
    pasts = await asyncio.gather(*(store.history(*one) for one in asked))
    texts = [[line.text for line in past] for past in pasts]
    assert sorted(texts[0]) == ["hello", "more", "once", f"said in {THREADS[0]}"]
    assert texts[2::2] == [["hello", f"said in {thread}"] for thread in THREADS[1:]]
    assert texts[3::2] == [[f"said in {thread}"] for thread in THREADS[1:]]
    assert len(turns) == len(THREADS)


async def test_what_is_due_in_a_thread_is_taken_by_one_and_goes_when_it_was_told(store: Store) -> None:
    turns = await heard(store)
    ends = [store.finish(turn, "so", {"finished_at": NOW.isoformat()}) for turn in turns]
    await asyncio.gather(*ends)
    taken = await asyncio.gather(*(store.take(thread, who) for thread in THREADS for who in ("w1", "w2")))
    assert [[one.subject for one in due] for due in taken[::2]] == [[turn] for turn in turns]
    assert list(map(list, taken[1::2])) == [[]] * len(THREADS)
    older = [[replace(one, version=0) for one in due] for due in taken[:2:2]]
    await asyncio.gather(*(store.told(due) for due in [*older, *taken[2::2]]))
    left = await store.due(NOW)
    assert [(one.kind, one.subject) for one in left] == [(Kind.ANSWER, turns[0])]


async def test_proposals_with_one_key_are_one_action_and_each_has_a_number_of_its_own(store: Store) -> None:
    made = await asyncio.gather(*(store.propose(draft(f"k{number % 8}")) for number in range(16)))
    assert made[:8] == made[8:]
    assert [action.id for action in made[:8]] == [f"A-{number}" for number in range(1, 9)]
    events = [event async for event in store.events()]
    assert [event.fact.subject for event in events] == [action.id for action in made[:8]]


async def test_claims_are_let_in_one_beside_the_other_as_far_as_there_is_room(store: Store) -> None:
    approved = []
    for number in range(6):
        action = await store.propose(draft(f"k{number}"))
        approved.append(action.moved(State.APPROVED))
        await store.apply(action, approved[-1], fact(FactKind.DECIDED, action))
    overtaken = approved[0].moved(State.WITHDRAWN, at=NOW)
    assert await store.apply(approved[0], overtaken, fact(FactKind.WITHDRAWN, overtaken))

    def two_at_once(running: Sequence[Action]) -> Refusal | None:
        return Refusal(Reason.CROWDED, {}) if len(running) >= 2 else None

    claims = [replace(action.moved(State.RUNNING, at=NOW), worker="w") for action in approved]
    won = await asyncio.gather(
        *(
            store.claim(before, after, fact(FactKind.CLAIMED, after), two_at_once)
            for before, after in zip(approved, claims, strict=True)
        )
    )
    assert won[:3] == [False, True, True]
    assert all(isinstance(one, Refusal) for one in won[3:])
    assert len(await store.actions(state=State.RUNNING)) == 2
