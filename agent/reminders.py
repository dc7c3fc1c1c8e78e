"""What is said of proposals that nobody decides: a reminder to those who may, and a word to those asked as well."""

from collections.abc import Callable
from datetime import timedelta

from agent.approvals.action import Action, State, belongs
from agent.approvals.card import title
from agent.conversation.outbox import channel_of
from agent.conversation.ports import Clock
from agent.members import Members
from agent.outcomes import Outcomes
from agent.people.person import Person
from agent.store.port import Store
from agent.words.catalogue import say


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

        When the policy's time to ask others has come, and when a quarter of their time is left.
        """
        now = self._now()
        for action in await self._store.actions(state=State.AWAITING_APPROVAL, limit=1000):
            if others := self.asked_as_well(action):
                who = ", ".join(one.name for one in others)
                locale = self._members.locale_of(action.requester)
                text = say("card.escalated", locale, action=action.id, title=title(action, locale), who=who)
                await self._outcomes.say(action, text, key=f"{action.id}/escalated", again=True)
            left, whole = action.expires_at - now, action.expires_at - action.created_at
            quiet = self._quiet(channel_of(action.thread))
            if timedelta(0) < left <= whole / 4 and not quiet:
                locale = self._members.locale_of(action.requester)
                text = say(
                    "card.reminder",
                    locale,
                    action=action.id,
                    minutes=max(1, round(left.total_seconds() / 60)),
                    title=title(action, locale),
                    roles=", ".join(sorted(action.requirement.approver_roles)),
                )
                await self._outcomes.say(action, text, key=f"{action.id}/reminder")
