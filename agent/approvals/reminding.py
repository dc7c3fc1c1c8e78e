"""What is said of a proposal that nobody decides: that others are asked as well, and that its time runs out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.approvals.action import Action, State
from agent.approvals.card import title
from agent.words.catalogue import say

LAST = 4  # a proposal is spoken of again when this part of its time is left: a quarter


class Occasion(StrEnum):
    """Why it is spoken of again."""

    ESCALATED = "escalated"  # the policy's time to ask others has come
    REMINDER = "reminder"  # little of its time is left


@dataclass(frozen=True, slots=True)
class Nudge:
    """One thing to say, in any language. `asked` are the names of those who are asked as well."""

    action: Action
    occasion: Occasion
    left: timedelta
    asked: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What it is said under, once in each place."""
        return f"{self.action.id}/{self.occasion.value}"

    def text(self, locale: str) -> str:
        """The sentence."""
        what = {"action": self.action.id, "title": title(self.action, locale)}
        if self.occasion is Occasion.ESCALATED:
            return say("card.escalated", locale, **what, who=", ".join(self.asked))
        roles = ", ".join(sorted(self.action.requirement.approver_roles))
        minutes = max(1, round(self.left.total_seconds() / 60))
        return say("card.reminder", locale, **what, minutes=minutes, roles=roles)


def nudges(action: Action, now: datetime, asked: Sequence[str]) -> tuple[Nudge, ...]:
    """What has come due by now; `asked` are the names of those whom the policy has asked as well by now."""
    left, whole = action.expires_at - now, action.expires_at - action.created_at
    if action.state is not State.AWAITING_APPROVAL or left <= timedelta(0):
        return ()
    found = [Nudge(action, Occasion.ESCALATED, left, tuple(asked))] if asked else []
    if left <= whole / LAST:
        found.append(Nudge(action, Occasion.REMINDER, left))
    return tuple(found)
