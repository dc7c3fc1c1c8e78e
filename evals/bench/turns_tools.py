"""The two tools of the benchmark of turns, and an audience that looks away."""

from agent.approvals.action import Action
from agent.conversation.messages import Step
from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Finding,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    Verdict,
    Verification,
)

FOUND = "connection pool exhausted: 8 of 8 connections in use, waited 750 ms"


class LogsArguments(Arguments):
    """Which logs."""

    service: str
    contains: str | None = None


class Logs:
    """A read that finds one line, never the same twice: the shelf has to keep each."""

    spec = Spec("logs", "Searches the logs of a service.", LogsArguments, Effect.READ)

    def __init__(self) -> None:
        self._found = 0

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        asked = LogsArguments.of(arguments)
        self._found += 1
        finding = Finding(
            kind="log_lines",
            title=f"Logs of {asked.service}",
            source="memory",
            query=f"{asked.service} {asked.contains}",
            text=FOUND,
            raw=f"{self._found} {FOUND}",
        )
        return Outcome(ok=True, summary="1 line", findings=(finding,))


class DeployArguments(Arguments):
    """What to deploy where."""

    service: str
    version: str
    environment: str = "production"


class Deploy:
    """A write that is offered and never called."""

    spec = Spec("deploy", "Deploys a version of a service.", DeployArguments, Effect.WRITE)

    async def plan(self, arguments: Arguments) -> Plan:
        asked = DeployArguments.of(arguments)
        return Plan("Deploy", (Change("version", "?", asked.version),), (asked.service,), {})

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend(self.spec.name, arguments.canonical())
        await progress("deploying")
        return Outcome(ok=True, summary="deployed")

    async def verify(self, arguments: Arguments) -> Verification:
        return Verification(Verdict.UNCLEAR, f"nobody looked for {DeployArguments.of(arguments).version}")


class Nobody:
    """Implements `agent.conversation.ports.Audience` for nobody."""

    async def text(self, piece: str) -> None:
        """Nobody reads it."""

    async def progress(self, step: Step) -> None:
        """Nobody looks."""

    async def card(self, action: Action) -> None:
        """Nobody is asked."""
