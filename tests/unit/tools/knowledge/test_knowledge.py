"""The tool `knowledge`: passages with their place, and what it says when there are none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.shop import MAYA, NOW, WORDS, now
from tools.contract import Asker, BadArguments, Outcome, Reach
from tools.knowledge.knowledge import Knowledge
from tools.knowledge.port import Filters, Passage, PassageKind, PastIncident, Searched

POOL = Passage(
    id="docs:runbooks/payments-pool.md", sure=True,
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
    outcome = await asked(Shelf(Searched((POOL,), {"docs": 40, "slack": 100})), query="pool exhausted")
    (finding,) = outcome.findings
    assert finding.kind == "passage"
    assert finding.link == "https://docs/pool#fix"
    assert finding.title == "Payments connection pool exhausted > Fix a leak: roll back (2026-10-16)"
    assert finding.facts["confidence"] == 0.876
    assert set(finding.facts) == {
        "document", "heading", "place", "author", "date", "text", "confidence", "status", "pinned", "kind", "sure",
        "id", "shared", "answer", "copies", "past", "superseded_by", "marked",
    }  # fmt: skip


async def test_the_search_runs_with_the_askers_rights_and_filters() -> None:
    shelf = Shelf(Searched((POOL,)))
    await asked(
        shelf, query="pool", kind="incident", place="#oncall", person="Raj Iyer", since="30d",
        until="7d", limit=3,
    )  # fmt: skip
    month, week = NOW - timedelta(days=30), NOW - timedelta(days=7)
    filters = Filters(PassageKind.INCIDENT, "#oncall", "Raj Iyer", month, week, 3)
    assert shelf.asked == [("pool", MAYA, filters)]


async def test_nothing_clear_is_said_with_what_was_searched_the_nearest_and_who_may_know() -> None:
    near = replace(POOL, sure=False, confidence=0.4)
    note = "by words only: no embedding model here"
    searched = Searched((near,), {"docs": 34, "slack": 1200}, 11, ("Raj Iyer", "#payments"), note)
    outcome = await asked(Shelf(searched), query="quantum computing")
    assert outcome.ok
    nothing, nearest = outcome.findings
    assert (nothing.kind, nearest.kind) == ("nothing_found", "passage")
    assert (nothing.facts["documents"], nothing.facts["nearest"]) == (1234, POOL.document)
    assert nearest.facts["sure"] is False
    assert outcome.summary == (
        "nothing that clearly answers 'quantum computing' in 1,234 documents of docs, slack; "
        f"nearest is {POOL.document}; may know: Raj Iyer, #payments; {note}"
    )


async def test_a_past_incident_comes_with_its_quotes() -> None:
    past = PastIncident("INC-112", "Pool", "pool exhausted", None, "rolled back", ("payments",), NOW, "2")
    outcome = await asked(Shelf(Searched((replace(POOL, past=past),))), query="pool exhausted")
    told = outcome.findings[0].facts["past"]
    assert isinstance(told, dict)
    assert (told["key"], told["symptom"], told["cause"], told["fix"]) == (
        "INC-112", "pool exhausted", None, "rolled back",
    )  # fmt: skip


async def test_an_empty_question_is_refused() -> None:
    with pytest.raises(BadArguments):
        await asked(Shelf(Searched(())), query="   ")


class TwoShelves(Shelf):
    """What all may read, and what the asker may read beside it."""

    def __init__(self, shared: Searched, own: Searched) -> None:
        super().__init__(own)
        self._shared = shared

    async def search(self, query: str, asker: Asker, filters: Filters) -> Searched:
        found = await super().search(query, asker, filters)
        return self._shared if asker.reach is Reach.SHARED_ONLY else found


@pytest.mark.parametrize(("clear", "searches"), [(True, 1), (False, 2)])
async def test_where_others_read_along_what_all_may_read_goes_first(clear: bool, searches: int) -> None:
    secret = replace(POOL, private="chat:CSECRET")
    shelf = TwoShelves(Searched((replace(POOL, sure=clear),)), Searched((secret,)))
    tool = Knowledge(shelf, WORDS, now)
    asker = replace(MAYA, reach=Reach.SHARED_FIRST)
    outcome = await tool.run(tool.spec.validate({"query": "pool exhausted"}), asker)
    assert len(shelf.asked) == searches
    assert [finding.private for finding in outcome.findings] == [None if clear else "chat:CSECRET"]
