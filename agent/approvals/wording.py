"""Rules and forecasts in plain words, for people who decide whether a policy says what they mean."""

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo

from agent.approvals.action import Requirement
from agent.approvals.card import sentence, shut_name
from agent.approvals.forecast import Forecast, Outlook, length
from agent.approvals.policy import Call
from agent.approvals.rule import Rule
from agent.approvals.windows import Override
from agent.words.catalogue import say

Name = Callable[[str], str]


def members(names: Iterable[str], name: Name) -> str:
    """Roles as they are, people by their names."""
    shown = [name(one.removeprefix("person:")) if one.startswith("person:") else one for one in sorted(names)]
    return ", ".join(shown) or "-"


def described(rule: Rule, locale: str, name: Name) -> list[str]:
    """A rule as sentences: what it is for, who may ask, who must agree, and when."""
    when = say("policy.and", locale).join(one.said(argument, locale) for argument, one in rule.when.items())
    tools = ", ".join(sorted(rule.tools))
    covers = (
        say("policy.covers_when", locale, tools=tools, when=when)
        if when
        else say("policy.covers", locale, tools=tools)
    )
    lines = [covers]
    if rule.askers:
        lines.append(say("policy.askers", locale, who=members(rule.askers, name)))
    if rule.auto:
        lines.append(say("policy.auto", locale))
    if rule.approvers:
        who = members(rule.approvers, name)
        lines.append(say("policy.approvers", locale, count=rule.quorum, who=who))
    lines += _conditions(rule, locale)
    if rule.hours:
        fields = {"open": rule.hours.said, "zone": rule.hours.zone}
        lines.append(
            say("policy.hours", locale, **fields) + _override(rule.hours.override, rule, locale, name)
        )
    for freeze in rule.freezes:
        fields = {"name": freeze.name, "span": freeze.span.said, "zone": freeze.zone}
        lines.append(say("policy.freeze", locale, **fields) + _override(freeze.override, rule, locale, name))
    if rule.escalation:
        who = members(rule.escalation.to, name)
        lines.append(say("policy.escalation", locale, who=who, after=length(rule.escalation.after)))
    if rule.break_glass:
        who, within = members(rule.break_glass.roles, name), length(rule.break_glass.within)
        lines.append(say("policy.break_glass", locale, who=who, within=within))
    return lines


def _conditions(rule: Rule, locale: str) -> list[str]:
    lines = []
    if rule.distinct_teams > 1:
        lines.append(say("policy.teams", locale, count=rule.distinct_teams))
    if rule.self_approval:
        lines.append(say("policy.self_approval", locale))
    if rule.reason_required:
        lines.append(say("policy.reason_required", locale))
    if rule.confirm:
        lines.append(say("policy.confirm", locale))
    return [*lines, say("policy.expires", locale, length=length(rule.expires_after))]


def _override(override: Override | None, rule: Rule, locale: str, name: Name) -> str:
    if override is None:
        return " " + say("policy.no_override", locale)
    who = members(override.approvers or rule.approvers, name)
    quorum = max(override.quorum, rule.quorum)
    return " " + say("policy.override", locale, count=quorum, who=who)


def told(found: Forecast, call: Call, at: datetime, locale: str, name: Name, zone: tzinfo) -> list[str]:
    """A forecast as sentences: what would happen, who says so, and what it takes."""
    arguments = ", ".join(f"{key}={value}" for key, value in call.arguments.items())
    clock = f"{at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone}"
    asked = f"{call.tool} {arguments}".strip()
    lines = [say("policy.asks", locale, name=name(call.person), call=asked, at=clock)]
    need = found.need
    if found.refusal is not None:
        return [*lines, say("policy.refused", locale), sentence(found.refusal, locale)]
    if need is None or found.outlook is Outlook.AUTO:
        return [*lines, say("policy.runs_by_itself", locale, rule=found.rule)]
    if found.enough:
        lines += _approvable(found, need, at, locale, name)
    else:
        lines += _unapprovable(found, need, call, locale, name)
    for one in found.shut:
        ends = f"{one.until.astimezone(zone):%a %Y-%m-%d %H:%M} {zone}"
        lines.append(say("policy.would_override", locale, freeze=shut_name(one.name, locale), until=ends))
    if found.glass:
        within = length(need.countersign_within) if need.countersign_within else "-"
        who = ", ".join(map(name, found.glass))
        lines.append(say("policy.break_glass", locale, who=who, within=within))
    return lines


def _approvable(found: Forecast, need: Requirement, at: datetime, locale: str, name: Name) -> list[str]:
    """How long it would wait, for whom, and what their yes takes."""
    until = f"{at + found.expires_after:%Y-%m-%d %H:%M} UTC"
    lines = [
        say("policy.waits", locale, count=need.quorum, rule=found.rule, until=until),
        say("policy.may_approve", locale, who=", ".join(map(name, found.approvers))),
    ]
    if need.distinct_teams > 1:
        lines.append(say("policy.teams", locale, count=need.distinct_teams))
    if need.self_approval:
        lines.append(say("policy.self_approval", locale))
    if need.reason_required:
        lines.append(say("policy.reason_required", locale))
    return lines


def _unapprovable(found: Forecast, need: Requirement, call: Call, locale: str, name: Name) -> list[str]:
    """That it could be asked for and never be approved, by which rule, and who is missing."""
    fields = {
        "rule": found.rule,
        "roles": members(need.approver_roles, name),
        "who": ", ".join(map(name, found.approvers)),
        "able": len(found.approvers),
        "teams": found.teams,
        "needed": need.distinct_teams,
    }
    if not found.approvers:
        lines = [say("policy.nobody_can", locale, count=need.quorum, **fields)]
    elif len(found.approvers) < need.quorum:
        lines = [say("policy.too_few_can", locale, count=need.quorum, **fields)]
    else:
        lines = [say("policy.too_few_teams", locale, **fields)]
    return [*lines, say("policy.own_request", locale, name=name(call.person))] if found.own else lines
