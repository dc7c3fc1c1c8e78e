"""Who waits to write a file goes before who just wrote it, and nobody waits long for one that sleeps meanwhile."""

import fcntl
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agent.store.port import StoreBusy
from agent.store.sql.sqlite import Sqlite
from agent.store.sql.turnstile import Turnstile


@dataclass
class Time:
    """A clock that sleep moves on; what is in `then` happens during the sleeps, one after the other."""

    now: float = 0.0
    then: list[Callable[[], object]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.then:
            self.then.pop(0)()


def test_who_is_next_looks_until_it_is_there(tmp_path: Path) -> None:
    seen: list[bool] = [False, False, True]
    time = Time()
    assert Turnstile(tmp_path / "next", time.clock, time.sleep).until(lambda: seen.pop(0), 1.0)
    assert time.now > 0.0
    assert not seen


def test_what_never_comes_is_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    time = Time()
    assert not Turnstile(tmp_path / "next", time.clock, time.sleep).until(lambda: False, 1.0)
    assert time.now == pytest.approx(1.0, abs=0.01)


def test_while_one_is_next_another_does_not_even_look(tmp_path: Path) -> None:
    looks = list[str]()

    def look() -> bool:
        looks.append("looked")
        return True

    descriptor = os.open(tmp_path / "next", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def given_back() -> None:
        assert not looks
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    time = Time(then=[lambda: None, lambda: None, given_back])
    assert Turnstile(tmp_path / "next", time.clock, time.sleep).until(look, 1.0)
    assert len(looks) == 1
    assert time.now < 1.0
    os.close(descriptor)


def test_one_that_sleeps_with_the_place_in_hand_is_waited_for_only_so_long(tmp_path: Path) -> None:
    time = Time()
    descriptor = os.open(tmp_path / "next", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert Turnstile(tmp_path / "next", time.clock, time.sleep).until(lambda: True, 1.0)
    assert time.now == pytest.approx(1.0, abs=0.01)
    os.close(descriptor)


def test_where_no_file_may_be_made_it_goes_without(tmp_path: Path) -> None:
    time = Time()
    assert Turnstile(tmp_path / "nowhere" / "next", time.clock, time.sleep).until(lambda: True, 1.0)
    assert time.now == 0.0


def _write(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS lamps (name TEXT)")
    connection.exec_driver_sql("INSERT INTO lamps VALUES ('green')")


def test_a_file_that_somebody_else_writes_is_told_as_busy_and_is_written_once_it_is_free(
    tmp_path: Path,
) -> None:
    database = Sqlite(tmp_path / "sayso.db", busy_ms=50)
    database.fast_now(_write)
    other = sqlite3.connect(tmp_path / "sayso.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked by another process"):
        database.fast_now(_write)
    other.execute("ROLLBACK")
    database.safe_now(_write)
    assert other.execute("SELECT count(*) FROM lamps").fetchone() == (2,)
    other.close()
    database.close_now()
