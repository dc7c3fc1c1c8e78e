"""What waits in SQL: what is still to be told and where it was told, and the beats of those at work."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agent.approvals.ports import Beat
from agent.conversation.posted import Post
from agent.store.sql.outbox import SqlOutbox
from agent.store.sql.prepared import Prepared, Value
from agent.store.sql.schema import outbox, posts, turns, workers

BEAT = Prepared(
    {
        name: insert(workers)
        .values({column: bindparam(column) for column in ("id", "role", "beats")})
        .on_conflict_do_update(index_elements=["id"], set_={"beats": workers.c.beats + 1})
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)
POSTED = Prepared(
    select(posts)
    .where(posts.c.surface == bindparam("on_surface"), posts.c.subject == bindparam("about"))
    .order_by(posts.c.place)
)
NOTE_POST = Prepared(
    {
        name: insert(posts)
        .values({column.name: bindparam(column.name) for column in posts.columns})
        .on_conflict_do_update(
            index_elements=["surface", "subject", "place"], set_={"name": bindparam("name")}
        )
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)


class SqlWaiting(SqlOutbox):
    """Implements `Outbox`, `Posted` and `Beats`."""

    # --- where it was told ---------------------------------------------------------------------------------------

    async def posted(self, surface: str, subject: str) -> Sequence[Post]:
        """All about this subject, by place."""
        values: dict[str, Value] = {"on_surface": surface, "about": subject}

        def work(connection: Connection) -> list[Post]:
            rows = POSTED.run(connection, values)
            return [Post(row.surface, row.subject, row.place, row.name) for row in rows]

        return await self._database.read(work)

    async def note_post(self, post: Post) -> None:
        """Notes an intention, or the name of what was posted; one for each subject and place."""
        row: dict[str, Value] = {
            "surface": post.surface,
            "subject": post.subject,
            "place": post.place,
            "name": post.name,
        }
        await self._database.fast(lambda connection: NOTE_POST.run(connection, row))

    # --- who is at work ------------------------------------------------------------------------------------------

    async def beat(self, worker: str, role: str) -> None:
        """One more."""
        row: dict[str, Value] = {"id": worker, "role": role, "beats": 1}
        await self._database.fast(lambda connection: BEAT.run(connection, row))

    async def beats(self) -> Mapping[str, Beat]:
        """All of them."""
        return await self._database.read(
            lambda connection: {
                row.id: Beat(row.role, row.beats) for row in connection.execute(select(workers))
            }
        )

    async def leave(self, worker: str) -> None:
        """It is no worker any more; what it had in its hands and did not end is free for others."""
        gone = delete(workers).where(workers.c.id == worker)
        untold = update(outbox).where(outbox.c.worker == worker).values(worker=None)
        mine = (turns.c.worker == worker) & turns.c.finished_at.is_(None)
        unanswered = update(turns).where(mine).values(worker=None)

        def work(connection: Connection) -> None:
            for statement in (unanswered, untold, gone):
                connection.execute(statement)

        await self._database.fast(work)
