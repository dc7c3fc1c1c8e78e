"""Who is let in: a Slack user as a person with rights, or the sentence that says why not. A refusal is recorded."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from agent.app import App
from agent.audit.event import Fact, FactKind
from agent.people.person import Person, UnknownPerson
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.reading import Reading
from agent.surfaces.slack.standing import NotAdmitted, Standing, Standings, StandingUnknown
from agent.words.catalogue import say

AGAIN = timedelta(hours=1)  # what is refused over and over is recorded once in a while
MOST = 10_000  # refusals that are remembered


class Door:
    """Asked about everybody who speaks or clicks, by the user id of the signed payload and nothing else."""

    def __init__(
        self, app: App, reading: Reading, clock: Callable[[], datetime], admit: Collection[str]
    ) -> None:
        self._app, self._clock = app, clock
        self.standings = Standings(app.store.overheard, reading, clock, admit)
        self._refused: dict[tuple[str, str], datetime] = {}

    async def person(self, team: str, user: str) -> Person | str:
        """The person; else what to tell them, which is nothing where nobody would read it. Raises `StoreError`."""
        locale = self._app.settings.language
        try:
            await self.standings.admit(user, team)
            return self._app.directory.by_identity(NAME, user)
        except NotAdmitted as error:
            await self._record(user, team, error.standing.value)
            silent = error.standing in (Standing.BOT, Standing.DEACTIVATED)
            return "" if silent else say(f"standing.{error.standing.value}", locale)
        except StandingUnknown as error:
            await self._record(user, team, "unknown")
            return say("standing.unknown", locale, why=str(error))
        except UnknownPerson:
            await self._record(user, team, "nobody of the settings")
            return say("slack.stranger", locale, user=user)

    async def on_user_change(self, body: Mapping[str, object]) -> None:
        """Slack says that somebody changed: they may be a guest now, or gone."""
        event = body.get("event")
        user = event.get("user") if isinstance(event, Mapping) else None
        if isinstance(user, Mapping):
            await self.standings.changed(user)

    async def _record(self, user: str, team: str, why: str) -> None:
        now, identity = self._clock(), f"{NAME}:{user}"
        if (last := self._refused.get((user, why))) is not None and now - last < AGAIN:
            return
        if len(self._refused) >= MOST:
            self._refused.clear()
        self._refused[user, why] = now
        data = {"reason": why, "team": team} if team else {"reason": why}
        await self._app.store.record(Fact(FactKind.NOT_HEARD, identity, identity, now, data))
