"""The tool `deploy`: another version of a service, with what it would change shown first."""

from pydantic import Field

from tools.contract import (
    Arguments,
    Change,
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
from tools.deploy.port import Order, OrderKind, Platform, Running, Vitals
from tools.deploy.target import SECONDS, Version, aim, between, carry_out, health, rehearsed, release, signed
from tools.vocabulary import Vocabulary


class DeployArguments(Arguments):
    """Which version goes where."""

    service: str = Field(description="The service to deploy")
    version: Version = Field(description="The version to run, such as 2.3.9")
    environment: str = Field(default="", description="Where to deploy it")


class Deploy:
    """Puts a version into an environment, through the platform."""

    def __init__(
        self,
        platform: Platform,
        vocabulary: Vocabulary,
        vitals: Vitals | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._platform, self._vitals = platform, vitals
        self.spec = Spec(
            name="deploy",
            description="Deploys a version of a service to an environment. Needs approval; shows its plan first.",
            arguments=vocabulary.narrow(DeployArguments),
            effect=Effect.WRITE,
            timeout=seconds,
            examples=phrases.DEPLOY,
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = DeployArguments.of(arguments)
        releases = await release(self._platform, asked.service, asked.version)
        target = await aim(self._platform, asked.service, asked.environment)
        before = target.now.version if target.now else None
        plan = Plan(
            title=f"Deploy {asked.service} {asked.version} to {asked.environment}",
            changes=(Change(f"version of {target.name}", before or "not running", asked.version),),
            touches=target.touches,
            observed=observed(target.now),
            undo=Undo("rollback", _back(asked, before)) if before else None,
            undo_text=f"roll {target.name} back to {before}" if before else "",
            health=await health(target.now, self._vitals),
            notes=between(releases, before, asked.version),
        )
        return await rehearsed(self._platform, _order(asked), plan)

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        asked = DeployArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        order = _order(asked, grant.action, signed(grant))
        return await carry_out(self._platform, order, progress)

    async def verify(self, arguments: Arguments) -> Verification:
        asked = DeployArguments.of(arguments)
        target = await aim(self._platform, asked.service, asked.environment)
        return runs(target.now, asked.version)


def observed(now: Running | None) -> dict[str, str | int | None]:
    """The part of the world a change of version rests on."""
    return {"version": now.version if now else None, "replicas": now.replicas if now else None}


def runs(now: Running | None, version: str) -> Verification:
    """Whether `version` is what runs, and well."""
    if now is None:
        return Verification(Verdict.NOT_DONE, "it does not run")
    text = f"{now.version} runs, {now.feels}"
    if now.coming == version:
        return Verification(Verdict.UNCLEAR, f"{version} is still on its way; {text}")
    if now.version != version:
        return Verification(Verdict.NOT_DONE, text)
    return Verification(Verdict.UNCLEAR if now.healthy is False else Verdict.DONE, text)


def _back(asked: DeployArguments, before: str) -> dict[str, str]:
    return {"service": asked.service, "environment": asked.environment, "version": before}


def _order(asked: DeployArguments, key: str = "", by: str = "") -> Order:
    return Order(OrderKind.DEPLOY, asked.service, asked.environment, key, by, version=asked.version)
