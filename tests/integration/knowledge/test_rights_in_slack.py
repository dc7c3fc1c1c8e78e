"""What is said in a private channel is found by those who are in it at that moment, and by nobody else at any."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.conversation.overheard import Channel
from agent.overhearing import Overhearing
from agent.store.memory_overheard import MemoryOverheard
from agent.surfaces.slack.backfill import Backfill
from agent.surfaces.slack.ears import Ears
from agent.surfaces.slack.happenings import happening
from agent.surfaces.slack.membership import Membership
from knowledge.library import open_library
from knowledge.port import By, Library, Query, Reader
from knowledge.sources.slack_live import SlackLive
from tests.fakes.slack_rooms import Answering, Town

PEOPLE = ("UMAYA", "URAJ", "UTOM")
OFTEN = (
    "say",
    "edit",
    "delete",
    "join",
    "leave",
    "leave",
    "leave",
    "again",
    "confirm",
    "confirm",
    "read",
    "index",
)
SELDOM = ("kicked", "invited", "private", "public", "off", "on", "hour", "hour")
STEPS = st.lists(
    st.tuples(st.sampled_from((*OFTEN, *OFTEN, *SELDOM)), st.sampled_from(PEOPLE), st.integers(0, 9)),
    min_size=10,
    max_size=30,
)


class World:
    """Slack, what was heard of it, and the library that is searched."""

    def __init__(self, library: Library, live: SlackLive, town: Town, kept: MemoryOverheard) -> None:
        self.library, self.live, self.town, self.kept = library, live, town, kept
        self.slack = Answering(town.rooms)
        self.membership = Membership(kept, self.slack, town.clock)
        self.ears = Ears(kept, self.membership)
        self.ears.bot = "UBOT"
        self.deleted: list[str] = []  # while it was heard: of the rest nobody told us, before it is read back
        self.heard = True
        self.old: list[Mapping[str, object]] = []  # events that Slack may send once more

    async def hear(self, event: Mapping[str, object]) -> None:
        self.old.append(event)
        found = happening(event)
        assert found is not None
        await self.ears.keep(found)

    async def does(self, step: str, user: str, which: int) -> None:
        """One step: something that somebody does in Slack, or that is done about it here."""
        channel = await self.kept.channel("C1")
        self.heard = channel is not None and channel.heard
        if (event := self.event(step, user, which)) is not None:
            await self.hear(event)
        match step:
            case "index":
                await self.library.ingest([self.live])
            case "confirm":
                await self.membership.confirm("C1")
            case "read":
                await Backfill(self.kept, self.slack).step("C1")
            case "off":
                await self.kept.amend("C1", lambda known: replace(known, followed=False, walks=()))
            case "on":
                await self.kept.amend("C1", self.follow)
            case "hour":
                self.town.later(minutes=61)

    def event(self, step: str, user: str, which: int) -> Mapping[str, object] | None:
        """What Slack sends of a step; None where there is nothing to do."""
        town, standing = self.town, sorted(self.town.standing())
        chosen = standing[which % len(standing)] if standing else None
        simple: dict[str, Callable[[], Mapping[str, object] | None]] = {
            "say": lambda: town.says(f"the secret word is xylophone n{len(self.old)}x", user=user),
            "join": lambda: town.joins(user),
            "leave": lambda: town.leaves(user),
            "kicked": lambda: town.leaves("UBOT"),
            "invited": lambda: town.joins("UBOT"),
            "again": lambda: self.old[which % len(self.old)] if self.old else None,
        }
        if step in simple:
            return simple[step]()
        if step == "delete" and chosen is not None and self.heard:
            self.deleted.append(town.standing()[chosen])
        if chosen is not None and step in ("edit", "delete"):
            return (
                town.deletes(chosen)
                if step == "delete"
                else town.edits(chosen, f"xylophone edited n{len(self.old)}x")
            )
        if step in ("private", "public") and town.room.private is (step == "public"):
            return town.turns(private=step == "private")
        return None

    def follow(self, known: Channel) -> Channel:
        after = replace(known, followed=True)
        return after if known.followed else self.membership.anew(after)

    async def finds(self, user: str) -> list[str]:
        reader = Reader(user.lower(), frozenset({f"slack:{user}"}))
        found = await self.library.search(Query("secret word xylophone", limit=50, by=By.WORDS), reader)
        if not found.passages:
            assert found.searched.places in ((), ("#payments",))
        return [passage.text for passage in found.passages]


async def lived(steps: list[tuple[str, str, int]]) -> None:
    town, kept = Town(private=True), MemoryOverheard()
    for user in PEOPLE[:2]:
        town.joins(user)
    with tempfile.TemporaryDirectory() as folder:
        live = SlackLive(Overhearing(kept), town.clock)
        library = await open_library(Path(folder), embedder=None, clock=town.clock, roll=[live])
        world = World(library, live, town, kept)
        await kept.amend("C1", lambda known: replace(known, followed=True))
        await world.membership.confirm("C1")
        for step, user, which in [("say", "UMAYA", 1), ("index", "", 0), *steps]:
            await world.does(step, user, which)
            for person in PEOPLE:
                passages = await world.finds(person)
                if town.room.private and person not in town.room.members:
                    assert passages == [], (step, user, person)
                assert not [text for text in world.deleted if any(text in one for one in passages)]
        await world.membership.confirm("C1")
        while await Backfill(kept, world.slack).step("C1"):
            pass
        await library.ingest([live])
        channel = await kept.channel("C1")
        heard = channel is not None and channel.heard
        for person in PEOPLE:
            may = heard and (person in town.room.members or not town.room.private)
            found = "\n".join(await world.finds(person))
            assert [text in found for text in town.standing().values()] == [may] * len(town.standing())
            assert found or not (may and town.standing())
        await library.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_nobody_outside_finds_anything_at_any_moment_and_everybody_inside_finds_all_in_the_end(
    steps: list[tuple[str, str, int]],
) -> None:
    asyncio.run(lived(steps))


def test_who_leaves_finds_nothing_any_more_from_the_same_moment_on() -> None:
    asyncio.run(lived([("leave", "UMAYA", 0), ("index", "", 0)]))


@pytest.mark.parametrize("during", ["conversations.info", "conversations.members", "pins.list"])
async def test_a_member_who_left_while_slack_was_asked_does_not_come_back_with_the_answer(
    during: str,
) -> None:
    town, kept = Town(private=True), MemoryOverheard()
    town.joins("UMAYA")
    slack = Answering(town.rooms)
    membership = Membership(kept, slack, town.clock)
    ears = Ears(kept, membership)

    async def leaves() -> None:
        found = happening(town.leaves("UMAYA"))
        assert found is not None
        await ears.keep(found)

    await kept.amend("C1", lambda known: replace(known, followed=True))
    slack.during, slack.meanwhile = during, leaves
    channel = await membership.confirm("C1")
    assert channel is not None
    assert channel.members == {"UBOT"}
    assert [method for method, _ in slack.calls].count("conversations.info") == 2
