"""A channel is read back page by page, can be broken off anywhere, and agrees with what was heard meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.conversation.overheard import Channel, Standing, Walk
from agent.store.memory_overheard import MemoryOverheard
from agent.surfaces.slack.backfill import Backfill, caught_up
from agent.surfaces.slack.ears import Ears
from agent.surfaces.slack.happenings import happening
from agent.surfaces.slack.membership import Membership
from agent.surfaces.slack.reading import SlackRefuses
from tests.fakes.slack_rooms import Answering, Town


class Reader:
    """What reads a town's channel back, and hears what is said there."""

    def __init__(self, *, messages: int = 3, history: timedelta | None = None) -> None:
        self.town, self.kept = Town(), MemoryOverheard()
        self.slack = Answering(self.town.rooms)
        self.membership = Membership(self.kept, self.slack, self.town.clock, history)
        self.ears = Ears(self.kept, self.membership)
        self.messages = messages

    async def follow(self) -> None:
        await self.kept.amend("C1", lambda known: replace(known, followed=True))
        await self.membership.confirm("C1")

    async def hear(self, event: object) -> None:
        found = happening(event)  # type: ignore[arg-type]  # as a Town tells of it
        assert found is not None
        await self.ears.keep(found)

    async def read(self, pages: int = 1000) -> int:
        """Reads so many pages, each with a new process; how many there were."""
        for count in range(pages):
            if await Backfill(self.kept, self.slack, self.messages).step("C1") is None:
                return count
        return pages

    async def texts(self) -> list[str]:
        return [one.body for one in await self.kept.remarks("C1") if one.standing is Standing.STANDS]

    async def stand(self) -> set[str]:
        return {one.ts for one in await self.kept.remarks("C1") if one.standing is Standing.STANDS}

    async def channel(self) -> Channel:
        found = await self.kept.channel("C1")
        assert found is not None
        return found


def talk(town: Town, count: int, *, replies: int = 0) -> None:
    for number in range(count):
        town.says(f"message {number}")
        root = max(town.room.messages)
        for reply in range(replies):
            town.says(f"reply {number}.{reply}", thread=root)


async def test_all_messages_and_replies_are_read() -> None:
    reader = Reader()
    talk(reader.town, 10, replies=5)
    await reader.follow()
    await reader.read()
    assert await reader.stand() == set(reader.town.room.messages)
    channel = await reader.channel()
    assert (channel.walks, channel.covered) == ((), min(reader.town.room.messages))


async def test_rights_are_confirmed_also_where_slack_does_not_tell_of_pins() -> None:
    reader = Reader()
    await reader.follow()
    pinned = {"event": {"type": "pin_added", "channel_id": "C1", "item": {"message": {"ts": "9.1"}}}}
    await reader.hear(pinned)

    async def refused() -> None:
        raise SlackRefuses("pins.list", "missing_scope")

    reader.town.later(minutes=5)
    reader.slack.during, reader.slack.meanwhile = "pins.list", refused
    await reader.membership.confirm("C1")
    channel = await reader.channel()
    assert (channel.confirmed_at, channel.pins) == (reader.town.now, frozenset({"9.1"}))


async def test_an_empty_channel_is_read_with_one_page() -> None:
    reader = Reader()
    await reader.follow()
    assert await reader.read() == 1


async def test_a_bot_may_have_said_it_and_is_passed_over() -> None:
    reader = Reader()
    talk(reader.town, 4)
    reader.town.room.messages["1.1"] = {"ts": "1.1", "bot_id": "B1", "text": "deployed"}
    await reader.follow()
    await reader.read()
    assert "1.1" not in await reader.stand()


async def test_no_further_back_than_the_settings_say() -> None:
    reader = Reader(history=timedelta(days=7))
    reader.town.later(days=-30)
    talk(reader.town, 5)
    reader.town.later(days=30)
    talk(reader.town, 2)
    await reader.follow()
    await reader.read()
    assert len(await reader.stand()) == 2


async def test_it_goes_on_where_it_was_broken_off_and_asks_for_nothing_twice() -> None:
    reader = Reader()
    talk(reader.town, 10, replies=2)
    await reader.follow()
    for _ in range(100):
        if await reader.read(1) == 0:
            break
    asked = [(method, *sorted(parameters.items())) for method, parameters in reader.slack.calls]
    assert len(asked) == len(set(asked))
    assert await reader.stand() == set(reader.town.room.messages)


