"""What is said and proposed once an action ended: its outcome, the way back from a failed one, a stale one again."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.approvals.action import Action, Origin, State
from agent.approvals.card import drifted, title
from agent.approvals.propose import Proposer
from agent.approvals.refusal import ActionRefused, Refusal
from agent.conversation.ports import Clock
from agent.conversation.thread import ThreadId, TurnId
from agent.members import Members, asker_of
from agent.people.person import UnknownPerson
from agent.runbooks.procedure import Ref
from agent.store.outputs import Kept, outputs
from agent.store.port import Store
from agent.words.catalogue import say
from tools.contract import ToolError

SHORT = 3  # lines of an output that need no word about where the whole is
FOLLOWED = {  # what is said of an action in its thread when it gets there
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.STALE: "stale",
    State.UNKNOWN: "unknown",
    State.EXPIRED: "expired",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an attempt on an action: the action now, a sentence for the person, and why not if refused."""

    action: Action
    said: str
    refusal: Refusal | None = None
    follow_up: Action | None = None


def way_back(undo: Action, locale: str) -> str:
    """The line that names the undo of a failed action."""
    key = "card.undo_allowed" if undo.requirement.auto else "card.undo_proposed"
    return say(key, locale, action=undo.id, title=title(undo, locale))


def _where_read(action: Action, kept: Sequence[Kept], locale: str) -> str:
    """Where the whole of a longer output is read."""
    return "".join(
        "\n" + say("card.output", locale, action=action.id, number=place, lines=f"{one.lines:,}")
        for place, one in enumerate(kept, 1)
        if one.lines > SHORT
    )


def _again(anew: Action | None, locale: str) -> str:
    """The line that names what a stale action is asked again as."""
    if anew is None:
        return say("card.anew_not", locale)
    return say("card.anew", locale, action=anew.id, title=title(anew, locale))


class Outcomes:
    """Says in their threads what became of actions, once each."""

    def __init__(self, store: Store, proposer: Proposer, members: Members, clock: Clock) -> None:
        self._store, self._proposer, self._members, self._now = store, proposer, members, clock

    async def say(self, action: Action, text: str, *, key: str, again: bool = False) -> None:
        """Says something about an action in its thread, once for each key; with its card, `again`."""
        card = action.id if again else None
        await self._store.say(ThreadId(action.thread), text, self._now(), key=key, card=card)

    async def follow_up(self, action: Action) -> None:
        """Says in its thread what became of an action, if that was not said yet."""
        if action.state in FOLLOWED:
            await self.tell(action, self._members.locale_of(action.requester))

    async def tell(
        self,
        action: Action,
        locale: str,
        refusal: Refusal | None = None,
        kept: Sequence[Kept] | None = None,
    ) -> Told:
        """Says in the thread what became of an action; a failed one gets its undo proposed, a stale one is asked again.

        `kept` is what it wrote; without it the trail is asked.
        """
        stale = action.state is State.STALE
        key = "unplanned" if stale and not action.drifted else FOLLOWED[action.state]
        detail = drifted(action, locale)
        text = say(
            f"card.follow_up_{key}", locale, action=action.id, title=title(action, locale), detail=detail
        )
        undo = await self.undo(action) if action.state is State.FAILED else None
        anew = await self.anew(action) if stale else None
        if kept is None:
            kept = outputs([event async for event in self._store.events(action.id)])
        text += _where_read(action, kept, locale)
        if undo is not None:
            text += "\n" + way_back(undo, locale)
        if stale:
            text += "\n" + _again(anew, locale)
        await self.say(action, text, key=f"{action.id}/{action.state.value}")
        return Told(action, text, refusal, undo or anew)

    async def undo(self, failed: Action) -> Action | None:
        """The way back from a failed action, as a proposal; None when there is none or it would change nothing."""
        if failed.plan.undo is None:
            return None
        person = self._members.directory.get(failed.requester)
        undo = failed.plan.undo
        try:
            return await self._proposer.propose(
                undo.tool,
                undo.arguments,
                asker_of(person),
                thread=failed.thread,
                key=f"{failed.key}/undo",
                why=f"{failed.id} failed",
                provenance=dict.fromkeys(undo.arguments, "settings"),
                origin=Origin(failed.origin.turn, undo_of=failed.id),
            )
        except (ActionRefused, ToolError):
            return None

    async def anew(self, stale: Action) -> Action | None:
        """The same as a proposal with the plan of this moment, for somebody to look at; None where there can be none.

        What a rule lets run by itself is not asked again: nobody would look. Nor is the step of a runbook, which has
        ended there.
        """
        if stale.requirement.auto or await self._of_runbook(stale):
            return None
        try:
            return await self._proposer.renew(stale, asker_of(self._members.directory.get(stale.requester)))
        except (ActionRefused, ToolError, UnknownPerson):
            return None

    async def _of_runbook(self, action: Action) -> bool:
        asked = await self._store.turn(TurnId(action.origin.turn)) if action.origin.turn else None
        return asked is not None and Ref.of(asked.event_id) is not None
