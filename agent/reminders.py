"""What is said of proposals that nobody decides: a reminder to those who may, and a word to those asked as well."""

from collections.abc import Callable

from agent.approvals.action import Action, State, belongs
from agent.approvals.reminding import Nudge, Occasion, nudges
from agent.conversation.outbox import channel_of
from agent.conversation.ports import Clock
from agent.members import Members
from agent.outcomes import Outcomes
from agent.people.person import Person
from agent.store.port import Store


class Reminders:
    """Reminds people of open proposals; `quiet` says of a channel whether sayso speaks only when spoken to there."""

    def __init__(
        self, store: Store, outcomes: Outcomes, members: Members, clock: Clock, quiet: Callable[[str], bool]
    ) -> None:
        self._store, self._outcomes, self._members = store, outcomes, members
        self._now, self._quiet = clock, quiet

    def asked_as_well(self, action: Action) -> tuple[Person, ...]:
        """Those whom the policy has asked for a decision as well, since nobody decided for so long."""
        need = action.requirement
        waits = action.state is State.AWAITING_APPROVAL
        if need.escalate_after is None or not waits or self._now() < action.created_at + need.escalate_after:
            return ()
        return tuple(
            one
            for one in self._members.directory.everybody()
            if belongs(one.id, one.roles, (need.escalate_to,))
        )

    def may_decide(self, action: Action) -> tuple[Person, ...]:
        """Everybody whose yes would count."""
        need = action.requirement
        return tuple(
            one
            for one in self._members.directory.everybody()
            if need.may_approve(one.id, one.roles) and (one.id != action.requester or need.self_approval)
        )

    async def remind(self) -> None:
        """Says in their threads which proposals nobody decides, once each.

        When the policy's time to ask others has come, and when a quarter of their time is left. Their cards are shown
        anew, so that a surface can say it as well where else it shows them.
        """
        for action in await self._store.actions(state=State.AWAITING_APPROVAL, limit=1000):
            for nudge in self.nudges(action):
                text = nudge.text(self._members.locale_of(action.requester))
                await self._outcomes.say(action, text, key=nudge.key, again=True)

    def nudges(self, action: Action) -> tuple[Nudge, ...]:
        """What is to be said by now of a proposal that nobody decides; in a quiet channel it is not reminded of."""
        quiet = self._quiet(channel_of(action.thread))
        due = nudges(action, self._now(), [one.name for one in self.asked_as_well(action)])
        return tuple(one for one in due if one.occasion is Occasion.ESCALATED or not quiet)
