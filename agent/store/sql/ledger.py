"""The ledger of actions in SQL: a state and the audit row of its change are one transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection, desc, select

from agent.approvals.action import Action, ActionId, Draft, State
from agent.approvals.ports import Judge, Room, Ruling
from agent.approvals.refusal import Refusal
from agent.audit.event import Fact
from agent.store.codec import action_of
from agent.store.scribe import Scribe
from agent.store.sql.changes import Case, Change, apply_all, find_all, judge_all
from agent.store.sql.claims import Claim, claim_all
from agent.store.sql.database import Database
from agent.store.sql.operation import Promise
from agent.store.sql.prepared import Value
from agent.store.sql.proposals import Proposal, propose_all
from agent.store.sql.rows import Each
from agent.store.sql.schema import actions

LATEST = Each(
    lambda values: (
        select(actions.c.body)
        .where(actions.c.thread == values["thread"])
        .order_by(desc(actions.c.id))
        .limit(values["most"])
    ),
    thread=str,
    most=int,
)
Latest = tuple[str, int]  # a thread, and how many of its actions


class SqlLedger:
    """Implements `agent.approvals.ports.Ledger`."""

    def __init__(self, database: Database, scribe: Scribe) -> None:
        self._database, self._scribe = database, scribe
        self._proposals = database.operation(Promise.SAFE, propose_all)
        self._changes = database.operation(Promise.SAFE, apply_all)
        self._claims = database.operation(Promise.SAFE, claim_all)
        self._cases = database.operation(Promise.SAFE, judge_all)
        self._looks = database.operation(Promise.READ, find_all)
        self._latest = database.operation(Promise.READ, latest_all)

    async def propose(self, draft: Draft) -> Action:
        """Gives the draft an id and keeps it; the action that is there already when its `key` was seen before."""
        return await self._proposals.do(Proposal(draft, self._scribe.pen()))

    async def action(self, id_: ActionId) -> Action | None:
        return await self._looks.do(id_)

    async def actions(
        self, *, state: State | None = None, thread: str | None = None, limit: int = 50
    ) -> Sequence[Action]:
        """The latest actions first."""
        if thread is not None and state is None:
            return await self._latest.do((thread, limit))
        query = select(actions.c.body).order_by(desc(actions.c.id)).limit(limit)
        if state is not None:
            query = query.where(actions.c.state == state.value)
        if thread is not None:
            query = query.where(actions.c.thread == thread)
        return await self._database.read(
            lambda connection: [action_of(body) for body in connection.execute(query).scalars()]
        )

    async def apply(self, before: Action, after: Action, fact: Fact) -> bool:
        """Puts `after` in the place of `before`, if nobody else changed it; False when somebody did."""
        return await self._changes.do(Change(self._scribe.pen().finished(fact, after), before, after))

    async def claim(self, before: Action, after: Action, fact: Fact, room: Room) -> bool | Refusal:
        """As `apply`, into RUNNING, if there is room beside all that runs at this moment; else why there is none."""
        return await self._claims.do(Claim(self._scribe.pen().finished(fact, after), before, after, room))

    async def judge(self, id_: ActionId, judge: Judge) -> Ruling | None:
        """Has the action judged as it stands while nobody else can change it, and keeps what comes of it."""
        return await self._cases.do(Case(id_, judge, self._scribe.pen()))

    async def record(self, fact: Fact) -> None:
        """An audit row without a change: an attempt that was refused."""
        await self._changes.do(Change(self._scribe.pen().finished(fact)))


def latest_all(connection: Connection, asked: Sequence[Latest]) -> list[list[Action]]:
    """The latest actions of each thread, the last one first."""
    rows: list[dict[str, Value]] = [{"thread": thread, "most": most} for thread, most in asked]
    return [[action_of(str(row.body)) for row in found] for found in LATEST.run(connection, rows)]
