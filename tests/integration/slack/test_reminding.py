"""Proposals that nobody decides: what is said of them reaches those who can, where their copies of the card are."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.approvals.rule import Escalation
from agent.bootstrap import utc_now
from agent.conversation.posted import Post
from agent.conversation.thread import ThreadId
from agent.people.person import Directory, Person
from evals.bench.durability.stamps import EXPIRY
from evals.bench.slack.workspace import Workspace, workspace
from tests.integration.slack.test_slack import Office, office, stamps

LATE = EXPIRY - timedelta(minutes=5)
PEOPLE = Directory(
    [
        Person("maya", "Maya", frozenset({"op", "keeper"}), identities={"slack": "UMAYA"}),
        Person("tom", "Tom", frozenset({"keeper"}), identities={"slack": "UTOM"}, language="fr"),
        Person("ada", "Ada", frozenset({"keeper"}), identities={"slack": "UADA"}),
        Person("ben", "Ben", frozenset({"op"}), identities={"slack": "UBEN"}),
    ]
)


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


async def later(here: Office, thread: str, after: timedelta = LATE, channel: str = "C1") -> None:
    """A round when so much time has gone by."""
    await here.engine.quiet()
    here.app.now = lambda: utc_now() + after
    await here.app.remind()
    await here.worker.tell(ThreadId(f"slack:{channel}:{thread}"))


def said(slack: Workspace, channel: str, words: str) -> list[str]:
    """What was said there below the card of A-1, as it is shown."""
    (card,) = [one for one in slack.messages if one["channel"] == channel and slack.is_card(one)]
    found = [one for one in slack.messages if one["channel"] == channel and words in one["text"]]
    assert {one["thread_ts"] for one in found} <= {card.get("thread_ts") or card["ts"]}
    return [one["blocks"][0]["text"]["text"] for one in found]


async def test_a_reminder_is_said_below_each_copy_of_the_card_once(slack: Workspace, tmp_path: Path) -> None:
    here = await office(tmp_path, slack, people=PEOPLE, approvals_channel="C9", approvers_direct=True)
    thread = await slack.say("<@UBOT> stamp one")
    await slack.shows("card:A-1", channel="DUADA")
    for _ in range(2):
        await later(here, thread)
    assert said(slack, "C1", "still waits") == [
        "A-1 still waits, for 5 more minutes: Stamp one. It needs a yes from: keeper."
    ]
    assert said(slack, "C9", "still waits") == said(slack, "C1", "still waits")  # all are told directly
    (to_ada,) = said(slack, "DUADA", "still waits")
    (to_tom,) = said(slack, "DUTOM", "attend toujours")
    assert (to_ada[:8], to_tom[:8]) == ("<@UADA> ", "<@UTOM> ")
    await here.stop()


async def test_nobody_is_reminded_who_decided_already_or_may_not(slack: Workspace, tmp_path: Path) -> None:
    here = await office(
        tmp_path,
        slack,
        people=PEOPLE,
        policy=stamps(quorum=2, expires_after=EXPIRY),
        approvals_channel="C9",
        approvers_direct=True,
    )
    thread = await slack.say("<@UBOT> stamp one")
    card = await slack.shows("card:A-1", channel="DUTOM")
    await here.engine.quiet()  # all copies are there
    await slack.click("sayso_approve", slack.buttons(card)["sayso_approve"], user="UTOM", channel="DUTOM")
    await slack.shows("1 of 2", channel="DUADA")
    await later(here, thread)
    assert len(said(slack, "DUADA", "A-1 still waits")) == 1
    assert said(slack, "DUTOM", "A-1 attend") == []
    assert {one["channel"] for one in slack.messages} == {"C1", "C9", "DUADA", "DUTOM"}  # not she who asked
    await here.stop()


async def test_in_the_approvals_channel_those_are_named_who_get_no_card_of_their_own(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(
        tmp_path, slack, people=PEOPLE, policy=stamps(quorum=2, expires_after=EXPIRY), approvals_channel="C9"
    )
    thread = await slack.say("<@UBOT> stamp one")
    card = await slack.shows("card:A-1", channel="C9")
    await here.engine.quiet()
    await slack.click("sayso_approve", slack.buttons(card)["sayso_approve"], user="UTOM", channel="C9")
    await slack.shows("1 of 2", channel="C9")
    await later(here, thread)
    (shown,) = said(slack, "C9", "A-1 still waits")
    assert shown.startswith("<@UADA> A-1 still waits")
    await here.stop()


async def test_where_more_could_decide_than_can_be_named_none_is(slack: Workspace, tmp_path: Path) -> None:
    keepers = [
        Person(f"k{n}", f"K{n}", frozenset({"keeper"}), identities={"slack": f"UK{n}"}) for n in range(11)
    ]
    people = Directory([*PEOPLE.everybody(), *keepers])
    here = await office(tmp_path, slack, people=people, approvals_channel="C9")
    thread = await slack.say("<@UBOT> stamp one")
    await slack.shows("card:A-1", channel="C9")
    await later(here, thread)
    (shown,) = said(slack, "C9", "A-1 still waits")
    assert "<@" not in shown
    await here.stop()


async def test_that_others_are_asked_is_said_below_the_copies_and_not_to_those_who_got_the_card_for_it(
    slack: Workspace, tmp_path: Path
) -> None:
    policy = stamps(
        expires_after=EXPIRY, escalation=Escalation(frozenset({"person:ben"}), timedelta(minutes=10))
    )
    here = await office(
        tmp_path, slack, people=PEOPLE, policy=policy, approvals_channel="C9", approvers_direct=True
    )
    thread = await slack.say("<@UBOT> stamp one")
    await slack.shows("card:A-1", channel="DUADA")
    for _ in range(2):
        await later(here, thread, timedelta(minutes=11))
    for channel in ("C1", "C9", "DUADA"):
        (shown,) = said(slack, channel, "Nobody has decided on A-1 yet")
        assert shown.endswith("I asked these as well: Ben.")
    assert len(slack.texts("DUBEN")) == 1
    await later(here, thread)
    assert len(said(slack, "DUBEN", "A-1 still waits")) == 1  # who was asked is waited for, too
    await here.stop()


async def test_a_reminder_of_a_worker_that_died_is_found_and_not_said_again(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(tmp_path, slack, people=PEOPLE, approvals_channel="C9", approvers_direct=True)
    thread = await slack.say("<@UBOT> stamp one")
    await slack.shows("card:A-1", channel="DUADA")
    await later(here, thread)
    before = len(slack.messages)
    for place in ("C9", "DUADA"):  # it died before it noted that it had posted them
        await here.app.store.note_post(Post("slack", "A-1/reminder", place))
    action = await here.app.actions.find("A-1")
    assert action is not None
    await here.surface.voice.shown(action)
    assert len(slack.messages) == before
    assert all(post.name for post in await here.app.store.posted("slack", "A-1/reminder"))
    await here.stop()


async def test_a_quiet_channel_is_not_reminded_and_neither_is_anybody_of_what_was_asked_there(
    slack: Workspace, tmp_path: Path
) -> None:
    quiet = {"C9": {"quiet": True}}
    here = await office(
        tmp_path, slack, people=PEOPLE, approvals_channel="C9", approvers_direct=True, channels=quiet
    )
    thread = await slack.say("<@UBOT> stamp one")
    await slack.shows("card:A-1", channel="DUADA")
    await later(here, thread)
    assert [len(said(slack, one, "A-1 still waits")) for one in ("C1", "C9", "DUADA")] == [1, 0, 1]
    there = await slack.say("<@UBOT> stamp two", channel="C9")
    await slack.shows("card:A-2", channel="DUADA")
    await later(here, there, channel="C9")
    assert not any("A-2 still waits" in one["text"] for one in slack.messages)
    await here.stop()
