"""The shop opens once, closes whole, and leaves no process behind: not after kill -9, Ctrl-C or a lost owner."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from demo import lifecycle
from demo.supervisor.processes import end_strays, remember

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
PROCESSES = 9  # the supervisor, seven instances (two of them checkout's in production), the customers


class Silence:
    """Hears what the shop says while it opens."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def __call__(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    folder = tmp_path / "home"
    yield folder
    await lifecycle.stop(folder)
    assert await emptied(folder)


def processes(home: Path) -> list[psutil.Process]:
    """Every process of the shop in this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(home) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


async def emptied(home: Path) -> bool:
    """Whether all processes of the shop end within a while, by themselves."""
    for _ in range(100):
        if not processes(home):
            return True
        await asyncio.sleep(0.1)
    return False


async def test_two_starts_at_once_make_one_shop_and_a_stop_ends_all_of_it(home: Path) -> None:
    both = await asyncio.gather(*(lifecycle.start(home, Silence(), fault=False) for _ in range(2)))
    assert sorted(shop.started for shop in both) == [False, True]
    assert both[0].pid == both[1].pid
    assert len(processes(home)) == PROCESSES
    services = await lifecycle.status(home)
    assert services is not None
    assert all(one["replicas"] == one["healthy_replicas"] for one in services)
    assert home.stat().st_mode & 0o777 == 0o700
    for secret in ("supervisor.json", "sayso.yaml", "metrics.db", "processes.json", "addresses.json"):
        assert (home / secret).stat().st_mode & 0o777 == 0o600, secret
    listening = {
        link.laddr.ip
        for process in processes(home)
        for link in process.net_connections("tcp")
        if link.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}

    assert await lifecycle.stop(home) is True
    assert processes(home) == []
    assert await lifecycle.status(home) is None
    assert await lifecycle.stop(home) is False


async def test_after_kill_9_everything_ends_and_the_next_start_is_whole(home: Path) -> None:
    shop = await lifecycle.start(home, Silence(), fault=False)
    psutil.Process(shop.pid).kill()
    os.waitpid(shop.pid, 0)
    assert await lifecycle.status(home) is None
    assert await emptied(home)
    again = await lifecycle.start(home, Silence(), fault=False)
    assert again.started
    assert len(processes(home)) == PROCESSES


async def test_ctrl_c_while_the_shop_opens_leaves_nothing(home: Path) -> None:
    opening = asyncio.create_task(lifecycle.start(home, Silence(), fault=False))
    async with asyncio.timeout(60):
        while len(processes(home)) < 4:
            await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert await emptied(home)


async def test_the_shop_closes_when_its_owner_is_gone_also_unburied(home: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    shop = await lifecycle.start(home, Silence(), owner=owner.pid, fault=False)
    owner.kill()  # and not waited for: it stays a zombie
    assert await emptied(home)
    os.waitpid(shop.pid, 0)
    owner.communicate()


async def test_what_an_earlier_shop_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    left, stranger = (subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"]) for _ in "ab")
    remember(tmp_path, [left.pid, stranger.pid])
    file = tmp_path / "processes.json"
    # A number that another process has by now: same number, another start time.
    file.write_text(json.dumps({**json.loads(file.read_text()), str(stranger.pid): 1.0}))
    try:
        assert await asyncio.to_thread(end_strays, tmp_path) == 1
        assert stranger.poll() is None
        assert left.poll() is not None
    finally:
        stranger.kill()
        stranger.wait()
        left.wait()
