"""The tool `scale`: more or fewer replicas of the version that runs."""

from typing import Annotated

from pydantic import Field

from tools.contract import (
    Arguments,
    BadArguments,
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
from tools.deploy.deploy import observed
from tools.deploy.port import Order, OrderKind, Platform, Vitals
from tools.deploy.target import SECONDS, aim_at_running, carry_out, health, rehearsed, signed
from tools.slots import Kind, Slot
from tools.vocabulary import Vocabulary

MOST = 20


class ScaleArguments(Arguments):
    """How many replicas run where."""

    service: str = Field(description="The service to scale")
    replicas: Annotated[int, Slot(Kind.COUNT, role="replicas"), Field(ge=1, strict=True)] = Field(
        description="How many replicas there should be, in all"
    )
    environment: str = Field(default="", description="Where to scale it")


class Scale:
    """Sets the number of replicas of a service, through the platform. More than `most` are refused."""

    def __init__(
        self,
        platform: Platform,
        vocabulary: Vocabulary,
        vitals: Vitals | None = None,
        most: int = MOST,
        seconds: float = SECONDS,
    ) -> None:
        self._platform, self._vitals, self._most = platform, vitals, most
        self.spec = Spec(
            name="scale",
            description="Sets how many replicas of a service run in an environment. Needs approval.",
            arguments=vocabulary.narrow(ScaleArguments),
            effect=Effect.WRITE,
            timeout=seconds,
            examples=phrases.SCALE,
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = ScaleArguments.of(arguments)
        if asked.replicas > self._most:
            raise BadArguments(
                f"replicas = {asked.replicas} is more than the {self._most} that are allowed",
                field="replicas",
                value=str(asked.replicas),
                nearest=(str(self._most),),
            )
        target, now = await aim_at_running(self._platform, asked.service, asked.environment)
        plan = Plan(
            title=f"Scale {asked.service} to {asked.replicas} replicas in {asked.environment}",
            changes=(Change(f"replicas of {target.name}", str(now.replicas), str(asked.replicas)),),
            touches=target.touches,
            observed=observed(now),
            undo=Undo(
                "scale",
                {"service": asked.service, "environment": asked.environment, "replicas": now.replicas},
            ),
            undo_text=f"scale {target.name} back to {now.replicas}",
            health=await health(now, self._vitals),
        )
        plan = await rehearsed(self._platform, _order(asked), plan)
        if now.replicas is None:
            raise BadArguments(f"how many replicas of {target.name} run is not known, so it cannot be scaled")
        return plan

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        asked = ScaleArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        order = _order(asked, grant.action, signed(grant))
        return await carry_out(self._platform, order, progress)

    async def verify(self, arguments: Arguments) -> Verification:
        asked = ScaleArguments.of(arguments)
        _, now = await aim_at_running(self._platform, asked.service, asked.environment)
        text = f"{now.replicas} replicas, {now.healthy_replicas} healthy"
        if now.replicas != asked.replicas:
            return Verification(Verdict.NOT_DONE, text)
        return Verification(Verdict.DONE if now.healthy else Verdict.UNCLEAR, text)


def _order(asked: ScaleArguments, key: str = "", by: str = "") -> Order:
    return Order(OrderKind.SCALE, asked.service, asked.environment, key, by, replicas=asked.replicas)
