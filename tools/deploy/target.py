"""What an order is aimed at: the service as it runs now, its health, and the releases between two versions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import AfterValidator

from tools.contract import BadArguments, Grant, Outcome, Plan, Progress, ToolFailed, ToolUnavailable
from tools.deploy.port import (
    Locating,
    Order,
    Platform,
    RehearsingPlatform,
    Release,
    Running,
    Unanswered,
    Vitals,
)
from tools.slots import Kind, Slot
from tools.times import clock_time
from tools.vocabulary import unknown

SECONDS = 180.0  # for one order, unless a platform is known to take longer
_VERSION = re.compile(r"[vV]?(\d+(?:\.\d+){0,3}(?:[-+][0-9A-Za-z.-]{1,40})?)")


def _version(text: str) -> str:
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise ValueError("should be a version such as 2.3.9")
    return found[1]


Version = Annotated[str, AfterValidator(_version), Slot(Kind.VERSION, role="version")]


@dataclass(frozen=True, slots=True)
class Target:
    """A service in an environment; `now` is `None` where it does not run."""

    service: str
    environment: str
    now: Running | None

    @property
    def name(self) -> str:
        return f"{self.service} in {self.environment}"

    @property
    def touches(self) -> tuple[str, ...]:
        if self.now is None or self.now.replicas is None:
            return (self.name,)
        return (f"{self.name} ({self.now.replicas} {'replica' if self.now.replicas == 1 else 'replicas'})",)


async def aim(platform: Platform, service: str, environment: str) -> Target:
    """The target as it is now. Raises `BadArguments` when the platform has never heard of service or environment."""
    if isinstance(platform, Locating):
        return Target(service, environment, await platform.running_at(service, environment))
    everything = await platform.running()
    here = [entry for entry in everything if entry.environment == environment]
    now = next((entry for entry in here if entry.service == service), None)
    if now is None:
        for field, value, known in (
            ("service", service, {entry.service for entry in everything}),
            ("environment", environment, {entry.environment for entry in everything}),
        ):
            if value not in known:
                raise unknown(
                    field,
                    value,
                    sorted(known),
                    f"nothing runs as {field} {value!r}",
                    none="nothing runs at all",
                )
    return Target(service, environment, now)


async def aim_at_running(platform: Platform, service: str, environment: str) -> tuple[Target, Running]:
    """The same, for orders that need something running. Raises `BadArguments` naming where it does run."""
    target = await aim(platform, service, environment)
    if target.now is None:
        places = tuple(entry.environment for entry in await platform.running() if entry.service == service)
        raise BadArguments(
            f"{service} does not run in {environment}; it runs in {', '.join(places) or 'no environment'}",
            field="environment",
            value=environment,
            nearest=places,
        )
    return target, target.now


async def health(now: Running | None, vitals: Vitals | None) -> str:
    """How it feels now, for an approver."""
    if now is None:
        return "does not run yet"
    text = f"{now.feels}, {now.version} since {clock_time(now.since)} UTC"
    rate, trouble = await felt(vitals, now)
    if trouble is not None:
        return f"{text}, error rate not checked ({trouble})"
    return f"{text}, {rate:.1%} of requests failing" if rate is not None else text


async def felt(vitals: Vitals | None, now: Running) -> tuple[float | None, str | None]:
    """The error rate where somebody measures it, else why it was not checked; a silent meter stops nobody."""
    try:
        return (await vitals.error_rate(now.service, now.environment), None) if vitals else (None, None)
    except (ToolUnavailable, ToolFailed) as error:
        return None, str(error)


async def release(platform: Platform, service: str, version: str) -> tuple[Release, ...]:
    """All releases of the service. Raises `BadArguments` with the nearest when `version` is none of them."""
    releases = await platform.releases(service)
    known = [entry.version for entry in releases]
    if version not in known:
        raise unknown("version", version, known, f"{service} has no release {version!r}", none="it has none")
    return releases


def between(releases: Iterable[Release], before: str | None, after: str) -> tuple[str, ...]:
    """The notes of what comes in or goes out between two versions, newest first."""
    ordered = sorted(releases, key=lambda entry: order_of(entry.version), reverse=True)
    low, high = sorted((order_of(before or after), order_of(after)))
    verb = "takes out" if before and order_of(after) < order_of(before) else "brings"
    if before is None:
        return tuple(f"brings {e.version}: {e.notes or 'no notes'}" for e in ordered if e.version == after)
    return tuple(
        f"{verb} {entry.version}: {entry.notes or 'no notes'}"
        for entry in ordered
        if low < order_of(entry.version) <= high
    )


def order_of(version: str) -> tuple[tuple[int, ...], bool, str]:
    """A key that sorts versions as people do: 2.10.0 after 2.9.3, 2.4.0-rc1 before 2.4.0."""
    core, _, rest = re.sub(r"\+.*", "", version).partition("-")
    numbers = tuple(int(part) if part.isdigit() else 0 for part in core.split("."))
    return numbers, not rest, rest


def signed(grant: Grant) -> str:
    """Who an order is by, for the platform's history."""
    return f"{', '.join(grant.approved_by) or 'nobody'} ({grant.action})"


async def rehearsed(platform: Platform, order: Order, plan: Plan) -> Plan:
    """The plan with what a platform that can rehearse says about it. Raises where it would not take the order."""
    if not isinstance(platform, RehearsingPlatform):
        return plan
    found = await platform.rehearse(order)
    observed = {**plan.observed, **found.observed}
    matters = tuple(sorted(set(observed) - found.moving)) if found.moving else plan.matters
    changes, notes = (*plan.changes, *found.changes), (*plan.notes, *found.notes)
    return replace(plan, changes=changes, observed=observed, matters=matters, notes=notes)


async def carry_out(platform: Platform, order: Order, progress: Progress) -> Outcome:
    """Gives the order. When its end was not heard the outcome says so, and verifying has the last word."""
    try:
        result = await platform.apply(order, progress)
    except Unanswered as error:
        return Outcome(ok=True, summary=str(error))
    return Outcome(ok=result.ok, summary=result.detail)
