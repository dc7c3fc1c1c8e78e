"""The contract of a store, kept by the one in memory and the one in SQL, on SQLite and on PostgreSQL, alike."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from agent.approvals.action import Action, ActionId, Decision, Draft, Requirement, State, Verdict
from agent.approvals.ports import Judge, Ruling
from agent.audit.chain import verify
from agent.audit.event import Event, Fact, FactKind
from agent.conversation.asked import InVain, Mark
from agent.conversation.messages import Reply, ToolCall, Usage
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.store.port import Store
from agent.store.sql.store import SqlStore
from tests.fakes.postgres import PostgresServer
from tests.fakes.stores import KINDS, opened
from tools.contract import Change, Json, Plan, Undo

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
THREAD = ThreadId("terminal:maya")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a store in SQL is kept: a file that is not there yet, or an empty database."""
    if request.param == "sqlite":
        return tmp_path / "sayso.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await opened(request.param, request, tmp_path)
    yield store
    await store.close()


def said(event: str, text: str = "hello", thread: ThreadId = THREAD) -> Said:
    return Said(event, thread, "maya", text, NOW)


def draft(key: str = "T-1/0", *, supersedes: ActionId | None = None) -> Draft:
    return Draft(
        key=key,
        tool="valve",
        tool_version="1",
        arguments={"position": 20},
        provenance={"position": "asker"},
        requester="maya",
        thread=THREAD,
        why="move it",
        plan=Plan(
            "Move the valve",
            (Change("position", "10", "20"),),
            ("valve",),
            {"position": 10},
            Undo("valve", {"position": 10}),
        ),
        requirement=Requirement("valves", frozenset({"keeper"}), quorum=1, policy_version="p1"),
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
        supersedes=supersedes,
    )


def fact(kind: FactKind, action: Action, at: datetime = NOW) -> Fact:
    return Fact(kind, "tom", action.id, at, {"why": "a test"})


async def events(store: Store, subject: str | None = None) -> list[Event]:
    return [event async for event in store.events(subject)]


async def kinds(store: Store) -> list[FactKind]:
    return [event.fact.kind for event in await events(store)]


async def test_a_message_heard_twice_opens_one_turn(store: Store) -> None:
    assert await store.hear(said("e1")) == "T-1"
    assert await store.hear(said("e1")) is None


async def test_history_has_questions_answers_and_notices_of_this_thread_in_order(store: Store) -> None:
    first = await store.hear(said("e1", "what runs?"))
    await store.hear(said("x", "elsewhere", ThreadId("terminal:tom")))
    assert first is not None
    await store.finish(first, "catalog runs", {"finished_at": NOW.isoformat(), "receipt": {}})
    await store.say(THREAD, "A-1 is done", NOW)
    later = await store.hear(said("e2", "and now?"))
    assert later is not None
    assert [line.text for line in await store.history(THREAD, later, 10)] == [
        "what runs?",
        "catalog runs",
        "A-1 is done",
    ]
    assert [line.text for line in await store.history(THREAD, later, 1)] == ["A-1 is done"]
    assert list(await store.history(THREAD, later, 0)) == []


async def test_the_tools_of_earlier_turns_are_told_the_latest_first_and_each_once(store: Store) -> None:
    calls: list[list[Json]] = [
        [{"tool": "logs", "result": "found"}],
        [{"tool": "metrics", "result": "failed"}, {"tool": "drop", "result": "refused"}],
        [{"tool": "logs", "result": "found"}],
    ]
    for place, made in enumerate(calls):
        turn = await store.hear(said(f"e{place}"))
        assert turn is not None
        await store.finish(turn, "so", {"finished_at": NOW.isoformat(), "receipt": {}, "calls": made})
    elsewhere = await store.hear(said("x", "elsewhere", ThreadId("terminal:tom")))
    now = await store.hear(said("now"))
    assert now is not None
    assert elsewhere is not None
    assert list(await store.tools_used(THREAD, now, 8)) == ["logs", "metrics"]
    assert list(await store.tools_used(THREAD, now, 1)) == ["logs"]
    assert list(await store.tools_used(THREAD, now, 0)) == []
    assert list(await store.tools_used(ThreadId("terminal:tom"), elsewhere, 8)) == []


