"""What people meet in Slack beside cards: forms and marks under answers, places where sayso is not, files, tabs."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.approvals.action import State
from agent.audit.event import FactKind
from agent.bootstrap import utc_now
from agent.conversation.posted import Post
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.people.person import Directory, Person
from agent.store.port import StoreBusy, StoreError
from evals.bench.slack import bot
from evals.bench.slack.workspace import Workspace, workspace
from tests.integration.slack.test_slack import Office, office, stamps
from tools.contract import Json
from tools.registry import Registry


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        yield made


@pytest.fixture(params=["http", "socket"])
async def here(request: pytest.FixtureRequest, slack: Workspace, tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path, slack, mode=request.param)
    yield made
    await made.stop()


@pytest.fixture
async def over_http(slack: Workspace, tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path, slack)
    yield made
    await made.stop()


async def told(here: Office, answer: str, *, evidence: int = 0) -> TurnId:
    """An answer to maya in C1 that rests on so many pieces of evidence."""
    said = Said("slack:C1:7.7", ThreadId("slack:C1:7.7"), "maya", "stamp two", utc_now())
    turn = await here.app.store.hear(said)
    assert turn is not None
    found: list[Json] = [
        {"number": n, "source": "logs", "title": f"line {n}", "text": f"text {n}", "link": ""}
        for n in range(1, evidence + 1)
    ]
    await here.app.store.finish(
        turn, answer, {"finished_at": utc_now().isoformat(), "evidence": found, "actions": []}
    )
    await here.worker.tell(said.thread)
    return turn


async def rated(here: Office) -> list[tuple[str, object]]:
    return [
        (event.fact.actor, {name: said for name, said in event.fact.data.items() if name != "through"})
        async for event in here.app.store.events()
        if event.fact.kind is FactKind.RATED
    ]


# --- places ----------------------------------------------------------------------------------------------------------


async def test_asked_where_it_cannot_write_it_answers_in_a_direct_message_with_card_and_outcome(
    here: Office,
) -> None:
    here.slack.outside = {"C7"}
    await here.slack.command("stamp one", channel="C7")
    root = await here.slack.shows("where I cannot write", channel="DUMAYA")
    answer = await here.slack.shows("It is proposed.", channel="DUMAYA")
    card = await here.slack.shows("card:A-1", channel="DUMAYA")
    assert answer["thread_ts"] == card["thread_ts"] == root["ts"]
    await here.slack.click(
        "sayso_approve", here.slack.buttons(card)["sayso_approve"], user="UTOM", channel="DUMAYA"
    )
    outcome = await here.slack.shows("A-1 is done", channel="DUMAYA")
    assert outcome["thread_ts"] == root["ts"]


async def test_a_command_is_answered_at_once_and_then_in_full(here: Office) -> None:
    assert await here.slack.command("stamp one") == "I am looking into it."
    await here.slack.shows("It is proposed.")


async def test_a_message_of_somebody_else_is_asked_about_as_a_quotation(here: Office) -> None:
    message = {"ts": "5.5", "user": "UTOM", "text": "stamp one"}
    await here.slack.shortcut(message)
    assert (await here.slack.whispered("I am looking into it."))["user"] == "UMAYA"
    answer = await here.slack.shows("Well.")
    assert answer["thread_ts"] == "5.5"
    turn = await here.app.store.turn(TurnId("T-1"))
    assert turn is not None
    assert (turn.speaker, turn.question) == ("maya", "> stamp one")


async def test_of_an_alert_that_is_asked_about_its_attachments_are_read(here: Office) -> None:
    alert = {
        "ts": "5.5",
        "bot_id": "B9",
        "text": "",
        "attachments": [{"title": "HighErrorRate", "text": "73%"}],
    }
    await here.slack.shortcut(alert)
    await here.slack.shows("Well.")
    turn = await here.app.store.turn(TurnId("T-1"))
    assert turn is not None
    assert turn.question == "> HighErrorRate\n> 73%"


async def test_whoever_opens_a_conversation_is_offered_what_their_roles_let_them_ask(
    slack: Workspace, tmp_path: Path
) -> None:
    opened = {"type": "app_home_opened", "user": "UMAYA", "tab": "messages", "channel": "DUMAYA"}
    here = await office(tmp_path, slack, policy=bot.POLICY, more=[bot.Status()])
    await slack.event(opened)
    await slack.event({**opened, "user": "UNOBODY", "channel": "DUNOBODY"})
    while not slack.prompts:
        await asyncio.sleep(0.02)
    await here.stop()
    assert slack.prompts == {"DUMAYA": ["What runs in production?"]}
    assert slack.homes == {}


# --- answers ---------------------------------------------------------------------------------------------------------


async def test_an_answer_is_not_lost_where_the_message_it_should_replace_was_deleted(here: Office) -> None:
    await here.app.store.note_post(Post("slack", "working/slack:C1:7.7", "C1", "404.404"))
    await told(here, "It is so.")
    assert here.slack.texts() == ["It is so."]


async def test_long_code_is_a_snippet_in_the_thread_and_only_once(here: Office) -> None:
    code = "\n".join(f"line {number}" for number in range(40))
    turn = await told(here, f"This is the log:\n```\n{code}\n```\nThat is all.")
    (message,) = here.slack.messages
    shown = json.dumps(message["blocks"], ensure_ascii=False)
    assert "line 14" in shown
    assert "line 15" not in shown
    assert f"The first of 40 lines; all of them are in {turn}-1.txt." in shown
    record = await here.app.store.turn(turn)
    assert record is not None
    await here.surface.voice.answered(record, None)
    assert here.slack.shared == [("C1", "7.7", f"{turn}-1.txt")]
    assert here.slack.files[f"{turn}-1.txt"].decode() == code


async def test_anybody_may_say_whether_an_answer_helped_and_it_is_kept(here: Office) -> None:
    turn = await told(here, "It is so [1].", evidence=1)
    buttons = here.slack.buttons(await here.slack.shows("It is so"))
    await here.slack.click("sayso_helpful", buttons["sayso_helpful"], user="UTOM")
    assert (await here.slack.whispered("noted"))["user"] == "UTOM"
    await here.slack.click("sayso_wrong", buttons["sayso_wrong"], user="UMAYA")
    view = await here.slack.opened()
    assert await here.slack.submit(view, {"reason": "that was last week"}, user="UMAYA") == ""
    while len(here.slack.whispers) < 2:
        await asyncio.sleep(0.02)
    assert (here.slack.whispers[-1]["user"], here.slack.whispers[-1]["channel"]) == ("UMAYA", "C1")
    assert await rated(here) == [
        ("tom", {"helpful": True}),
        ("maya", {"helpful": False, "reason": "that was last week"}),
    ]
    assert turn == "T-1"


async def test_evidence_has_pages(here: Office) -> None:
    await told(here, "It is so [1].", evidence=20)
    value = here.slack.buttons(await here.slack.shows("It is so"))["sayso_evidence"]
    await here.slack.click("sayso_evidence", value, user="UMAYA")
    first = await here.slack.opened(1)
    assert "text 8" in json.dumps(first)
    assert "text 9" not in json.dumps(first)
    buttons = here.slack.buttons(first)
    await here.slack.click("sayso_evidence_next", buttons["sayso_evidence_next"], user="UMAYA", view=first)
    second = await here.slack.opened(2)
    assert "text 9" in json.dumps(second)
    assert "Page 2 of 3" in json.dumps(second)
    back = here.slack.buttons(second)["sayso_evidence"]
    await here.slack.click("sayso_evidence", back, user="UMAYA", view=second)
    assert "text 8" in json.dumps(await here.slack.opened(3))


async def test_whose_form_does_not_open_is_told_to_click_again(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_reject"]
    here.slack.late = True
    await here.slack.click("sayso_reject", value, user="UTOM")
    assert (await here.slack.whispered("Please click again"))["user"] == "UTOM"


# --- cards -----------------------------------------------------------------------------------------------------------


async def test_a_card_leads_to_where_it_was_asked_for(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    card = await here.slack.shows("card:A-1")
    link = f"https://harbourlane.slack.com/archives/C1/p{ts.replace('.', '')}"
    assert f"<{link}|Where it was asked for>" in json.dumps(card["blocks"])


async def test_a_yes_can_have_a_reason_and_the_card_shows_it(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_approve_why", (await here.card())["sayso_approve_why"], user="UTOM")
    view = await here.slack.opened()
    assert "Stamp one" in json.dumps(view)
    assert await here.slack.submit(view, {"reason": "agreed in standup"}, user="UTOM") == ""
    await here.reaches(State.SUCCEEDED)
    await here.engine.quiet()
    assert "agreed in standup" in json.dumps(await here.slack.shows("A-1: Stamp one"))


async def test_where_the_policy_wants_a_reason_a_yes_asks_for_it(slack: Workspace, tmp_path: Path) -> None:
    here = await office(tmp_path, slack, policy=stamps(reason_required=True))
    await slack.say("<@UBOT> stamp one")
    buttons = await here.card()
    assert "sayso_approve_why" not in buttons
    await slack.click("sayso_approve", buttons["sayso_approve"], user="UTOM")
    view = await slack.opened()
    errors = json.loads(await slack.submit(view, {"reason": " "}, user="UTOM"))
    assert "please say why" in errors["errors"]["reason"]
    errors = json.loads(await slack.submit(view, {"reason": "me"}, user="UMAYA"))
    assert "somebody else has to approve" in errors["errors"]["reason"]
    assert await slack.submit(view, {"reason": "agreed"}, user="UTOM") == ""
    await here.reaches(State.SUCCEEDED)
    await here.stop()


async def test_details_say_what_each_argument_is_and_who_said_it(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_details", (await here.card())["sayso_details"], user="UTOM")
    shown = json.dumps(await here.slack.opened(), ensure_ascii=False)
    assert "*text*  one  _(said by who asked)_" in shown
    assert "asked by" in shown


async def test_details_are_for_those_who_may_know_of_the_action(here: Office) -> None:
    eve = Person("eve", "Eve", frozenset(), identities={"slack": "UEVE"})
    ada = Person("ada", "Ada", frozenset({"op"}), identities={"slack": "UADA"})
    here.app.directory = Directory([*here.app.directory.everybody(), eve, ada])
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_details"]
    await here.slack.click("sayso_details", value, user="UEVE")
    assert (await here.slack.whispered("details are for"))["user"] == "UEVE"
    assert here.slack.views == []
    await here.slack.click("sayso_details", value, user="UADA")
    seen = json.dumps(await here.slack.opened(), ensure_ascii=False)
    assert ("*text*  one" in seen, "stamp one" in seen) == (
        True,
        False,
    )  # not the words it was asked for with


async def test_a_click_on_what_no_tool_does_any_more_is_answered(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    buttons = await here.card()
    await here.slack.click("sayso_edit", buttons["sayso_edit"], user="UMAYA")
    view = await here.slack.opened()
    here.app.registry = Registry([])
    await here.slack.click("sayso_edit", buttons["sayso_edit"], user="UMAYA")
    assert (await here.slack.whispered("there is no tool"))["user"] == "UMAYA"
    assert "there is no tool" in await here.slack.submit(view, {"text": "two"}, user="UMAYA")


async def test_what_cannot_be_kept_is_said_beside_the_field(over_http: Office) -> None:
    here = over_http
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_reject", (await here.card())["sayso_reject"], user="UTOM")
    view = await here.slack.opened()
    real, here.app.store = here.app.store, Locked()
    errors = json.loads(await here.slack.submit(view, {"reason": "no"}, user="UTOM"))
    here.app.store = real
    assert "another process holds the lock" in errors["errors"]["reason"]


class Locked:
    """A store that another process holds."""

    def __getattr__(self, name: str) -> Any:
        async def refuse(*_words: object, **_more: object) -> StoreError:
            raise StoreBusy("another process holds the lock")

        return refuse


async def test_thread_approvals_channel_and_approvers_all_see_the_same_card_change(
    slack: Workspace, tmp_path: Path
) -> None:
    here = await office(tmp_path, slack, approvals_channel="C9", approvers_direct=True)
    await slack.say("<@UBOT> stamp one")
    for channel in ("C1", "C9", "DUTOM"):
        await slack.shows("card:A-1", channel=channel)
    card = await slack.shows("card:A-1", channel="C9")
    await slack.click("sayso_approve", slack.buttons(card)["sayso_approve"], user="UTOM", channel="C9")
    await here.reaches(State.SUCCEEDED)
    await here.engine.quiet()
    shown = {channel: await slack.shows("(done)", channel=channel) for channel in ("C1", "C9", "DUTOM")}
    assert all(slack.is_card(one) and slack.buttons(one) == {} for one in shown.values())
    assert {one["channel"] for one in slack.messages if slack.is_card(one)} == set(shown)
    await here.stop()


async def test_a_card_that_nobody_decided_on_says_expired_and_has_no_buttons(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_approve"]
    action = await here.app.actions.find("A-1")
    assert action is not None
    later = action.expires_at
    here.app.actions._decisions._clock = lambda: later
    await here.worker.round()
    await here.worker.tell(ThreadId(action.thread))
    card = await here.slack.shows("A-1: Stamp one (expired)")
    assert here.slack.buttons(card) == {}
    await here.slack.shows("expired, because nobody decided in time")
    await here.slack.click("sayso_approve", value, user="UTOM")
    assert "A-1" in (await here.slack.whispered("A-1"))["text"]


# --- readiness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_an_app_that_was_removed_is_trouble_from_the_moment_slack_says_so(
    here: Office, kind: str
) -> None:
    assert here.surface.trouble() is None
    await here.slack.event({"type": kind, "tokens": {"bot": ["UBOT"]}})
    assert "install it again" in str(here.surface.trouble())


async def test_a_token_that_is_not_taken_any_more_is_trouble_until_it_is_taken_again(here: Office) -> None:
    here.slack.revoked = "token_revoked"
    await here.surface._watch.look()
    assert "token_revoked" in str(here.surface.trouble())
    here.slack.revoked = ""
    await here.surface._watch.look()
    assert here.surface.trouble() is None
