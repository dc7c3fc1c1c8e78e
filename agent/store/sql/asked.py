"""What was asked in vain and which answers helped, in the tables of the store."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, delete, insert, select

from agent.conversation.asked import Closed, InVain, Mark
from agent.store.sql.database import Database
from agent.store.sql.prepared import Prepared, Value, once, plain
from agent.store.sql.schema import in_vain, in_vain_again, in_vain_closed, marks

NOTE = Prepared(once(in_vain, "turn", "gist", "question", "query", "person", "at", "public"))
AGAIN = Prepared(once(in_vain_again, "turn", "among"))
CLOSE = Prepared(once(in_vain_closed, "turn", "by", "reason", "at"))
_OPEN = (
    select(in_vain, in_vain_again.c.among)
    .join_from(in_vain, in_vain_again, in_vain_again.c.turn == in_vain.c.turn, isouter=True)
    .where(in_vain.c.turn.not_in(select(in_vain_closed.c.turn)))
    .order_by(in_vain.c.at, in_vain.c.turn)
)
_CLOSED = (
    select(in_vain, in_vain_closed.c.by, in_vain_closed.c.reason, in_vain_closed.c.at.label("closed_at"))
    .join_from(in_vain, in_vain_closed, in_vain_closed.c.turn == in_vain.c.turn)
    .order_by(in_vain.c.at, in_vain.c.turn)
)


class SqlAsked:
    """Implements `agent.conversation.asked.Asked`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_vain(self, question: InVain) -> None:
        """Notes a question that found no clear answer; a turn that was noted before is not noted twice."""
        row: dict[str, Value] = {
            "turn": question.turn,
            "gist": question.gist,
            "question": plain(question.question),
            "query": plain(question.query),
            "person": question.person,
            "at": question.at.timestamp(),
            "public": int(question.public),
        }
        await self._database.fast(lambda connection: NOTE.run(connection, row))

    async def unanswered(self) -> Sequence[InVain]:
        """All that was asked in vain and not closed since, oldest first."""

        def work(connection: Connection) -> list[InVain]:
            return [replace(_asked(row), among=row.among or "") for row in connection.execute(_OPEN)]

        return await self._database.read(work)

    async def in_vain_again(self, turns: Collection[str], among: str) -> None:
        """Notes that what was asked in these turns was looked up once more and has no clear answer there."""

        def work(connection: Connection) -> None:
            connection.execute(delete(in_vain_again).where(in_vain_again.c.turn.in_(turns)))
            AGAIN.run_all(connection, [{"turn": turn, "among": among} for turn in sorted(set(turns))])

        await self._database.fast(work)

    async def close_asked(self, turns: Collection[str], by: str, reason: str, at: datetime) -> None:
        """Closes the questions asked in these turns; the first word on one stands."""
        rows: list[dict[str, Value]] = [
            {"turn": turn, "by": by, "reason": plain(reason), "at": at.timestamp()}
            for turn in sorted(set(turns))
        ]
        await self._database.safe(lambda connection: CLOSE.run_all(connection, rows))

    async def closed(self) -> Sequence[Closed]:
        """All that was closed, in the order it was asked."""

        def work(connection: Connection) -> list[Closed]:
            return [
                Closed(_asked(row), row.by, row.reason, _moment(row.closed_at))
                for row in connection.execute(_CLOSED)
            ]

        return await self._database.read(work)

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
                    question=plain(mark.question),
                    at=mark.at.timestamp(),
                    reason=plain(mark.reason),
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

        return await self._database.read(work)


def _asked(row: "Row[tuple[object, ...]]") -> InVain:
    return InVain(row.turn, row.gist, row.question, row.query, row.person, _moment(row.at), bool(row.public))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
