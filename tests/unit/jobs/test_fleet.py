"""Who is at work, told by counts that go up and by the clock of whoever looks."""

import os
import subprocess
import sys

from agent.store.fleet import Fleet, here, named
from agent.store.memory import MemoryStore


class Uptime:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_worker_elsewhere_lives_while_its_count_goes_up() -> None:
    store, clock = MemoryStore(), Uptime()
    fleet = Fleet(store, place="here", clock=clock)
    for _ in range(4):
        await store.beat("there/7@1.00", "worker")
        await fleet.look()
        clock.now += 19
    assert fleet.alive("there/7@1.00")
    assert fleet.dead() == ()


async def test_one_whose_count_stands_still_is_dead_by_the_clock_of_whoever_looks() -> None:
    store, clock = MemoryStore(), Uptime()
    fleet = Fleet(store, place="here", clock=clock)
    await store.beat("there/7@1.00", "worker")
    await fleet.look()
    clock.now += 19.9
    await fleet.look()
    assert fleet.alive("there/7@1.00")
    clock.now += 0.1
    assert not fleet.alive("there/7@1.00")
    assert fleet.dead() == ("there/7@1.00",)


async def test_who_just_came_gives_everybody_elsewhere_the_time_to_beat() -> None:
    store, clock = MemoryStore(), Uptime()
    await store.beat("there/7@1.00", "worker")
    fleet = Fleet(store, place="here", clock=clock)
    assert fleet.alive("there/7@1.00")  # it never looked
    clock.now += 500
    await fleet.look()
    assert fleet.alive("there/7@1.00")


async def test_one_that_left_is_dead_at_once() -> None:
    store = MemoryStore()
    fleet = Fleet(store, place="here", clock=Uptime())
    await store.beat("there/7@1.00", "worker")
    await fleet.look()
    await store.leave("there/7@1.00")
    await fleet.look()
    assert not fleet.alive("there/7@1.00")


async def test_a_process_of_this_machine_is_looked_at_itself() -> None:
    store = MemoryStore()
    fleet = Fleet(store, clock=Uptime())
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    worker = named(here(), other.pid)
    await store.beat(worker, "worker")
    await fleet.look()
    assert fleet.alive(worker)
    other.kill()
    other.wait()
    assert not fleet.alive(worker)
    assert fleet.dead() == (worker,)


async def test_a_later_process_with_the_same_number_is_another_worker() -> None:
    fleet = Fleet(MemoryStore(), clock=Uptime())
    assert fleet.alive(named(here(), os.getpid()))
    assert not fleet.alive(f"{here()}/{os.getpid()}@1.00")
    assert not fleet.alive("no worker at all")


async def test_one_that_could_not_beat_for_a_while_is_not_trusted_to_begin_anything() -> None:
    store, clock = MemoryStore(), Uptime()
    fleet = Fleet(store, clock=clock)
    assert fleet.trusted()
    await fleet.beat()
    clock.now += 11.9
    assert fleet.trusted()
    clock.now += 0.2
    assert not fleet.trusted()
    await fleet.beat()
    assert fleet.trusted()


async def test_joining_beats_and_leaving_takes_the_beats_away() -> None:
    store = MemoryStore()
    fleet = Fleet(store)
    await fleet.join("worker")
    await fleet.join("worker")  # already there
    assert {id_: beat.count for id_, beat in (await store.beats()).items()} == {fleet.me: 1}
    await fleet.leave()
    assert await store.beats() == {}
