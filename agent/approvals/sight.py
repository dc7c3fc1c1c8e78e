"""Who may read what of actions and of the trail.

An action is for whoever asked for it, decided on it or could decide on it, for those who may use its tool, and for
auditors. The words it was asked for with are a message in somebody's thread: they are not for those who merely may use
the tool. Of other rows, a turn's is for its speaker, a refused proposal's for whoever made it, and what names strangers
or private channels for auditors alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from agent.approvals.action import Action, ActionId, belongs
from agent.approvals.ports import Ledger
from agent.audit.event import Event, Fact, FactKind

AUDITOR = "auditor"  # the role that reads everything
UNSAID = "…"  # in the place of words that are for others
MayUse = Callable[[str, frozenset[str]], bool]  # a tool, and somebody's roles
OPEN = frozenset({FactKind.PRUNED})  # rows that say nothing of anybody
OWN = frozenset(  # rows for who they are of
    {FactKind.ANSWERED, FactKind.RATED, FactKind.PROPOSAL_REFUSED, FactKind.HEARD}
)


@dataclass(frozen=True, slots=True)
class Eyes:
    """Somebody who reads."""

    person: str
    roles: frozenset[str]

    @property
    def all_seeing(self) -> bool:
        return AUDITOR in self.roles


class Sight(Enum):
    """How much of an action somebody may read."""

    NOTHING = 0
    WITHOUT_WORDS = 1  # all but what the asker said
    WHOLE = 2


def sight(action: Action, eyes: Eyes, may_use: MayUse) -> Sight:
    """How much of this action these eyes may read."""
    need = action.requirement
    if eyes.all_seeing or eyes.person in _named(action):
        return Sight.WHOLE
    asked = [need.approvers] if not need.auto else []
    asked += [groups for groups in (need.break_glass, (need.escalate_to,)) if groups and all(groups)]
    if any(belongs(eyes.person, eyes.roles, groups) for groups in asked):
        return Sight.WHOLE
    return Sight.WITHOUT_WORDS if may_use(action.tool, eyes.roles) else Sight.NOTHING


def _named(action: Action) -> Iterator[str]:
    """Those who had a hand in it."""
    yield action.requester
    yield from (vote.person for vote in action.decisions)
    if action.glass is not None:
        yield action.glass.person
        if action.glass.signed is not None:
            yield action.glass.signed.person


def seen(action: Action, eyes: Eyes, may_use: MayUse) -> Action | None:
    """The action as it may be shown to these eyes, never to be stored; None where they may not know of it."""
    match sight(action, eyes, may_use):
        case Sight.NOTHING:
            return None
        case Sight.WITHOUT_WORDS:
            return replace(action, why=UNSAID)
        case Sight.WHOLE:
            return action


class Reading:
    """Rows of the trail as one person may read them; what they may not is withheld, and its place and hashes stay."""

    def __init__(self, ledger: Ledger, eyes: Eyes, may_use: MayUse) -> None:
        self._ledger, self._eyes, self._may_use = ledger, eyes, may_use
        self._known: dict[str, Sight] = {}

    async def row(self, event: Event) -> Event:
        """The row, or what is left of it."""
        how = await self._how_much(event.fact)
        if how is Sight.WHOLE or not event.fact.data:
            return event
        if how is Sight.NOTHING:
            return replace(event, fact=replace(event.fact, data={"withheld": True}))
        if event.fact.kind is not FactKind.PROPOSED:
            return event
        return replace(event, fact=replace(event.fact, data={**event.fact.data, "why": UNSAID}))

    async def _how_much(self, fact: Fact) -> Sight:
        if self._eyes.all_seeing or fact.kind in OPEN:
            return Sight.WHOLE
        if fact.kind in OWN:
            return Sight.WHOLE if fact.actor == self._eyes.person else Sight.NOTHING
        if not fact.subject.startswith("A-"):
            return Sight.NOTHING
        if fact.subject not in self._known:
            action = await self._ledger.action(ActionId(fact.subject))
            how = Sight.NOTHING if action is None else sight(action, self._eyes, self._may_use)
            self._known[fact.subject] = how
        return self._known[fact.subject]
