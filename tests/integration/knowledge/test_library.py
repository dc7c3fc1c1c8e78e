"""The library whole: rights, increments, crashes, two processes, and a search without a model."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge import ingest as ingestion
from knowledge.catalogue import Scanned
from knowledge.confidence import SURE
from knowledge.library import FolderLibrary, open_library
from knowledge.lock import sole_writer
from knowledge.port import (
    By,
    EmbedderMismatch,
    EmbedderUnavailable,
    Genre,
    Kind,
    LibraryOutdated,
    Part,
    Place,
    Progress,
    Query,
    Reader,
    SearchResult,
    Standing,
    Trouble,
    WriterBusy,
)
from knowledge.sources.markdown import MarkdownFolder
from tests.fakes.documents import OPEN, Notes, note
from tests.fakes.embedder import HashedWords
from tests.fakes.postgres import PostgresServer

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECRET = Place(
    "notes:secret", "#security-response", "notes", public=False, members=frozenset({"slack:U0RAJ"})
)
MAYA = Reader("maya", frozenset({"slack:U0MAYA"}))
RAJ = Reader("raj", frozenset({"slack:U0RAJ"}))
POOL = note("pool", "payments connection pool exhausted: roll back to 2.1.7")
CACHE = note("cache", "catalog cache stampede: warm the cache first")
LEAK = note("leak", "the leaked Corvid Pay key was revoked on Tuesday", place=SECRET)


async def opened(
    folder: Path,
    embedder: HashedWords | None = None,
    *,
    rebuild: bool = False,
    database: str | None = None,
) -> FolderLibrary:
    return await open_library(
        folder / "knowledge", embedder=embedder, clock=lambda: NOW, rebuild=rebuild, database=database
    )


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Where the catalogue is: in the folder, or on a server."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def embedder() -> HashedWords:
    return HashedWords()


@pytest.fixture
async def library(
    tmp_path: Path, embedder: HashedWords, database: str | None
) -> AsyncIterator[FolderLibrary]:
    made = await opened(tmp_path, embedder, database=database)
    yield made
    await made.close()


def ids(result: SearchResult) -> list[str]:
    return [passage.document.removeprefix("notes:") for passage in result.passages]


async def test_a_passage_is_quoted_exactly_and_scored_by_both_halves(library: FolderLibrary) -> None:
    await library.ingest([Notes(POOL, CACHE)])
    result = await library.search(Query("connection pool exhausted"), MAYA)
    best = result.passages[0]
    assert best.text == POOL.text[best.start : best.end]
    assert best.lexical > 0
    assert best.dense is not None
    assert best.dense > 0
    assert result.confidence == max(passage.confidence for passage in result.passages)
    assert ids(result)[0] == "pool"


async def test_a_private_place_leaks_neither_hits_nor_counts_nor_names(library: FolderLibrary) -> None:
    await library.ingest([Notes(POOL, LEAK, places=[OPEN, SECRET])])
    asked = Query("leaked Corvid Pay key")
    hidden, shown = await library.search(asked, MAYA), await library.search(asked, RAJ)
    assert "leak" not in ids(hidden)
    assert hidden.searched.documents == {"notes": 1}
    assert hidden.searched.places == ("#payments",)
    assert ids(shown)[0] == "leak"
    assert shown.searched.documents == {"notes": 2}


async def test_asking_for_a_private_channel_by_name_opens_nothing(library: FolderLibrary) -> None:
    await library.ingest([Notes(POOL, LEAK, places=[OPEN, SECRET])])
    assert ids(await library.search(Query("leaked key", channel="security-response"), MAYA)) == []
    assert ids(await library.search(Query("leaked key", channel="#security-response"), RAJ)) == ["leak"]


async def test_a_member_who_leaves_stops_finding_without_a_new_ingestion_of_the_text(
    library: FolderLibrary, embedder: HashedWords
) -> None:
    source = Notes(LEAK, places=[SECRET])
    await library.ingest([source])
    embedded = len(embedder.passages)
    source.open_places = [replace(SECRET, members=frozenset())]
    await library.ingest([source])
    assert len(embedder.passages) == embedded
    assert ids(await library.search(Query("leaked key"), RAJ)) == []


async def test_a_channel_turned_private_is_closed_at_once(library: FolderLibrary) -> None:
    source = Notes(POOL)
    await library.ingest([source])
    source.open_places = [replace(OPEN, public=False, members=frozenset({"slack:U0RAJ"}))]
    await library.ingest([source])
    assert ids(await library.search(Query("pool"), MAYA)) == []
    assert ids(await library.search(Query("pool"), RAJ)) == ["pool"]


async def test_an_unchanged_source_is_not_read_into_the_indexes_again(
    library: FolderLibrary, embedder: HashedWords
) -> None:
    source = Notes(POOL, CACHE)
    await library.ingest([source])
    (report,) = await library.ingest([source])
    assert (report.added, report.changed, report.unchanged, report.removed) == (0, 0, 2, 0)
    assert len(embedder.passages) == 2


async def test_a_changed_page_is_found_by_its_new_words_only(library: FolderLibrary) -> None:
    source = Notes(POOL, CACHE)
    await library.ingest([source])
    source.put(note("pool", "nothing here but tulips"))
    (report,) = await library.ingest([source])
    assert report.changed == 1
    assert ids(await library.search(Query("tulips"), MAYA))[0] == "pool"
    assert all("exhausted" not in p.text for p in (await library.search(Query("exhausted"), MAYA)).passages)


async def test_what_is_gone_from_the_source_is_gone_from_the_library(library: FolderLibrary) -> None:
    source = Notes(POOL, CACHE)
    await library.ingest([source])
    del source.pages[POOL.id]
    (report,) = await library.ingest([source])
    assert report.removed == 1
    assert ids(await library.search(Query("connection pool exhausted"), MAYA)) == ["cache"]
    assert (await library.status()).documents == 1


async def test_a_file_that_cannot_be_read_this_time_keeps_what_was_known(library: FolderLibrary) -> None:
    source = Notes(POOL, CACHE)
    await library.ingest([source])
    del source.pages[POOL.id]
    source.troubles = [Trouble("pool.md", "permission denied", keeps=POOL.id)]
    (report,) = await library.ingest([source])
    assert (report.removed, [trouble.file for trouble in report.troubles]) == (0, ["pool.md"])
    assert ids(await library.search(Query("pool exhausted"), MAYA))[0] == "pool"


async def test_a_source_that_cannot_be_read_says_so_and_the_others_go_on(
    library: FolderLibrary, tmp_path: Path
) -> None:
    failed, read = await library.ingest([MarkdownFolder(tmp_path / "nowhere"), Notes(POOL)])
    assert failed.failed is not None
    assert "nowhere" in failed.failed
    assert (read.failed, read.added) == (None, 1)


async def test_filters_narrow_by_person_and_time(library: FolderLibrary) -> None:
    june = note("june", "pool", date=datetime(2026, 6, 18, tzinfo=UTC), people=("Raj Iyer",))
    october = note("october", "pool", date=datetime(2026, 10, 14, tzinfo=UTC), people=("Tom Okafor",))
    await library.ingest([Notes(june, october)])
    assert ids(await library.search(Query("pool", person="raj iyer"), MAYA)) == ["june"]
    since = datetime(2026, 10, 1, tzinfo=UTC)
    assert ids(await library.search(Query("pool", since=since), MAYA)) == ["october"]
    assert ids(await library.search(Query("pool", until=since), MAYA)) == ["june"]


async def test_what_no_longer_holds_falls_behind_what_does(library: FolderLibrary) -> None:
    old = replace(note("a-old", "database failover by hand"), standing=Standing.OBSOLETE)
    await library.ingest([Notes(old, note("b-new", "database failover by hand"))])
    found = (await library.search(Query("database failover"), MAYA)).passages
    assert [passage.standing for passage in found] == [Standing.CURRENT, Standing.OBSOLETE]


async def test_without_a_model_words_are_searched_and_it_says_so(tmp_path: Path) -> None:
    library = await opened(tmp_path)
    await library.ingest([Notes(POOL, CACHE)])
    result = await library.search(Query("cache stampede"), MAYA)
    assert ids(result) == ["cache"]
    assert result.passages[0].dense is None
    assert "lexical only" in result.searched.notes[0]
    await library.close()


async def test_a_model_that_comes_later_embeds_what_has_no_vectors(
    tmp_path: Path, embedder: HashedWords
) -> None:
    words = await opened(tmp_path)
    await words.ingest([Notes(POOL)])
    library = await opened(tmp_path, embedder)
    await library.ingest([Notes(POOL)])
    assert (await library.search(Query("pool"), MAYA)).passages[0].cosine is not None
    await library.close()


async def test_a_model_that_stops_answering_leaves_the_words(
    library: FolderLibrary, embedder: HashedWords
) -> None:
    await library.ingest([Notes(POOL, CACHE)])
    embedder.broken = True
    result = await library.search(Query("cache stampede"), MAYA)
    assert ids(result) == ["cache"]
    assert "does not answer" in result.searched.notes[0]


async def test_vectors_of_another_model_are_refused_until_a_rebuild(
    library: FolderLibrary, tmp_path: Path, database: str | None
) -> None:
    await library.ingest([Notes(POOL)])
    await library.close()
    with pytest.raises(EmbedderMismatch, match="'hashed-words'"):
        await opened(tmp_path, HashedWords("another"), database=database)
    rebuilt = await opened(tmp_path, HashedWords("another"), rebuild=True, database=database)
    assert (await rebuilt.status()).documents == 0
    await rebuilt.close()


async def test_a_second_writer_is_refused_at_once_and_readers_are_not(
    library: FolderLibrary, tmp_path: Path
) -> None:
    await library.ingest([Notes(POOL)])
    async with sole_writer(tmp_path / "knowledge"):
        with pytest.raises(WriterBusy, match="another process"):
            await library.ingest([Notes(CACHE)])
        assert ids(await library.search(Query("pool"), MAYA)) == ["pool"]


async def test_an_ingestion_that_dies_leaves_the_old_and_the_next_one_heals(
    library: FolderLibrary, embedder: HashedWords
) -> None:
    source = Notes(POOL)
    await library.ingest([source])
    source.put(note("pool", "nothing here but tulips"))
    embedder.broken = True
    with pytest.raises(Exception, match="does not answer"):
        await library.ingest([source])
    embedder.broken = False
    assert "exhausted" in (await library.search(Query("pool exhausted"), MAYA)).passages[0].text
    await library.ingest([source])
    assert "tulips" in (await library.search(Query("tulips"), MAYA)).passages[0].text


async def test_progress_says_how_far_it_is(library: FolderLibrary) -> None:
    seen: list[Progress] = []
    await library.ingest([Notes(POOL, CACHE)], seen.append)
    assert (seen[-1].share, seen[-1].documents, seen[-1].chunks) == (1.0, 2, 2)


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from knowledge.library import open_library
from knowledge.sources.markdown import MarkdownFolder
from tests.fakes.documents import Notes, note
from tests.fakes.embedder import HashedWords

async def main():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    folder, database = Path(sys.argv[1]), sys.argv[2] or None
    library = await open_library(folder, embedder=HashedWords(), clock=lambda: now, database=database)
    await library.ingest([Notes(*(note(f"n{i}", f"note number{i} about tulips") for i in range(200)))])
    await library.close()

asyncio.run(main())
"""


