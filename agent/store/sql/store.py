"""The store in SQL, on SQLite and PostgreSQL alike: every method is part of one short transaction."""

from pathlib import Path

from agent.store.scribe import Scribe
from agent.store.sql.asked import SqlAsked
from agent.store.sql.database import Database, database
from agent.store.sql.ledger import SqlLedger
from agent.store.sql.overheard import SqlOverheard
from agent.store.sql.threads import SqlThreads
from agent.store.sql.trail import SqlTrail
from agent.store.sql.versions import Note, quiet
from agent.store.sql.waiting import SqlWaiting


class SqlStore(SqlThreads, SqlLedger, SqlTrail, SqlWaiting):
    """Implements `agent.store.port.Store`."""

    def __init__(self, database: Database, scribe: Scribe | None = None) -> None:
        scribe = scribe or Scribe()
        SqlThreads.__init__(self, database, scribe)
        SqlLedger.__init__(self, database, scribe)
        SqlTrail.__init__(self, database, scribe)
        SqlWaiting.__init__(self, database)
        self.asked = SqlAsked(database)
        self.overheard = SqlOverheard(database)

    @classmethod
    async def open(cls, place: Path | str, scribe: Scribe | None = None, *, note: Note = quiet) -> "SqlStore":
        """The store in this file, or at this URL of a PostgreSQL; made where there is none. Raises `StoreError`."""
        found = database(place)
        await found.open(note)
        return cls(found, scribe)

    async def close(self) -> None:
        await self._database.close()
