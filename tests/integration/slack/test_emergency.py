"""An emergency in Slack: somebody runs it at once by a button and says why, and somebody else signs for it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.approvals.action import State
from agent.approvals.rule import BreakGlass
from agent.audit.event import FactKind
from agent.people.person import Directory
from agent.surfaces.slack.forms import GLASS_FORM
from evals.bench.slack.workspace import Workspace, workspace
from tests.integration.slack.test_slack import PEOPLE, Office, office, stamps

POLICY = stamps(break_glass=BreakGlass(frozenset({"op"}), timedelta(hours=4)))


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


@pytest.fixture
async def here(slack: Workspace, tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path, slack, policy=POLICY)
    yield made
    await made.stop()


async def broken(here: Office) -> None:
    """Maya runs what she asked for without approval."""
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_glass", (await here.card())["sayso_glass"], user="UMAYA")
    view = await here.slack.opened()
    assert view["callback_id"] == GLASS_FORM
    assert await here.slack.submit(view, {"reason": "the cellar fills with water"}, user="UMAYA") == ""
    await here.reaches(State.SUCCEEDED)
    await here.engine.quiet()


async def test_it_is_run_by_a_button_with_a_reason_and_signed_for_by_another(here: Office) -> None:
    await broken(here)
    card = await here.slack.shows("the cellar fills with water")
    assert set(here.slack.buttons(card)) == {"sayso_sign"}
    value = here.slack.buttons(card)["sayso_sign"]
    await here.slack.click("sayso_sign", value, user="UMAYA")
    await here.slack.whispered("somebody else has to sign")
    await here.slack.click("sayso_sign", value, user="UTOM")
    await here.engine.quiet()
    action = await here.app.actions.find("A-1")
    assert action is not None
    assert action.glass is not None
    assert (action.glass.person, action.owed) == ("maya", False)
    signed = await here.slack.shows("*signature*  Tom")
    assert here.slack.buttons(signed) == {}
    assert len((here.app.home.folder / "witness").read_text().splitlines()) == 1


async def test_without_a_reason_nothing_is_run(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_glass", (await here.card())["sayso_glass"], user="UMAYA")
    view = await here.slack.opened()
    errors = json.loads(await here.slack.submit(view, {"reason": " "}, user="UMAYA"))
    assert set(errors["errors"]) == {"reason"}
    await here.reaches(State.AWAITING_APPROVAL)


async def test_another_action_than_the_one_that_was_seen_is_not_run(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_glass", (await here.card())["sayso_glass"], user="UMAYA")
    view = await here.slack.opened()
    seen = view["private_metadata"].split(" ")
    other = {**view, "private_metadata": " ".join([seen[0], "0" * 64, *seen[2:]])}
    errors = json.loads(await here.slack.submit(other, {"reason": "now"}, user="UMAYA"))
    assert "is not what you looked at" in errors["errors"]["reason"]
    await here.reaches(State.AWAITING_APPROVAL)


async def test_who_may_not_is_told_so_and_it_is_recorded(slack: Workspace, tmp_path: Path) -> None:
    only_sre = stamps(break_glass=BreakGlass(frozenset({"sre"}), timedelta(hours=4)))
    here = await office(tmp_path, slack, policy=only_sre)
    await slack.say("<@UBOT> stamp one")
    await slack.click("sayso_glass", (await here.card())["sayso_glass"], user="UMAYA")
    said = await slack.whispered("you may not run it without approval")
    assert "sre" in said["text"]
    assert slack.views == []
    refused = [
        event.fact.actor
        async for event in here.app.store.events("A-1")
        if event.fact.kind is FactKind.DECISION_REFUSED
    ]
    assert refused == ["maya"]
    await here.stop()


async def test_there_is_no_such_button_where_the_policy_has_no_emergency(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(tmp_path, slack)
    await slack.say("<@UBOT> stamp one")
    assert "sayso_glass" not in await here.card()
    await here.stop()


@pytest.mark.parametrize(
    ("language", "at_once", "due"),
    [
        ("en", "op may run it at once; somebody else signs", "a second one is due until"),
        (
            "fr",
            "op peuvent l'exécuter tout de suite ; une autre personne signe",
            "une seconde est due jusqu'au",
        ),
    ],
)
async def test_no_card_in_slack_asks_for_a_command_of_the_terminal(
    slack: Workspace, tmp_path: Path, language: str, at_once: str, due: str
) -> None:
    people = Directory([replace(one, language=language) for one in PEOPLE.everybody()])
    here = await office(tmp_path, slack, policy=POLICY, people=people)
    await slack.say("<@UBOT> stamp one")
    open_ = json.dumps(await slack.shows("card:A-1"), ensure_ascii=False)
    assert at_once in open_
    await slack.click("sayso_details", (await here.card())["sayso_details"], user="UTOM")
    details = json.dumps(await slack.opened(), ensure_ascii=False)
    slack.views.clear()
    await slack.click("sayso_glass", (await here.card())["sayso_glass"], user="UMAYA")
    await slack.submit(await slack.opened(), {"reason": "now"}, user="UMAYA")
    await here.reaches(State.SUCCEEDED)
    await here.engine.quiet()
    over = json.dumps(await slack.shows("sign:A-1"), ensure_ascii=False)
    assert due in over
    assert "sayso actions" not in open_ + details + over
    await here.stop()
