"""Slack end to end: signed requests in, messages and cards out, on a workspace that refuses what Slack refuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.app import App
from agent.approvals.action import ActionId, State
from agent.approvals.policy import Policy, Rule
from agent.approvals.rule import Escalation
from agent.audit.event import FactKind
from agent.bootstrap import utc_now
from agent.conversation.posted import Post
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.jobs.desk import Desk
from agent.jobs.fairness import Gate
from agent.jobs.worker import Worker
from agent.people.person import Directory, Person
from agent.settings import Settings, SlackSettings
from agent.surfaces.slack.forms import REJECT_FORM
from agent.surfaces.slack.surface import SlackSurface
from evals.bench.durability.stamps import POLICY, Stamp, opened
from evals.bench.slack.workspace import SECRET, Workspace, workspace
from tests.fakes.engine import InlineEngine
from tools.contract import Json, ReadTool

PEOPLE = Directory(
    [
        Person("maya", "Maya", frozenset({"op"}), identities={"slack": "UMAYA"}),
        Person("tom", "Tom", frozenset({"op", "keeper"}), identities={"slack": "UTOM"}),
    ]
)


@dataclass
class Office:
    """sayso in a workspace."""

    slack: Workspace
    app: App
    surface: SlackSurface
    worker: Worker
    engine: InlineEngine

    async def stop(self) -> None:
        await self.engine.quiet()
        await self.surface.stop()
        await self.app.close()

    async def card(self, id_: str = "A-1") -> dict[str, str]:
        """The buttons of an action's card."""
        return self.slack.buttons(await self.slack.shows(f"card:{id_}"))

    async def reaches(self, state: State, id_: str = "A-1") -> None:
        while True:
            action = await self.app.store.action(ActionId(id_))
            if action is not None and action.state is state:
                return
            await asyncio.sleep(0.02)


async def office(
    folder: Path,
    slack: Workspace,
    *,
    policy: Policy = POLICY,
    stamp: Stamp | None = None,
    more: Sequence[ReadTool] = (),
    people: Directory = PEOPLE,
    **settings: object,
) -> Office:
    chosen = SlackSettings.model_validate(
        {
            "bot_token": "xoxb-1",
            "app_token": "xapp-1",
            "signing_secret": SECRET,
            "mode": "http",
            "listen": "127.0.0.1:0",
            "api": slack.api,
            **settings,
        }
    )
    app = await opened(
        folder,
        folder / "sayso.db",
        people=people,
        settings=Settings(slack=chosen),
        policy=policy,
        stamp=stamp,
        more=more,
    )
    surface = SlackSurface(app, chosen, utc_now)
    surface._sender._next = _Never()
    worker = Worker(app, app.fleet, {"slack": surface.voice}, Gate(8, 4), utc_now)
    engine = InlineEngine(worker.jobs)
    worker.works_with(engine)
    await surface.start(Desk(app, worker))
    slack.bot = surface.address
    while chosen.mode == "socket" and not slack.sockets:
        await asyncio.sleep(0.01)
    return Office(slack, app, surface, worker, engine)


class _Never(dict[str, float]):
    """No channel has to wait: the clock of a test is real."""

    def get(self, key: str, default: float = 0.0) -> float:  # type: ignore[override]  # always the same
        return default


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


