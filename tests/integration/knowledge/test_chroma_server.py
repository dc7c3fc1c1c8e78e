"""The record of vectors on a real Chroma server: the same library, kept elsewhere."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge.library import FolderLibrary, Server, open_library
from knowledge.port import Place, Query, Reader, RecordUnavailable
from tests.fakes.documents import OPEN, Notes, note
from tests.fakes.embedder import HashedWords

NOW = datetime(2026, 11, 23, tzinfo=UTC)
RAJ, MAYA = Reader("raj"), Reader("maya")
SECRET = Place("notes:secret", "#secret", "notes", public=False, members=frozenset({"person:raj"}))
PAGES = [note(f"n{i}", f"note number{i} about tulips") for i in range(30)]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--port", str(port), "--path", str(tmp_path / "server")),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
    )
    async with asyncio.timeout(60):
        while not await answers(port):
            assert process.returncode is None, "chroma run ended before it listened"
            await asyncio.sleep(0.05)
    yield Server(f"http://127.0.0.1:{port}", above=0)
    process.kill()
    await process.wait()


async def opened(folder: Path, server: Server, *, rebuild: bool = False) -> FolderLibrary:
    return await open_library(
        folder / "library", embedder=HashedWords(), clock=lambda: NOW, server=server, rebuild=rebuild
    )


async def found(library: FolderLibrary, text: str, reader: Reader = MAYA) -> list[str]:
    result = await library.search(Query(text, limit=3), reader)
    return [passage.document.removeprefix("notes:") for passage in result.passages]


async def test_a_library_with_a_server_is_ingested_searched_checked_and_rebuilt(
    tmp_path: Path, server: Server
) -> None:
    source = Notes(*PAGES, note("leak", "the leaked key", place=SECRET), places=[OPEN, SECRET])
    library = await opened(tmp_path, server)
    await library.ingest([source])
    assert (await found(library, "number7"))[0] == "n7"
    assert "leak" not in await found(library, "leaked key")
    assert (await found(library, "leaked key", RAJ))[0] == "leak"
    checked = await library.verify([source])
    assert (checked.vectors, checked.faults) == (31, ())
    del source.pages["notes:n7"]
    await library.ingest([source])
    assert "n7" not in await found(library, "number7")
    assert (await library.verify([source])).vectors == 30
    await library.close()
    rebuilt = await opened(tmp_path, server, rebuild=True)
    assert await found(rebuilt, "number8") == []
    await rebuilt.ingest([source])
    assert (await rebuilt.verify([source])).faults == ()
    await rebuilt.close()


async def test_two_libraries_on_one_server_do_not_mix(tmp_path: Path, server: Server) -> None:
    one, other = await opened(tmp_path / "one", server), await opened(tmp_path / "other", server)
    await one.ingest([Notes(*PAGES)])
    await other.ingest([Notes(note("pool", "the pool"))])
    assert (await other.verify([Notes(note("pool", "the pool"))])).vectors == 1
    assert await found(other, "tulips") == ["pool"]
    await one.close()
    await other.close()


async def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    library = await opened(tmp_path, Server(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(RecordUnavailable, match=r"no Chroma server answers at 'http://127.0.0.1:\d+'"):
        await library.ingest([Notes(*PAGES)])
    await library.close()
