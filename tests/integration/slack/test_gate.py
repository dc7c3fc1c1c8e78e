"""What did not come from Slack, or not now, or not as Slack writes it: refused, recorded, and no trace of an error."""

import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.approvals.action import ActionId, State
from agent.audit.event import FactKind
from agent.surfaces.slack import events
from evals.bench.slack.workspace import SECRET, workspace
from tests.integration.slack.test_slack import Office, office

EVENT = {"type": "app_mention", "user": "UMAYA", "channel": "C1", "ts": "1.1", "text": "<@UBOT> stamp one"}
BODY = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": EVENT})


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with workspace() as slack:
        made = await office(tmp_path, slack)
        yield made
        await made.stop()


async def refusals(here: Office) -> list[str]:
    return [
        str(event.fact.data["reason"])
        async for event in here.app.store.events()
        if event.fact.kind is FactKind.REFUSED
    ]


def quiet(log: pytest.LogCaptureFixture) -> bool:
    """Whether nothing was logged as an error, and no traceback was."""
    return all(one.levelno < logging.ERROR and one.exc_info is None for one in log.records)


@pytest.mark.parametrize(
    ("why", "status", "body", "secret", "age"),
    [
        ("forged", 401, BODY, "another", 0),
        ("stale", 401, BODY, SECRET, 400),
        ("stale", 401, BODY, SECRET, -400),
        ("too large", 413, "x" * 1_048_600, SECRET, 0),
        ("unreadable", 400, "{", SECRET, 0),
        ("unreadable", 400, "[1, 2]", SECRET, 0),
        ("unreadable", 400, '"text"', SECRET, 0),
    ],
)
async def test_a_request_that_is_none_of_slacks_is_refused_and_recorded(
    here: Office, caplog: pytest.LogCaptureFixture, why: str, status: int, body: str, secret: str, age: int
) -> None:
    for _ in range(2):
        answered, text = await here.slack.send(None, body, at=time.time() - age, secret=secret)
        assert (answered, text) == (status, f"refused: {why}")
    assert await refusals(here) == [why]  # once an hour for each address, however often it knocks
    assert await here.app.store.unfinished() == []
    assert quiet(caplog)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "1e9", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "٣", "X-Slack-Signature": "v0=00"},
    ],
)
async def test_a_request_without_a_signature_is_refused_and_recorded(
    here: Office, headers: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with ClientSession() as session, session.post(here.slack.bot, data=BODY, headers=headers) as answer:
        assert answer.status == 401
    assert await refusals(here) == ["unsigned"]
    assert quiet(caplog)


async def test_a_request_that_is_sent_again_is_refused_and_does_nothing(here: Office) -> None:
    at = time.time()
    assert (await here.slack.send(None, BODY, at=at))[0] == 200
    await here.slack.shows("It is proposed.")
    assert (await here.slack.send(None, BODY, at=at))[0] == 409
    assert await refusals(here) == ["replayed"]
    await here.engine.quiet()
    assert len(await here.app.store.actions()) == 1


async def test_slacks_own_retry_is_taken_and_does_nothing(here: Office) -> None:
    assert (await here.slack.send(None, BODY, at=time.time() - 2))[0] == 200
    assert (await here.slack.send(None, BODY, at=time.time()))[0] == 200  # signed anew, as Slack does
    await here.slack.shows("It is proposed.")
    await here.engine.quiet()
    assert len(await here.app.store.actions()) == 1
    assert await refusals(here) == []


async def test_a_click_that_is_replayed_with_another_signature_is_refused_by_what_stands(
    here: Office,
) -> None:
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_approve"]
    for _ in range(2):
        await here.slack.click("sayso_approve", value, user="UTOM")
    await here.slack.whispered("A-1")
    await here.reaches(State.SUCCEEDED)
    kinds = [event.fact.kind async for event in here.app.store.events("A-1")]
    assert kinds.count(FactKind.DECIDED) == 1
    assert kinds.count(FactKind.DECISION_REFUSED) == 1


async def test_whoever_else_a_payload_names_the_click_is_of_who_clicked(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one")
    value = (await here.card())["sayso_approve"]
    payload = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "UMAYA", "name": "tom", "username": "tom", "team_id": "T1"},
        "user_id": "UTOM",
        "api_user": "UTOM",
        "channel": {"id": "C1"},
        "message": {"ts": "1.1", "user": "UTOM", "text": "<@UTOM>"},
        "state": {"values": {"user": {"user": {"value": "UTOM"}}}},
        "actions": [{"action_id": "sayso_approve", "value": value, "user": {"id": "UTOM"}, "block_id": "b"}],
    }
    assert (await here.slack.send({"payload": json.dumps(payload)}, ""))[0] == 200
    assert (await here.slack.whispered("somebody else has to approve"))["user"] == "UMAYA"
    action = await here.app.store.action(ActionId("A-1"))
    assert action is not None
    assert action.state is State.AWAITING_APPROVAL


async def test_of_another_workspace_nothing_is_heard_and_that_is_recorded(here: Office) -> None:
    await here.slack.say("<@UBOT> stamp one", team="T9")
    await here.slack.whispered("I only listen")
    facts = [event.fact async for event in here.app.store.events("slack:UMAYA")]
    assert [(fact.kind, fact.data["team"]) for fact in facts] == [(FactKind.NOT_HEARD, "T9")]
    assert await here.app.store.unfinished() == []


@pytest.mark.parametrize(
    "payload",
    [
        "{}",
        "[]",
        "nothing",
        '{"type": "block_actions"}',
        '{"type": "block_actions", "user": "UTOM", "actions": {}}',
        '{"type": "view_submission", "view": {"callback_id": "sayso_edit_form"}}',
        '{"type": "view_submission", "view": {"type": "modal", "callback_id": "sayso_reject_form"}}',
        '{"type": "message_action", "callback_id": "sayso_ask"}',
    ],
)
async def test_a_signed_payload_that_lacks_everything_does_nothing(
    here: Office, payload: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, _ = await here.slack.send({"payload": payload}, "")
    assert status < 500
    assert await here.app.store.actions() == []
    assert quiet(caplog)


KEYS = ["type", "event", "user", "channel", "ts", "text", "team", "message", "previous_message", "subtype",
        "view", "state", "values", "actions", "private_metadata", "attachments", "action_ts", "bot_id"]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["C1", "message", "1.1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=14,
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
@settings(deadline=None)
def test_no_payload_whatever_it_holds_is_an_error(body: Mapping[str, object]) -> None:
    events.heard(body, "UBOT")
    events.changed(body, "UBOT")
    events.click(body)
    events.sent(body)
    message = body.get("message")
    events.about(body, message if isinstance(message, Mapping) else {}, "UBOT")
