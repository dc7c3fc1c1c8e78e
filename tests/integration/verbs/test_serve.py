"""`sayso serve` as people start it: it answers probes, ends in good order, and says why it cannot begin."""

import asyncio
import json
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

ROOT = Path(__file__).parents[3]
SETTINGS = "people:\n  maya: {name: Maya, roles: [viewer]}\naccess: {knowledge: [viewer]}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    (made / "sayso.yaml").write_text(SETTINGS, encoding="utf-8")
    return made


async def started(home: Path, *options: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "agent.cli", "serve", "--home", str(home), *options]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE)


async def line(process: asyncio.subprocess.Process, wanted: str) -> str:
    """The first line it writes that has this in it."""
    assert process.stderr is not None
    while read := (await process.stderr.readline()).decode():
        if wanted in read:
            return read
    raise AssertionError(f"it ended with {await process.wait()} and never said {wanted!r}")


@pytest.fixture
async def serving(home: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await started(home, "--listen", "127.0.0.1:0")
    said = await line(process, "sayso serves")
    found = re.search(r"http://[\d.:]+", said)
    assert found is not None
    yield process, found[0]
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_it_answers_probes_and_ends_when_it_is_asked_to(
    serving: tuple[asyncio.subprocess.Process, str],
) -> None:
    process, address = serving
    async with ClientSession() as session:
        for page in ("healthz", "readyz"):
            async with session.get(f"{address}/{page}") as answer:
                assert (answer.status, json.loads(await answer.text())["ok"]) == (200, True)
        async with session.get(f"{address}/metrics") as answer:
            assert 'sayso_workers{role="all"} 1.0' in await answer.text()
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_a_store_of_a_newer_sayso_is_refused(home: Path) -> None:
    with closing(sqlite3.connect(home / "sayso.db", isolation_level=None)) as store:
        store.execute("CREATE TABLE meta (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
        store.execute("INSERT INTO meta VALUES ('version', '99')")
    process = await started(home, "--listen", "127.0.0.1:0")
    assert "was made by a newer sayso" in await line(process, "newer")
    assert await process.wait() == 5


async def test_a_port_that_somebody_else_has_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        listen = f"127.0.0.1:{held.getsockname()[1]}"
        process = await started(home, "--listen", listen)
        assert listen in await line(process, "--listen")
        assert await process.wait() == 5


async def test_a_place_to_listen_at_that_is_none_is_named_as_it_was_given(home: Path) -> None:
    process = await started(home, "--listen", "foo")
    assert "argument --listen: 'foo' should be HOST:PORT" in await line(process, "--listen: ")
    assert await process.wait() == 2


async def test_without_settings_it_says_what_to_do(tmp_path: Path) -> None:
    process = await started(tmp_path)
    assert "sayso init" in await line(process, "there is no such file")
    assert await process.wait() == 2
