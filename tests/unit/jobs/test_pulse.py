"""Turns that make the loop late are fewer at once; the loop that hears people comes first."""

import asyncio
from dataclasses import dataclass, field

from agent.jobs.fairness import Gate
from agent.jobs.pulse import EVERY, HEARD_LATE, HEARD_PROMPT, IDLE, IN_A_ROW, Courtesy, Pulse, places


@dataclass
class Time:
    """A clock, and sleeps that last as much longer as they are told."""

    now: float = 0.0
    late: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds + self.late


async def _stay(gate: Gate, person: str, end: asyncio.Event) -> None:
    async with gate.place(person):
        await end.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_loop_that_is_late_halves_the_places_and_one_that_is_not_gives_back_one() -> None:
    assert [places(32, late) for late in (0.0, 0.005, 0.05)] == [33, 32, 16]


def test_while_another_process_hears_people_late_one_turn_works() -> None:
    gate = Gate(8, 8)
    Courtesy(gate).heard(HEARD_LATE)
    assert gate.places == 1


def test_places_come_back_one_by_one_while_it_hears_them_in_time() -> None:
    gate = Gate(3, 3)
    courtesy = Courtesy(gate)
    courtesy.heard(1.0)
    seen = []
    for _ in range(4):
        for _ in range(IN_A_ROW):
            courtesy.heard(HEARD_PROMPT)
        seen.append(gate.places)
    assert seen == [2, 3, 3, 3]  # no more than it was made for


def test_a_word_between_good_and_bad_takes_no_place_and_gives_none() -> None:
    gate = Gate(3, 3)
    courtesy = Courtesy(gate)
    courtesy.heard(1.0)
    for _ in range(2 * IN_A_ROW):
        courtesy.heard(0.0)
        courtesy.heard((HEARD_PROMPT + HEARD_LATE) / 2)
    assert gate.places == 1


def test_where_it_is_always_late_however_few_turns_work_that_is_not_held_against_them() -> None:
    gate = Gate(3, 3)
    courtesy = Courtesy(gate)
    for _ in range(100):
        courtesy.heard(0.04)  # the store is far away
    assert gate.places == 3
    courtesy.heard(0.2)
    assert gate.places == 1


async def test_while_the_loop_is_late_one_turn_works_and_the_others_begin_when_it_is_not() -> None:
    gate, time, end = Gate(4, 4), Time(), asyncio.Event()
    pulse = Pulse(gate, time.clock, time.sleep)
    time.late = 1.0
    for _ in range(4):
        await pulse.beat()
    tasks = [asyncio.create_task(_stay(gate, f"person {number}", end)) for number in range(6)]
    await settle()
    assert (gate.at_work, gate.waiting) == (1, 5)
    time.late = 0.0
    await pulse.beat()
    await settle()
    assert (gate.at_work, gate.waiting) == (2, 4)
    for _ in range(9):
        await pulse.beat()
    await settle()
    assert (gate.at_work, gate.waiting) == (4, 2)  # no more than it was made for
    end.set()
    await asyncio.gather(*tasks)


async def test_what_works_already_goes_on_when_the_gate_is_narrowed() -> None:
    gate, end = Gate(2, 2), asyncio.Event()
    working = [asyncio.create_task(_stay(gate, name, end)) for name in ("maya", "tom")]
    await settle()
    gate.open(0)
    waiting = asyncio.create_task(_stay(gate, "raj", end))
    await settle()
    assert (gate.places, gate.at_work, gate.waiting) == (1, 2, 1)
    end.set()
    await asyncio.gather(*working, waiting)
    assert gate.at_work == 0


async def test_a_loop_with_nobody_at_work_is_looked_at_seldom() -> None:
    gate, time, end = Gate(2, 2), Time(), asyncio.Event()
    pulse = Pulse(gate, time.clock, time.sleep)
    await pulse.beat()
    task = asyncio.create_task(_stay(gate, "maya", end))
    await settle()
    await pulse.beat()
    assert time.slept == [IDLE, EVERY]
    end.set()
    await task
