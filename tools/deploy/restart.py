"""The tool `restart`: the same version, new processes."""

from datetime import datetime, timedelta

from pydantic import Field

from tools.contract import (
    Arguments,
    Change,
    Clock,
    Effect,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    Verdict,
    Verification,
)
from tools.deploy import phrases
from tools.deploy.deploy import observed
from tools.deploy.port import Order, OrderKind, Platform, Vitals
from tools.deploy.target import SECONDS, aim_at_running, carry_out, health, rehearsed, signed
from tools.times import clock_time, iso
from tools.vocabulary import Vocabulary

RECENT = timedelta(minutes=15)  # processes this young are taken for the restarted ones


class RestartArguments(Arguments):
    """What is restarted."""

    service: str = Field(description="The service to restart")
    environment: str = Field(default="", description="Where to restart it")


class Restart:
    """Stops and starts the processes of a service, through the platform."""

    def __init__(
        self,
        platform: Platform,
        vocabulary: Vocabulary,
        clock: Clock,
        vitals: Vitals | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._platform, self._clock, self._vitals = platform, clock, vitals
        self._before: dict[tuple[str, str], datetime] = {}  # since when what was restarted here had run
        self.spec = Spec(
            name="restart",
            description="Restarts a service in an environment, the same version. Needs approval.",
            arguments=vocabulary.narrow(RestartArguments),
            effect=Effect.WRITE,
            timeout=seconds,
            examples=phrases.RESTART,
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = RestartArguments.of(arguments)
        target, now = await aim_at_running(self._platform, asked.service, asked.environment)
        processes = now.replicas if now.replicas is not None else "processes"
        plan = Plan(
            title=f"Restart {asked.service} in {asked.environment}",
            changes=(
                Change(
                    f"processes of {target.name}",
                    f"{processes} running since {clock_time(now.since)} UTC",
                    f"{processes} started anew, still {now.version}",
                ),
            ),
            touches=target.touches,
            observed={**observed(now), "since": iso(now.since)},
            undo_text="a restart cannot be taken back; requests in flight may fail once",
            health=await health(now, self._vitals),
        )
        return await rehearsed(self._platform, _order(asked), plan)

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        asked = RestartArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        _, now = await aim_at_running(self._platform, asked.service, asked.environment)
        self._before[asked.service, asked.environment] = now.since
        order = _order(asked, grant.action, signed(grant))
        return await carry_out(self._platform, order, progress)

    async def verify(self, arguments: Arguments) -> Verification:
        """Done when the processes are well, young, and others than before the run, where it was ours: else unclear."""
        asked = RestartArguments.of(arguments)
        _, now = await aim_at_running(self._platform, asked.service, asked.environment)
        text = f"running since {clock_time(now.since)} UTC, {now.feels}"
        before = self._before.get((asked.service, asked.environment))
        fresh = self._clock() - now.since <= RECENT and now.since != before
        return Verification(Verdict.DONE if fresh and now.healthy else Verdict.UNCLEAR, text)


def _order(asked: RestartArguments, key: str = "", by: str = "") -> Order:
    return Order(OrderKind.RESTART, asked.service, asked.environment, key, by)
