"""The tool `rollback`: the version that ran before, or an older one that is named."""

from datetime import timedelta

from pydantic import Field

from tools.contract import (
    Arguments,
    BadArguments,
    Change,
    Clock,
    Effect,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    Undo,
    Verdict,
    Verification,
)
from tools.deploy import phrases
from tools.deploy.deploy import observed, runs
from tools.deploy.port import Order, OrderKind, Platform, Running, Vitals
from tools.deploy.target import (
    SECONDS,
    Version,
    aim,
    aim_at_running,
    between,
    carry_out,
    health,
    order_of,
    rehearsed,
    release,
    signed,
)
from tools.vocabulary import Vocabulary

RECENT = timedelta(minutes=15)  # a rollback this fresh is taken for the one that is being verified


class RollbackArguments(Arguments):
    """What goes back, and to which version."""

    service: str = Field(description="The service to roll back")
    version: Version | None = Field(
        default=None, description="The version to go back to; the one that ran before when left out"
    )
    environment: str = Field(default="", description="Where to roll it back")


class Rollback:
    """Takes a service back to an earlier version, through the platform."""

    def __init__(
        self,
        platform: Platform,
        vocabulary: Vocabulary,
        clock: Clock,
        vitals: Vitals | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._platform, self._clock, self._vitals = platform, clock, vitals
        self.spec = Spec(
            name="rollback",
            description="Rolls a service back to its previous version, or to a named one. Needs approval.",
            arguments=vocabulary.narrow(RollbackArguments),
            effect=Effect.WRITE,
            timeout=seconds,
            examples=phrases.ROLLBACK,
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = RollbackArguments.of(arguments)
        target, now = await aim_at_running(self._platform, asked.service, asked.environment)
        version = asked.version or await self._previous(now)
        releases = await release(self._platform, asked.service, version)
        newer = order_of(version) > order_of(now.version)
        plan = Plan(
            title=f"Roll {asked.service} back to {version} in {asked.environment}",
            changes=(Change(f"version of {target.name}", now.version, version),),
            touches=target.touches,
            observed={**observed(now), "to": version},
            undo=Undo(
                "deploy",
                {"service": asked.service, "environment": asked.environment, "version": now.version},
            ),
            undo_text=f"deploy {now.version} to {asked.environment} again",
            health=await health(now, self._vitals),
            notes=(
                *((f"{version} is newer than {now.version}: this goes forward, not back",) if newer else ()),
                *between(releases, now.version, version),
            ),
        )
        return await rehearsed(self._platform, _order(asked, version), plan)

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        asked = RollbackArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        version = asked.version
        if version is None:
            _, now = await aim_at_running(self._platform, asked.service, asked.environment)
            version = await self._previous(now)
        order = _order(asked, version, grant.action, signed(grant))
        return await carry_out(self._platform, order, progress)

    async def verify(self, arguments: Arguments) -> Verification:
        asked = RollbackArguments.of(arguments)
        target = await aim(self._platform, asked.service, asked.environment)
        if asked.version is not None:
            return runs(target.now, asked.version)
        return await self._verify_previous(asked, target.now)

    async def _verify_previous(self, asked: RollbackArguments, now: Running | None) -> Verification:
        """Which version was meant cannot be seen any more, so the platform's history is asked."""
        history = await self._platform.history(asked.service, asked.environment)
        last = next((entry for entry in history if entry.kind is not OrderKind.SCALE), None)
        if last is None or last.kind is not OrderKind.ROLLBACK or not last.ok or last.after is None:
            return Verification(Verdict.NOT_DONE, "the last change on record is no rollback that worked")
        seen = runs(now, last.after)
        if seen.verdict is Verdict.DONE and self._clock() - last.at > RECENT:
            return Verification(Verdict.UNCLEAR, f"{seen.detail}, but since an older rollback")
        return seen

    async def _previous(self, now: Running) -> str:
        """The version that ran before. Raises `BadArguments` when the platform does not remember one."""
        if now.previous_version is not None:
            return now.previous_version
        for entry in await self._platform.history(now.service, now.environment):
            if entry.ok and entry.after == now.version and entry.before not in {None, now.version}:
                return str(entry.before)
        known = tuple(entry.version for entry in await self._platform.releases(now.service))
        older = tuple(version for version in known if order_of(version) < order_of(now.version))[:3]
        raise BadArguments(
            f"nothing is known to have run before {now.service} {now.version} in {now.environment}; name a version"
            f"{': ' + ', '.join(older) if older else ''}",
            field="version",
            nearest=older,
        )


def _order(asked: RollbackArguments, version: str, key: str = "", by: str = "") -> Order:
    return Order(OrderKind.ROLLBACK, asked.service, asked.environment, key, by, version=version)
