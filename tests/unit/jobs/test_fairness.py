"""Places are given out so that nobody who asks for much keeps the others waiting."""

import asyncio

import pytest

from agent.jobs.fairness import Gate


class Crowd:
    """People at a gate: who works is noted, and works until let go."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.working: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    def come(self, person: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._stay(person))

    async def _stay(self, person: str) -> None:
        async with self._gate.place(person):
            self.working.append(person)
            await self._ends.setdefault(person, asyncio.Event()).wait()
            self.working.remove(person)

    async def let_go(self, person: str) -> None:
        self._ends.setdefault(person, asyncio.Event()).set()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_person_has_no_more_places_than_one_may() -> None:
    crowd = Crowd(gate := Gate(4, 2))
    for _ in range(3):
        crowd.come("maya")
    await settle()
    assert crowd.working == ["maya", "maya"]
    assert gate.waiting == 1
    await crowd.let_go("maya")
    assert (crowd.working, gate.waiting) == ([], 0)


async def test_who_asked_little_goes_before_who_asked_much() -> None:
    crowd = Crowd(Gate(2, 2))
    crowd.come("raj")
    await settle()
    for person in ("maya", "maya", "tom"):
        crowd.come(person)
    await settle()
    assert crowd.working == ["raj", "maya"]
    await crowd.let_go("raj")
    assert crowd.working == ["maya", "tom"]


async def test_among_equals_who_has_waited_longest_goes_first() -> None:
    crowd = Crowd(Gate(1, 1))
    for person in ("raj", "maya", "tom"):
        crowd.come(person)
    await settle()
    await crowd.let_go("raj")
    assert crowd.working == ["maya"]


async def test_who_gives_up_waiting_takes_no_place() -> None:
    crowd = Crowd(gate := Gate(1, 1))
    crowd.come("raj")
    await settle()
    impatient = crowd.come("maya")
    await settle()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert gate.waiting == 0
    crowd.come("tom")
    await crowd.let_go("raj")
    assert crowd.working == ["tom"]


async def test_who_gives_up_as_they_are_let_in_gives_the_place_back() -> None:
    crowd = Crowd(Gate(1, 1))
    crowd.come("raj")
    await settle()
    impatient = crowd.come("maya")
    await settle()
    crowd._ends["raj"].set()
    await asyncio.sleep(0)  # raj is about to leave: maya's place is given, and she has not taken it
    impatient.cancel()
    await settle()
    crowd.come("tom")
    await settle()
    assert crowd.working == ["tom"]


async def test_a_turn_that_fails_gives_its_place_back() -> None:
    gate = Gate(1, 1)
    with pytest.raises(ZeroDivisionError):
        async with gate.place("maya"):
            raise ZeroDivisionError
    async with gate.place("tom"):
        assert gate.waiting == 0


async def test_who_gives_up_in_the_moment_a_place_is_free_is_passed_over() -> None:
    gate, leave = Gate(1, 1), asyncio.Event()

    async def works() -> None:
        async with gate.place("raj"):
            await leave.wait()

    async def comes(person: str) -> str:
        async with gate.place(person):
            return person

    first = asyncio.create_task(works())
    await settle()
    impatient, patient = asyncio.create_task(comes("maya")), asyncio.create_task(comes("tom"))
    await settle()
    leave.set()  # raj leaves before maya, who gives up, has left the row
    impatient.cancel()
    assert await patient == "tom"
    await first
    assert (impatient.cancelled(), gate.waiting) == (True, 0)
