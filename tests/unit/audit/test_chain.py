"""The hash chain finds every kind of tampering and names the first row."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.audit.chain import ROOT, seal, verify
from agent.audit.event import Event, Fact, FactKind
from agent.audit.export import comma_separated, json_lines

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
    assert verify(trail).broken == 4


def test_exports_have_every_row_with_its_hash(trail: list[Event]) -> None:
    lines = list(json_lines(trail))
    table = list(comma_separated(trail))
    assert len(lines) == 7
    assert len(table) == 8
    assert all(event.hash in line for event, line in zip(trail, lines, strict=True))
    assert all(event.hash in row for event, row in zip(trail, table[1:], strict=True))


def test_a_cell_that_looks_like_a_formula_stays_text() -> None:
    event = seal(1, Fact(FactKind.HEARD, "=cmd()", "T-1", NOW), ROOT)
    assert "'=cmd()" in list(comma_separated([event]))[1]