async def test_replies_come_back_in_order_and_the_first_one_of_a_position_stays(store: Store) -> None:
    turn = await store.hear(said("e1"))
    assert turn is not None
    first = Reply("", (ToolCall("c1", "logs", '{"service": "payments"}'),), Usage(10, 2, 0.1), "m")
    await store.keep_reply(turn, 1, Reply("second"))
    await store.keep_reply(turn, 0, first)
    await store.keep_reply(turn, 0, Reply("another first"))
    assert list(await store.replies(turn)) == [first, Reply("second")]


async def test_replies_of_another_process_that_died_are_found_by_the_one_that_heard(
    place: Path | str,
) -> None:
    heard, other = await SqlStore.open(place), await SqlStore.open(place)
    turn = await heard.hear(said("e1"))
    assert turn is not None
    assert await other.begin(THREAD, "other") is not None
    await other.keep_reply(turn, 0, Reply("from before"))
    await other.leave("other")
    assert await heard.begin(THREAD, "heard") is not None
    assert list(await heard.replies(turn)) == [Reply("from before")]
    await heard.close()
    await other.close()


async def test_half_a_sign_in_a_record_loses_no_answer(store: Store) -> None:
    turn = await store.hear(said("e1", "why?"))
    assert turn is not None
    record: dict[str, Json] = {"finished_at": NOW.isoformat(), "evidence": [{"title": "cut \ud83d short"}]}
    await store.finish(turn, "because", record)
    kept = await store.turn(turn)
    assert kept is not None
    assert kept.answer == "because"


async def test_a_finished_turn_is_kept_whole_and_audited_once(store: Store) -> None:
    turn = await store.hear(said("e1", "why?"))
    assert turn is not None
    record: dict[str, Json] = {
        "finished_at": NOW.isoformat(),
        "receipt": {"seconds": 1.5},
        "answer_sha256": "abc",
    }
    await store.finish(turn, "because", record)
    await store.finish(turn, "another answer", record)
    kept = await store.turn(turn)
    assert kept is not None
    assert (kept.question, kept.answer, kept.record, kept.finished_at) == ("why?", "because", record, NOW)
    assert await kinds(store) == [FactKind.ANSWERED]


async def test_a_turn_that_was_accepted_and_not_answered_is_found_after_a_restart(store: Store) -> None:
    await store.hear(said("e1", "lost?"))
    assert [turn.question for turn in await store.unfinished()] == ["lost?"]


async def test_an_unknown_turn_or_action_is_none(store: Store) -> None:
    assert await store.turn(TurnId("T-99")) is None
    assert await store.turn(TurnId("nonsense")) is None
    assert await store.action(ActionId("A-99")) is None


async def test_an_action_comes_back_exactly_as_it_was_proposed(store: Store) -> None:
    action = await store.propose(draft())
    assert action.id == "A-1"
    assert await store.action(action.id) == action
    assert (await store.action(action.id) or action).digest == action.digest


async def test_the_same_key_proposes_once(store: Store) -> None:
    first = await store.propose(draft("T-1/0"))
    assert await store.propose(draft("T-1/0")) == first
    assert len(await store.actions()) == 1


async def test_actions_are_listed_latest_first_and_by_state_and_thread(store: Store) -> None:
    first, second = await store.propose(draft("a")), await store.propose(draft("b"))
    await store.apply(first, first.moved(State.WITHDRAWN, at=NOW), fact(FactKind.WITHDRAWN, first))
    assert [action.id for action in await store.actions()] == ["A-2", "A-1"]
    assert [action.id for action in await store.actions(state=State.WITHDRAWN)] == ["A-1"]
    assert await store.actions(thread="terminal:tom") == []
    assert second.id == "A-2"


