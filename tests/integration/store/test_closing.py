"""A store that is closed while somebody is in it."""

import asyncio
import threading
from pathlib import Path

from sqlalchemy import Connection, text

from agent.store.sql.sqlite import Sqlite


async def test_a_read_under_way_ends_before_its_connection_is_closed(tmp_path: Path) -> None:
    database = Sqlite(tmp_path / "sayso.db")
    await database.open(lambda _: None)
    inside, go_on = threading.Event(), threading.Event()

    def work(connection: Connection) -> int:
        inside.set()
        go_on.wait()
        return int(connection.execute(text("SELECT count(*) FROM turns")).scalar_one())

    read = asyncio.create_task(database.read(work))
    await asyncio.to_thread(inside.wait)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    assert await read == 0
    await closing
