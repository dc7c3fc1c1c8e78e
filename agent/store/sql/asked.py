"""What was asked in vain and which answers helped, in the tables of the store."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, or_, select

from agent.conversation.asked import InVain, Mark
from agent.store.sql.database import Database
from agent.store.sql.schema import gaps_closed, in_vain, marks

_OPEN = (
    select(in_vain)
    .join_from(in_vain, gaps_closed, gaps_closed.c.gist == in_vain.c.gist, isouter=True)
    .where(or_(gaps_closed.c.at.is_(None), gaps_closed.c.at < in_vain.c.at))
    .order_by(in_vain.c.at, in_vain.c.turn)
)


class SqlAsked:
    """Implements `agent.conversation.asked.Asked`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_vain(self, question: InVain) -> None:
        """Notes a question that found no clear answer; a turn that was noted before is not noted twice."""

        def work(connection: Connection) -> None:
            known = select(in_vain.c.turn).where(in_vain.c.turn == question.turn)
            if connection.execute(known).first() is None:
                connection.execute(
                    insert(in_vain).values(
                        turn=question.turn,
                        gist=question.gist,
                        question=question.question,
                        query=question.query,
                        person=question.person,
                        at=question.at.timestamp(),
                        public=int(question.public),
                    )
                )

        await self._database.fast(work)

    async def unanswered(self) -> Sequence[InVain]:
        """All that was asked in vain and not closed since, oldest first."""

        def work(connection: Connection) -> list[InVain]:
            return [
                InVain(
                    row.turn,
                    row.gist,
                    row.question,
                    row.query,
                    row.person,
                    _moment(row.at),
                    bool(row.public),
                )
                for row in connection.execute(_OPEN)
            ]

        return await self._database.fast(work)

    async def close_gap(self, gist: str, person: str, reason: str, at: datetime) -> None:
        """Closes a gap: whatever was asked of this gist until now has its answer. Asked again, it is open again."""

        def work(connection: Connection) -> None:
            connection.execute(delete(gaps_closed).where(gaps_closed.c.gist == gist))
            row = {"gist": gist, "person": person, "reason": reason, "at": at.timestamp()}
            connection.execute(insert(gaps_closed).values(**row))

        await self._database.safe(work)

    async def mark(self, mark: Mark) -> None:
        """Notes a mark; a later one of the same person about the same replaces it."""

        def work(connection: Connection) -> None:
            same = (marks.c.gist == mark.gist) & (marks.c.document == mark.document)
            connection.execute(delete(marks).where(same & (marks.c.person == mark.person)))
            connection.execute(
                insert(marks).values(
                    gist=mark.gist,
                    document=mark.document,
                    person=mark.person,
                    helpful=int(mark.helpful),
                    question=mark.question,
                    at=mark.at.timestamp(),
                    reason=mark.reason,
                )
            )

        await self._database.safe(work)

    async def marks(self, gist: str | None = None) -> Sequence[Mark]:
        """The marks of one question, or all, the latest first."""
        query = select(marks).order_by(marks.c.at.desc())
        if gist is not None:
            query = query.where(marks.c.gist == gist)

        def work(connection: Connection) -> list[Mark]:
            return [
                Mark(
                    row.gist, row.document, row.person, bool(row.helpful),
                    row.question, _moment(row.at), row.reason,
                )
                for row in connection.execute(query)
            ]  # fmt: skip

        return await self._database.fast(work)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
