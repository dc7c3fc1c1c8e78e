"""The scan: exact under every filter, and never more than the rows that count."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.catalogue import Scanned
from knowledge.embed import normalised
from knowledge.scan import Added, Scan, ScanWriter, Window, in_bytes

DIMS = 24
CHANCE = np.random.default_rng(7)
VECTORS = (
    normalised(CHANCE.standard_normal((500, DIMS)).astype(np.float32)).astype(np.float16).astype(np.float32)
)
QUESTION = normalised(CHANCE.standard_normal((1, DIMS)).astype(np.float32))[0]


def written(folder: Path, *, rows: int = 500) -> ScanWriter:
    writer = ScanWriter(folder, DIMS)
    added = [Added(1 + i % 5, None if i % 7 == 0 else i) for i in range(rows)]
    writer.add(Scanned(0, 0), VECTORS[:rows], added)
    return writer


def best(rows: list[int], limit: int) -> list[int]:
    return sorted(rows, key=lambda row: -float(VECTORS[row] @ QUESTION))[:limit]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scan")
    written(made)
    return made


@settings(max_examples=60, deadline=None)
@given(
    places=st.frozensets(st.integers(1, 8)),
    since=st.none() | st.integers(0, 500),
    until=st.none() | st.integers(0, 500),
    rows=st.none() | st.lists(st.integers(0, 499), unique=True, max_size=60),
)
def test_a_scan_finds_what_comparing_with_everything_would_find(
    folder: Path, places: frozenset[int], since: int | None, until: int | None, rows: list[int] | None
) -> None:
    window = Window(places, None if rows is None else np.array(sorted(rows), dtype=np.int64), since, until)
    hits = Scan(folder, Scanned(0, 500), DIMS).search(QUESTION, window, 10)
    dated = since is not None or until is not None
    allowed = [
        row
        for row in (range(500) if rows is None else rows)
        if 1 + row % 5 in places
        and not (dated and row % 7 == 0)
        and (since is None or row >= since)
        and (until is None or row < until)
    ]
    assert [row for row, _ in hits] == best(allowed, 10)


def test_rows_that_do_not_count_yet_are_not_found(folder: Path) -> None:
    hits = Scan(folder, Scanned(0, 100), DIMS).search(QUESTION, Window(frozenset(range(1, 6))), 200)
    assert {row for row, _ in hits} == set(range(100))


def test_a_batch_that_a_crash_cut_short_is_written_over(tmp_path: Path) -> None:
    writer = written(tmp_path, rows=100)
    writer.add(Scanned(0, 40), VECTORS[200:210], [Added(9, None)] * 10)
    scan = Scan(tmp_path, Scanned(0, 50), DIMS)
    assert [row for row, _ in scan.search(VECTORS[205], Window(frozenset({9})), 1)] == [45]
    assert (tmp_path / "epoch-0" / "bytes").stat().st_size == 50 * DIMS


def test_swept_rows_are_found_by_nobody_who_already_reads(tmp_path: Path) -> None:
    writer = written(tmp_path)
    scan = Scan(tmp_path, Scanned(0, 500), DIMS)
    everywhere = Window(frozenset(range(1, 6)))
    first = scan.search(QUESTION, everywhere, 1)[0][0]
    writer.sweep(Scanned(0, 500), [first, 900])
    assert first not in {row for row, _ in scan.search(QUESTION, everywhere, 500)}


def test_moving_together_keeps_vectors_places_and_dates(tmp_path: Path) -> None:
    writer = written(tmp_path)
    kept = [row for row in range(500) if row % 3]
    epoch = writer.move(Scanned(0, 500), kept)
    before, after = Scan(tmp_path, Scanned(0, 500), DIMS), Scan(tmp_path, Scanned(epoch, len(kept)), DIMS)
    writer.tidy(Scanned(epoch, len(kept)))
    window = Window(frozenset({2, 3}), since=50)
    moved = [kept[row] for row, _ in after.search(QUESTION, window, 20)]
    assert moved == [row for row, _ in before.search(QUESTION, window, 500) if row in kept][:20]
    assert [entry.name for entry in tmp_path.iterdir()] == ["epoch-1"]


def test_the_files_of_an_epoch_that_is_over_are_missed_at_once(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(FileNotFoundError):
        Scan(tmp_path, Scanned(3, 10), DIMS)


def test_bytes_keep_the_direction_of_a_vector() -> None:
    stretched = in_bytes(VECTORS).astype(np.float32)
    assert np.abs(stretched).max(axis=1).tolist() == [127.0] * 500
    assert float((normalised(stretched) * VECTORS).sum(axis=1).min()) > 0.999


def test_a_vector_of_zeros_is_zeros_in_bytes_too() -> None:
    assert not in_bytes(np.zeros((2, DIMS), dtype=np.float32)).any()