async def in_another_process(folder: Path, database: str | None) -> None:
    given = (str(folder / "knowledge"), database or "")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, *given)
    assert await process.wait() == 0


async def test_a_reader_sees_what_another_process_wrote(
    library: FolderLibrary, tmp_path: Path, database: str | None
) -> None:
    await library.ingest([Notes(POOL)])
    await library.search(Query("pool"), MAYA)
    await in_another_process(tmp_path, database)
    found = (await library.search(Query("number150"), MAYA)).passages[0]
    assert found.document == "notes:n150"
    assert found.cosine is not None


async def test_writers_that_take_turns_lose_no_vectors(
    library: FolderLibrary, tmp_path: Path, database: str | None
) -> None:
    await library.ingest([Notes(POOL)])
    await library.search(
        Query("pool"), MAYA
    )  # this process now holds a view from before the other one writes
    await in_another_process(tmp_path, database)
    await library.ingest([Notes(CACHE, name="more")])
    results = [await library.search(Query(f"number{i}", limit=1), MAYA) for i in range(0, 200, 7)]
    assert all(result.passages[0].cosine is not None for result in results)
    assert [ids(result)[0] for result in results] == [f"n{i}" for i in range(0, 200, 7)]


async def test_a_dry_run_counts_and_writes_nothing(library: FolderLibrary, embedder: HashedWords) -> None:
    source = Notes(POOL, CACHE)
    (dry,) = await library.ingest([source], dry=True)
    assert (dry.added, dry.chunks, embedder.passages) == (2, 2, [])
    assert (await library.status()).documents == 0
    await library.ingest([source])
    del source.pages[POOL.id]
    source.put(note("cache", "warm it"))
    (dry,) = await library.ingest([source], dry=True)
    assert (dry.added, dry.changed, dry.removed) == (0, 1, 1)
    assert (await library.status()).documents == 2


