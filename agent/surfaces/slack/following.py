"""`/sayso index on|off` and `/sayso settings`: who may have a channel followed, and what its people are told of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from agent.app import App
from agent.audit.event import Fact, FactKind
from agent.conversation.overheard import Channel
from agent.people.person import Person
from agent.settings import SlackSettings
from agent.surfaces.slack.blocks import Message, message, section
from agent.surfaces.slack.events import NAME
from agent.surfaces.slack.membership import Membership, NoChannel, joined
from agent.surfaces.slack.mrkdwn import escaped
from agent.surfaces.slack.reading import SlackRefuses, SlackSilent
from agent.words.catalogue import say

PATIENCE = 2.0  # seconds: a command has to be acknowledged within three
ON, OFF, HOW, SETTINGS = "index on", "index off", "index", "settings"


class Following:
    """Answers the commands."""

    def __init__(
        self,
        app: App,
        settings: SlackSettings,
        membership: Membership,
        clock: Callable[[], datetime],
    ) -> None:
        self._app, self._settings, self._membership, self._clock = app, settings, membership, clock

    def is_command(self, text: str) -> bool:
        """Whether these words after the command are for here, and no question."""
        return " ".join(text.lower().split()) in (ON, OFF, HOW, SETTINGS)

    async def command(self, text: str, channel: str, person: Person) -> tuple[str, bool]:
        """What to answer the person, and whether anything changed. Raises `StoreError`."""
        locale = self._app.locale_of(person.id)
        match " ".join(text.lower().split()):
            case "index on":
                return await self._changed(channel, person, locale, follow=True)
            case "index off":
                return await self._changed(channel, person, locale, follow=False)
            case _:
                return await self.shown(channel, locale), False

    async def _changed(self, id_: str, person: Person, locale: str, *, follow: bool) -> tuple[str, bool]:
        allowed = self._settings.listening.roles
        if not person.roles & frozenset(allowed):
            return say("listening.not_yours", locale, roles=", ".join(allowed)), False
        known = await self._app.store.overheard.channel(id_)
        if (known is not None and known.followed) == follow:
            return say(f"listening.is_{'on' if follow else 'off'}", locale), False
        at = self._clock()
        if not follow:
            after = await self._app.store.overheard.amend(id_, partial(_ended, by=person.id, at=at))
        else:
            found = await self._followed(id_, person, at)
            if isinstance(found, str):
                return say(f"listening.{found.partition(' ')[0]}", locale, why=found.partition(" ")[2]), False
            after = found
        if after.since != at:  # somebody else was a moment faster
            return say(f"listening.is_{'on' if follow else 'off'}", locale), False
        kind = FactKind.FOLLOWED if follow else FactKind.UNFOLLOWED
        fact = Fact(kind, person.id, f"{NAME}:{id_}", at, {"channel": after.name, "private": after.private})
        await self._app.store.record(fact)
        key = "listening.turned_on" if follow else "listening.turned_off"
        return say(key, locale), True

    async def _followed(self, id_: str, person: Person, at: datetime) -> Channel | str:
        """The channel as it is followed from now on; else the key of why not, and the reason."""
        try:
            async with asyncio.timeout(PATIENCE):
                rights = await self._membership.look(id_)
        except NoChannel:
            return "not_here"
        except (SlackSilent, SlackRefuses, TimeoutError) as error:
            return f"silent {str(error) or type(error).__name__}"
        if not rights.present:
            return "invite"

        def amend(known: Channel) -> Channel:
            if known.followed:
                return known
            after = joined(known, rights, at, self._membership.url)
            # Who went while Slack was asked is found out by asking again.
            after = replace(after, followed=True, by=person.id, since=at, doubted=True)
            return self._membership.anew(after)

        return await self._app.store.overheard.amend(id_, amend)

    def notice(self, channel: Channel) -> Message:
        """What a channel is told of being followed, or of the end of it."""
        locale = self._app.settings.language
        name = escaped(self._app.name(channel.by))
        history = self._settings.listening.history
        if channel.followed:
            readers = "listening.readers_private" if channel.private else "listening.readers_public"
            since = say("listening.all", locale) if history is None else self._day(self._clock() - history)
            text = say("listening.on", locale, name=name, since=since, readers=say(readers, locale))
        else:
            text = say("listening.off", locale, name=name)
        return message(text, [section(text)])

    async def shown(self, id_: str, locale: str) -> str:
        """What sayso does in a channel, line by line."""
        here = self._settings.here(id_)
        known = await self._app.store.overheard.channel(id_)
        lines = [say("listening.settings", locale), say(f"listening.answers_{here.answer}", locale)]
        for key, named in (("tools", here.tools), ("knowledge", here.knowledge)):
            if named is not None:
                names = ", ".join(f"`{name}`" for name in sorted(named)) or "–"
                lines.append(say(f"listening.{key}", locale, names=names))
        if here.quiet:
            lines.append(say("listening.quiet", locale))
        if known is None or not known.heard:
            roles = ", ".join(self._settings.listening.roles)
            return "\n• ".join([*lines, say("listening.elsewhere", locale, roles=roles)])
        fields = {
            "since": self._day(known.since),
            "name": escaped(self._app.name(known.by)),
            "count": str(await self._app.store.overheard.count(id_)),
        }
        if known.walks:
            reached = known.walks[-1].reached
            back = self._day(datetime.fromtimestamp(float(reached), self._app.zone) if reached else None)
            lines.append(say("listening.reading", locale, back=back, **fields))
        else:
            lines.append(say("listening.read", locale, **fields))
        if known.doubted or known.confirmed_at is None:
            lines.append(say("listening.doubted", locale))
        return "\n• ".join(lines)

    def _day(self, at: datetime | None) -> str:
        return "…" if at is None else at.astimezone(self._app.zone).date().isoformat()


def _ended(known: Channel, *, by: str, at: datetime) -> Channel:
    """A channel that is followed no more."""
    if not known.followed:
        return known
    return replace(known, followed=False, by=by, since=at, walks=(), covered="")