async def test_a_mention_is_answered_in_its_thread_with_a_card(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    answer = await here.slack.shows("It is proposed.")
    assert (answer["thread_ts"], answer["channel"]) == (ts, "C1")
    assert here.slack.buttons(answer) == {}  # nothing to mark, and asked again it would be proposed twice
    assert set(await here.card()) == {
        "sayso_approve",
        "sayso_approve_why",
        "sayso_reject",
        "sayso_edit",
        "sayso_withdraw",
        "sayso_details",
    }


async def test_a_card_is_approved_run_and_updated_and_its_outcome_told(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    buttons = await here.card()
    await here.slack.click("sayso_approve", buttons["sayso_approve"], user="UMAYA")
    refusal = await here.slack.whispered("somebody else has to approve")
    assert refusal["user"] == "UMAYA"
    await here.slack.click("sayso_approve", buttons["sayso_approve"], user="UTOM")
    await here.reaches(State.SUCCEEDED)
    await here.slack.shows("A-1 is done: Stamp one.")
    await here.engine.quiet()
    card = next(one for one in here.slack.messages if one["text"].startswith("A-1: "))
    assert here.slack.buttons(card) == {}
    assert "done" in card["text"]
    cards = [one for one in here.slack.messages if one["text"].startswith("A-1: ")]
    assert len(cards) == 1


async def test_every_click_on_what_is_over_is_answered(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_approve"]
    for _ in range(2):
        assert await here.slack.click("sayso_approve", value, user="UTOM") == 200
    await here.slack.whispered("A-1")
    await here.reaches(State.SUCCEEDED)
    assert len((here.app.home.folder / "witness").read_text().splitlines()) == 1


async def test_a_rejection_asks_for_a_reason_and_shows_it(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_reject", (await here.card())["sayso_reject"], user="UTOM")
    view = await here.slack.opened()
    assert view["callback_id"] == REJECT_FORM
    errors = json.loads(await here.slack.submit(view, {"reason": ""}, user="UTOM"))
    assert errors["response_action"] == "errors"
    assert await here.slack.submit(view, {"reason": "not on a Friday"}, user="UTOM") == ""
    await here.reaches(State.REJECTED)
    card = await here.slack.shows("not on a Friday")
    assert here.slack.buttons(card) == {}


async def test_an_edit_is_a_new_action_and_what_does_not_fit_is_said_beside_its_field(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_edit", (await here.card())["sayso_edit"], user="UMAYA")
    view = await here.slack.opened()
    assert [one["element"]["initial_value"] for one in view["blocks"] if one["type"] == "input"] == ["one"]
    assert "Nothing was changed" in await here.slack.submit(view, {"text": "one"}, user="UMAYA")
    errors = json.loads(await here.slack.submit(view, {"text": "x" * 41}, user="UMAYA"))
    assert set(errors["errors"]) == {"text"}
    assert await here.slack.submit(view, {"text": "two"}, user="UMAYA") == ""
    await here.slack.shows("Stamp two")
    await here.reaches(State.SUPERSEDED)
    await here.engine.quiet()
    assert "sayso_approve" in await here.card("A-2")


async def test_a_question_that_is_edited_is_asked_again_once(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    await here.card()
    for words in ("stamp two", "stamp three"):
        await here.slack.change(ts, "<@UBOT> stamp one", f"<@UBOT> {words}")
    await here.slack.shows("Stamp two")
    await here.reaches(State.WITHDRAWN)
    await here.engine.quiet()
    assert len(await here.app.store.actions()) == 2


async def test_a_question_that_is_deleted_withdraws_what_it_proposed(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    await here.card()
    await here.slack.change(ts, "<@UBOT> stamp one", None)
    await here.reaches(State.WITHDRAWN)


async def test_the_requester_withdraws(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.click("sayso_withdraw", (await here.card())["sayso_withdraw"], user="UMAYA")
    await here.reaches(State.WITHDRAWN)


async def test_the_same_post_as_mention_and_as_message_is_one_question(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    await here.slack.say("<@UBOT> stamp one", ts=ts, kind="message")
    await here.slack.say("<@UBOT> stamp one", ts=ts)  # Slack sends it once more
    await here.slack.shows("It is proposed.")
    await here.engine.quiet()
    assert len(await here.app.store.actions()) == 1


async def test_it_speaks_only_when_it_is_spoken_to(here: Office) -> None:
    await here.slack.say("stamp one", kind="message")
    await here.slack.say("stamp two", kind="message", channel="D1")
    await here.slack.shows("It is proposed.", channel="D1")
    await here.engine.quiet()
    assert here.slack.texts("C1") == []


async def test_settings_of_a_channel_say_what_it_answers_there(slack: Workspace, tmp_path: Path) -> None:
    made = await office(tmp_path, slack, channels={"C1": {"answer": "all"}, "C2": {"answer": "nothing"}})
    await slack.say("<@UBOT> stamp two", channel="C2")
    await slack.say("stamp one", kind="message")
    await slack.shows("It is proposed.")
    await made.stop()
    assert slack.texts("C2") == []


async def test_strangers_and_other_workspaces_get_nothing_but_a_word(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one", user="UNOBODY")
    told = await here.slack.whispered("I do not know you here")
    assert "slack: UNOBODY" in told["text"]
    await here.slack.say("<@UBOT> stamp one", team="T9")
    await here.slack.whispered("I only listen to people of the workspace")
    assert await here.app.store.unfinished() == []
    assert await here.app.store.actions() == []


async def test_a_guest_gets_a_word_that_only_they_see_and_it_is_recorded_once(here: Office) -> None:
    here.slack.users["UMAYA"] = {"is_restricted": True}
    for _ in range(2):
        await here.slack.say("<@UBOT> stamp one")
    told = await here.slack.whispered("you are a guest in it")
    assert told["user"] == "UMAYA"
    assert await here.app.store.unfinished() == []
    facts = [event.fact async for event in here.app.store.events("slack:UMAYA")]
    assert [(fact.kind, fact.actor, fact.data["reason"]) for fact in facts] == [
        (FactKind.NOT_HEARD, "slack:UMAYA", "guest")
    ]


async def test_a_guest_whom_the_settings_let_in_is_answered(slack: Workspace, tmp_path: Path) -> None:
    here = await office(tmp_path, slack, admit=["guest"])
    slack.users["UMAYA"] = {"is_ultra_restricted": True}
    await slack.say("<@UBOT> stamp one")
    await slack.shows("It is proposed.")
    await here.stop()


async def test_a_deactivated_approver_cannot_click_from_the_moment_slack_says_so(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one", user="UTOM")
    await here.slack.say("<@UBOT> stamp two")
    value = (await here.card("A-2"))["sayso_approve"]
    await here.slack.event({"type": "user_change", "user": {**here.slack.user("UTOM"), "deleted": True}})
    await here.slack.click("sayso_approve", value, user="UTOM")
    action = await here.app.store.action(ActionId("A-2"))
    assert action is not None
    assert action.state is State.AWAITING_APPROVAL
    assert here.slack.whispers == []  # nobody would read it
    assert here.slack.calls.count("users.info") == 2


async def test_a_stranger_cannot_approve_and_nobody_in_somebody_elses_name(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_approve"]
    await here.slack.click("sayso_approve", value, user="UNOBODY")
    await here.slack.click("sayso_approve", value, user="UTOM", team="T9")
    await here.slack.whispered("I only listen")
    action = await here.app.store.action(ActionId("A-1"))
    assert action is not None
    assert action.state is State.AWAITING_APPROVAL


async def test_a_slash_command_gets_a_thread_of_its_own(here: Office) -> None:
    assert "/sayso why" in await here.slack.command("  ")
    await here.slack.command("stamp one")
    answer = await here.slack.shows("It is proposed.")
    root = await here.slack.shows("Asked with a command")
    assert answer["thread_ts"] == root["ts"]


async def test_stop_ends_what_is_under_way_and_asks_nothing(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    await here.card()
    await here.slack.say("stop", thread=ts)
    said = await here.slack.whispered("A-1 is only proposed")
    assert said["thread_ts"] == ts
    await here.engine.quiet()
    assert len([one for one in here.slack.messages if "proposed." in one["text"]]) == 1


async def test_the_stop_button_does_what_the_word_does_for_whoever_pressed_it(here: Office) -> None:
    ts = await here.slack.say("<@UBOT> stamp one")
    await here.card()
    await here.slack.click("sayso_stop", f"slack:C1:{ts}", user="UMAYA")
    said = await here.slack.whispered("A-1 is only proposed")
    assert said["user"] == "UMAYA"


async def test_too_many_requests_are_waited_for_and_nothing_is_lost(here: Office) -> None:
    here.slack.failures = [(429, {"Retry-After": "0"}, "ratelimited")] * 2
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.shows("It is proposed.")


async def test_cards_are_shown_in_the_approvals_channel_too_and_change_there(
    slack: Workspace, tmp_path: Path
) -> None:
    made = await office(tmp_path, slack, approvals_channel="C9")
    await slack.say("<@UBOT> stamp one")
    card = await slack.shows("card:A-1", channel="C9")
    await slack.click("sayso_approve", slack.buttons(card)["sayso_approve"], user="UTOM", channel="C9")
    await made.reaches(State.SUCCEEDED)
    await made.engine.quiet()
    assert [slack.buttons(one) for one in slack.messages if one["text"].startswith("A-1: ")] == [{}, {}]
    await made.stop()


def stamps(**rule: object) -> Policy:
    """A policy of one rule for stamps, with these of its values."""
    made = Rule("all", frozenset({"stamp"}), frozenset({"keeper"}), **rule)  # type: ignore[arg-type]
    return Policy([made], {"stamp": frozenset({"op"})})


async def test_cards_go_to_each_approver_where_settings_say_so(slack: Workspace, tmp_path: Path) -> None:
    made = await office(tmp_path, slack, approvers_direct=True)
    await slack.say("<@UBOT> stamp one")
    card = await slack.shows("card:A-1", channel="DUTOM")
    assert slack.texts("DUMAYA") == []  # her own yes does not count
    await slack.click("sayso_approve", slack.buttons(card)["sayso_approve"], user="UTOM", channel="DUTOM")
    await made.reaches(State.SUCCEEDED)
    await made.engine.quiet()
    assert [slack.buttons(one) for one in slack.messages if one["text"].startswith("A-1: ")] == [{}, {}]
    await made.stop()


async def test_when_nobody_decides_those_are_asked_as_well_whom_the_policy_names(
    slack: Workspace, tmp_path: Path
) -> None:
    policy = stamps(escalation=Escalation(frozenset({"person:tom"}), timedelta(minutes=10)))
    made = await office(tmp_path, slack, policy=policy)
    thread = await slack.say("<@UBOT> stamp one")
    await made.card()
    await made.app.remind()
    assert slack.texts("DUTOM") == []
    made.app.now = lambda: utc_now() + timedelta(minutes=11)
    for _ in range(2):
        await made.app.remind()
        await made.worker.tell(ThreadId(f"slack:C1:{thread}"))
    assert len(slack.texts("DUTOM")) == 1
    assert sum("Nobody has decided on A-1 yet" in text for text in slack.texts()) == 1
    await made.stop()


@pytest.mark.parametrize("confirm", [True, False])
async def test_what_the_policy_calls_dangerous_is_asked_twice(
    slack: Workspace, tmp_path: Path, confirm: bool
) -> None:
    made = await office(tmp_path, slack, policy=stamps(confirm=confirm))
    await slack.say("<@UBOT> stamp one")
    shown = (await slack.shows("card:A-1"))["blocks"]
    (card,) = [one for one in shown if one.get("block_id") == "card:A-1"]
    approve = next(one for one in card["elements"] if one["action_id"] == "sayso_approve")
    assert ("confirm" in approve) is confirm
    await made.stop()


async def test_a_restart_between_card_and_click_changes_nothing(slack: Workspace, tmp_path: Path) -> None:
    first = await office(tmp_path, slack)
    await slack.say("<@UBOT> stamp one")
    value = (await first.card())["sayso_approve"]
    await first.stop()
    second = await office(tmp_path, slack)
    await slack.click("sayso_approve", value, user="UTOM")
    await second.reaches(State.SUCCEEDED)
    await second.engine.quiet()
    assert len([one for one in slack.messages if one["text"].startswith("A-1: ")]) == 1
    await second.stop()


async def test_what_was_posted_by_a_worker_that_died_is_found_and_not_posted_again(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.slack.shows("It is proposed.")
    await here.engine.quiet()
    before = len(here.slack.messages)
    turn = await here.app.store.turn(TurnId("T-1"))
    assert turn is not None
    posts = await here.app.store.posted("slack", "T-1/0")
    await here.app.store.note_post(Post("slack", "T-1/0", posts[0].place))  # it died before it noted the name
    await here.surface.voice.answered(turn, None)
    assert len(here.slack.messages) == before


def by_header(view: dict[str, Any]) -> dict[str, str]:
    """What stands below each header of a view."""
    found, header = dict[str, str](), ""
    for block in view["blocks"]:
        if block["type"] == "header":
            header = block["text"]["text"]
        found[header] = found.get(header, "") + json.dumps(block, ensure_ascii=False)
    return found


async def test_the_home_tab_shows_what_waits_for_whom(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    await here.card()
    for user in ("UTOM", "UMAYA"):
        await here.slack.event({"type": "app_home_opened", "user": user, "tab": "home"})
    while len(here.slack.homes) < 2:
        await asyncio.sleep(0.02)
    lists = {user: by_header(view) for user, view in here.slack.homes.items()}
    assert "A-1" in lists["UTOM"]["Waiting for you"]
    assert "https://harbourlane.slack.com/archives/C1/p" in lists["UTOM"]["Waiting for you"]
    assert "A-1" not in lists["UMAYA"]["Waiting for you"]
    assert "A-1" in lists["UMAYA"]["My requests"]
    assert "Stamps a text · asks for approval first" in lists["UMAYA"]["What you may do"]


async def test_two_processes_that_both_get_everything_do_it_once(slack: Workspace, tmp_path: Path) -> None:
    """Two connections to one store, and every message and click goes to both."""
    one, other = [await office(tmp_path, slack, mode="socket") for _ in range(2)]
    while len(slack.sockets) < 2:
        await asyncio.sleep(0.01)
    for number in range(5):
        await slack.say(f"<@UBOT> stamp {number}", channel=f"C{number}")
    for number in range(5):
        card = await slack.shows("card:A-", channel=f"C{number}")
        value = slack.buttons(card)["sayso_approve"]
        await slack.click("sayso_approve", value, user="UTOM", channel=f"C{number}")
    for number in range(1, 6):
        await one.reaches(State.SUCCEEDED, f"A-{number}")
    for made in (one, other):
        await made.engine.quiet()
    stamped = (tmp_path / "witness").read_text().split()[1::2]
    assert sorted(stamped) == ["0", "1", "2", "3", "4"]
    cards = [
        message for message in slack.messages if message["text"].startswith("A-") and slack.is_card(message)
    ]
    assert len(cards) == 5
    for made in (one, other):
        await made.stop()


async def test_a_connection_that_ends_is_made_again(slack: Workspace, tmp_path: Path) -> None:
    made = await office(tmp_path, slack, mode="socket")
    first = slack.sockets[0]
    await first.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
    while not [held for held in slack.sockets if held is not first]:
        await asyncio.sleep(0.02)
    await slack.say("<@UBOT> stamp one")
    await slack.shows("It is proposed.")
    assert made.surface.trouble() is None
    await made.stop()


async def private_answer(here: Office) -> TurnId:
    """An answer of maya's that rests on what not all in C1 may read, told."""
    said = Said("slack:C1:7.7", ThreadId("slack:C1:7.7"), "maya", "stamp two", utc_now())
    turn = await here.app.store.hear(said)
    assert turn is not None
    secret = "The key was rotated [1]."
    evidence: list[Json] = [
        {"number": 1, "source": "#security", "title": "Rotation", "text": "rotated", "link": ""}
    ]
    record: dict[str, Json] = {
        "finished_at": utc_now().isoformat(),
        "private_answer": secret,
        "evidence": evidence,
    }
    await here.app.store.finish(turn, "It went to the one who asked.", record)
    await here.worker.tell(said.thread)
    return turn


async def test_what_not_all_may_read_goes_to_the_asker_alone_and_can_be_shared_as_far_as_it_may(
    here: Office,
) -> None:
    turn = await private_answer(here)
    answer = await here.slack.shows("The key was rotated", channel="DUMAYA")
    assert not any("rotated" in json.dumps(one) for one in here.slack.messages if one["channel"] == "C1")
    await here.slack.shows("It went to the one who asked.")
    share = here.slack.buttons(answer)["sayso_share"]
    for user in ("UTOM", "UMAYA", "UMAYA"):  # only who asked may, and twice is once
        await here.slack.click("sayso_share", share, user=user, channel="DUMAYA")
    await here.card()
    await here.engine.quiet()
    asked = await here.app.store.heard_as(f"share:{turn}")
    assert asked is not None
    assert (asked.thread, asked.speaker, asked.question) == ("slack:C1:7.7", "maya", "stamp two")
    assert len(await here.app.store.actions()) == 1


async def test_a_question_can_be_asked_again_by_anybody_as_themselves(here: Office) -> None:
    await here.slack.say("<@UBOT> how are you?")
    again = here.slack.buttons(await here.slack.shows("Well."))["sayso_again"]
    await here.slack.click("sayso_again", again, user="UTOM")
    await here.slack.shows("T-2")
    record = await here.app.store.turn(TurnId("T-2"))
    assert record is not None
    assert (record.speaker, record.question) == ("tom", "how are you?")


async def test_the_answer_takes_the_place_of_the_message_that_showed_the_work(here: Office) -> None:
    said = Said("slack:C1:7.7", ThreadId("slack:C1:7.7"), "maya", "stamp two", utc_now())
    turn = await here.app.store.hear(said)
    assert turn is not None
    channel, ts = "C1", here.slack.post("C1", "I am looking into it.", thread="7.7")
    await here.app.store.note_post(Post("slack", f"working/{said.thread}", channel, ts))
    await here.app.store.finish(turn, "It is so.", {"finished_at": utc_now().isoformat()})
    await here.worker.tell(said.thread)
    assert here.slack.texts() == ["It is so."]
    await here.slack.say("<@UBOT> stamp three", thread="7.7")
    await here.slack.shows("It is proposed.")
    assert "It is so." in here.slack.texts()  # the next one has a message of its own


async def test_evidence_opens_for_who_asked_and_others_are_told_why_not(here: Office) -> None:
    await private_answer(here)
    answer = await here.slack.shows("The key was rotated", channel="DUMAYA")
    value = here.slack.buttons(answer)["sayso_evidence"]
    await here.slack.click("sayso_evidence", value, user="UTOM")
    assert (await here.slack.whispered("Only who asked"))["user"] == "UTOM"
    await here.slack.click("sayso_evidence", value, user="UMAYA")
    assert "rotated" in json.dumps(await here.slack.opened())