async def test_of_two_changes_of_one_revision_only_the_first_counts(store: Store) -> None:
    action = await store.propose(draft())
    assert await store.apply(action, action.moved(State.APPROVED), fact(FactKind.DECIDED, action))
    assert not await store.apply(action, action.moved(State.REJECTED, at=NOW), fact(FactKind.DECIDED, action))
    kept = await store.action(action.id)
    assert kept is not None
    assert kept.state is State.APPROVED
    assert await kinds(store) == [FactKind.PROPOSED, FactKind.DECIDED]


async def test_many_claims_at_once_have_one_winner(store: Store) -> None:
    action = await store.propose(draft())
    approved = action.moved(State.APPROVED)
    await store.apply(action, approved, fact(FactKind.DECIDED, action))
    claims = [replace(approved.moved(State.RUNNING, at=NOW), worker=f"w{n}") for n in range(20)]
    won = await asyncio.gather(
        *(store.apply(approved, claim, fact(FactKind.CLAIMED, action)) for claim in claims)
    )
    assert sum(won) == 1


@pytest.mark.parametrize("into", [State.APPROVED, State.RUNNING])
async def test_an_expired_action_is_neither_approved_nor_claimed(store: Store, into: State) -> None:
    action = await store.propose(draft())
    late = action.expires_at
    if into is State.RUNNING:
        approved = action.moved(State.APPROVED)
        await store.apply(action, approved, fact(FactKind.DECIDED, action))
        action = approved
    assert not await store.apply(action, action.moved(into, at=late), fact(FactKind.DECIDED, action, late))


async def test_an_edit_supersedes_an_action_that_waits(store: Store) -> None:
    old = await store.propose(draft("a"))
    new = await store.propose(draft("b", supersedes=old.id))
    ended = await store.action(old.id)
    assert ended is not None
    assert (ended.state, new.supersedes) == (State.SUPERSEDED, old.id)
    assert FactKind.SUPERSEDED in await kinds(store)


async def test_an_edit_leaves_an_action_that_was_decided_meanwhile(store: Store) -> None:
    old = await store.propose(draft("a"))
    await store.apply(old, old.moved(State.APPROVED), fact(FactKind.DECIDED, old))
    await store.propose(draft("b", supersedes=old.id))
    kept = await store.action(old.id)
    assert kept is not None
    assert kept.state is State.APPROVED


async def test_the_trail_is_one_whole_chain(store: Store) -> None:
    for number in range(5):
        action = await store.propose(draft(f"k{number}"))
        await store.record(fact(FactKind.DECISION_REFUSED, action))
    report = verify(await events(store))
    assert report.whole
    assert report.checked == 10
    assert [event.seq for event in await events(store, "A-2")] == [3, 4]


def vain(turn: str, gist: str = "g", person: str = "maya", minutes: int = 0) -> InVain:
    return InVain(turn, gist, f"{gist}?", gist, person, NOW + timedelta(minutes=minutes), public=True)


async def test_a_question_asked_in_vain_is_kept_once_for_each_turn(store: Store) -> None:
    for question in (vain("T-1"), vain("T-1"), vain("T-2", minutes=1)):
        await store.asked.in_vain(question)
    assert await store.asked.unanswered() == [vain("T-1"), vain("T-2", minutes=1)]


async def test_what_a_question_was_looked_up_in_since_is_kept_with_it(store: Store) -> None:
    for question in (vain("T-1"), vain("T-2", minutes=1)):
        await store.asked.in_vain(question)
    await store.asked.in_vain_again(["T-1"], "one")
    await store.asked.in_vain_again(["T-1"], "another")
    assert [row.among for row in await store.asked.unanswered()] == ["another", ""]


