"""What a catalogue keeps to, whichever database it is in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge.catalogue import Catalogue, Database, Known, Scanned, SqliteFile, fingerprint
from knowledge.catalogue.postgres import Postgres
from knowledge.chunking import chunks_of
from knowledge.ingest import entry_of
from knowledge.port import Document, Entry, Incident, IndexDamaged, Place, Trouble
from tests.fakes.documents import OPEN, note
from tests.fakes.postgres import PostgresServer

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECRET = Place(
    "notes:secret", "#secret", "notes", public=False, members=frozenset({"person:raj", "role:sre"})
)
PLACES = {place.id: place for place in (OPEN, SECRET)}
GROUPS = {OPEN.id: "*", SECRET.id: SECRET.id}
POOL = replace(note("pool", "the pool was exhausted", people=("raj",)), services=("Payments", "payments"))
LEAK = note("leak", "the leaked key", place=SECRET)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return SqliteFile(tmp_path / "catalogue.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Postgres(server.database())


@pytest.fixture
def catalogue(database: Database) -> Iterator[Catalogue]:
    """One that may be written, and knows both places."""
    with Catalogue(database) as made, made.sole_writer():
        made.put_places("notes", GROUPS, (OPEN, SECRET))
        yield made


def entries(*pages: Document, first: int | None = 0) -> list[tuple[Entry, int | None]]:
    every = [entry_of(page, chunk, PLACES) for page in pages for chunk in chunks_of(page)]
    return [(entry, None if first is None else first + i) for i, entry in enumerate(every)]


def put(catalogue: Catalogue, *pages: Document, first: int = 0, embedder: str = "m") -> list[str]:
    added = entries(*pages, first=first)
    rows = first + len(added)
    catalogue.turn_over({p.id: [p] for p in pages}, added, embedder=embedder, rows=rows)
    return [entry.chunk for entry, _ in added]


def test_places_and_their_members_are_as_they_were_put(catalogue: Catalogue) -> None:
    assert {place.id: place for place in catalogue.places()} == PLACES
    assert catalogue.groups() == GROUPS
    assert len(set(catalogue.codes().values())) == 2


def test_a_place_that_is_gone_keeps_its_number(catalogue: Catalogue) -> None:
    before = catalogue.codes()
    catalogue.put_places("notes", {OPEN.id: "*"}, (OPEN,))
    assert catalogue.places() == (OPEN,)
    assert catalogue.codes() == before


def test_a_regrouped_place_is_in_its_new_group(catalogue: Catalogue) -> None:
    catalogue.regrouped(OPEN.id, OPEN.id)
    assert catalogue.groups()[OPEN.id] == OPEN.id


def test_a_document_comes_back_as_it_was(catalogue: Catalogue) -> None:
    odd = replace(
        note("odd", "Exhaustion à 9 h \0 ’quoted’\n" * 40, date=NOW),
        link="https://x/y",
        reactions=3,
        pinned=True,
    )
    put(catalogue, POOL, odd)
    assert catalogue.documents([POOL.id, odd.id, "notes:none"]) == {POOL.id: POOL, odd.id: odd}
    assert catalogue.documents([]) == {}


def test_chunks_are_found_by_id_and_by_row(catalogue: Catalogue) -> None:
    (pool, leak) = put(catalogue, POOL, LEAK)
    held = catalogue.shelved([leak, "nothing"])
    assert (held[leak].document, held[leak].place, held[leak].row) == (LEAK.id, SECRET.id, 1)
    assert list(held) == [leak]
    assert {row: one.chunk for row, one in catalogue.at_rows([0, 7]).items()} == {0: pool}
    assert catalogue.scanned() == Scanned(0, 2)


def test_more_keys_than_a_statement_may_have_parameters_are_no_trouble(catalogue: Catalogue) -> None:
    (pool,) = put(catalogue, POOL)
    assert list(catalogue.shelved([*(f"none{i}" for i in range(70_000)), pool])) == [pool]


def test_rows_are_found_by_service_and_person_in_lower_case(catalogue: Catalogue) -> None:
    put(catalogue, POOL, LEAK)
    assert catalogue.tagged("service=payments") == [0]
    assert catalogue.tagged("person=raj") == [0]
    assert catalogue.tagged("service=Payments") == []


def test_only_documents_in_the_places_named_are_counted(catalogue: Catalogue) -> None:
    put(catalogue, POOL, LEAK)
    assert catalogue.counts(frozenset({OPEN.id})) == {"notes": 1}
    assert catalogue.counts(frozenset(PLACES)) == {"notes": 2}
    catalogue.turn_over({}, [], embedder="", removed=[POOL.id])
    assert catalogue.counts(frozenset({OPEN.id})) == {}


def test_what_is_counted_stays_in_step_when_documents_change_place_model_and_length(
    catalogue: Catalogue,
) -> None:
    put(catalogue, POOL, LEAK)
    long = replace(note("pool", "\n\n".join(["word " * 150] * 4), place=SECRET))
    put(catalogue, long, first=2, embedder="other")
    catalogue.read_at("notes", NOW, ())
    (status,) = catalogue.sources()
    assert (status.documents, status.chunks) == (2, len(list(catalogue.every_chunk())))
    assert catalogue.counts(frozenset({OPEN.id})) == {}
    assert catalogue.counts(frozenset({SECRET.id})) == {"notes": 2}
    assert catalogue.embedders() == {"m", "other"}
    assert catalogue.without_vectors("notes", "other") == {LEAK.id}
    assert catalogue.without_vectors("notes", "third") == {LEAK.id, POOL.id}


def test_a_source_says_when_it_was_read_and_what_could_not_be(catalogue: Catalogue) -> None:
    catalogue.read_at("notes", NOW, (Trouble("a.pdf", "is locked", "notes:a"),))
    catalogue.read_at("another", NOW, ())
    other, notes = catalogue.sources()
    assert (other.source, other.documents, notes.places) == ("another", 0, 2)
    assert notes.read_at == NOW
    assert notes.troubles == (Trouble("a.pdf", "is locked", "notes:a"),)


def test_old_chunks_wait_to_be_swept(catalogue: Catalogue) -> None:
    (old,) = put(catalogue, POOL)
    changed = note("pool", "the pool was drained")
    catalogue.stage({entry.chunk: row for entry, row in entries(changed, first=1)})
    (new,) = put(catalogue, changed, first=1)
    assert catalogue.strays() == {old: 0}
    assert list(catalogue.shelved([old, new])) == [new]
    catalogue.swept()
    assert catalogue.strays() == {}


def test_what_was_staged_and_never_turned_to_is_a_stray(catalogue: Catalogue) -> None:
    catalogue.stage({"begun": 4})
    catalogue.stage({"begun": 5, "more": None})
    assert catalogue.strays() == {"begun": 5, "more": None}


def test_a_unit_speaks_by_its_stamp_once_it_is_read_whole(catalogue: Catalogue) -> None:
    put(catalogue, POOL)
    assert catalogue.units("notes") == {}
    catalogue.unit_read("notes", POOL.id, "one")
    catalogue.unit_read("notes", "empty", "")
    assert catalogue.units("notes") == {POOL.id: "one", "empty": ""}
    assert catalogue.held("notes") == {POOL.id: 1}
    assert catalogue.known("notes", POOL.id) == {POOL.id: Known(fingerprint(POOL), "m")}
    catalogue.unit_begun("notes", POOL.id)
    assert catalogue.units("notes") == {"empty": ""}
    assert catalogue.units_gone("notes", [POOL.id, "empty"]) == [POOL.id]
    assert catalogue.units("notes") == {}
    assert catalogue.units("other") == {}


def test_a_distrusted_source_is_read_anew(catalogue: Catalogue) -> None:
    catalogue.unit_read("notes", "a", "one")
    catalogue.unit_read("other", "a", "two")
    catalogue.distrust(["notes"])
    assert (catalogue.units("notes"), catalogue.units("other")) == ({}, {"a": "two"})


def test_a_forgotten_source_names_what_is_still_held(catalogue: Catalogue) -> None:
    put(catalogue, POOL)
    catalogue.unit_read("notes", POOL.id, "one")
    catalogue.read_at("notes", NOW, ())
    assert catalogue.forget("notes") == [POOL.id]
    assert (catalogue.sources(), catalogue.places(), catalogue.units("notes")) == ((), (), {})


def test_incidents_come_back_and_go_with_their_document(catalogue: Catalogue) -> None:
    told = Incident(POOL.id, "pool", key="INC-112", cause=(0, 8), services=("payments",), began=NOW)
    catalogue.turn_over({POOL.id: [POOL]}, entries(POOL), embedder="m", told=[told])
    assert catalogue.incidents([POOL.id, LEAK.id]) == {POOL.id: told}
    catalogue.turn_over({}, [], embedder="", removed=[POOL.id])
    assert catalogue.incidents([POOL.id]) == {}


def test_rows_move_together_in_their_order(catalogue: Catalogue) -> None:
    pages = [note(f"n{i}", f"number {i}") for i in range(6)]
    put(catalogue, *pages)
    catalogue.turn_over({}, [], embedder="", removed=[pages[0].id, pages[3].id])
    assert catalogue.rows_in_order() == [1, 2, 4, 5]
    catalogue.moved(1)
    assert catalogue.scanned() == Scanned(1, 4)
    held = catalogue.at_rows(range(6))
    assert [held[row].document for row in sorted(held)] == [pages[i].id for i in (1, 2, 4, 5)]


def test_readers_see_the_generation_grow_with_each_change_of_the_indexes(catalogue: Catalogue) -> None:
    told: list[int] = []
    catalogue.before_turning(told.append)
    before = catalogue.generation()
    put(catalogue, POOL)
    catalogue.swept()
    catalogue.unit_read("notes", POOL.id, "one")
    assert catalogue.generation() == before + 2
    assert told == [before + 1, before + 2]


def test_a_change_that_fails_half_way_changes_nothing(catalogue: Catalogue) -> None:
    put(catalogue, POOL)
    before = catalogue.generation()

    def fails(_: int) -> None:
        raise RuntimeError("the disk is full")

    catalogue.before_turning(fails)
    with pytest.raises(RuntimeError):
        put(catalogue, LEAK, note("pool", "changed"), first=1)
    assert catalogue.documents([POOL.id, LEAK.id]) == {POOL.id: POOL}
    assert (catalogue.generation(), catalogue.scanned(), catalogue.strays()) == (before, Scanned(0, 1), {})


def test_a_check_sees_every_chunk_and_document(catalogue: Catalogue) -> None:
    pool, leak = put(catalogue, POOL, LEAK)
    assert sorted(catalogue.every_chunk()) == sorted([(pool, POOL.id, 0), (leak, LEAK.id, 1)])
    assert catalogue.chunk_places() == {pool: OPEN.id, leak: SECRET.id}
    assert {i: mark for i, _, mark in catalogue.every_document("notes")} == {
        POOL.id: fingerprint(POOL),
        LEAK.id: fingerprint(LEAK),
    }
    assert catalogue.in_place(SECRET.id) == [LEAK.id]


def test_it_is_the_same_library_when_it_is_opened_again(catalogue: Catalogue, database: Database) -> None:
    put(catalogue, POOL)
    with Catalogue(database) as again:
        assert again.library() == catalogue.library() != ""
        assert again.documents([POOL.id]) == {POOL.id: POOL}


def test_after_it_was_dropped_there_is_a_new_and_empty_one(database: Database) -> None:
    with Catalogue(database) as made:
        with made.sole_writer():
            made.put_places("notes", GROUPS, (OPEN, SECRET))
            put(made, POOL)
        first = made.library()
    database.drop()
    assert database.library() == ""
    with Catalogue(database) as made:
        assert made.documents([POOL.id]) == {}
        assert made.library() not in ("", first)


def test_a_file_that_is_no_catalogue_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"nothing that SQLite ever wrote" * 200)
    with pytest.raises(IndexDamaged, match=r"'.*catalogue\.db' cannot be used .*; rebuild the library"):
        Catalogue(SqliteFile(tmp_path / "catalogue.db"))
