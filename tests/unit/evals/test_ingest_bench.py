"""The measure of ingestion: the world it changes, what counts as torn, and how kills are summed."""

import random
from itertools import repeat
from pathlib import Path

from evals.bench.ingest import Spent, dealt, enough, figures
from evals.bench.ingest_kills import (
    Hashed,
    Killed,
    Looked,
    Shown,
    Trace,
    embedded,
    look,
    stage_of,
    summed,
    torn,
)
from evals.bench.ingest_world import MEMBER, PRIVATE, World, documents_of, marks_of, sources_of
from knowledge.port import Document, SourceReport
from knowledge.sources.markdown import page

CLEAN = Looked(searches=5, torn=(), unfound=(), leaked=())


def documents(**bodies: str) -> dict[str, Document]:
    return {key: page(key, source="docs", place="docs:", body=body) for key, body in bodies.items()}


def killed(stage: str, *, looked: Looked = CLEAN, resumed: int = 3, faults: tuple[str, ...] = ()) -> Killed:
    return Killed(stage, looked, due=8, missing=3, embedded=6, resumed=resumed, faults=faults)


def contents(home: Path) -> dict[str, bytes]:
    return {str(file.relative_to(home)): file.read_bytes() for file in home.rglob("*") if file.is_file()}


def test_the_same_seed_makes_the_same_world_and_the_same_changes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        World(tmp_path / name, random.Random(7), pages=9).change()
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


async def test_a_change_edits_adds_and_deletes_pages_and_lets_people_talk(tmp_path: Path) -> None:
    world = World(tmp_path, random.Random(1), pages=30)
    old = await documents_of(tmp_path)
    world.change()
    new = await documents_of(tmp_path)
    pages = [key for key in old if key.startswith("docs:")]
    assert 0 < sum(key in new and old[key] != new[key] for key in pages) <= 10
    assert any(key not in new for key in pages)
    assert any(key not in old for key in new if key.startswith("docs:"))
    assert {k: v for k, v in old.items() if k.startswith("slack:")} != {
        k: v for k, v in new.items() if k.startswith("slack:")
    }


async def test_every_mark_of_a_world_stands_in_one_document_once(tmp_path: Path) -> None:
    World(tmp_path, random.Random(1), pages=9)
    texts = (await documents_of(tmp_path)).values()
    marks = [mark for document in texts for mark in marks_of(document)]
    assert len(marks) == len(set(marks)) > 9
    assert all("".join(one.text for one in texts).count(f"{mark}.") == 1 for mark in marks)


async def test_one_channel_of_a_world_is_private_to_its_member(tmp_path: Path) -> None:
    World(tmp_path, random.Random(1), pages=1)
    places = [place for source in sources_of(tmp_path) for place in await source.places()]
    (private,) = [place for place in places if not place.public]
    assert (private.id, private.members) == (f"slack:{PRIVATE}", frozenset({f"slack:{MEMBER}"}))


def test_a_passage_out_of_the_old_or_the_new_text_is_whole() -> None:
    old, new = documents(a="one two three"), documents(a="one two four", b="new")
    assert torn([Shown("a", 4, "two three")], old, new) == ()
    assert torn([Shown("a", 4, "two four"), Shown("b", 0, "new")], old, new) == ()


def test_a_passage_out_of_neither_text_is_torn() -> None:
    old, new = documents(a="one two three"), documents(a="one two four")
    assert torn([Shown("a", 4, "two five")], old, new) == ("a",)
    assert torn([Shown("a", 3, "two four")], old, new) == ("a",)


def test_a_document_shown_half_old_and_half_new_is_torn() -> None:
    old, new = documents(a="one two three"), documents(a="six two four")
    assert torn([Shown("a", 0, "one"), Shown("a", 8, "four")], old, new) == ("a",)
    assert torn([Shown("a", 0, "one"), Shown("a", 4, "two")], old, new) == ()


def test_a_document_that_never_was_is_torn() -> None:
    assert torn([Shown("ghost", 0, "boo")], documents(a="one"), documents(a="two")) == ("ghost",)


async def test_an_empty_library_finds_nothing_that_was_there_before_and_after(tmp_path: Path) -> None:
    world = World(tmp_path, random.Random(1), pages=3)
    old = await documents_of(tmp_path)
    world.change()
    new = await documents_of(tmp_path)
    looked = await look(tmp_path, old, new, random.Random(1))
    assert looked.unfound
    assert not looked.torn


def test_a_trace_says_how_far_an_ingestion_came(tmp_path: Path) -> None:
    trace = Trace(tmp_path / "trace")
    assert stage_of(trace.lines()) == "before"
    trace.put("opening")
    assert stage_of(trace.lines()) == "before"
    trace.put("embedding", 128)
    trace.put("writing", 128)
    trace.put("embedding", 40)
    assert (stage_of(trace.lines()), embedded(trace.lines())) == ("embedding", 168)


async def test_the_embedder_traces_passages_and_not_questions(tmp_path: Path) -> None:
    embedder = Hashed(Trace(tmp_path / "trace"))
    (one, same) = await embedder.embed_passages(["full disk", "disk full"])
    (other,) = await embedder.embed_queries(["slow ledger"])
    assert Trace(tmp_path / "trace").lines() == [("embedding", 2), ("writing", 2)]
    assert one @ same > 0.99 > one @ other


def test_kills_are_summed_by_where_they_landed() -> None:
    found = summed([killed("before"), killed("reading"), killed("writing"), killed("after")], 2.04)
    assert found["landed"] == {"before": 1, "in": 2, "after": 1}
    assert found["landed_in"] == {"reading": 1, "writing": 1}
    assert (found["dirty"], found["torn"], found["seconds"]) == (0, 0, 2.0)


def test_a_run_with_faults_is_dirty_and_torn_documents_are_counted() -> None:
    bad = Looked(searches=5, torn=("a", "b"), unfound=("c",), leaked=("d",))
    found = summed([killed("writing", looked=bad, faults=("words: x",)), killed("writing")], 1.0)
    assert [found[key] for key in ("dirty", "torn", "unfound", "leaked")] == [1, 2, 1, 1]
    assert found["first_faults"] == ["words: x"]


def test_what_was_written_and_is_embedded_again_is_counted() -> None:
    found = summed([killed("writing", resumed=3), killed("writing", resumed=5)], 1.0)
    assert found["embedded_again_though_written"] == 2


def test_sets_are_dealt_in_turn() -> None:
    assert list(dealt([["a", "b", "c"], ["x"]])) == ["a", "x", "b", "c"]


def test_pages_are_taken_until_there_are_as_many_as_asked() -> None:
    assert len(enough(repeat("# A page\n\nwith one chunk\n"), 7)) == 7


def test_pages_are_taken_until_there_are_enough_chunks_unless_told() -> None:
    assert len(enough(repeat("# A page\n\nwith one chunk\n"), None)) == 120


def test_shares_are_of_the_first_ingestion() -> None:
    report = SourceReport("docs", added=40, chunks=120, seconds=58.0, embedding=55.1)
    found = figures(report, Spent(60.0, 114.0), Spent(0.6, 0.5), Spent(1.0, 1.0))
    assert (found["chunks_a_second"], found["embedding_share"]) == (2.0, 0.95)
    assert (found["cpu_over_wall"], found["again_share"]) == (1.9, 0.01)
