"""The tools `silence` and `unsilence`: an alert that notifies nobody for a while, and its way back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from tools.alerts.phrases import SILENCE, UNSILENCE
from tools.alerts.port import Alert, AlertStore, Labels, Silence
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
from tools.jsonserver import Unheard
from tools.slots import Kind, Slot
from tools.times import Length, clock_time, length, written
from tools.vocabulary import Vocabulary, nearest

LONGEST = timedelta(hours=24)
_NAME = r"^[A-Za-z_][A-Za-z0-9_:.-]{0,127}$"


class UnsilenceArguments(Arguments):
    """Which alert, of what."""

    alert: Annotated[str, Slot(Kind.QUOTED, role="alert")] = Field(
        pattern=_NAME, description="The alert's name, exactly"
    )
    service: str | None = Field(default=None, description="Only of this service; of all when left out")
    environment: str = Field(default="", description="Where")


class SilenceArguments(UnsilenceArguments):
    """Which alert is kept quiet, and how long."""

    duration: Annotated[Length, Slot(Kind.DURATION, role="duration")] = Field(
        default="1h", description="How long from now: 30m, 2h"
    )


class _Quiet:
    """What both tools look at: the alerts that a call covers, and the silences with just its labels."""

    def __init__(self, store: AlertStore, labels: Labels) -> None:
        self.store, self._labels = store, labels

    def labels(self, asked: UnsilenceArguments) -> dict[str, str]:
        found = {self._labels.name: asked.alert, self._labels.environment: asked.environment}
        return {**found, self._labels.service: asked.service} if asked.service else found

    async def in_force(self, labels: Mapping[str, str]) -> tuple[Silence, ...]:
        return tuple(each for each in await self.store.silences() if dict(each.labels) == dict(labels))

    async def notes(self, asked: UnsilenceArguments) -> tuple[str, ...]:
        """How many alerts it covers, and what stands in the way when there is none."""
        firing = await self.store.alerts()
        labels = self.labels(asked)
        covered = [each for each in firing if labels.items() <= each.labels.items()]
        if covered:
            return (f"{len(covered)} alerts that fire now are covered: {_listed(covered)}",)
        same = [each for each in firing if each.name == asked.alert]
        if same:
            return (
                f"no alert that fires is covered: {_listed(same)} have other labels than {_shown(labels)}",
            )
        near = nearest(asked.alert, {each.name for each in firing}) if firing else ()
        hint = f"; of those that do, nearest: {', '.join(near)}" if near else ""
        return (f"no alert named {asked.alert!r} fires now{hint}",)


def _listed(alerts: list[Alert]) -> str:
    told = [
        " ".join(part for part in (each.name, each.service, each.environment) if part) for each in alerts[:5]
    ]
    return ", ".join(told) + (f" and {len(alerts) - 5} more" if len(alerts) > 5 else "")


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))


class SilenceAlert:
    """Keeps an alert quiet for a while, never longer than `longest`; the end is set when it runs."""

    def __init__(
        self,
        store: AlertStore,
        vocabulary: Vocabulary,
        clock: Clock,
        labels: Labels | None = None,
        longest: timedelta = LONGEST,
    ) -> None:
        self._quiet, self._clock, self._zone = _Quiet(store, labels or Labels()), clock, vocabulary.zone
        self._longest = longest
        self.spec = Spec(
            name="silence",
            description="Keeps one alert from notifying anybody for a while. Needs approval.",
            arguments=vocabulary.narrow(SilenceArguments),
            effect=Effect.WRITE,
            examples=SILENCE,
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = SilenceArguments.of(arguments)
        labels, span = self._quiet.labels(asked), self._span(asked)
        existing = await self._quiet.in_force(labels)
        before = "notifies"
        if existing:
            before = f"silenced until {clock_time(max(each.end for each in existing), self._zone)}"
        return Plan(
            title=f"Silence {asked.alert} of {asked.service or 'all services'} in {asked.environment}",
            changes=(
                Change(
                    f"alerts with {_shown(labels)}",
                    before,
                    f"notify nobody for {written(span)} from the start",
                ),
            ),
            touches=(f"alert {asked.alert}",),
            observed={"labels": labels, "silenced": bool(existing)},
            undo=Undo(
                "unsilence", {key: value for key, value in asked.canonical().items() if key != "duration"}
            ),
            undo_text=f"unsilence {asked.alert}; without it the silence ends by itself",
            notes=await self._quiet.notes(asked),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:  # noqa: ARG002 - one request, nothing to tell in between
        asked = SilenceArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        now, people = self._clock(), ", ".join(grant.approved_by) or "nobody"
        made = Silence(
            id="",
            labels=self._quiet.labels(asked),
            start=now,
            end=now + self._span(asked),
            by="sayso",
            comment=f"{grant.action}, approved by {people}",
        )
        try:
            id_ = await self._quiet.store.silence(made)
        except Unheard as error:
            return Outcome(ok=True, summary=f"the silence was sent, and the answer was not heard: {error}")
        until = clock_time(made.end, self._zone)
        return Outcome(ok=True, summary=f"{asked.alert} notifies nobody until {until} (silence {id_})")

    async def verify(self, arguments: Arguments) -> Verification:
        asked = SilenceArguments.of(arguments)
        existing = await self._quiet.in_force(self._quiet.labels(asked))
        if not existing:
            return Verification(Verdict.NOT_DONE, f"no silence of {asked.alert} is in force")
        until = clock_time(max(each.end for each in existing), self._zone)
        return Verification(Verdict.DONE, f"{asked.alert} is silenced until {until}")

    def _span(self, asked: SilenceArguments) -> timedelta:
        span = length(asked.duration) or timedelta(0)
        if span > self._longest:
            raise BadArguments(
                f"duration = {asked.duration!r} is longer than {written(self._longest)}, the longest silence there is",
                field="duration",
                value=asked.duration,
                nearest=(written(self._longest),),
            )
        return span


class Unsilence:
    """Ends the silences that cover just this alert."""

    def __init__(
        self, store: AlertStore, vocabulary: Vocabulary, clock: Clock, labels: Labels | None = None
    ) -> None:
        self._quiet, self._clock, self._zone = _Quiet(store, labels or Labels()), clock, vocabulary.zone
        self.spec = Spec(
            name="unsilence",
            description="Ends the silence of an alert, so that it notifies again. Needs approval.",
            arguments=vocabulary.narrow(UnsilenceArguments),
            effect=Effect.WRITE,
            examples=UNSILENCE,
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = UnsilenceArguments.of(arguments)
        labels = self._quiet.labels(asked)
        existing = await self._quiet.in_force(labels)
        if not existing:
            raise BadArguments(
                f"alert = {asked.alert!r}: no silence with just {_shown(labels)} is in force",
                field="alert",
                value=asked.alert,
            )
        left = max(each.end for each in existing)
        before = f"silenced until {clock_time(left, self._zone)} by {existing[0].by}"
        undo = {**asked.canonical(), "duration": _rounded_up(left - self._clock())}
        return Plan(
            title=f"Unsilence {asked.alert} of {asked.service or 'all services'} in {asked.environment}",
            changes=(Change(f"alerts with {_shown(labels)}", before, "notifies again"),),
            touches=(f"alert {asked.alert}",),
            observed={"labels": labels, "silences": sorted(each.id for each in existing)},
            undo=Undo("silence", undo),
            undo_text=f"silence {asked.alert} again",
            notes=await self._quiet.notes(asked),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        asked = UnsilenceArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        existing = await self._quiet.in_force(self._quiet.labels(asked))
        for each in existing:
            try:
                await self._quiet.store.lift(each.id)
            except Unheard as error:
                return Outcome(ok=True, summary=f"the order was sent, and the answer was not heard: {error}")
            await progress(f"silence {each.id} ended")
        return Outcome(ok=True, summary=f"{asked.alert} notifies again: {len(existing)} silences ended")

    async def verify(self, arguments: Arguments) -> Verification:
        asked = UnsilenceArguments.of(arguments)
        existing = await self._quiet.in_force(self._quiet.labels(asked))
        if existing:
            return Verification(Verdict.NOT_DONE, f"{asked.alert} is still silenced")
        return Verification(Verdict.DONE, f"no silence of {asked.alert} is in force")


def _rounded_up(left: timedelta) -> str:
    return f"{max(1, -(-int(left.total_seconds()) // 60))}m"