async def test_what_did_not_change_is_not_even_read(library: FolderLibrary) -> None:
    source = Notes(POOL, CACHE)
    await library.ingest([source])
    source.put(note("cache", "warm it"))
    await library.ingest([source])
    assert source.reads == 3


async def test_a_source_that_is_no_longer_configured_is_forgotten(library: FolderLibrary) -> None:
    await library.ingest([Notes(POOL)])
    (forgotten,) = await library.forget(["docs"])
    assert (forgotten.source, forgotten.removed) == ("notes", 1)
    assert ids(await library.search(Query("pool"), MAYA)) == []
    assert (await library.verify([])).faults == ()


async def test_a_check_names_what_does_not_agree_and_a_repair_mends_it(
    library: FolderLibrary, tmp_path: Path
) -> None:
    source = Notes(POOL, CACHE, LEAK, places=[OPEN, SECRET])
    await library.ingest([source])
    assert (await library.verify([source])).faults == ()
    source.put(note("cache", "warm it"))
    del source.pages[LEAK.id]
    library._lexical.write((), list(library._lexical.every_chunk())[:1])
    places = tmp_path / "knowledge" / "scan" / "epoch-0" / "places"
    places.write_bytes(b"\xff\xff\xff\xff" + places.read_bytes()[4:])
    found = await library.verify([source])
    assert {fault.where for fault in found.faults} == {"source", "words", "scan"}
    assert (await library.verify([source], repair=True)).faults == ()
    assert ids(await library.search(Query("warm"), MAYA))[0] == "cache"


