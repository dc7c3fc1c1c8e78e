"""What somebody is in the workspace, as Slack says: a member, or one of those who get no rights unless settings say so.

What Slack said is kept in the store for a while, so that every process knows of a change as soon as one of them does.

Errors::

    NotAdmitted        somebody is something that the settings let nobody be; carries what
    StandingUnknown    Slack does not say who somebody is, and said it too long ago
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.conversation.overheard import Account, Overheard
from agent.surfaces.slack.reading import Reading, SlackRefuses, SlackSilent

LOG = logging.getLogger("sayso.slack")
# How long an answer of Slack's is taken for true; `user_change` tells of most changes sooner.
FRESH = timedelta(minutes=10)
KNOWN = timedelta(hours=1)  # how long while Slack does not answer
HELD = timedelta(
    seconds=1
)  # how long the store is not asked either: so late other processes hear of a change
MOST = 10_000  # people who are held
PATIENCE = 2.0  # seconds: an event has to be acknowledged within three
# Of what Slack tells of somebody, what is used; the rest of a profile is nobody's business here.
NAMES = ("real_name", "display_name")
KEPT = (
    *("id", "team_id", "name", "real_name", "deleted", "is_bot", "is_workflow_bot", "is_stranger"),
    *("is_restricted", "is_ultra_restricted"),
)
NOBODY = frozenset({"user_not_found", "users_not_found", "user_not_visible"})


class Standing(StrEnum):
    """What somebody is."""

    MEMBER = "member"
    GUEST = "guest"  # of one channel or of several
    BOT = "bot"
    STRANGER = "stranger"  # of another workspace, over Slack Connect
    DEACTIVATED = "deactivated"


class NotAdmitted(Exception):
    """Somebody is not heard, being what they are."""

    def __init__(self, user: str, standing: Standing) -> None:
        super().__init__(f"{user!r} is a {standing.value}; `slack.admit` names whom the settings let in")
        self.user, self.standing = user, standing


class StandingUnknown(Exception):
    """Slack does not say who somebody is."""


def standing(user: Mapping[str, object], *, team: str) -> Standing:
    """What the `user` object of `users.info` is in workspace `team`: of what applies, that with the fewest rights.

    What is not clearly a member is a stranger.
    """
    if user.get("deleted") is True:
        return Standing.DEACTIVATED
    if user.get("is_bot") is True or user.get("is_workflow_bot") is True or user.get("id") == "USLACKBOT":
        return Standing.BOT
    if user.get("is_stranger") is True or user.get("team_id") != team:
        return Standing.STRANGER
    if user.get("is_restricted") is True or user.get("is_ultra_restricted") is True:
        return Standing.GUEST
    return Standing.MEMBER


@dataclass(frozen=True, slots=True)
class _Held:
    """What somebody was, by an answer of Slack's of `read_at`; the store had it `at` a moment ago."""

    standing: Standing
    read_at: datetime
    at: datetime


class Standings:
    """Asks Slack, and remembers."""

    def __init__(
        self, kept: Overheard, reading: Reading, clock: Callable[[], datetime], admit: Collection[str] = ()
    ) -> None:
        self._kept, self._reading, self._clock = kept, reading, clock
        self._admit = frozenset(admit)
        self._lanes: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._held: dict[str, _Held] = {}
        self.team = ""  # our workspace, once Slack said so
        self.trouble: str | None = None

    async def admit(self, user: str, team: str) -> None:
        """Lets somebody of workspace `team` in. Raises `NotAdmitted`, `StandingUnknown`."""
        if team and self.team and team != self.team and Standing.STRANGER not in self._admit:
            raise NotAdmitted(user, Standing.STRANGER)  # there is no need to ask
        found = await self.of(user)
        # An account that is deactivated cannot act: whatever claims to come from it, no setting lets in.
        if found is Standing.DEACTIVATED or (found is not Standing.MEMBER and found not in self._admit):
            raise NotAdmitted(user, found)

    async def of(self, user: str) -> Standing:
        """What somebody is now. Raises `StandingUnknown`."""
        now, held = self._clock(), self._held.get(user)
        if held is not None and now - held.at <= HELD and now - held.read_at <= FRESH:
            return held.standing
        known = await self._kept.account(user)
        if known is None or now - known.read_at > FRESH:
            try:
                async with self._lanes[user]:
                    known = await self._asked(user)
            finally:
                self._lanes.pop(user, None)
        return self._hold(known, now)

    def _hold(self, account: Account, now: datetime) -> Standing:
        """Remembers what somebody is for a moment, unless something newer came meanwhile."""
        found = standing(json.loads(account.body), team=self.team)
        held = self._held.get(account.id)
        if held is None or held.read_at <= account.read_at:
            if len(self._held) >= MOST:
                self._held.clear()
            self._held[account.id] = _Held(found, account.read_at, now)
        return found

    async def _asked(self, user: str) -> Account:
        known, now = await self._kept.account(user), self._clock()
        if known is not None and now - known.read_at <= FRESH:
            return known  # somebody else asked meanwhile
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._reading.ask("users.info", {"user": user})
        except SlackRefuses as error:
            if error.why in NOBODY:
                return await self._keep({"id": user, "is_stranger": True}, now)
            why = str(error)
        except (SlackSilent, TimeoutError) as error:
            why = str(error) or f"no answer within {PATIENCE:.0f} s"
        else:
            self.trouble = None
            found = answer.get("user")
            return await self._keep(found if isinstance(found, Mapping) else {"id": user}, now)
        self.trouble = f"who somebody is: {why}"
        if known is None or now - known.read_at > KNOWN:
            raise StandingUnknown(why)
        LOG.warning("%s is taken for what they were at %s: %s", user, known.read_at.isoformat(), why)
        return known

    async def changed(self, user: Mapping[str, object]) -> None:
        """Slack says by itself that somebody is something else now: so from this moment on."""
        if user.get("id"):
            await self._keep(user, self._clock())

    async def _keep(self, user: Mapping[str, object], at: datetime) -> Account:
        outsider = standing(user, team=self.team) is not Standing.MEMBER
        account = Account(str(user["id"]), json.dumps(_told(user), ensure_ascii=False), at, outsider)
        await self._kept.put_account(account)
        self._hold(account, at)
        return account


def _told(user: Mapping[str, object]) -> dict[str, object]:
    """What of it is kept."""
    told = {name: user[name] for name in KEPT if name in user}
    profile = user.get("profile")
    if isinstance(profile, Mapping):
        told["profile"] = {name: profile[name] for name in NAMES if name in profile}
    return told
