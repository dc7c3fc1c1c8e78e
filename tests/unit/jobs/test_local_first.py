"""Jobs are done here while there is room; where they wait for it depends on whether somebody else could do them."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from agent.jobs.engine import Job, LocalFirst, Width, Work

WIDTH = Width(turns=2)


@dataclass
class Carrier:
    """Notes what it is given."""

    given: list[str] = field(default_factory=list)

    async def submit(self, _job: Job, key: str, _lane: str, *, attempt: str = "") -> None:
        self.given.append(key + attempt)

    async def adopt(self, dead: Collection[str]) -> int:
        return len(dead)

    def waits(self, _job: Job, _key: str) -> bool:
        return False


@dataclass
class Hands:
    """Jobs that last until they are let go on."""

    begun: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)

    async def do(self, key: str, _lane: str) -> None:
        self.begun.append(key)
        await self.ends.setdefault(key, asyncio.Event()).wait()

    @property
    def work(self) -> Work:
        return {Job.TURN: self.do, Job.RUN: self.do, Job.TELL: self.do}

    async def end(self, key: str) -> None:
        self.ends[key].set()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _submitted(engine: LocalFirst, *keys: str) -> None:
    for key in keys:
        await engine.submit(Job.TURN, key, f"thread of {key}")
    await settle()


async def test_what_finds_no_room_goes_to_others_where_there_are_any() -> None:
    hands, carrier = Hands(), Carrier()
    engine = LocalFirst(hands.work, carrier, WIDTH, alone=lambda: False)
    await _submitted(engine, "T-1", "T-2", "T-3")
    assert (hands.begun, carrier.given) == (["T-1", "T-2"], ["T-3"])
    await engine.drain(0.0)


async def test_who_is_alone_keeps_what_finds_no_room_in_line() -> None:
    hands, carrier = Hands(), Carrier()
    engine = LocalFirst(hands.work, carrier, WIDTH, alone=lambda: True)
    await _submitted(engine, "T-1", "T-2", "T-3", "T-4", "T-3")
    assert [engine.waits(Job.TURN, key) for key in ("T-2", "T-3", "T-4")] == [False, True, True]
    assert not engine.waits(Job.RUN, "T-3")
    await hands.end("T-2")
    assert hands.begun == ["T-1", "T-2", "T-3"]
    await hands.end("T-1")
    assert hands.begun == ["T-1", "T-2", "T-3", "T-4"]  # each once, in the order they came
    assert carrier.given == []
    await engine.drain(0.0)


async def test_what_waits_in_line_is_not_begun_by_a_process_that_ends() -> None:
    hands, carrier = Hands(), Carrier()
    engine = LocalFirst(hands.work, carrier, WIDTH, alone=lambda: True)
    await _submitted(engine, "T-1", "T-2", "T-3")
    await engine.drain(0.0)
    assert hands.begun == [
        "T-1",
        "T-2",
    ]  # the store has the third: a later round, or somebody else's, finds it