async def test_a_question_that_is_closed_stays_so_and_asked_again_is_open_again(store: Store) -> None:
    for question in (vain("T-1"), vain("T-2", gist="other")):
        await store.asked.in_vain(question)
    await store.asked.close_asked(["T-1"], "nora", "it is written now", NOW + timedelta(minutes=5))
    assert [row.turn for row in await store.asked.unanswered()] == ["T-2"]
    await store.asked.in_vain(vain("T-1"))  # a turn that is run again is no new question
    await store.asked.in_vain(vain("T-3", minutes=9))
    assert {row.turn for row in await store.asked.unanswered()} == {"T-2", "T-3"}


async def test_what_was_closed_is_kept_with_who_said_so_and_why(store: Store) -> None:
    for question in (vain("T-1"), vain("T-2", minutes=1)):
        await store.asked.in_vain(question)
    later = NOW + timedelta(minutes=5)
    await store.asked.close_asked(["T-2", "T-1", "T-99"], "nora", "it is written now", later)
    await store.asked.close_asked(["T-1"], "sayso", "", later + timedelta(minutes=1))
    told = ("nora", "it is written now", later)
    closed = await store.asked.closed()
    assert [(one.asked.turn, one.by, one.reason, one.at) for one in closed] == [
        ("T-1", *told),
        ("T-2", *told),
    ]


async def test_a_later_mark_of_the_same_person_replaces_the_earlier(store: Store) -> None:
    first = Mark("g", "docs:a.md", "maya", True, "g?", NOW)
    later = replace(first, helpful=False, at=NOW + timedelta(minutes=1), reason="outdated")
    others = replace(first, person="raj", at=NOW + timedelta(minutes=2))
    elsewhere = replace(first, gist="other", at=NOW + timedelta(minutes=3))
    for mark in (first, later, others, elsewhere):
        await store.asked.mark(mark)
    assert await store.asked.marks("g") == [others, later]
    assert await store.asked.marks() == [elsewhere, others, later]


async def test_what_no_database_can_hold_is_heard_all_the_same(store: Store) -> None:
    turn = await store.hear(said("e1", "nul \0 and half a pair \ud83d"))
    assert turn is not None
    await store.finish(turn, "so \0", {"finished_at": NOW.isoformat()})
    await store.say(THREAD, "and \0", NOW)
    later = await store.hear(said("e2"))
    assert later is not None
    assert len(await store.history(THREAD, later, 10)) == 3


async def test_changes_that_come_at_once_are_each_judged_by_themselves(store: Store) -> None:
    """They may share a transaction, and must not share their fate."""
    waiting = [await store.propose(draft(f"k{number}")) for number in range(12)]
    changes = [
        (action, action.moved(state, at=NOW), fact(FactKind.DECIDED, action, at))
        for action in waiting
        for state, at in (
            (
                State.APPROVED,
                NOW if int(action.key[1:]) % 3 else action.expires_at,
            ),  # every third one is late
            (State.WITHDRAWN, NOW),
            (State.REJECTED, NOW),
        )
    ]
    told = await asyncio.gather(*(store.apply(*change) for change in changes))
    for place, action in enumerate(waiting):
        first = 1 if place % 3 == 0 else 0
        assert [*told[place * 3 : place * 3 + 3]] == [place_ == first for place_ in range(3)]
        kept = await store.action(action.id)
        assert kept == changes[place * 3 + first][1]
    report = verify(await events(store))
    assert (report.whole, report.checked) == (True, 24)


async def test_of_many_claims_over_two_connections_one_wins(place: Path | str) -> None:
    one, other = await SqlStore.open(place), await SqlStore.open(place)
    for round_ in range(5):
        action = await one.propose(draft(f"k{round_}"))
        approved = action.moved(State.APPROVED)
        assert await one.apply(action, approved, fact(FactKind.DECIDED, action))
        claims = [replace(approved.moved(State.RUNNING, at=NOW), worker=f"w{n}") for n in range(16)]
        won = await asyncio.gather(
            *(
                (one, other)[number % 2].apply(approved, claim, fact(FactKind.CLAIMED, action))
                for number, claim in enumerate(claims)
            )
        )
        assert sum(won) == 1
        kept = await other.action(action.id)
        assert kept == claims[won.index(True)]
    report = verify(await events(one))
    assert (report.whole, report.checked) == (True, 15)
    await one.close()
    await other.close()