async def test_only_incidents_are_found_when_only_they_are_wanted(library: FolderLibrary) -> None:
    cause, fix = "## Root cause\n\nThe pool leaked.\n", "## Resolution\n\nRolled back to 2.1.7.\n"
    report = note("inc", f"# INC-112: pool exhausted\n\n{cause}\n{fix}")
    await library.ingest([Notes(POOL, report)])
    (found,) = (await library.search(Query("pool exhausted", kind=Genre.INCIDENT), MAYA)).passages
    assert found.past is not None
    assert (found.past.key, found.past.cause, found.past.fix) == (
        "INC-112",
        "The pool leaked.",
        "Rolled back to 2.1.7.",
    )


async def test_of_two_equally_good_pages_the_newer_comes_first(library: FolderLibrary) -> None:
    old = note("first", "payments timeout decided: five", date=datetime(2024, 1, 1, tzinfo=UTC))
    new = note("other", "payments timeout decided: four", date=datetime(2026, 11, 1, tzinfo=UTC))
    await library.ingest([Notes(old, new)])
    asked = Query("payments timeout decided", by=By.WORDS)
    assert ids(await library.search(asked, MAYA)) == ["other", "first"]


async def test_rows_that_hold_nothing_are_moved_together_and_nothing_is_lost(library: FolderLibrary) -> None:
    source = Notes(*(note(f"n{i}", f"note number{i} about tulips") for i in range(40)))
    await library.ingest([source])
    for i in range(35):
        del source.pages[f"notes:n{i}"]
    ingestion._SWEPT_LEAST, kept = 10, ingestion._SWEPT_LEAST
    try:
        await library.ingest([source])
    finally:
        ingestion._SWEPT_LEAST = kept
    assert library._catalogue.scanned() == Scanned(1, 5)
    assert (await library.verify([source])).faults == ()
    assert ids(await library.search(Query("number37", limit=1), MAYA)) == ["n37"]


async def test_a_library_of_another_version_says_how_to_make_it_again(tmp_path: Path) -> None:
    await (await opened(tmp_path)).close()
    with sqlite3.connect(tmp_path / "knowledge" / "catalogue.db") as db:
        db.execute("UPDATE meta SET value = '1' WHERE key = 'version'")
    db.close()
    with pytest.raises(LibraryOutdated, match="`sayso ingest` makes it again"):
        await opened(tmp_path)
    await (await opened(tmp_path, rebuild=True)).close()


async def test_searches_go_on_while_an_ingestion_writes(library: FolderLibrary) -> None:
    source = Notes(POOL)
    await library.ingest([source])
    source.put(*(note(f"n{i}", f"note number{i} about tulips") for i in range(300)))
    writing = asyncio.create_task(library.ingest([source]))
    while not writing.done():
        assert "pool" in ids(await library.search(Query("connection pool exhausted"), MAYA))
        await asyncio.sleep(0)
    await writing
    assert ids(await library.search(Query("number299", limit=1), MAYA)) == ["n299"]


