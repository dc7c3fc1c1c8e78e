"""The tool `knowledge`: passages with their place, and what it says when there are none."""

from datetime import timedelta

import pytest

from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import Asker, BadArguments, Outcome
from tools.knowledge.knowledge import Knowledge
from tools.knowledge.port import Filters, Passage, PassageKind, Searched

POOL = Passage(
    document="Payments connection pool exhausted", heading="Fix a leak: roll back", place="runbooks",
    text="Roll payments back to the last known-good version.", kind=PassageKind.DOCUMENT, confidence=0.8765,
    author="Raj Iyer", date=NOW - timedelta(days=38), link="https://docs/pool#fix", status="current",
)  # fmt: skip


class Shelf:
    """A library with one answer, which remembers what it was asked."""

    def __init__(self, searched: Searched) -> None:
        self._searched = searched
        self.asked: list[tuple[str, Asker, Filters]] = []

    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        self.asked.append((query, asker, filters))
        return self._searched


async def asked(shelf: Shelf, **values: object) -> Outcome:
    tool = Knowledge(shelf, WORDS, now)
    return await tool.run(tool.spec.validate(values), MAYA)


async def test_a_passage_comes_with_where_it_is_from() -> None:
    outcome = await asked(Shelf(Searched((POOL,), 140, ("docs", "slack"))), query="pool exhausted")
    (finding,) = outcome.findings
    assert finding.kind == "passage"
    assert finding.link == "https://docs/pool#fix"
    assert finding.title == "Payments connection pool exhausted > Fix a leak: roll back (2026-10-16)"
    assert finding.facts["confidence"] == 0.876
    assert set(finding.facts) == {
        "document", "heading", "place", "author", "date", "text", "confidence", "status", "pinned", "kind",
    }  # fmt: skip


async def test_the_search_runs_with_the_askers_rights_and_filters() -> None:
    shelf = Shelf(Searched((POOL,), 1, ()))
    await asked(shelf, query="pool", kind="incident", since="30d", limit=3)
    assert shelf.asked == [("pool", MAYA, Filters(PassageKind.INCIDENT, NOW - timedelta(days=30), 3))]


async def test_nothing_relevant_is_said_with_what_was_searched() -> None:
    searched = Searched((), 1234, ("docs", "slack"), "Scaling", "by words only: no embedding model here")
    outcome = await asked(Shelf(searched), query="quantum computing")
    assert outcome.ok
    (finding,) = outcome.findings
    assert finding.kind == "nothing_found"
    assert (finding.facts["documents"], finding.facts["nearest"]) == (1234, "Scaling")
    assert outcome.summary == (
        "nothing relevant found for 'quantum computing'; searched 1,234 documents in docs, slack; "
        "nearest was Scaling; by words only: no embedding model here"
    )


async def test_an_empty_question_is_refused() -> None:
    with pytest.raises(BadArguments):
        await asked(Shelf(Searched((), 0, ())), query="   ")