async def test_what_is_edited_and_deleted_while_a_page_is_on_its_way_counts_more_than_the_page() -> None:
    reader = Reader(messages=100)
    talk(reader.town, 3)
    await reader.follow()
    first, second, _ = sorted(reader.town.room.messages)

    async def meanwhile() -> None:
        await reader.hear(reader.town.edits(first, "as it is now"))
        await reader.hear(reader.town.deletes(second))
        await reader.hear(reader.town.says("just now"))

    reader.slack.meanwhile = meanwhile
    await reader.read()
    assert await reader.stand() == set(reader.town.room.messages)
    assert any("as it is now" in text for text in await reader.texts())


async def test_a_page_that_comes_after_the_end_of_following_is_not_kept() -> None:
    reader = Reader(messages=100)
    talk(reader.town, 3)
    await reader.follow()

    async def meanwhile() -> None:
        await reader.hear(reader.town.leaves("UBOT"))

    reader.slack.meanwhile = meanwhile
    await reader.read()
    assert await reader.stand() == set()


async def test_a_look_at_what_was_missed_finds_edits_deletions_and_new_messages() -> None:
    reader = Reader()
    talk(reader.town, 8, replies=1)
    await reader.follow()
    await reader.read()
    roots = [ts for ts, one in sorted(reader.town.room.messages.items()) if "thread_ts" not in one]
    reader.town.edits(roots[-1], "edited unheard")
    reader.town.deletes(roots[-2])
    reader.town.says("unheard", thread=roots[-3])
    reader.town.says("unheard too")
    await reader.kept.amend("C1", lambda known: caught_up(known, roots[2]))
    await reader.read()
    assert await reader.stand() == set(reader.town.standing())
    assert any("edited unheard" in text for text in await reader.texts())


def test_a_look_at_what_was_missed_comes_first_and_makes_up_for_an_earlier_one() -> None:
    reading = Walk("5", whole=True, reached="70")
    channel = Channel("C1", followed=True, present=True, walks=(Walk("40", reached="80"), reading))
    assert caught_up(channel, "60").walks == (Walk("40"), reading)
    fresh = replace(channel, walks=(Walk("5", whole=True),))
    assert caught_up(fresh, "60") == fresh
    assert caught_up(replace(channel, followed=False), "60").walks == channel.walks


@pytest.mark.parametrize("messages", [15, 200])
async def test_a_page_is_as_long_as_slack_gives_out(messages: int) -> None:
    reader = Reader(messages=messages)
    await reader.follow()
    await reader.read()
    history = next(
        parameters for method, parameters in reader.slack.calls if method == "conversations.history"
    )
    assert history["limit"] == str(messages)


STEPS = st.lists(
    st.tuples(st.sampled_from(["say", "reply", "edit", "delete", "page"]), st.integers(0, 9), st.booleans()),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 6), STEPS, st.integers(1, 4))
async def test_whatever_happens_while_it_is_read_back_in_the_end_it_has_what_slack_has(
    before: int, steps: list[tuple[str, int, bool]], messages: int
) -> None:
    reader = Reader(messages=messages)
    talk(reader.town, before, replies=1)
    await reader.follow()
    for step, which, again in steps:
        known = sorted(reader.town.standing())
        roots = [ts for ts in known if "thread_ts" not in reader.town.room.messages[ts]]
        chosen = known[which % len(known)] if known else ""
        match step:
            case "say":
                event = reader.town.says("said")
            case "reply" if roots:
                event = reader.town.says("reply", thread=roots[which % len(roots)])
            case "edit" if chosen:
                event = reader.town.edits(chosen, f"edited {which}")
            case "delete" if chosen:
                event = reader.town.deletes(chosen)
            case _:
                await reader.read(1)
                continue
        for _ in range(1 + again):  # Slack may send it twice
            await reader.hear(event)
    await reader.read()
    there = reader.town.standing()
    held = {one.ts: one.body for one in await reader.kept.remarks("C1") if one.standing is Standing.STANDS}
    assert set(held) == set(there)
    assert all(f'"text":"{text}"' in held[ts] for ts, text in there.items())
