"""Who must approve what: the rules of the policy."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from agent.approvals.windows import opening, span
from agent.settings.section import Duration, Member, Moment, Name, Section, TimeZone


class ConditionSettings(Section):
    """What the value of one argument must be like; a value or a list of values stands for `values`."""

    values: tuple[StrictBool | StrictInt | StrictFloat | StrictStr, ...] = Field(
        default=(), description="It is exactly one of these: `[production]` for short"
    )
    matches: str | None = Field(
        default=None, description="The whole text fits this regular expression: `2\\.[0-9]+\\.[0-9]+`"
    )
    prefix: str | None = Field(default=None, min_length=1, description="The text begins with this")
    above: float | None = Field(default=None, description="The number is more than this")
    at_least: float | None = Field(default=None, description="The number is this or more")
    below: float | None = Field(default=None, description="The number is less than this")
    at_most: float | None = Field(default=None, description="The number is this or less")

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"should be a regular expression, and is none: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> "ConditionSettings":
        if not self.model_fields_set or (self.values == () and self.model_fields_set == {"values"}):
            raise ValueError("should name values, or one of matches, prefix, above, at_least, below, at_most")
        return self


def condition(value: object) -> object:
    """A condition as people write it: one value, a list of them, or a mapping."""
    if isinstance(value, Mapping | ConditionSettings):
        return value
    return {"values": list(value) if isinstance(value, list | tuple) else [value]}


class OverrideSettings(Section):
    """What it takes to act in a freeze; the card and the audit trail are marked."""

    quorum: int = Field(default=2, ge=1, le=10, description="How many people must approve then")
    approvers: tuple[Member, ...] = Field(
        default=(), description="Who: roles or `person:maya`; the rule's own approvers if unset"
    )
    reason_required: bool = Field(default=True, description="Whether an approval must give a reason then")


class HoursSettings(Section):
    """When what a rule covers may happen at all; a text or a list of texts stands for `open`."""

    open: tuple[str, ...] = Field(
        min_length=1, description="`mon-fri 09:00-17:00`, `sat,sun 10:00-12:00`, `daily 06:00-22:00`"
    )
    zone: TimeZone | None = Field(default=None, description="`time_zone` if unset")
    override: OverrideSettings | None = Field(default=None, description="Without it nobody can")

    @field_validator("open")
    @classmethod
    def _readable(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            opening(text)
        return texts


def opening_hours(value: object) -> object:
    """Hours as people write them: one text, a list of them, or a mapping."""
    if isinstance(value, str):
        return {"open": [value]}
    return {"open": value} if isinstance(value, list | tuple) else value


class FreezeSettings(Section):
    """A time in which what a rule covers does not happen."""

    name: Name = Field(description="Shown on cards and in refusals")
    start: Moment = Field(alias="from", description="`fri 16:00` for every week, or `2026-12-20` once")
    end: Moment = Field(alias="to", description="`mon 08:00`, or `2027-01-02 08:00`")
    zone: TimeZone | None = Field(default=None, description="`time_zone` if unset")
    override: OverrideSettings | None = Field(default=None, description="Without it nobody can")

    @model_validator(mode="after")
    def _readable(self) -> "FreezeSettings":
        span(self.start, self.end)
        return self


class BreakGlassSettings(Section):
    """Who may run at once in an emergency, with a reason; somebody else signs afterwards."""

    roles: tuple[Member, ...] = Field(min_length=1, description="Roles, or `person:maya`")
    within: Duration = Field(
        default=timedelta(hours=24), description="Until when an approver must sign with `actions countersign`"
    )


class EscalationSettings(Section):
    """Whom to ask as well when nobody has decided for a while. It gives nobody a right to decide."""

    to: tuple[Member, ...] = Field(min_length=1, description="Roles or `person:maya`")
    after: Duration = Field(description="How long after the proposal, such as 10m")


class RuleSettings(Section):
    """One policy rule: for these tools and arguments, these people must agree."""

    name: Name = Field(description="Shown on cards and in the audit trail")
    tools: tuple[Name, ...] = Field(min_length=1, description="The write tools it covers")
    when: Mapping[str, Annotated[ConditionSettings, BeforeValidator(condition)]] = Field(
        default_factory=dict, description="Argument values it is for: `environment: [production]`"
    )
    askers: tuple[Member, ...] = Field(
        default=(), description="Who may ask: roles or `person:maya`; everybody with access if unset"
    )
    approvers: tuple[Member, ...] = Field(
        default=(), description="Roles of which an approver needs one, or `person:maya`; optional with `auto`"
    )
    quorum: int = Field(default=1, ge=1, le=10, description="How many different people must approve")
    distinct_teams: int = Field(
        default=1, ge=1, le=10, description="From how many different teams (`people.<name>.team`) they come"
    )
    self_approval: bool = Field(default=False, description="Whether the requester may be one of them")
    reason_required: bool = Field(default=False, description="Whether an approval must give a reason")
    expires_after: Duration = Field(default=timedelta(minutes=30), description="How long a proposal waits")
    hours: Annotated[HoursSettings | None, BeforeValidator(opening_hours)] = Field(
        default=None, description="The only times it may happen: `mon-fri 09:00-17:00`; always if unset"
    )
    freezes: tuple[FreezeSettings, ...] = Field(default=(), description="Times in which it may not happen")
    auto: bool = Field(
        default=False,
        description="Runs without approval, unless another rule asks for one or untrusted text named a target",
    )
    break_glass: BreakGlassSettings | None = Field(
        default=None, description="Who may run it at once, to be signed afterwards; nobody if unset"
    )

    confirm: bool = Field(
        default=False, description="Whether a yes by a button is asked for twice: what is dangerous"
    )
    escalate: EscalationSettings | None = Field(
        default=None, description="Whom to ask as well when nobody decides; nobody if unset"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> "RuleSettings":
        if self.escalate and self.escalate.after >= self.expires_after:
            raise ValueError(
                f"{self.name}: escalate.after should be less than expires_after: a proposal that has expired "
                "is past asking for"
            )
        if not self.approvers and not self.auto:
            raise ValueError(f"{self.name}: approvers is missing: name roles or people, or say `auto: true`")
        if self.distinct_teams > self.quorum:
            raise ValueError(
                f"{self.name}: distinct_teams = {self.distinct_teams} should be at most quorum = {self.quorum}"
            )
        if self.auto and self.break_glass:
            raise ValueError(
                f"{self.name}: break_glass has no use in a rule with `auto: true`; leave one out"
            )
        shuts = [(one.name, one.override) for one in self.freezes]
        shuts += [("hours", self.hours.override)] if self.hours else []
        for name, override in shuts:
            if override and not override.approvers and (not self.approvers or override.quorum <= self.quorum):
                raise ValueError(
                    f"{self.name}: the override of {name} should ask for more than the rule does: a quorum over "
                    f"{self.quorum}, or approvers of its own"
                )
        return self
