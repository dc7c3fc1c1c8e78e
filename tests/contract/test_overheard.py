"""The contract of what is overheard: newer words replace older ones, and what was deleted stays deleted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.conversation.overheard import Account, Channel, Overheard, Page, Remark, Standing, Walk
from tests.fakes.stores import KINDS, opened

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WALK = Walk(oldest="100")


@pytest.fixture(params=KINDS)
async def overheard(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Overheard]:
    store = await opened(request.param, request, tmp_path)
    yield store.overheard
    await store.close()


async def followed(overheard: Overheard, *walks: Walk) -> Channel:
    return await overheard.amend(
        "C1",
        lambda known: replace(
            known, name="payments", present=True, followed=True, members=frozenset({"U1"}), walks=walks
        ),
    )


async def standing(overheard: Overheard) -> dict[str, str]:
    found = await overheard.remarks("C1")
    return {one.ts: one.body for one in found if one.standing is Standing.STANDS}


async def test_a_channel_is_kept_as_it_was_amended(overheard: Overheard) -> None:
    made = await followed(overheard, WALK)
    assert made.members == {"U1"}
    assert await overheard.channel("C1") == made
    assert await overheard.channels() == [made]
    assert await overheard.channel("C2") is None


async def test_nothing_is_kept_of_a_channel_that_nobody_asked_for(overheard: Overheard) -> None:
    assert not await overheard.note("C1", Remark("101.1", body="{}"))
    await overheard.amend("C1", lambda known: replace(known, present=True))
    assert not await overheard.note("C1", Remark("101.1", body="{}"))
    assert await overheard.remarks("C1") == []


async def test_newer_words_replace_older_ones_in_whatever_order_they_come(overheard: Overheard) -> None:
    await followed(overheard)
    assert await overheard.note("C1", Remark("101.1", edited="103", body="third"))
    assert not await overheard.note("C1", Remark("101.1", body="first"))
    assert not await overheard.note("C1", Remark("101.1", edited="102", body="second"))
    assert await standing(overheard) == {"101.1": "third"}


async def test_what_was_deleted_stays_deleted_even_where_it_was_not_heard_before(
    overheard: Overheard,
) -> None:
    await followed(overheard, WALK)
    assert await overheard.strike("C1", "101.1")
    assert not await overheard.note("C1", Remark("101.1", edited="200", body="late"))
    page = Page((Remark("101.1", body="late"),), seen=1_000)
    assert await overheard.turn("C1", page, [WALK])
    assert await standing(overheard) == {}
    assert [one.body for one in await overheard.remarks("C1")] == [""]
    await overheard.note("C1", Remark("102.1", body="said"))
    assert await overheard.gone("C1", ["101.1", "102.1", "103.1"]) == {"101.1"}
    assert await overheard.gone("C2", ["101.1"]) == frozenset()


async def test_a_page_adds_what_was_missed_and_takes_out_what_is_gone(overheard: Overheard) -> None:
    known = await followed(overheard, WALK)
    for ts in ("099.1", "101.1", "102.1"):
        await overheard.note("C1", Remark(ts, body="heard"))
    await overheard.note("C1", Remark("103.1", "101.1", body="a reply"))
    known = await overheard.channel("C1") or known
    page = Page((Remark("101.1", body="heard"), Remark("101.5", body="missed")), known.revision, after="100")
    assert await overheard.turn("C1", page, [WALK])
    assert await standing(overheard) == {
        "099.1": "heard",
        "101.1": "heard",
        "101.5": "missed",
        "103.1": "a reply",
    }
    assert await overheard.count("C1") == 4
    known = await overheard.channel("C1") or known
    assert known.walks == ()


async def test_a_page_of_replies_is_about_its_thread_alone(overheard: Overheard) -> None:
    known = await followed(overheard, WALK)
    await overheard.note("C1", Remark("101.1", body="root"))
    for ts in ("102.1", "103.1"):
        await overheard.note("C1", Remark(ts, "101.1", body="reply"))
    known = await overheard.channel("C1") or known
    page = Page((Remark("103.1", "101.1", body="reply"),), known.revision, thread="101.1")
    await overheard.turn("C1", page, [WALK])
    assert set(await standing(overheard)) == {"101.1", "103.1"}


async def test_what_is_said_while_a_page_is_on_its_way_is_newer_than_the_page(overheard: Overheard) -> None:
    known = await followed(overheard, WALK)
    await overheard.note("C1", Remark("101.1", body="first"))
    seen = (await overheard.channel("C1") or known).revision
    await overheard.note("C1", Remark("101.1", edited="104", body="edited"))
    await overheard.note("C1", Remark("105.1", body="just now"))
    await overheard.turn("C1", Page((Remark("101.1", body="first"),), seen), [WALK])
    assert await standing(overheard) == {"101.1": "edited", "105.1": "just now"}


async def test_a_page_that_somebody_else_turned_meanwhile_is_let_go(overheard: Overheard) -> None:
    await followed(overheard, WALK)
    on = replace(WALK, reached="150")
    assert await overheard.turn("C1", Page((), 0, walks=(on,)), [WALK])
    assert not await overheard.turn("C1", Page((Remark("101.1", body="x"),), 0), [WALK])
    assert await standing(overheard) == {}


async def test_what_is_gone_comes_back_when_it_is_seen_again(overheard: Overheard) -> None:
    await followed(overheard, WALK)
    await overheard.note("C1", Remark("101.1", body="here"))
    assert await overheard.turn("C1", Page((), 1_000, walks=(WALK,)), [WALK])
    assert await standing(overheard) == {}
    await overheard.turn("C1", Page((Remark("101.1", body="here"),), 1_000), [WALK])
    assert await standing(overheard) == {"101.1": "here"}


async def test_words_are_erased_with_the_end_of_following_and_deletions_are_remembered(
    overheard: Overheard,
) -> None:
    await followed(overheard)
    await overheard.note("C1", Remark("101.1", body="secret"))
    await overheard.strike("C1", "102.1")
    await overheard.amend("C1", lambda known: replace(known, present=False))
    assert [(one.ts, one.body) for one in await overheard.remarks("C1")] == [("102.1", "")]
    await followed(overheard)
    assert not await overheard.note("C1", Remark("102.1", body="again"))


async def test_the_signature_changes_with_words_and_with_rights_and_with_nothing_else(
    overheard: Overheard,
) -> None:
    await followed(overheard)
    seen = [await overheard.signature()]
    await overheard.note("C1", Remark("101.1", body="said"))
    seen.append(await overheard.signature())
    await overheard.note("C1", Remark("101.1", body="said"))
    await followed(overheard)
    assert await overheard.signature() == seen[-1]
    await overheard.amend("C1", lambda known: replace(known, members=frozenset()))
    seen.append(await overheard.signature())
    assert len(set(seen)) == 3


async def test_changes_of_a_channel_at_the_same_moment_are_all_kept(overheard: Overheard) -> None:
    await followed(overheard)

    def joins(user: str) -> asyncio.Future[Channel]:
        return asyncio.ensure_future(
            overheard.amend("C1", lambda known: replace(known, members=known.members | {user}))
        )

    await asyncio.gather(
        *(joins(f"U{number}") for number in range(2, 12)),
        *(overheard.note("C1", Remark(f"10{number}.1", body="x")) for number in range(10)),
    )
    known = await overheard.channel("C1")
    assert known is not None
    assert (len(known.members), known.revision) == (11, 10)


async def test_an_account_is_what_was_read_last(overheard: Overheard) -> None:
    late, early = NOW, NOW - timedelta(seconds=1)
    await overheard.put_account(Account("U1", '{"deleted": true}', late, outsider=True))
    await overheard.put_account(Account("U1", "{}", early))
    assert await overheard.account("U1") == Account("U1", '{"deleted": true}', late, outsider=True)
    assert await overheard.account("U2") is None
    assert len(await overheard.accounts()) == 1
