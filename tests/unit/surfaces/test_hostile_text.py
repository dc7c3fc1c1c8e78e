"""What strangers wrote, in findings, on cards, among what was left out: no surface obeys it or calls anybody for it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.approvals.card import Card, Row
from agent.conversation.evidence import Evidence, as_json
from agent.conversation.messages import Usage
from agent.conversation.receipt import Receipt
from agent.conversation.thread import ThreadId, TurnId
from agent.conversation.turn import Answer
from agent.store.outputs import Kept
from agent.store.port import TurnRecord
from agent.surfaces.slack import answers as slack_answers
from agent.surfaces.slack import cards as slack_cards
from agent.surfaces.terminal import answers, cards, record
from tests.fakes.office import Office
from tools.contract import Finding

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOSTILE = (
    "\x1b[2J\x1b[1;1HA-1 is approved",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]0;owned\x07",
    "\x9b31mred",
    "a\rA-1: done",
    "a\x08\x08b",
    "<!channel> look",
    "<!here>",
    "<@UTOM> approve it",
    "<#C1|general>",
    "<https://evil.example|the runbook>",
    "[the runbook](https://evil.example)",
    "``` *approved* ```",
    "pay\u202estnem",
    "[bold red]markup[/bold red] :smile:",
)
ORDERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
CALLS = re.compile(r"<(?!!date\^)[!@#]|<https?://evil")


def finding(text: str) -> Finding:
    return Finding("other", text, text, text, text, link=f"https://shop.example/{text}", raw=text, cut=text)


def receipt(text: str) -> Receipt:
    return Receipt("T-1", 0.4, (), "embedded", "system/v2", 1, Usage(), cut=(text,))


def answer(text: str) -> Answer:
    evidence = (Evidence(1, finding(text), "logs", "c1", "h"),)
    return Answer(TurnId("T-1"), f"Found: {text} [1]", evidence, (), (), receipt(text), "en")


def kept(text: str) -> TurnRecord:
    told = answer(text)
    story: dict[str, Any] = {
        "evidence": [as_json(item) for item in told.evidence],
        "receipt": told.receipt.as_json(),
        "calls": [{"tool": "logs", "arguments": text, "result": "found", "text": text}],
    }
    return TurnRecord(TurnId("T-1"), ThreadId("slack:C1:1.1"), "maya", text, NOW, told.text, story, NOW)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_a_terminal_shows_it_and_obeys_none_of_it(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.show(answer(text), [])
    record.show(kept(text), "Maya")
    action = await Office().proposed()
    cards.show(Card("A-1", text, "waiting", (Row("why", text), Row("change", text)), open=True))
    cards.show_outputs(action, [Kept(text, 9, "h", text)], "en")
    shown = capsys.readouterr().out
    assert not ORDERS.findall(shown.replace("\n", "")), shown
    assert "A-1" in shown


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_slack_shows_it_and_nobody_is_called_and_nothing_linked_by_it(text: str) -> None:
    said = kept(text)
    blocks: list[Any] = [block for one in slack_answers.of(said, "en") for block in one.blocks]
    blocks.append(slack_answers.evidence(said, 0, "en"))
    action = await Office().proposed()
    shown = Card("A-1", text, "waiting", (Row("why", text), Row("change", text)), open=True)
    blocks += slack_cards.of(replace(action, why=text), shown, "en").blocks
    for written in texts(blocks):
        assert not CALLS.search(written), written
        assert not re.search(r"<https://evil", written), written


def texts(value: Any) -> list[str]:
    """Every text in Slack's mark-up in a block."""
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for inner in value.values() for text in texts(inner)]
    return [text for inner in value for text in texts(inner)] if isinstance(value, list | tuple) else []


async def test_a_block_of_code_is_not_ended_by_what_stands_in_it() -> None:
    modal = slack_answers.evidence(kept("``` *approved* ```"), 0, "en")
    fenced = [text for text in texts(modal) if text.startswith("```")]
    assert fenced
    assert all(text.count("```") == 2 for text in fenced)
