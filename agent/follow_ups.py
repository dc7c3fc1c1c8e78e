"""The turns that follow actions: who is asked what came of a change, and what is known of it beforehand."""

from collections.abc import Callable

from agent.approvals.action import Action, State
from agent.conversation import aftermath
from agent.conversation.aftermath import OutcomeModel, When
from agent.conversation.outbox import channel_of
from agent.conversation.ports import ChatModel, Clock, Closing
from agent.conversation.thread import Said, TurnId
from agent.runbooks.procedure import TOOL, Ref
from agent.store.port import Store
from tools.contract import Outcome
from tools.registry import Registry

LATER = 50  # actions of a thread among which the way back is looked for


class FollowUps:
    """Asks a language model what came of an action; where none is set, nothing follows but the line of fixed words.

    `quiet` says of a channel whether sayso speaks there only when it is spoken to.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        *,
        when: When,
        model: Callable[[], ChatModel] | None,
        quiet: Callable[[str], bool],
        name: Callable[[str], str],
    ) -> None:
        self._store, self._clock, self._when, self._quiet, self._name = store, clock, when, quiet, name
        self._reads = aftermath.reads(registry.specs(), TOOL)
        self._make = model
        self._made: ChatModel | None = None

    async def after(self, action: Action, locale: str) -> Said | None:
        """The question that follows an action; none for the step of a runbook, which the next one follows."""
        if self._make is None or self._quiet(channel_of(action.thread)):
            return None
        if action.origin.turn:
            asked = await self._store.turn(TurnId(action.origin.turn))
            if asked is not None and Ref.of(asked.event_id) is not None:
                return None
        return aftermath.following(action, self._when, self._clock(), locale)

    async def known(self, event: str) -> Outcome | None:
        """What is known where a turn was heard under this event id; None where it follows no action."""
        id_ = aftermath.action_of(event)
        action = None if id_ is None else await self._store.action(id_)
        if action is None:
            return None
        beside = await self._store.actions(thread=action.thread, limit=LATER)
        back = [one for one in beside if one.origin.undo_of == action.id and one.state is not State.REJECTED]
        return aftermath.outcome(action, back, self._name)

    def offered(self, names: frozenset[str]) -> frozenset[str]:
        """Of these tools, those that such a turn may use: it looks, and changes nothing."""
        return names & self._reads

    @property
    def model(self) -> ChatModel:
        """Who answers such a turn; made when it is first needed."""
        if self._made is None and self._make is not None:
            self._made = self._make()
        return OutcomeModel(self._made)

    async def close(self) -> None:
        """Lets go of the model's connections."""
        made = self._made
        if made is not None and isinstance(made, Closing):
            await made.close()
