"""Questions that are asked by themselves: at the right moment of the house, once, and not when it is too late."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from agent.schedules import Schedule, Timetable, last
from agent.settings import ScheduleSettings

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # nine in Paris
WEEKLY = Schedule("payments", "0 9 * * mon", "failed payments by day last week", "ines", "slack:C1")


def test_it_is_asked_at_its_moment_in_the_time_of_the_house() -> None:
    table = Timetable([WEEKLY], PARIS)
    assert table.due(MONDAY - timedelta(minutes=1)) == []
    (said,) = table.due(MONDAY)
    assert (said.speaker, said.text) == ("ines", "failed payments by day last week")
    assert said.thread == "slack:C1:schedule-payments-20261123T0900"


def test_it_is_asked_once() -> None:
    table = Timetable([WEEKLY], PARIS)
    asked = [said for second in range(0, 120, 2) for said in table.due(MONDAY + timedelta(seconds=second))]
    assert len(asked) == 1


def test_every_worker_gives_it_the_same_id() -> None:
    one, other = Timetable([WEEKLY], PARIS), Timetable([WEEKLY], PARIS)
    later = MONDAY + timedelta(seconds=40)
    assert one.due(MONDAY)[0].event_id == other.due(later)[0].event_id


def test_what_was_missed_is_caught_up_with_unless_it_is_old() -> None:
    assert len(Timetable([WEEKLY], PARIS).due(MONDAY + timedelta(minutes=59))) == 1
    assert Timetable([WEEKLY], PARIS).due(MONDAY + timedelta(hours=1)) == []


def test_the_next_week_is_another_time() -> None:
    table = Timetable([WEEKLY], PARIS)
    first, second = table.due(MONDAY), table.due(MONDAY + timedelta(days=7))
    assert first[0].event_id != second[0].event_id


def test_nine_stays_nine_when_clocks_change() -> None:
    summer = datetime(2026, 7, 6, 7, 0, tzinfo=UTC)
    assert last("0 9 * * mon", summer, PARIS) == summer
    assert last("0 9 * * mon", MONDAY, PARIS) == MONDAY


@pytest.mark.parametrize("when", ["monday at nine", "0 9 * *", "61 9 * * mon", "0 9 * * mon 0"])
def test_what_is_no_cron_expression_is_refused_with_an_example(when: str) -> None:
    with pytest.raises(ValidationError, match="0 9 \\* \\* mon"):
        ScheduleSettings.model_validate({"when": when, "ask": "?", "person": "ines", "place": "slack:C1"})
