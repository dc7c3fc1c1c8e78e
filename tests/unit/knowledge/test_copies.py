"""Near-duplicates become one result that names its copies."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from knowledge.copies import alike, collapsed, runs_of
from knowledge.port import Standing
from tests.fakes.documents import note

STEPS = "Stop the writer, promote the standby, point the services at it, and watch the lag for ten minutes."


def test_the_same_page_in_two_folders_is_one_result_with_its_copy_named() -> None:
    first, other = note("a", STEPS), replace(note("b", STEPS + " Thanks."), title="Failover (old wiki)")
    ((_, document, copies),) = collapsed([("x", first), ("y", other)], 5)
    assert document is first
    assert [copy.title for copy in copies] == ["Failover (old wiki)"]


def test_pages_that_differ_stay_apart() -> None:
    kept = collapsed([("x", note("a", STEPS)), ("y", note("b", "Warm the cache before the sale begins."))], 5)
    assert [found for found, _, _ in kept] == ["x", "y"]


def test_an_obsolete_page_is_no_copy_of_the_one_that_holds() -> None:
    old = replace(note("b", STEPS), standing=Standing.OBSOLETE)
    assert [copies for _, _, copies in collapsed([("x", note("a", STEPS)), ("y", old)], 5)] == [(), ()]


def test_copies_do_not_take_the_room_of_other_results() -> None:
    pages = [("a", note("a", STEPS)), ("b", note("b", STEPS)), ("c", note("c", "Warm the cache first."))]
    assert [found for found, _, _ in collapsed(pages, 2)] == ["a", "c"]


@given(st.text(), st.text())
def test_likeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    a, b = runs_of(one), runs_of(other)
    assert 0 <= alike(a, b) <= 1
    assert alike(a, b) == alike(b, a)
    assert alike(a, a) == 1
