"""Operations that share a transaction: what fails takes nobody along, and what is alike is done once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agent.store.port import StoreError
from agent.store.sql.database import Database, database
from agent.store.sql.operation import Promise
from agent.store.sql.versions import quiet


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Database]:
    made = database(tmp_path / "sayso.db")
    await made.open(quiet)
    yield made
    await made.close()


class Adding:
    """Adds numbers of a kind to a list, and notes how many came together; none that is below zero."""

    def __init__(self) -> None:
        self.together: list[list[int]] = []

    def __call__(self, _connection: Connection, numbers: Sequence[int]) -> list[str]:
        self.together.append(list(numbers))
        if min(numbers) < 0:
            raise ValueError("below zero")
        return [f"#{number}" for number in numbers]


async def test_what_is_asked_for_at_one_moment_is_done_by_one_run(base: Database) -> None:
    odd, even = Adding(), Adding()
    odds, evens = base.operation(Promise.FAST, odd), base.operation(Promise.FAST, even)
    told = await asyncio.gather(*((odds if number % 2 else evens).do(number) for number in range(6)))
    assert told == [f"#{number}" for number in range(6)]
    assert (odd.together, even.together) == ([[1, 3, 5]], [[0, 2, 4]])


async def test_one_that_fails_takes_nobody_along(base: Database) -> None:
    adding = Adding()
    operation = base.operation(Promise.SAFE, adding)
    told = await asyncio.gather(*(operation.do(number) for number in (1, -1, 2)), return_exceptions=True)
    assert (told[0], told[2]) == ("#1", "#2")
    assert isinstance(told[1], ValueError)
    assert adding.together == [[1, -1, 2], [1], [-1], [2]]


async def test_a_row_that_the_database_refuses_is_the_only_one_to_be_refused(base: Database) -> None:
    def added(connection: Connection, names: Sequence[str]) -> Sequence[str]:
        for name in names:
            connection.exec_driver_sql("INSERT INTO meta (name, value) VALUES (?, ?)", (name, "x"))
        return names

    operation = base.operation(Promise.SAFE, added)
    told = await asyncio.gather(
        *(operation.do(name) for name in ("a", "b", "a", "c")), return_exceptions=True
    )
    assert [told[0], told[1], told[3]] == ["a", "b", "c"]
    assert isinstance(told[2], StoreError)


async def test_what_must_be_on_disk_takes_what_adds_to_the_chain_along(base: Database) -> None:
    levels: list[int] = []

    def level(connection: Connection, items: Sequence[int]) -> Sequence[int]:
        levels.append(int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one()))
        return items

    chained, safe = base.operation(Promise.CHAINED, level), base.operation(Promise.SAFE, level)
    await chained.do(1)
    await asyncio.gather(chained.do(1), safe.do(1))
    normal, full = 1, 2
    assert levels == [normal, full, full]


async def test_who_still_waits_when_the_store_is_closed_is_told_and_nobody_waits_for_ever(
    tmp_path: Path,
) -> None:
    closing = database(tmp_path / "closing.db")
    await closing.open(quiet)
    numbers = closing.operation(Promise.SAFE, Adding())
    waiting = [asyncio.create_task(numbers.do(number)) for number in range(300)]
    await asyncio.sleep(0)
    await closing.close()
    told = await asyncio.gather(*waiting, numbers.do(300), return_exceptions=True)
    done = [one for one in told if isinstance(one, str)]
    assert done == [f"#{number}" for number in range(len(done))]
    assert {str(one) for one in told[len(done) :]} == {"the store was closed; this was not accepted"}
