"""Reading along, end to end: asked for by who may, told in the channel, kept before it is acknowledged, read back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.audit.event import FactKind
from agent.conversation.overheard import Channel, Standing, Walk
from agent.overhearing import Overhearing
from evals.bench.slack.workspace import BOT, Workspace, workspace
from knowledge.library import open_library
from knowledge.port import Query, Reader
from knowledge.sources.slack_live import SlackLive
from tests.integration.slack.test_slack import Office, office

LISTENING: dict[str, object] = {"roles": ["keeper"], "history": None}


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        made.rooms["C1"].members += ["UMAYA", "UTOM"]
        yield made


@pytest.fixture(params=["http", "socket"])
async def here(request: pytest.FixtureRequest, slack: Workspace, tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path, slack, mode=request.param, listening=LISTENING)
    yield made
    await made.stop()


@pytest.fixture
async def over_http(slack: Workspace, tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path, slack, listening=LISTENING)
    yield made
    await made.stop()


async def channel(here: Office) -> Channel:
    found = await here.app.store.overheard.channel("C1")
    assert found is not None
    return found


async def texts(here: Office) -> list[str]:
    kept = await here.app.store.overheard.remarks("C1")
    return [one.body for one in kept if one.standing is Standing.STANDS]


async def settled(here: Office) -> Channel:
    """Waits until Slack confirmed the channel and all of it was read back."""
    while (found := await channel(here)).doubted or found.walks:
        await asyncio.sleep(0.02)
    return found


async def test_a_channel_is_read_along_and_back_from_when_somebody_who_may_asks_for_it(here: Office) -> None:
    await here.slack.say("said before", kind="message")
    assert "From now on I read along" in await here.slack.command("index on", user="UTOM")
    await here.slack.shows("From now on I read along here, as Tom asked for")
    found = await settled(here)
    assert (found.name, found.private, found.by) == ("payments", False, "tom")
    ts = await here.slack.say("said after", kind="message")
    assert [text for text in await texts(here) if "said after" in text]  # once it is acknowledged it is kept
    assert [text for text in await texts(here) if "said before" in text]
    await here.slack.change(ts, "said after", None)
    assert not [text for text in await texts(here) if "said after" in text]
    facts = [event.fact async for event in here.app.store.events("slack:C1")]
    assert [(fact.kind, fact.actor) for fact in facts] == [(FactKind.FOLLOWED, "tom")]


async def test_it_is_ended_as_it_was_begun_and_what_was_read_is_forgotten(over_http: Office) -> None:
    here = over_http
    await here.slack.say("said before", kind="message")
    await here.slack.command("index on", user="UTOM")
    await settled(here)
    assert "no more" in await here.slack.command("  INDEX   off ", user="UTOM")
    await here.slack.shows("I do not read along here any more, as Tom asked for")
    await here.slack.say("said after", kind="message")
    assert await here.app.store.overheard.remarks("C1") == []
    assert "I do not read along here." in await here.slack.command("index off", user="UTOM")


async def test_who_may_not_gets_told_which_role_it_takes_and_nothing_changes(over_http: Office) -> None:
    assert "role keeper" in await over_http.slack.command("index on", user="UMAYA")
    assert await over_http.slack.command("index on", user="UNOBODY") == ""
    assert await over_http.app.store.overheard.channels() == []


async def test_nothing_is_followed_where_sayso_is_not_and_nowhere_but_in_channels(over_http: Office) -> None:
    here = over_http
    here.slack.rooms["C1"].members.remove(BOT)
    assert "/invite" in await here.slack.command("index on", user="UTOM")
    assert here.slack.rooms["D1"].members == [BOT]
    assert "only read along in channels" in await here.slack.command("index on", user="UTOM", channel="D1")
    assert await here.app.store.overheard.channels() == []


async def test_what_sayso_does_in_a_channel_is_shown_to_whoever_asks(over_http: Office) -> None:
    here = over_http
    shown = await here.slack.command("settings")
    assert "I answer when I am mentioned." in shown
    assert "`/sayso index on` changes that" in shown
    await here.slack.command("index on", user="UTOM")
    await settled(here)
    await here.slack.say("one", kind="message")
    assert "as Tom asked for: 1 messages so far." in await here.slack.command("settings")
    assert await here.app.store.unfinished() == []  # none of it was taken for a question


async def test_who_leaves_a_private_channel_finds_nothing_of_it_once_slack_has_said_so(
    over_http: Office, tmp_path: Path
) -> None:
    here = over_http
    here.slack.rooms["C1"].private = True
    await here.slack.command("index on", user="UTOM")
    await settled(here)
    await here.slack.say("the secret word is xylophone", kind="message")
    live = SlackLive(Overhearing(here.app.store.overheard), here.app.now)
    library = await open_library(tmp_path / "k", embedder=None, clock=here.app.now, roll=[live])
    await library.ingest([live])

    async def finds(user: str) -> int:
        reader = Reader(user, frozenset({f"slack:{user}"}))
        return len((await library.search(Query("secret word xylophone"), reader)).passages)

    assert [await finds(user) for user in ("UMAYA", "UTOM", "URAJ")] == [1, 1, 0]
    here.slack.rooms["C1"].members.remove("UMAYA")
    await here.slack.event({"type": "member_left_channel", "channel": "C1", "user": "UMAYA"})
    assert [await finds(user) for user in ("UMAYA", "UTOM")] == [0, 1]
    await here.slack.event({"type": "user_change", "user": {**here.slack.user("UTOM"), "deleted": True}})
    assert await finds("UTOM") == 0
    await library.close()


async def test_of_people_in_the_settings_it_is_asked_at_the_start_whether_they_are_guests(
    slack: Workspace, tmp_path: Path
) -> None:
    slack.users["UMAYA"] = {"is_restricted": True}
    here = await office(tmp_path, slack, listening=LISTENING)
    while len(await here.app.store.overheard.accounts()) < 2:
        await asyncio.sleep(0.02)
    assert await Overhearing(here.app.store.overheard).outsiders() == {"UMAYA"}
    await slack.event({"type": "user_change", "user": {**slack.user("UTOM"), "is_ultra_restricted": True}})
    assert await Overhearing(here.app.store.overheard).outsiders() == {"UMAYA", "UTOM"}
    await here.stop()


async def test_a_message_has_the_name_of_who_wrote_it(over_http: Office) -> None:
    here = over_http
    here.slack.users["URAJ"] = {"real_name": "Raj Iyer"}
    await here.slack.command("index on", user="UTOM")
    await settled(here)
    await here.slack.say("the pool is dry", user="URAJ", kind="message")
    while await here.app.store.overheard.account("URAJ") is None:
        await asyncio.sleep(0.02)
    live = SlackLive(Overhearing(here.app.store.overheard), here.app.now)
    (unit,) = await live.units()
    (document,) = [found async for found in live.read(unit)]
    assert getattr(document, "text", "") == "Raj Iyer: the pool is dry\n"


async def test_after_a_restart_rights_are_doubted_until_slack_is_asked_and_what_was_missed_is_read(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(tmp_path, slack, listening=LISTENING)
    await slack.command("index on", user="UTOM")
    await settled(here)
    await here.stop()
    missed = f"{here.app.now().timestamp() - 60:.6f}"
    slack.rooms["C1"].messages[missed] = {"user": "UMAYA", "ts": missed, "text": "said to nobody"}
    slack.rooms["C1"].members.remove("UMAYA")
    again = await office(tmp_path, slack, listening=LISTENING)
    await settled(again)
    assert [text for text in await texts(again) if "said to nobody" in text]
    told = [one for one in slack.texts() if "From now on I read along" in one]
    assert len(told) == 1
    await again.stop()


async def test_after_a_connection_was_lost_what_was_missed_is_read_and_rights_are_asked_for(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(tmp_path, slack, mode="socket", listening=LISTENING)
    slack.rooms["C1"].private = True
    await slack.command("index on", user="UTOM")
    await settled(here)
    missed = f"{here.app.now().timestamp():.6f}"
    slack.rooms["C1"].messages[missed] = {"user": "UMAYA", "ts": missed, "text": "said to nobody"}
    slack.rooms["C1"].members.remove("UMAYA")
    await slack.sockets[0].close()
    while not [text for text in await texts(here) if "said to nobody" in text]:
        await asyncio.sleep(0.02)
    while "UMAYA" in (await channel(here)).members:
        await asyncio.sleep(0.02)
    await here.stop()


async def test_reading_back_goes_on_after_a_restart_where_it_was(slack: Workspace, tmp_path: Path) -> None:
    here = await office(tmp_path, slack, listening=LISTENING)
    await here.stop()
    for number in range(450):
        ts = f"{here.app.now().timestamp() - 1000 + number:.6f}"
        slack.rooms["C1"].messages[ts] = {"user": "UMAYA", "ts": ts, "text": f"message {number}"}
    here = await office(tmp_path, slack, listening=LISTENING)
    await slack.command("index on", user="UTOM")
    while await here.app.store.overheard.count("C1") < 200:
        await asyncio.sleep(0.02)
    await here.stop()
    again = await office(tmp_path, slack, listening=LISTENING)
    await settled(again)
    assert await again.app.store.overheard.count("C1") == 450
    assert len(await texts(again)) == 450
    await again.stop()


async def test_a_channel_that_a_dead_process_read_back_is_taken_up_and_that_of_a_living_one_is_not(
    over_http: Office,
) -> None:
    here = over_http
    kept, fleet = here.app.store.overheard, here.app.fleet
    await here.slack.command("index on", user="UTOM")
    await settled(here)
    await kept.amend("C1", lambda known: replace(known, walks=(Walk("1"),), reader="elsewhere/1@1.00"))
    await settled(here)  # nobody of that name ever beat
    assert (await channel(here)).reader == fleet.me
    await here.app.store.beat("elsewhere/2@1.00", "all")
    await kept.amend("C1", lambda known: replace(known, walks=(Walk("2"),), reader="elsewhere/2@1.00"))
    assert not await here.surface._listening._takes(await channel(here))


async def test_in_a_channel_no_more_can_be_used_than_its_settings_name(
    slack: Workspace, tmp_path: Path
) -> None:
    channels = {"C1": {"tools": []}, "C2": {"tools": ["stamp"]}}
    here = await office(tmp_path, slack, channels=channels)
    await slack.say("<@UBOT> stamp one")
    await slack.say("<@UBOT> stamp two", channel="C2")
    await slack.say("stamp three", channel="D1", kind="message")
    for channel in ("C1", "C2", "D1"):
        await slack.shows("It is proposed.", channel)
    await here.engine.quiet()
    assert {action.plan.title for action in await here.app.store.actions()} == {"Stamp two", "Stamp three"}
    assert "What can be used here: –" in await slack.command("settings")
    await here.stop()


async def test_a_quiet_channel_gets_answers_and_cards_and_nothing_else(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(tmp_path, slack, channels={"C1": {"quiet": True}})
    await slack.say("<@UBOT> stamp one")
    await slack.shows("It is proposed.")
    await here.card()
    await here.engine.quiet()
    assert "reactions.add" not in slack.calls
    assert slack.statuses == []
    assert "I am quiet here" in await slack.command("settings")
    await here.stop()
