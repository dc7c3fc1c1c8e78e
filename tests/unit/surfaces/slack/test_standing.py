"""What Slack says of somebody decides whether they are heard, and what it says last counts."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store.memory_overheard import MemoryOverheard
from agent.surfaces.slack.reading import Reading, SlackRefuses, SlackSilent
from agent.surfaces.slack.standing import HELD, NotAdmitted, Standing, Standings, StandingUnknown, standing

MEMBER: Mapping[str, object] = {"id": "U1", "team_id": "T1"}


class Asked(Reading):
    """Answers `users.info` with what it is told to, or raises it."""

    def __init__(self) -> None:
        self.answer: Mapping[str, object] | Exception = MEMBER
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(
        self, method: str, parameters: Mapping[str, str], *, hurry: bool = False
    ) -> Mapping[str, object]:
        assert (method, parameters) == ("users.info", {"user": "U1"})
        self.calls += 1
        answer = self.answer  # as it is when the question comes in
        await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return {"user": answer}


class World:
    """A clock, a Slack, and what asks it."""

    def __init__(self, *admit: str) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.slack, self.kept = Asked(), MemoryOverheard()
        self.standings = Standings(self.kept, self.slack, lambda: self.now, admit)
        self.standings.team = "T1"

    def later(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, Standing.MEMBER),
        ({"is_restricted": True}, Standing.GUEST),
        ({"is_ultra_restricted": True}, Standing.GUEST),
        ({"is_bot": True}, Standing.BOT),
        ({"is_workflow_bot": True}, Standing.BOT),
        ({"id": "USLACKBOT"}, Standing.BOT),
        ({"is_stranger": True}, Standing.STRANGER),
        ({"team_id": "T2"}, Standing.STRANGER),
        ({"team_id": None}, Standing.STRANGER),
        ({"deleted": True, "is_bot": True, "is_stranger": True}, Standing.DEACTIVATED),
        ({"is_restricted": True, "team_id": "T2"}, Standing.STRANGER),
    ],
)
def test_what_somebody_is_follows_from_what_slack_says(said: Mapping[str, object], found: Standing) -> None:
    assert standing({**MEMBER, **said}, team="T1") is found


FLAGS = ("deleted", "is_bot", "is_workflow_bot", "is_stranger", "is_restricted", "is_ultra_restricted")


@given(st.dictionaries(st.sampled_from((*FLAGS, "id", "team_id")), st.booleans() | st.none() | st.text()))
def test_nobody_is_a_member_of_whom_anything_else_is_said(said: Mapping[str, object]) -> None:
    if standing(said, team="T1") is Standing.MEMBER:
        assert said.get("team_id") == "T1"
        assert not any(said.get(flag) is True for flag in FLAGS)


async def test_a_member_is_let_in_and_asked_about_once() -> None:
    world = World()
    for _ in range(3):
        await world.standings.admit("U1", "T1")
    assert world.slack.calls == 1
    world.later(11)
    await world.standings.admit("U1", "T1")
    assert world.slack.calls == 2


async def test_many_messages_at_once_are_one_question() -> None:
    world = World()
    await asyncio.gather(*(world.standings.admit("U1", "T1") for _ in range(20)))
    assert world.slack.calls == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [({"is_restricted": True}, "guest"), ({"is_bot": True}, "bot"), ({"team_id": "T2"}, "stranger")],
)
async def test_others_are_let_in_where_settings_say_so_and_nowhere_else(
    said: Mapping[str, object], kind: str
) -> None:
    for admit in ((), ("guest", "bot", "stranger")):
        world = World(*admit)
        world.slack.answer = {**MEMBER, **said}
        if admit:
            await world.standings.admit("U1", str(said.get("team_id", "T1")))
        else:
            with pytest.raises(NotAdmitted, match=kind):
                await world.standings.admit("U1", "T1")


async def test_no_setting_lets_a_deactivated_account_in() -> None:
    world = World("guest", "bot", "stranger")
    world.slack.answer = {**MEMBER, "deleted": True}
    with pytest.raises(NotAdmitted):
        await world.standings.admit("U1", "T1")


async def test_somebody_of_another_workspace_is_refused_without_a_question() -> None:
    world = World()
    with pytest.raises(NotAdmitted):
        await world.standings.admit("U1", "T2")
    assert world.slack.calls == 0


async def test_somebody_whom_slack_does_not_know_is_a_stranger() -> None:
    world = World()
    world.slack.answer = SlackRefuses("users.info", "user_not_found")
    with pytest.raises(NotAdmitted):
        await world.standings.admit("U1", "")


async def test_a_change_counts_at_once_and_a_moment_later_in_every_other_process() -> None:
    world = World()
    await world.standings.admit("U1", "T1")
    other = Standings(world.kept, world.slack, lambda: world.now)
    other.team = "T1"
    await other.changed({**MEMBER, "deleted": True})
    with pytest.raises(NotAdmitted):
        await other.admit("U1", "T1")
    world.now += HELD + timedelta(milliseconds=1)
    with pytest.raises(NotAdmitted):
        await world.standings.admit("U1", "T1")
    assert world.slack.calls == 1


async def test_an_answer_that_was_asked_for_before_a_change_does_not_undo_it() -> None:
    world = World()
    world.slack.gate.clear()
    asking = asyncio.create_task(world.standings.of("U1"))
    while not world.slack.calls:
        await asyncio.sleep(0)
    world.later(1)
    await world.standings.changed({**MEMBER, "deleted": True})
    world.slack.gate.set()
    await asking
    assert await world.standings.of("U1") is Standing.DEACTIVATED
    world.later(2)
    assert await world.standings.of("U1") is Standing.DEACTIVATED


async def test_while_slack_is_silent_what_it_said_last_holds_for_an_hour() -> None:
    world = World()
    await world.standings.admit("U1", "T1")
    world.slack.answer = SlackSilent("no answer")
    world.later(30)
    await world.standings.admit("U1", "T1")
    assert world.standings.trouble is not None
    world.later(31)
    with pytest.raises(StandingUnknown, match="no answer"):
        await world.standings.admit("U1", "T1")


async def test_nobody_is_let_in_whom_slack_never_spoke_of() -> None:
    world = World("guest", "bot", "stranger")
    world.slack.answer = SlackRefuses("users.info", "missing_scope")
    with pytest.raises(StandingUnknown, match="missing_scope"):
        await world.standings.admit("U1", "T1")


async def test_of_a_profile_nothing_is_kept_but_names() -> None:
    world = World()
    world.slack.answer = {**MEMBER, "profile": {"real_name": "Maya", "phone": "555", "email": "m@x.example"}}
    await world.standings.admit("U1", "T1")
    account = await world.kept.account("U1")
    assert account is not None
    assert "Maya" in account.body
    assert "555" not in account.body
    assert "m@x.example" not in account.body
