"""An ingestion that asks a model about past incidents, over the wire, whatever the endpoint does."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.conversation.redact import Redactor
from agent.models.openai import OpenAIModel
from agent.structuring import ModelStructurer
from knowledge.incidents import Rules
from knowledge.library import FolderLibrary, open_library
from knowledge.port import Document, PastIncident, Query, Reader
from prompts.loader import load
from tests.fakes import endpoint as fake
from tests.fakes.documents import Notes, note
from tests.fakes.endpoint import Answering, Endpoint, endpoint

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SYMPTOM, CAUSE = "Customers saw errors all day in checkout.", "The pool had leaked a lot."


def outage(key: str = "outage") -> Document:
    return replace(note(key, f"{SYMPTOM} {CAUSE} password=hunter2hunter2 {key}"), title=f"Outage {key}")


def told(**fields: object) -> Answering:
    return fake.says(json.dumps({"incident": True, "symptom": None, "cause": None, "fix": None, **fields}))


async def no_sleep(_seconds: float) -> None:
    """Time passes at once."""


@asynccontextmanager
async def library(
    folder: Path, *script: Answering, calls: int = 9, patience: float = 30.0
) -> AsyncIterator[tuple[FolderLibrary, Endpoint]]:
    async with endpoint(*script) as served:

        def model() -> OpenAIModel:
            return OpenAIModel(model="m", base_url=served.url, timeout=patience, attempts=1, sleep=no_sleep)

        asked = ModelStructurer(
            model, Rules(("checkout",)), load("incident"), Redactor(), lambda: NOW, calls=calls
        )
        made = await open_library(folder, embedder=None, clock=lambda: NOW, structurer=asked)
        try:
            yield made, served
        finally:
            await made.close()


async def card(made: FolderLibrary) -> PastIncident | None:
    found = await made.search(Query("errors in checkout"), Reader("maya"))
    return found.passages[0].past


async def test_what_the_model_points_at_becomes_a_card_of_quotations(tmp_path: Path) -> None:
    answer = told(symptom=SYMPTOM, cause=CAUSE, fix="They rolled it back.")
    async with library(tmp_path, answer) as (made, served):
        await made.ingest([Notes(outage())])
        past = await card(made)
    assert past is not None
    assert (past.symptom, past.cause, past.fix, past.services) == (SYMPTOM, CAUSE, None, ("checkout",))
    system, shown = served.asked[0]["messages"]
    assert "copied from the document" in system["content"]
    assert shown["content"].startswith("<evidence")
    assert "hunter2" not in str(served.asked)


@pytest.mark.parametrize(
    "answer",
    [
        fake.fails(500),
        fake.fails(401),
        fake.hangs,
        fake.replies("<html>"),
        fake.says("I would rather not."),
        fake.says('{"incident": true, "symptom": 5}'),
        told(blame="raj"),
        fake.stream(fake.piece('{"incident": tr'), break_off=True),
    ],
)
async def test_a_model_that_fails_fails_no_ingestion(tmp_path: Path, answer: Answering) -> None:
    patience = 0.5 if answer is fake.hangs else 30.0
    async with library(tmp_path, answer, patience=patience) as (made, served):
        report, *_ = await made.ingest([Notes(outage())])
        assert (report.added, report.failed, report.troubles) == (1, None, ())
        assert await card(made) is None
        assert served.asked


async def test_a_dry_run_and_what_did_not_change_cost_no_call(tmp_path: Path) -> None:
    async with library(tmp_path, told(incident=False)) as (made, served):
        notes = Notes(outage())
        await made.ingest([notes], dry=True)
        assert len(served.asked) == 0
        await made.ingest([notes])
        await made.ingest([notes])
        assert len(served.asked) == 1


async def test_the_ration_is_for_one_ingestion_of_all_sources(tmp_path: Path) -> None:
    first, second = Notes(outage("a")), Notes(outage("b"))
    async with library(tmp_path, told(incident=False), calls=1) as (made, served):
        await made.ingest([first, second])
        assert len(served.asked) == 1
        second.put(outage("c"), outage("d"))
        await made.ingest([first, second])
        assert len(served.asked) == 2
