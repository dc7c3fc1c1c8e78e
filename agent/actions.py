"""The actions there are, as a reader may see them: listed, found by name, on their cards, with what they wrote."""

from collections.abc import Sequence

from agent.approvals.action import Action, ActionId, State
from agent.approvals.card import Card, card
from agent.approvals.decide import Decisions
from agent.approvals.sight import AUDITOR, seen
from agent.conversation.ports import Clock
from agent.members import Members, eyes_of
from agent.people.person import Person
from agent.store.outputs import Kept, outputs
from agent.store.port import Store

EVERY = 1_000_000  # actions: all of them


def request_of(action: Action) -> str:
    """The turn an action was proposed in; the action itself where nobody's turn proposed it."""
    return action.origin.turn or action.id


class Actions:
    """What the store keeps of actions; whatever nobody decided in time is ended before anybody looks."""

    def __init__(self, store: Store, decisions: Decisions, members: Members, clock: Clock) -> None:
        self._store, self._decisions, self._members, self._now = store, decisions, members, clock

    async def latest(
        self, *, state: State | None = None, limit: int = 20, reader: Person | None = None
    ) -> Sequence[Action]:
        """The latest actions first; with a reader, those that they may know of, as they may be shown to them."""
        await self._decisions.expire()
        return await self.kept(state=state, limit=limit, reader=reader)

    async def kept(
        self, *, state: State | None = None, limit: int = 20, reader: Person | None = None
    ) -> Sequence[Action]:
        """The same as they are kept: what nobody decided in time is ended by whoever tells its thread."""
        wanted = limit
        while True:
            found = await self._store.actions(state=state, limit=wanted)
            shown = [one for one in (self.shown(action, reader) for action in found) if one is not None]
            if len(shown) >= limit or len(found) < wanted:
                return shown[:limit]
            wanted *= 4

    async def find(self, id_: str, reader: Person | None = None) -> Action | None:
        """An action as it is kept; None where there is none that this reader may know of."""
        await self._decisions.expire()
        action = await self._store.action(ActionId(id_.upper()))
        return None if action is None or self.shown(action, reader) is None else action

    async def expire(self) -> tuple[Action, ...]:
        """Ends what nobody decided in time."""
        return await self._decisions.expire()

    async def outputs(self, action: Action, person: Person) -> tuple[Kept, ...]:
        """What it wrote while it ran: for its asker, for who may ask or decide such things, and for auditors."""
        may = self._members.may_use(person, action.tool)
        may = may or action.requirement.may_approve(person.id, person.roles)
        if not (may or person.id == action.requester or AUDITOR in person.roles):
            return ()
        return outputs([event async for event in self._store.events(action.id)])

    def shown(self, action: Action, reader: Person | None) -> Action | None:
        """An action as it may be shown to a reader, None where it may not; for nobody in particular as it is."""
        may_use = self._members.policy.may_use
        return action if reader is None else seen(action, eyes_of(reader), may_use)

    def card(self, action: Action, locale: str, reader: Person | None = None) -> Card:
        """The card of an action that this reader may know of."""
        return card(self.shown(action, reader) or action, locale, self._now(), self._members.name)

    async def owed(self, reader: Person | None = None) -> tuple[Action, ...]:
        """Actions that ran without approval and whose second signature is missing, the latest first."""
        every = await self.latest(limit=EVERY, reader=reader)
        return tuple(action for action in every if action.owed)

    async def undone_by(self, id_: str, reader: Person | None = None) -> tuple[Action, ...]:
        """The proposals that take back what this action did, as far as this reader may know of them."""
        action = await self.find(id_, reader)
        later = [] if action is None else await self._store.actions(thread=action.thread, limit=1000)
        back = [other for other in reversed(later) if other.origin.undo_of == id_]
        return tuple(other for other in back if self.shown(other, reader) is not None)