def test_of_many_claims_from_as_many_threads_one_wins(place: Path | str) -> None:
    """Each thread has a loop of its own, and half of them share a store."""
    stores = [asyncio.run(SqlStore.open(place)) for _ in range(2)]
    action = asyncio.run(stores[0].propose(draft()))
    approved = action.moved(State.APPROVED)
    assert asyncio.run(stores[0].apply(action, approved, fact(FactKind.DECIDED, action)))
    barrier = Barrier(16)

    def claim(number: int) -> bool:
        barrier.wait()
        running = replace(approved.moved(State.RUNNING, at=NOW), worker=f"w{number}")
        return asyncio.run(stores[number % 2].apply(approved, running, fact(FactKind.CLAIMED, action)))

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(claim, range(16))) == 1
    for store in stores:
        asyncio.run(store.close())


async def test_writers_on_two_connections_make_one_chain_without_a_gap(place: Path | str) -> None:
    one, other = await SqlStore.open(place), await SqlStore.open(place)

    async def busy(store: SqlStore, name: str) -> None:
        for number in range(20):
            turn = await store.hear(said(f"{name}-{number}"))
            assert turn is not None
            await store.finish(turn, "so", {"finished_at": NOW.isoformat()})
            action = await store.propose(draft(f"{name}-{number}"))
            await store.record(fact(FactKind.DECISION_REFUSED, action))

    await asyncio.gather(*(busy(store, f"{n}-{m}") for n, store in enumerate((one, other)) for m in range(3)))
    report = verify(await events(one))
    assert (report.whole, report.checked) == (True, 6 * 20 * 3)
    assert len({action.id for action in await one.actions(limit=1000)}) == 120
    await one.close()
    await other.close()


def vote(number: int) -> Judge:
    """Ends it at the third vote; what comes after that is only put on record."""

    def judge(action: Action) -> Ruling:
        if action.state is not State.AWAITING_APPROVAL:
            return Ruling(action, (fact(FactKind.DECISION_REFUSED, action),))
        decision = Decision(action.id, action.digest, f"p{number}", Verdict.APPROVE, "", NOW)
        return Ruling(action.voted(decision), (fact(FactKind.DECIDED, action),))

    return judge


async def test_votes_that_come_at_once_are_counted_one_after_the_other(store: Store) -> None:
    need = Requirement("valves", frozenset({"keeper"}), quorum=3, policy_version="p1")
    waiting = [await store.propose(replace(draft(f"k{number}"), requirement=need)) for number in range(3)]
    rulings = await asyncio.gather(
        *(store.judge(action.id, vote(number)) for action in waiting for number in range(5))
    )
    assert [len(ruling.action.decisions) for ruling in rulings if ruling] == [1, 2, 3, 3, 3] * 3
    for place, action in enumerate(waiting):
        kept, last = await store.action(action.id), rulings[place * 5 + 4]
        assert last is not None
        assert kept == last.action
        assert kept.state is State.APPROVED
    assert (await kinds(store)).count(FactKind.DECIDED) == 9
    assert verify(await events(store)).checked == 18


async def test_a_judge_that_fails_takes_nobody_along(store: Store) -> None:
    one, other = await store.propose(draft("a")), await store.propose(draft("b"))

    def broken(_action: Action) -> Ruling:
        raise ZeroDivisionError

    told = await asyncio.gather(
        store.judge(one.id, vote(1)),
        store.judge(other.id, broken),
        store.judge(ActionId("A-99"), vote(1)),
        store.judge(other.id, vote(2)),
        return_exceptions=True,
    )
    assert isinstance(told[1], ZeroDivisionError)
    assert told[2] is None
    states = [kept.state for id_ in (one.id, other.id) if (kept := await store.action(id_))]
    assert states == [State.APPROVED, State.APPROVED]
    assert verify(await events(store)).checked == 4
