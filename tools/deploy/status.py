"""The tool `status`: what runs where, in which version, since when, and what was changed lately."""

from typing import Annotated

from pydantic import Field

from tools.contract import Arguments, Asker, Clock, Effect, Finding, Json, Outcome, Spec, Window
from tools.deploy import phrases
from tools.deploy.port import Deployment, Platform, Running, Vitals
from tools.deploy.target import felt
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Since, clock_time, iso, spoken, window
from tools.vocabulary import Vocabulary

SHOWN = 20  # changes in one answer


class StatusArguments(Arguments):
    """Which part of what runs, and how far back its changes are of interest."""

    service: str | None = Field(default=None, description="One service; all when left out")
    environment: str | None = Field(default=None, description="One environment; all when left out")
    since: Annotated[Since, Slot(Kind.SINCE, role="since")] = Field(
        default="7d", description="How far back to list changes: 2h, 7d, or an ISO 8601 instant"
    )


class Status:
    """Reads the platform, and the error rates where somebody measures them."""

    def __init__(
        self, platform: Platform, vocabulary: Vocabulary, clock: Clock, vitals: Vitals | None = None
    ) -> None:
        self._platform, self._clock, self._vitals, self._zone = platform, clock, vitals, vocabulary.zone
        self.spec = Spec(
            name="status",
            description=(
                "What runs where: versions, replicas, health, since when, and the recent deployments, rollbacks, "
                "restarts and scalings (what changed)."
            ),
            arguments=vocabulary.narrow(StatusArguments),
            effect=Effect.READ,
            examples=phrases.STATUS,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - the platform shows all the same
        asked = StatusArguments.of(arguments)
        span = window(asked.since, None, self._clock(), self._zone)
        async with patience(self.spec.timeout - 2, "the platform"):
            running = [entry for entry in await self._platform.running() if _matches(asked, entry)]
            rates = [await felt(self._vitals, entry) for entry in running]
            history = await self._platform.history(asked.service, asked.environment, span.start)
        changes = [entry for entry in history if entry.at >= span.start]
        place = " ".join(part for part in (asked.service, asked.environment) if part) or "everything"
        if not running:
            return Outcome(
                ok=True, summary=f"nothing runs as {place}", findings=(self._changes(place, changes, span),)
            )
        ill = sum(1 for entry in running if entry.healthy is False)
        unknown = sum(1 for entry in running if entry.healthy is None)
        silent = f", {unknown} whose health is not known" if unknown else ""
        troubles = dict.fromkeys(trouble for _, trouble in rates if trouble)
        unchecked = f"; not checked: error rates ({'; '.join(troubles)})" if troubles else ""
        return Outcome(
            ok=True,
            summary=f"{len(running)} running, {ill} unhealthy{silent}; {len(changes)} changes since {iso(span.start)}"
            + unchecked,
            findings=(self._running(place, running, rates), self._changes(place, changes, span)),
        )

    def _running(
        self, place: str, running: list[Running], rates: list[tuple[float | None, str | None]]
    ) -> Finding:
        rows: list[Json] = [
            {
                "service": entry.service,
                "environment": entry.environment,
                "version": entry.version,
                "previous_version": entry.previous_version,
                "replicas": entry.replicas,
                "healthy_replicas": entry.healthy_replicas,
                "since": iso(entry.since),
                "error_rate": rate,
            }
            for entry, (rate, _) in zip(running, rates, strict=True)
        ]
        lines = [
            self._line(entry, rate, trouble) for entry, (rate, trouble) in zip(running, rates, strict=True)
        ]
        return Finding(
            kind="status",
            title=f"What runs: {place}",
            source="platform",
            query=f"running: {place}",
            text="\n".join(lines),
            facts={"running": rows, "not_checked": list(dict.fromkeys(each for _, each in rates if each))},
        )

    def _line(self, entry: Running, rate: float | None, trouble: str | None) -> str:
        failing = "" if rate is None else f", {rate:.1%} of requests failing"
        if trouble is not None:
            failing = ", error rate not checked"
        before = f", before it {entry.previous_version}" if entry.previous_version else ""
        return (
            f"{entry.service} {entry.version} in {entry.environment} since {clock_time(entry.since, self._zone)}: "
            f"{entry.feels}{failing}{before}"
        )

    def _changes(self, place: str, changes: list[Deployment], span: Window) -> Finding:
        shown = changes[:SHOWN]
        rows: list[Json] = [
            {
                "id": entry.id,
                "kind": entry.kind.value,
                "service": entry.service,
                "environment": entry.environment,
                "from": entry.before,
                "to": entry.after,
                "at": iso(entry.at),
                "by": entry.by,
                "ok": entry.ok,
            }
            for entry in shown
        ]
        left = len(changes) - len(shown)
        return Finding(
            kind="deployments",
            title=f"What changed: {place}",
            source="platform history",
            query=f"history: {place}, {spoken(span, self._zone)}",
            text="\n".join(self._change(entry) for entry in shown) or "nothing was changed in this time",
            facts={"deployments": rows},
            window=span,
            cut=f"{left} older changes are left out" if left else None,
        )

    def _change(self, entry: Deployment) -> str:
        ended = "" if entry.ok else ", failed"
        return (
            f"{clock_time(entry.at, self._zone)} {entry.kind.value} {entry.service} in {entry.environment}: "
            f"{entry.before or '-'} -> {entry.after or '-'} by {entry.by}{ended}"
        )


def _matches(asked: StatusArguments, entry: Running) -> bool:
    return asked.service in {None, entry.service} and asked.environment in {None, entry.environment}
