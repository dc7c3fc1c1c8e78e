"""Copies of a card: where it is shown beside its thread, for those who can decide, and what is said below it there.

In a thread of a channel Slack tells nobody of a new message who did not take part, so a reminder names whom it is for.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agent.app import App
from agent.approvals.action import Action, State
from agent.approvals.reminding import Nudge, Occasion
from agent.people.person import Person
from agent.surfaces.slack import mrkdwn
from agent.surfaces.slack.blocks import message, paragraphs
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.posting import Posting

NAMED = 10  # people in one message; where more could decide, it names their roles only


@dataclass(frozen=True, slots=True)
class Copy:
    """One of them: in the direct messages of somebody, or, for nobody in particular, in the approvals channel."""

    place: str
    person: Person | None = None


class Copies:
    """`approvals` is a channel where every card is shown; `directly`: to each approver; `direct` finds where."""

    def __init__(
        self,
        app: App,
        posting: Posting,
        direct: Callable[[str], Awaitable[str]],
        approvals: str | None,
        *,
        directly: bool,
    ) -> None:
        self._app, self._posting, self._direct = app, posting, direct
        self._approvals, self._directly = approvals, directly

    async def of(self, action: Action, channel: str) -> list[Copy]:
        """The copies of a card whose thread is in this channel. Raises `VoiceUnavailable`."""
        places = {self._approvals: Copy(self._approvals)} if self._approvals else {}
        for person in {
            one.id: one for one in (*self._app.reminders.asked_as_well(action), *self._asked(action))
        }.values():
            if direct := await self._direct(person.id):
                places[direct] = Copy(direct, person)
        places.pop(channel, None)
        return list(places.values())

    async def remind(self, action: Action, copies: Sequence[Copy]) -> None:
        """Says below each of them what its thread is told of a proposal that nobody decides, once each.

        Raises `VoiceUnavailable`.
        """
        due = self._app.reminders.nudges(action)
        if not due:
            return
        cards = await self._posting.known(action.id)
        for copy in copies:
            for nudge in due:
                if cards.get(copy.place) and self._concerns(copy, nudge):
                    await self._say(nudge, copy, copies, cards[copy.place])

    async def _say(self, nudge: Nudge, copy: Copy, copies: Sequence[Copy], thread: str) -> None:
        action = nudge.action
        reader = action.requester if copy.person is None else copy.person.id
        text = nudge.text(self._app.locale_of(reader))
        named = self._named(copy, copies, action)
        shown = " ".join([*(f"<@{user}>" for user in named), mrkdwn.mrkdwn(text)])
        await self._posting.once(nudge.key, copy.place, message(text, paragraphs(shown)), thread=thread)

    def _named(self, copy: Copy, copies: Sequence[Copy], action: Action) -> list[str]:
        """Slack's ids of those whom a message is for: in the channel those to whom nothing is said directly."""
        if copy.person is not None:
            people: Sequence[Person] = [copy.person]
        else:
            told = {one.person.id for one in copies if one.person is not None}
            people = [one for one in self._app.reminders.may_decide(action) if one.id not in told]
        users = [
            one.identities[NAME] for one in people if NAME in one.identities and _waited_for(one, action)
        ]
        return users if len(users) <= NAMED else []

    def _asked(self, action: Action) -> tuple[Person, ...]:
        """Whom a card is sent to directly, while it waits."""
        waits = self._directly and action.state is State.AWAITING_APPROVAL
        return self._app.reminders.may_decide(action) if waits else ()

    def _concerns(self, copy: Copy, nudge: Nudge) -> bool:
        """Whether it is to be said there. Who is asked as well has the card for it: nothing is said below that."""
        escalated = nudge.occasion is Occasion.ESCALATED
        if copy.person is None:
            slack = self._app.settings.slack
            return escalated or slack is None or not slack.here(copy.place).quiet
        had_it = copy.person in self._asked(nudge.action)
        return _waited_for(copy.person, nudge.action) and (had_it or not escalated)


def _waited_for(person: Person, action: Action) -> bool:
    """Whether somebody's word is still missing: they said none, and did not ask for it themselves."""
    own = person.id == action.requester and not action.requirement.self_approval
    return not own and all(vote.person != person.id for vote in action.decisions)