async def test_a_unit_that_was_half_read_is_read_again_even_if_it_changes_back(
    library: FolderLibrary, embedder: HashedWords
) -> None:
    source = Notes(POOL)
    await library.ingest([source])
    source.put(note("pool", "nothing here but tulips"))
    embedder.broken = True
    with pytest.raises(EmbedderUnavailable):
        await library.ingest([source])
    embedder.broken = False
    source.put(POOL)
    reads = source.reads
    await library.ingest([source])
    assert source.reads == reads + 1
    assert (await library.verify([source])).faults == ()


async def test_a_record_that_chroma_cannot_read_any_more_is_filled_again_from_what_is_scanned(
    tmp_path: Path,
) -> None:
    pages = [
        note(f"{i}", f"the pool number {i} is exhausted") for i in range(1100)
    ]  # enough to reach the disk
    first = await opened(tmp_path, HashedWords())
    await first.ingest([Notes(*pages)])
    await first.close()
    (torn,) = (tmp_path / "knowledge" / "vectors").rglob("data_level0.bin")
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    (tmp_path / "knowledge" / "vectors" / "record-1" / "at-work").touch()  # as a kill leaves it
    changed, embedder = Notes(note("0", "the queue is full"), *pages[1:]), HashedWords()
    again = await opened(tmp_path, embedder)
    (report,) = await again.ingest([changed])
    found = await again.verify([changed])
    await again.close()
    assert report.failed is None
    assert (found.vectors, found.faults) == (1100, ())
    assert len(embedder.passages) == 1


async def test_what_people_called_helpful_goes_first_and_may_be_told(library: FolderLibrary) -> None:
    await library.ingest([Notes(POOL, CACHE, LEAK, places=[OPEN, SECRET])])
    question = "payments pool or cache"
    (first, second, *_) = (await library.search(Query(question), MAYA)).passages
    asked = Query(question, marks={second.document: 1, first.document: -1, LEAK.id: 5})
    found = (await library.search(asked, MAYA)).passages
    marked = {passage.document: passage for passage in found}
    assert found[0].document == second.document
    assert (marked[second.document].marked, marked[second.document].confidence >= SURE) == (1, True)
    assert marked[first.document].confidence < SURE
    assert LEAK.id not in marked  # a mark opens nothing


async def test_what_helped_comes_forward_from_behind_all_that_would_be_shown(library: FolderLibrary) -> None:
    towns = ("Aarhus", "Basel", "Como", "Delft", "Espoo", "Faro", "Ghent", "Hull")
    await library.ingest([Notes(*(note(town.lower(), f"the pool of {town}") for town in towns))])
    last = (await library.search(Query("pool", limit=8), MAYA)).passages[-1]
    assert last.document != (await library.search(Query("pool", limit=1), MAYA)).passages[0].document
    (found,) = (await library.search(Query("pool", limit=1, marks={last.document: 1}), MAYA)).passages
    assert (found.document, found.marked) == (last.document, 1)


async def test_titles_are_told_of_what_the_reader_may_read_now(library: FolderLibrary) -> None:
    await library.ingest([Notes(POOL, LEAK, places=[OPEN, SECRET])])
    asked = (POOL.id, LEAK.id, "notes:gone")
    assert await library.titles(asked, MAYA) == {POOL.id: "pool"}
    assert await library.titles(asked, RAJ) == {POOL.id: "pool", LEAK.id: "leak"}


async def test_among_messages_the_one_that_helped_is_cited(library: FolderLibrary) -> None:
    said = ("the pool is exhausted again", "for an exhausted pool raise the limit of the pool")
    text = "\n".join(said)
    cut = len(said[0]) + 1
    parts = (Part(0, cut, author="Maya"), Part(cut, len(text), author="Raj"))
    thread = replace(note("thread", text), kind=Kind.CHAT, parts=parts)
    solved = replace(thread, parts=(parts[0], replace(parts[1], solves=2)))
    await library.ingest([Notes(solved)])
    (found,) = (await library.search(Query("pool exhausted again"), MAYA)).passages
    assert found.author == "Maya"  # it has all of the question, the other one two thirds
    (found,) = (await library.search(Query("pool exhausted"), MAYA)).passages
    assert found.author == "Raj"
