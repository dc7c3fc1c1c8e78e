"""Questions that are asked by themselves: "failed payments by day last week", every Monday at nine, for somebody.

Whoever goes a round hears the question for everybody: its event id is the schedule and the moment, so of many workers
one is the first, and the others hear it no more. What was missed while nobody worked is asked once, if it is not old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from agent.conversation.thread import Said, ThreadId

CAUGHT_UP = timedelta(hours=1)  # a question that should have been asked longer ago waits for the next time


@dataclass(frozen=True, slots=True)
class Schedule:
    """`when` is a cron expression of five fields, in the zone of the house; `place` a surface and a channel."""

    name: str
    when: str
    ask: str
    person: str
    place: str


class Timetable:
    """What is to be asked now. It remembers what it gave, so that the store is not asked all the time."""

    def __init__(self, schedules: Sequence[Schedule], zone: tzinfo) -> None:
        self._schedules, self._zone = schedules, zone
        self._given: dict[str, datetime] = {}

    def due(self, now: datetime) -> list[Said]:
        """The questions of this moment, each with the id that makes it one however many workers ask."""
        found = []
        for schedule in self._schedules:
            moment = last(schedule.when, now, self._zone)
            if now - moment >= CAUGHT_UP or self._given.get(schedule.name) == moment:
                continue
            self._given[schedule.name] = moment
            stamp = moment.strftime("%Y%m%dT%H%M")
            thread = ThreadId(f"{schedule.place}:schedule-{schedule.name}-{stamp}")
            event = f"schedule:{schedule.name}:{stamp}"
            found.append(Said(event, thread, schedule.person, schedule.ask, now))
        return found


def last(when: str, now: datetime, zone: tzinfo) -> datetime:
    """The last moment that a cron expression means, now included. Raises `ValueError` for what is none."""
    from croniter import croniter

    local = now.astimezone(zone)
    moment: datetime = croniter(when, local + timedelta(seconds=1)).get_prev(datetime)
    return moment


def checked(when: str) -> str:
    """A cron expression of five fields. Raises `ValueError`."""
    from croniter import croniter

    if len(when.split()) != 5 or not croniter.is_valid(when):
        raise ValueError("should be five fields: minute hour day month weekday, such as `0 9 * * mon`")
    return when
