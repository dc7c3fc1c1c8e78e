"""Unanswered questions and marks, on a library with a private place: who sees what, and when a gap closes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from agent.conversation.evidence import Evidence
from agent.conversation.redact import Redactor
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.feedback import SAYSO, Feedback, NothingToMark
from agent.people.person import Directory, Person
from agent.store.memory import MemoryStore
from agent.store.port import TurnRecord
from knowledge.library import FolderLibrary, open_library
from knowledge.port import Document, Place
from tests.fakes.documents import OPEN, Notes, note
from tools.contract import Finding, Json

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MAYA = Person("maya", "Maya", frozenset({"engineer"}))
RAJ = Person("raj", "Raj", frozenset({"engineer"}))
NORA = Person("nora", "Nora", frozenset({"admin"}))
SECRET = Place("notes:secret", "#security", "notes", public=False, members=frozenset({"person:raj"}))
KEY = "who revoked the leaked Corvid Pay key?"
LEAK = note("leak", "Ada revoked the leaked Corvid Pay key on Tuesday", place=SECRET)
ROTA = note("rota", "The rota of support is kept by Ben")


@dataclass
class World:
    """A feedback on a store in memory and a library in a folder; `asks` is what a turn in vain leaves behind."""

    notes: Notes
    library: FolderLibrary
    store: MemoryStore = field(default_factory=MemoryStore)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        async def library() -> FolderLibrary:
            return self.library

        people = Directory((MAYA, RAJ, NORA))
        self.feedback = Feedback(
            self.store.asked, library, people, Redactor(), lambda: NOW, sees_all=("admin",)
        )

    async def asks(self, person: str, text: str = KEY, *, public: bool = False) -> None:
        turn = TurnId(f"T-{next(self.numbers)}")
        said = Said(turn, ThreadId("t"), person, text, NOW)
        await self.feedback.note(turn, said, [nothing(text)], public=public)

    async def writes(self, *notes: Document) -> None:
        self.notes.put(*notes)
        await self.library.ingest([self.notes])

    async def sees(self, person: Person) -> list[tuple[str, int, str | None]]:
        """The question, how often it was asked, and the nearest, of each gap."""
        listed = await self.feedback.gaps(person)
        return [(one.gap.question, one.gap.times, one.nearest) for one in listed.shown]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    notes = Notes(ROTA, places=[OPEN, SECRET])
    library = await open_library(tmp_path / "knowledge", embedder=None, clock=lambda: NOW, roll=[notes])
    await library.ingest([notes])
    yield World(notes, library)
    await library.close()


def nothing(query: str, tool: str = "knowledge") -> Evidence:
    return Evidence(1, Finding("nothing_found", "Searched", "notes", query, "nothing"), tool, "c1")


def passage(document: str, *, sure: bool) -> Evidence:
    facts: dict[str, Json] = {"id": document, "document": document, "sure": sure}
    return Evidence(2, Finding("passage", "A page", "notes", "q", "text", facts), "knowledge", "c1")


def record(answer: str, *evidence: Evidence, question: str = KEY) -> TurnRecord:
    rows: list[Json] = [
        {"number": one.number, "kind": one.finding.kind, "query": question, "facts": dict(one.finding.facts)}
        for one in evidence
    ]
    return TurnRecord(TurnId("T-1"), ThreadId("t"), "maya", question, NOW, answer, {"evidence": rows}, NOW)


async def test_a_question_asked_in_private_is_seen_by_its_asker_and_the_roles_of_the_settings(
    world: World,
) -> None:
    await world.asks("maya")
    assert await world.sees(MAYA) == [(KEY, 1, None)]
    assert await world.sees(NORA) == [(KEY, 1, None)]
    assert await world.sees(RAJ) == []
    assert await world.feedback.close(RAJ, "Q-1", "I would know") is None


async def test_the_nearest_is_named_to_those_only_who_may_read_it_now(world: World) -> None:
    question = "is the leaked payment key of the vault valid?"
    await world.writes(note("near", "the leaked payment key of the vault", place=SECRET))
    await world.asks("maya", question, public=True)
    assert [nearest for *_, nearest in await world.sees(RAJ)] == ["near"]
    assert await world.sees(MAYA) == [(question, 1, None)]
    assert await world.sees(NORA) == [(question, 1, None)]
    world.notes.open_places[1] = Place("notes:secret", "#security", "notes", public=False)  # all have left
    assert await world.sees(RAJ) == [(question, 1, None)]


async def test_a_gap_closes_by_itself_once_its_asker_would_get_an_answer(world: World) -> None:
    await world.asks("raj")
    assert len(await world.sees(RAJ)) == 1
    await world.writes(LEAK)
    assert await world.sees(RAJ) == []
    (closed,) = await world.feedback.closed(RAJ)
    assert (closed.gap.question, closed.by) == (KEY, SAYSO)
    assert await world.feedback.closed(MAYA) == []


async def test_a_gap_is_looked_up_again_only_when_documents_or_marks_changed(world: World) -> None:
    await world.asks("maya")
    await world.sees(NORA)
    (before,) = await world.store.asked.unanswered()
    await world.sees(NORA)
    assert await world.store.asked.unanswered() == [before]
    await world.writes(note("tulips", "tulips in May"))
    await world.sees(NORA)
    (after,) = await world.store.asked.unanswered()
    assert after.among not in ("", before.among)


async def test_what_only_some_may_read_does_not_close_a_question_that_all_can_see(world: World) -> None:
    await world.asks("raj", public=True)
    await world.writes(LEAK)
    assert [times for _, times, _ in await world.sees(RAJ)] == [1]
    assert await world.sees(MAYA) == [(KEY, 1, None)]
    await world.writes(note("told", "Ada revoked the leaked Corvid Pay key; it was in the newsletter"))
    assert await world.sees(MAYA) == []


async def test_another_s_private_question_neither_keeps_a_gap_open_nor_closes_it(world: World) -> None:
    for person in ("maya", "raj"):
        await world.asks(person)
    await world.writes(LEAK)
    assert await world.sees(RAJ) == []
    assert await world.sees(MAYA) == [(KEY, 1, None)]
    assert await world.sees(NORA) == [(KEY, 1, None)]


async def test_somebody_closes_what_they_may_know_of_and_no_more(world: World) -> None:
    for person in ("maya", "raj"):
        await world.asks(person)
    closed = await world.feedback.close(MAYA, "q-1", "Ada told me, token AKIA" + "IOSFODNN7EXAMPLE")
    assert closed is not None
    assert [times for _, times, _ in await world.sees(RAJ)] == [1]
    (told,) = await world.feedback.closed(MAYA)
    assert told.by == "maya"
    assert "IOSFODNN7" not in told.reason
    await world.asks("maya")
    assert await world.sees(MAYA) == [(KEY, 1, None)]


async def test_what_was_closed_together_is_listed_as_one(world: World) -> None:
    for _ in range(3):
        await world.asks("maya")
    await world.feedback.close(MAYA, "Q-1", "Ada told me")
    await world.asks("maya")
    await world.feedback.close(MAYA, "Q-4", "Ada told me again")
    closed = await world.feedback.closed(MAYA)
    assert {(one.gap.id, one.gap.times, one.reason) for one in closed} == {
        ("Q-1", 3, "Ada told me"),
        ("Q-4", 1, "Ada told me again"),
    }


async def test_who_has_left_is_answered_by_what_everybody_may_read(world: World) -> None:
    await world.asks("gone")
    await world.writes(LEAK)
    assert await world.sees(NORA) == [(KEY, 1, None)]
    await world.writes(note("told", "Ada revoked the leaked Corvid Pay key; it was in the newsletter"))
    assert await world.sees(NORA) == []


@pytest.mark.parametrize(
    "evidence",
    [
        [passage("notes:rota", sure=True)],
        [nothing("q"), passage("notes:rota", sure=True)],
        [nothing("q"), Evidence(2, Finding("series", "Errors", "metrics", "q", "0.4"), "metrics", "c2")],
        [],
    ],
    ids=["answered", "answered by another search", "a question to other tools too", "nothing looked up"],
)
async def test_what_is_no_unanswered_question_is_not_noted(world: World, evidence: list[Evidence]) -> None:
    said = Said("e", ThreadId("t"), "maya", "why are payments failing?", NOW)
    await world.feedback.note(TurnId("T-9"), said, evidence, public=True)
    assert await world.store.asked.unanswered() == []


async def test_secrets_in_a_question_are_not_kept(world: World) -> None:
    await world.asks("maya", "what is AKIA" + "IOSFODNN7EXAMPLE for?")
    (row,) = await world.store.asked.unanswered()
    assert "IOSFODNN7" not in f"{row.question} {row.query} {row.gist}"


async def test_more_gaps_than_are_shown_are_counted(world: World) -> None:
    for number in range(33):
        await world.asks("maya", f"what is item {number + 100}?")
    listed = await world.feedback.gaps(MAYA)
    assert (len(listed.shown), listed.more) == (30, 3)


async def test_a_passage_marked_helpful_answers_the_question_and_closes_its_gap(world: World) -> None:
    question = "who do I ask about shifts of support?"
    await world.asks("maya", question)
    assert len(await world.sees(MAYA)) == 1
    near = record("Nothing clear.", nothing(question), passage("notes:rota", sure=False), question=question)
    await world.feedback.mark(MAYA, near, helpful=True)
    assert await world.sees(MAYA) == []


async def test_a_mark_is_about_the_first_passage_cited_or_the_one_of_a_number(world: World) -> None:
    told = record(
        "It is so [3].",
        passage("notes:a", sure=True),
        Evidence(3, passage("notes:b", sure=True).finding, "", ""),
    )
    assert await world.feedback.mark(MAYA, told, helpful=True) == "notes:b"
    assert await world.feedback.mark(MAYA, told, helpful=False, number=2) == "notes:a"
    with pytest.raises(NothingToMark, match="2, 3"):
        await world.feedback.mark(MAYA, told, helpful=True, number=1)
    with pytest.raises(NothingToMark, match="-"):
        await world.feedback.mark(MAYA, record("Well.", nothing(KEY)), helpful=True)


async def test_a_mark_names_its_document_to_those_only_who_may_read_it_now(world: World) -> None:
    await world.writes(LEAK)
    await world.feedback.mark(RAJ, record("Ada [2].", passage(LEAK.id, sure=True)), helpful=True)
    assert [one.title for one in await world.feedback.marks(RAJ)] == ["leak"]
    assert [one.title for one in await world.feedback.marks(NORA)] == [None]
    assert await world.feedback.marks(MAYA) == ()
    world.notes.open_places[1] = Place("notes:secret", "#security", "notes", public=False)
    assert [one.title for one in await world.feedback.marks(RAJ)] == [None]


async def test_a_mark_counts_for_the_same_question_only(world: World) -> None:
    await world.feedback.mark(MAYA, record("Ada [2].", passage(LEAK.id, sure=True)), helpful=True)
    assert await world.feedback.balance("The leaked Corvid Pay key - who revoked it?") == {LEAK.id: 1}
    assert await world.feedback.balance("when was the leaked Corvid Pay key revoked?") == {}
