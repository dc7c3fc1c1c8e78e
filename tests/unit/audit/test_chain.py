"""The hash chain finds every kind of tampering and names the first row."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.audit.chain import ROOT, seal, verify
from agent.audit.event import Event, Fact, FactKind
from tests.fakes.trails import first_format

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def trail() -> list[Event]:
    events: list[Event] = []
    for number in range(1, 8):
        fact = Fact(FactKind.DECIDED, "tom", f"A-{number}", NOW, {"reason": f"because {number}"})
        events.append(seal(number, fact, events[-1].hash if events else ROOT))
    return events


def test_an_untouched_trail_is_whole(trail: list[Event]) -> None:
    assert verify(trail).whole


def test_an_empty_trail_is_whole() -> None:
    assert verify([]).whole


@pytest.mark.parametrize("row", [0, 3, 6])
def test_a_changed_row_is_named(trail: list[Event], row: int) -> None:
    fact = replace(trail[row].fact, data={"reason": "something else"})
    trail[row] = replace(trail[row], fact=fact)
    report = verify(trail)
    assert (report.broken, report.problem) == (row + 1, "its content was changed")


@pytest.mark.parametrize("row", [0, 3, 5])
def test_a_removed_row_is_named(trail: list[Event], row: int) -> None:
    del trail[row]
    assert verify(trail).problem == f"row {row + 1} is missing"


def test_a_row_that_was_recomputed_breaks_the_next(trail: list[Event]) -> None:
    trail[2] = seal(3, replace(trail[2].fact, actor="mallory"), trail[1].hash)
    report = verify(trail)
    assert (report.broken, report.problem) == (4, "it does not follow the row before it")


def test_an_inserted_row_is_named(trail: list[Event]) -> None:
    trail.insert(3, seal(4, trail[0].fact, trail[2].hash))
    assert verify(trail).broken == 4


def test_reordered_rows_are_named(trail: list[Event]) -> None:
    trail[2], trail[3] = trail[3], trail[2]
    assert verify(trail).broken == 3


def test_a_row_written_by_the_first_version_still_verifies() -> None:
    report = verify(first_format())
    assert (report.whole, report.rows) == (True, 6)


@pytest.mark.parametrize("row", range(6))
def test_a_changed_row_of_the_first_version_is_named(row: int) -> None:
    events = first_format()
    events[row] = replace(events[row], fact=replace(events[row].fact, data={"reason": "another"}))
    assert verify(events).broken == row + 1


def test_a_trail_goes_on_in_the_newer_format() -> None:
    events = first_format()
    events.append(seal(7, Fact(FactKind.DECIDED, "tom", "A-2", NOW), events[-1].hash))
    assert verify(events).whole
    assert [event.body_hash is None for event in events] == [True] * 6 + [False]


def test_a_row_cannot_pass_for_one_of_the_other_format(trail: list[Event]) -> None:
    trail[2] = replace(trail[2], body_hash=None)
    assert verify(trail).broken == 3


def test_a_body_that_is_gone_is_named_where_no_pruning_explains_it(trail: list[Event]) -> None:
    for row in (1, 2, 3):
        trail[row] = replace(trail[row], fact=replace(trail[row].fact, data={}), pruned=True)
    report = verify(trail)
    assert (report.broken, report.problem) == (
        2,
        "the bodies up to row 4 are gone, and no pruning in the trail explains it",
    )


def test_a_pruning_explains_the_rows_it_names_and_no_others(trail: list[Event]) -> None:
    pruning = Fact(FactKind.PRUNED, "nora", "trail", NOW, {"rows": 3, "first": 1, "last": 3})
    trail.append(seal(8, pruning, trail[-1].hash))
    bare = [
        replace(event, fact=replace(event.fact, data={}), pruned=True) if event.seq <= 3 else event
        for event in trail
    ]
    assert verify(bare).whole
    bare[3] = replace(bare[3], fact=replace(bare[3].fact, data={}), pruned=True)
    assert verify(bare).broken == 4


def test_a_pruning_never_loses_its_own_body(trail: list[Event]) -> None:
    for last in (3, 6):
        pruning = Fact(FactKind.PRUNED, "nora", "trail", NOW, {"last": last})
        trail.append(seal(len(trail) + 1, pruning, trail[-1].hash))
    trail[7] = replace(trail[7], fact=replace(trail[7].fact, data={}), pruned=True)
    assert verify(trail).broken == 8


def test_several_faults_are_all_named(trail: list[Event]) -> None:
    trail[1] = replace(trail[1], fact=replace(trail[1].fact, actor="mallory"))
    del trail[4]
    assert [problem.row for problem in verify(trail).problems] == [2, 5]
