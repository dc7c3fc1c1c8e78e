"""Home tabs that are open: drawn when somebody opens theirs, and again soon after what they show has changed.

Slack tells when a tab is opened and never when it is closed, so it counts as open for an hour. Who opened one is marked
in the store, for the process that hears of it need not be the one that tells what became of an action: whoever shows
the card of an action anew draws the tabs of those whom it concerns, too. That is done behind everything else, once in
a few seconds for each person however much has changed; what does not work is logged and dropped, and made good by the
next change or the next look.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from agent.app import App
from agent.approvals.action import Action
from agent.jobs.voice import VoiceUnavailable
from agent.people.person import Person, UnknownPerson
from agent.store.port import StoreError
from agent.surfaces.slack import home
from agent.surfaces.slack.blocks import Block
from agent.surfaces.slack.calls import Sleep
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.posting import Posting
from agent.surfaces.slack.sender import Sender
from agent.surfaces.slack.standing import NotAdmitted, Standings, StandingUnknown

LOG = logging.getLogger("sayso.slack")
HOME = "home"  # what the marks are kept under: a user each, with the second in which they opened it
OPEN = timedelta(hours=1)
MOST = 200  # people whose tabs are kept up to date: those who opened theirs last
EVERY = 2.0  # seconds between a change and the new tab, and between two tabs of one person
PACE = (
    1.0  # seconds between two tabs: views.publish takes about 100 a minute, and cards are not to wait for it
)
LATEST = 100  # actions that a tab chooses from
LinkTo = Callable[[Action], Awaitable[str]]  # the address of an action's card


class Tabs:
    """`sleep` is passed in so that a test need not wait."""

    def __init__(
        self,
        app: App,
        sender: Sender,
        standings: Standings,
        link_to: LinkTo,
        clock: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._app, self._sender, self._standings = app, sender, standings
        self._link_to, self._clock, self._sleep = link_to, clock, sleep
        self._posting = Posting(app.store, sender)
        self._stale: set[str] = set()  # people who may see something that is not so any more
        self._drawing: asyncio.Task[None] | None = None
        self._closed = False

    async def opened(self, user: str, person: Person) -> None:
        """Somebody opened theirs. Raises `VoiceUnavailable`."""
        try:
            await self._posting.note(HOME, user, f"{self._clock().timestamp():.0f}")
            view = await self._drawn(person)
        except StoreError as error:
            LOG.warning("the home tab of %s is not drawn: %s", person.id, error)
            return
        await self._sender.home(user, view)

    def changed(self, action: Action) -> None:
        """An action is not what it was: those whom it concerns see that soon, where their tab is open."""
        self._stale |= self._concerned(action)
        if not self._closed and (self._drawing is None or self._drawing.done()):
            self._drawing = asyncio.create_task(self._draw_on())

    async def close(self) -> None:
        """Draws no more."""
        self._closed = True
        if self._drawing is not None:
            self._drawing.cancel()
            await asyncio.gather(self._drawing, return_exceptions=True)

    def _concerned(self, action: Action) -> set[str]:
        """Who asked, who decided, and who may."""
        may = (*self._app.reminders.may_decide(action), *self._app.reminders.asked_as_well(action))
        return {action.requester, *(vote.person for vote in action.decisions), *(one.id for one in may)}

    async def _draw_on(self) -> None:
        """Draws until nothing is stale."""
        while self._stale:
            await self._sleep(EVERY)
            stale, self._stale = self._stale, set()
            try:
                for user, person in (await self._open()).items():
                    if person.id in stale:
                        await self._draw_again(user, person)
            except Exception:
                LOG.exception("home tabs are not drawn again for now")

    async def _open(self) -> dict[str, Person]:
        """Whose tabs are open, by their ids in Slack; who opened theirs last comes first. Raises `StoreError`."""
        marks = {user: int(at) for user, at in (await self._posting.known(HOME)).items() if at.isdecimal()}
        since = (self._clock() - OPEN).timestamp()
        latest = sorted((user for user, at in marks.items() if at >= since), key=lambda one: -marks[one])
        found = {}
        for user in latest[:MOST]:
            try:
                found[user] = self._app.directory.by_identity(NAME, user)
            except UnknownPerson:
                continue  # the settings have them no more
        return found

    async def _draw_again(self, user: str, person: Person) -> None:
        try:
            await self._standings.admit(user, "")
            await self._sender.home_again(user, await self._drawn(person))
        except (NotAdmitted, StandingUnknown, StoreError, VoiceUnavailable) as error:
            LOG.info("the home tab of %s is not drawn again: %s", person.id, error)
        await self._sleep(PACE)

    async def _drawn(self, person: Person) -> Block:
        locale = self._app.locale_of(person.id)
        specs = [spec for spec in self._app.registry.specs() if self._app.may_use(person, spec.name)]
        actions = await self._app.actions.kept(limit=LATEST, reader=person)
        links = {str(one.id): await self._link_to(one) for one in home.listed(person, actions)}
        return home.of(person, actions, specs, locale, links)
