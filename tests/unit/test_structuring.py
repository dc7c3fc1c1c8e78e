"""Incidents with a language model's help: it points, and only what is written counts."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.conversation.errors import ModelUnavailable
from agent.conversation.messages import Reply
from agent.conversation.redact import Redactor
from agent.models.scripted import ScriptedModel
from agent.structuring import ModelStructurer, worth_asking
from knowledge.incidents import Rules
from knowledge.port import Document, Extent, Kind, Part
from prompts.loader import load
from tests.fakes.documents import note

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SAID = (
    "checkout is down since ten, everybody gets an error page.",
    "It was the certificate: it ran out at ten and nobody had an eye on it. Root cause found.",
    "I put the new one in and checkout is back. No rollback was needed.",
)


def thread(*said: str) -> Document:
    text, parts = "\n".join(said), []
    start = 0
    for one in said:
        parts.append(Part(start, min(len(text), start + len(one) + 1), author="Maya"))
        start += len(one) + 1
    return replace(note("thread", text), kind=Kind.CHAT, parts=tuple(parts))


def structurer(*script: Reply | Exception, calls: int = 9) -> tuple[ModelStructurer, ScriptedModel]:
    model = ScriptedModel(*script)
    made = ModelStructurer(lambda: model, Rules(), load("incident"), Redactor(), lambda: NOW, calls=calls)
    return made, model


def told(**fields: object) -> Reply:
    return Reply("Here it is: " + json.dumps({"incident": True, **fields}))


def quote(document: Document, at: Extent | None) -> str | None:
    return None if at is None else document.text[at[0] : at[1]]


async def test_what_the_model_points_at_is_quoted_character_for_character() -> None:
    document = thread(*SAID)
    asked, _ = structurer(
        told(symptom=SAID[0], cause="It was the certificate", fix="Somebody fixed it quickly.")
    )
    found = await asked.structure(document)
    assert found is not None
    assert quote(document, found.symptom) == SAID[0]
    assert quote(document, found.cause) == "It was the certificate"
    assert found.fix is None  # nobody wrote that


async def test_what_is_no_incident_stays_none() -> None:
    asked, _ = structurer(told(incident=False, symptom=SAID[0], cause=SAID[1]), told(symptom=SAID[0]))
    assert await asked.structure(thread(*SAID)) is None
    assert await asked.structure(thread(*SAID)) is None  # a symptom alone is a conversation like any other


@pytest.mark.parametrize(
    "reply", [Reply("no idea"), Reply('{"incident": "maybe"}'), told(blame="raj"), ModelUnavailable("down")]
)
async def test_a_model_that_fails_leaves_it_to_the_rules(reply: Reply | Exception) -> None:
    asked, _ = structurer(reply)
    assert await asked.structure(thread(*SAID)) is None


async def test_the_rules_keep_what_they_found_and_the_model_fills_in_the_rest() -> None:
    text = "# Post-mortem: pool\n\n## Symptoms\n\nCustomers saw errors all day.\n\n## Story\n\nThe pool had leaked.\n"
    page = replace(note("page", text), title="Post-mortem: pool exhausted")
    asked, model = structurer(told(symptom="The pool had leaked.", cause="The pool had leaked."))
    alone = await Rules().structure(page)
    found = await asked.structure(page)
    assert found is not None
    assert quote(page, found.cause) == "The pool had leaked."
    if alone is not None:
        assert found.symptom == alone.symptom
    assert len(model.requests) == 1


async def test_a_model_is_asked_so_often_and_no_more_and_sees_no_secrets() -> None:
    secret = thread(*SAID, "root cause, rollback, password=hunter2hunter2")
    asked, model = structurer(told(incident=False), told(incident=False), calls=1)
    await asked.structure(secret)
    await asked.structure(secret)
    assert len(model.requests) == 1
    assert "hunter2" not in str(model.requests)


def test_ordinary_talk_is_not_worth_asking_about() -> None:
    assert not worth_asking(thread("lunch?", "yes", "pizza", "at noon"), None)
    assert not worth_asking(note("page", "# How to pay\n\nPay."), None)
