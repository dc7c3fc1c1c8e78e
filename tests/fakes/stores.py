"""The stores that keep one contract: in memory, in a file, and on a real PostgreSQL."""

from pathlib import Path

import pytest

from agent.store.memory import MemoryStore
from agent.store.port import Store
from agent.store.sql.store import SqlStore
from tests.fakes.postgres import PostgresServer

KINDS = ("memory", "sqlite", "postgres")


async def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Store:
    """An empty store of this kind; PostgreSQL is only started for those who ask for it."""
    match kind:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return await SqlStore.open(folder / "sayso.db")
        case _:
            server: PostgresServer = request.getfixturevalue("postgres")
            return await SqlStore.open(server.database())
