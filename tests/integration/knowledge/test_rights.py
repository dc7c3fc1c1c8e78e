"""What somebody may not read might as well not be there: nothing found, counted or weighed differently for it."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.library import open_library
from knowledge.port import Document, Place, Query, Reader, SearchResult
from tests.fakes.documents import Notes, note
from tests.fakes.embedder import HashedWords

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PEOPLE = ("maya", "raj", "tom")
WORDS = (
    "pool",
    "exhausted",
    "cache",
    "stampede",
    "leaked",
    "key",
    "payments",
    "refund",
    "2.4.0",
    "certificate",
)
WORLD = st.lists(
    st.tuples(
        st.sampled_from([None, frozenset(), *(frozenset({p}) for p in PEOPLE), frozenset(PEOPLE[:2])]),
        st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), max_size=4),
    ),
    min_size=1,
    max_size=5,
)


def place(number: int, members: frozenset[str] | None) -> Place:
    if members is None:
        return Place(f"notes:{number}", f"#place-{number}", "notes")
    keys = frozenset(f"person:{name}" for name in members)
    return Place(f"notes:{number}", f"#place-{number}", "notes", public=False, members=keys)


def world(made: list[tuple[frozenset[str] | None, list[str]]]) -> tuple[list[Place], list[Document]]:
    places = [place(number, members) for number, (members, _) in enumerate(made)]
    pages = [
        note(f"{number}-{i}", text, place=places[number])
        for number, (_, texts) in enumerate(made)
        for i, text in enumerate(texts)
    ]
    return places, pages


async def searched(
    places: list[Place], pages: list[Document], asked: list[Query], reader: Reader
) -> list[SearchResult]:
    with tempfile.TemporaryDirectory() as folder:
        library = await open_library(Path(folder), embedder=HashedWords(), clock=lambda: NOW)
        await library.ingest([Notes(*pages, places=places)])
        found = [await library.search(query, reader) for query in asked]
        await library.close()
        return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    WORLD,
    st.sampled_from(PEOPLE),
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=3),
)
def test_a_search_is_the_same_with_and_without_what_the_asker_may_not_read(
    made: list[tuple[frozenset[str] | None, list[str]]], person: str, asked: list[str]
) -> None:
    places, pages = world(made)
    reader = Reader(person)
    open_to = {
        p.id for p, (members, _) in zip(places, made, strict=True) if members is None or person in members
    }
    readable = [page for page in pages if page.place in open_to]
    marks = {page.id: number % 3 - 1 for number, page in enumerate(pages)}  # wrong, neither, helpful
    queries = [Query(text) for text in asked] + [Query(asked[0], channel=p.name) for p in places]
    queries.append(Query(asked[0], marks=marks))
    whole = asyncio.run(searched(places, pages, queries, reader))
    bare = asyncio.run(searched([p for p in places if p.id in open_to], readable, queries, reader))
    for one, other in zip(whole, bare, strict=True):
        assert one.searched == other.searched
        assert {p.document for p in one.passages} == {p.document for p in other.passages}
        mine = {p.document: p for p in other.passages}
        for passage in one.passages:
            same = mine[passage.document]
            assert (passage.quote, passage.title, passage.place, passage.link) == (
                same.quote, same.title, same.place, same.link,
            )  # fmt: skip
            # BM25 divides by the average length of all chunks: that is all that may differ, and a reader cannot turn
            # it into a word.
            assert abs(passage.score - same.score) < 0.12 * (2 if passage.marked > 0 else 1)
            assert passage.coverage == same.coverage
            assert (passage.confidence, passage.marked) == (same.confidence, same.marked)


async def test_membership_that_is_revoked_takes_effect_on_the_next_search(tmp_path: Path) -> None:
    secret = place(0, frozenset({"raj"}))
    source = Notes(note("leak", "the leaked key", place=secret), places=[secret])
    library = await open_library(tmp_path, embedder=HashedWords(), clock=lambda: NOW, roll=[source])
    await library.ingest([source])
    assert (await library.search(Query("leaked key"), Reader("raj"))).passages
    source.open_places = [place(0, frozenset())]
    after = await library.search(Query("leaked key"), Reader("raj"))
    assert (after.passages, after.searched.documents, after.searched.places) == ((), {}, ())
    await library.close()


async def test_a_channel_that_is_gone_is_closed_on_the_next_search(tmp_path: Path) -> None:
    source = Notes(note("pool", "the pool"))
    library = await open_library(tmp_path, embedder=HashedWords(), clock=lambda: NOW, roll=[source])
    await library.ingest([source])
    source.open_places = []
    assert (await library.search(Query("pool"), Reader("raj"))).passages == ()
    await library.close()


async def test_where_only_some_sources_are_searched_the_others_might_as_well_not_be_there(
    tmp_path: Path,
) -> None:
    library = await open_library(tmp_path, embedder=None, clock=lambda: NOW)
    open_ = [Place(f"{name}:1", name, name) for name in ("handbook", "chat")]
    pages = [
        replace(note(f"{one.source}-page", "the pool is exhausted", place=one), source=one.source)
        for one in open_
    ]
    sources = [Notes(page, places=[one], name=one.source) for page, one in zip(pages, open_, strict=True)]
    await library.ingest(sources)
    for named, found in ((None, 2), (frozenset({"handbook"}), 1), (frozenset[str](), 0)):
        result = await library.search(Query("pool exhausted", sources=named), Reader("maya"))
        assert sum(1 + len(passage.copies) for passage in result.passages) == found
        assert len(result.searched.places) == found
    await library.close()
