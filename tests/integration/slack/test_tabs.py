"""Home tabs that are open follow what becomes of actions, whichever process tells that, and hold nothing up."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.approvals.action import State
from agent.bootstrap import utc_now
from agent.conversation.thread import ThreadId
from agent.jobs.desk import Desk
from agent.jobs.fairness import Gate
from agent.jobs.worker import Worker
from agent.settings import Settings, SlackSettings
from agent.surfaces.slack.surface import SlackSurface
from evals.bench.durability.stamps import opened
from evals.bench.slack.workspace import SECRET, Workspace, workspace
from tests.fakes.engine import InlineEngine
from tests.integration.slack.test_slack import PEOPLE, Office, by_header, office


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


class Pauses:
    """Stands for sleeping: a pause lasts until it is let go by, and each is counted."""

    def __init__(self, *, open_: bool) -> None:
        self.begun = 0
        self._open = asyncio.Event()
        if open_:
            self._open.set()

    async def __call__(self, _seconds: float) -> None:
        self.begun += 1
        await self._open.wait()

    def let_go(self) -> None:
        self._open.set()


@pytest.fixture
async def here(slack: Workspace, tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path, slack)
    made.surface._tabs._sleep = Pauses(open_=True)
    yield made
    await made.stop()


async def opens(slack: Workspace, *users: str) -> None:
    """These people open their home tabs, and see them."""
    for user in users:
        slack.homes.pop(user, None)
        await slack.event({"type": "app_home_opened", "user": user, "tab": "home"})
        while user not in slack.homes:
            await asyncio.sleep(0.01)


async def shows(slack: Workspace, user: str, header: str, words: str, *, shown: bool = True) -> None:
    """Waits until these words stand below this header of somebody's tab, or stand there no more."""
    while (words in by_header(slack.homes[user])[header]) is not shown:
        await asyncio.sleep(0.01)


async def all_drawn(here: Office) -> None:
    """Waits until nothing is left to be drawn."""
    await here.engine.quiet()
    drawing = here.surface._tabs._drawing
    assert drawing is not None
    await drawing


async def approves(slack: Workspace, here: Office, id_: str = "A-1") -> None:
    await slack.click("sayso_approve", (await here.card(id_))["sayso_approve"], user="UTOM")
    await here.reaches(State.SUCCEEDED, id_)


async def test_an_open_tab_shows_what_was_proposed_and_what_became_of_it(
    slack: Workspace, here: Office
) -> None:
    await opens(slack, "UTOM", "UMAYA")
    await slack.say("<@UBOT> stamp one")
    await shows(slack, "UTOM", "Waiting for you", "A-1")
    await shows(slack, "UTOM", "Waiting for you", "/archives/C1/p")
    await shows(slack, "UMAYA", "My requests", "waiting for approval")
    await approves(slack, here)
    await shows(slack, "UTOM", "Waiting for you", "A-1", shown=False)
    await shows(slack, "UMAYA", "My requests", "· done")


async def test_what_changes_at_once_is_drawn_once_and_for_nobody_who_looks_at_nothing(
    slack: Workspace, here: Office
) -> None:
    pauses = here.surface._tabs._sleep = Pauses(open_=False)
    await opens(slack, "UTOM")
    drawn = slack.calls.count("views.publish")
    for text in ("one", "two"):
        await slack.say(f"<@UBOT> stamp {text}")
    for id_ in ("A-1", "A-2"):
        await approves(slack, here, id_)
    await here.engine.quiet()
    assert slack.calls.count("views.publish") == drawn  # cards and outcomes did not wait for it
    assert pauses.begun == 1
    pauses.let_go()
    await shows(slack, "UTOM", "Recent changes", "A-2")
    assert "A-1" in by_header(slack.homes["UTOM"])["Recent changes"]
    assert slack.calls.count("views.publish") == drawn + 1
    assert list(slack.homes) == ["UTOM"]


async def test_a_tab_that_was_opened_long_ago_is_left_alone(slack: Workspace, here: Office) -> None:
    await opens(slack, "UTOM")
    here.surface._tabs._clock = lambda: utc_now() + timedelta(minutes=61)
    await opens(slack, "UMAYA")
    await slack.say("<@UBOT> stamp one")
    await shows(slack, "UMAYA", "My requests", "A-1")
    await all_drawn(here)
    assert "A-1" not in json.dumps(slack.homes["UTOM"])


async def test_a_tab_that_slack_does_not_take_is_dropped_and_holds_up_nothing(
    slack: Workspace, here: Office
) -> None:
    await opens(slack, "UTOM")
    slack.home_failures = ["internal_error"]
    await slack.say("<@UBOT> stamp one")
    await here.card()
    while slack.home_failures:
        await asyncio.sleep(0.01)
    await approves(slack, here)
    await shows(slack, "UTOM", "Recent changes", "A-1")


async def test_who_is_deactivated_is_shown_nothing_any_more(slack: Workspace, here: Office) -> None:
    await opens(slack, "UTOM", "UMAYA")
    await slack.event({"type": "user_change", "user": {**slack.user("UTOM"), "deleted": True}})
    await slack.say("<@UBOT> stamp one")
    await shows(slack, "UMAYA", "My requests", "A-1")
    await all_drawn(here)
    assert "A-1" not in json.dumps(slack.homes["UTOM"])


async def test_who_opened_a_tab_in_the_process_that_hears_is_shown_what_another_one_tells(
    slack: Workspace, tmp_path: Path
) -> None:
    """One process hears and does nothing else; the other one works and hears nobody."""
    hears = await office(tmp_path, slack)
    hears.surface._reception.opened(Desk(hears.app, _only_hears(hears)))
    settings = SlackSettings.model_validate(
        {"bot_token": "xoxb-1", "signing_secret": SECRET, "mode": "http", "api": slack.api}
    )
    app = await opened(tmp_path, tmp_path / "sayso.db", people=PEOPLE, settings=Settings(slack=settings))
    surface = SlackSurface(app, settings, utc_now)
    surface._tabs._sleep = Pauses(open_=True)
    works = Worker(app, app.fleet, {"slack": surface.voice}, Gate(8, 4), utc_now)
    engine = InlineEngine(works.jobs)
    works.works_with(engine)
    await surface.open()
    await opens(slack, "UTOM")
    ts = await slack.say("<@UBOT> stamp one")
    (turn,) = await app.store.unfinished()
    await works.submit_turn(turn.turn, ThreadId(f"slack:C1:{ts}"))
    await shows(slack, "UTOM", "Waiting for you", "A-1")
    await engine.quiet()
    await surface.stop()
    await app.close()
    await hears.stop()


def _only_hears(here: Office) -> Worker:
    """A worker that hands on what it gets, and does nothing."""
    made = Worker(here.app, here.app.fleet, {"slack": here.surface.voice}, Gate(8, 4), utc_now, works=False)
    made.works_with(InlineEngine({}, held=True))
    return made
