"""The card: everything an approver has to know about one action, as a value that every surface can draw."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.approvals.action import Action, State, Verdict
from agent.approvals.propose import REQUEST, TRUSTED
from agent.approvals.refusal import Refusal
from agent.approvals.windows import HOURS
from agent.words.catalogue import say
from agent.words.plans import in_language
from tools.contract import Change


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled line of a card; `warning` draws the eye.

    `bare` is the text without the command that it names, for surfaces that have a button for it.
    """

    label: str
    text: str
    warning: bool = False
    bare: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A title in plain words, the state, and labelled rows in the order they are read."""

    action: str
    title: str
    state: str
    rows: tuple[Row, ...]
    open: bool  # whether it still waits for somebody


def card(action: Action, locale: str, now: datetime, name: Callable[[str], str]) -> Card:
    """The card of an action in one language; `name` gives a person's display name."""
    rows = [
        *_changes(action, locale),
        *_context(action, locale, name),
        *_need(action, locale, now, name),
        *_votes(action, locale, name),
        *_glass(action, locale, now, name),
    ]
    rows += [
        Row(say("card.drift", locale), f"{one.what}: {one.before} → {one.after}", warning=True)
        for one in action.drifted
    ]
    if action.detail and not action.drifted:
        rows.append(Row(say("card.outcome", locale), action.detail, warning=action.state is State.FAILED))
    return Card(
        action.id,
        title(action, locale),
        say(f"state.{action.state.value}", locale),
        tuple(rows),
        open=action.state is State.AWAITING_APPROVAL,
    )


def _changes(action: Action, locale: str) -> list[Row]:
    plan = action.plan
    rows = [Row(say("card.change", locale), _change(change, locale)) for change in plan.changes]
    rows.append(Row(say("card.touches", locale), ", ".join(plan.touches) or "-"))
    if plan.health:
        rows.append(Row(say("card.health", locale), in_language(plan.health, locale)))
    rows += [Row(say("card.note", locale), in_language(note, locale)) for note in plan.notes]
    undo = in_language(plan.undo_text, locale) or say("card.no_undo", locale)
    rows.append(Row(say("card.undo", locale), undo, not plan.undo_text))
    return rows


def title(action: Action, locale: str) -> str:
    """What it would do, in one line of this language."""
    return in_language(action.plan.title, locale)


def _change(change: Change, locale: str) -> str:
    what, before, after = (in_language(one, locale) for one in (change.what, change.before, change.after))
    return f"{what}: {before} → {after}"


def _context(action: Action, locale: str, name: Callable[[str], str]) -> list[Row]:
    asked = say("card.asked_by_text", locale, name=name(action.requester), why=action.why)
    rows = [Row(say("card.asked_by", locale), asked)]
    for argument, origin in action.provenance.items():
        if origin not in TRUSTED:
            text = say(
                "card.unasked" if argument == REQUEST else "card.untrusted",
                locale,
                argument=argument,
                value=action.arguments.get(argument),
                origin=origin,
            )
            rows.append(Row(say("card.careful", locale), text, warning=True))
    return rows


def _need(action: Action, locale: str, now: datetime, name: Callable[[str], str]) -> list[Row]:
    need = action.requirement
    if need.auto:
        return [Row(say("card.need", locale), say("card.need_nobody", locale, rule=need.rule))]
    roles = say("card.and_of", locale).join(_people(group, name) for group in need.approvers)
    rows = [
        Row(
            say("card.need", locale),
            say("card.need_text", locale, count=need.quorum, roles=roles, rule=need.rule),
        )
    ]
    if need.distinct_teams > 1:
        rows.append(Row(say("card.need", locale), say("card.teams", locale, count=need.distinct_teams)))
    if need.override:
        text = say("card.override_text", locale, freeze=shut_name(need.override, locale))
        rows.append(Row(say("card.override", locale), text, warning=True))
    if action.state is State.AWAITING_APPROVAL and need.quorum > 1:
        text = say("card.so_far_text", locale, count=len(action.approvals), quorum=need.quorum)
        rows.append(Row(say("card.so_far", locale), text))
    if action.state is State.AWAITING_APPROVAL and need.break_glass:
        roles = say("card.and_of", locale).join(_people(group, name) for group in need.break_glass)
        text = say("card.emergency_text", locale, roles=roles, action=action.id)
        bare = say("card.emergency_bare", locale, roles=roles)
        rows.append(Row(say("card.emergency", locale), text, bare=bare))
    if action.state in (State.AWAITING_APPROVAL, State.APPROVED):
        minutes = max(0, round((action.expires_at - now).total_seconds() / 60))
        until = action.expires_at.strftime("%Y-%m-%d %H:%M UTC")
        rows.append(
            Row(say("card.expires", locale), say("card.expires_text", locale, minutes=minutes, until=until))
        )
    return rows


def _people(group: frozenset[str], name: Callable[[str], str]) -> str:
    """Roles as they are, people by their names."""
    ids = sorted(group)
    return ", ".join(name(one.removeprefix("person:")) if one.startswith("person:") else one for one in ids)


def _glass(action: Action, locale: str, now: datetime, name: Callable[[str], str]) -> list[Row]:
    """Who ran it without approval, and the signature that is due or was given."""
    glass = action.glass
    if glass is None:
        return []
    fields = {"name": name(glass.person), "reason": glass.reason}
    rows = [Row(say("card.glass", locale), say("card.glass_text", locale, **fields), warning=True)]
    if glass.signed is not None:
        reason = f": {glass.signed.reason}" if glass.signed.reason else ""
        rows.append(Row(say("card.signature", locale), f"{name(glass.signed.person)}{reason}"))
    else:
        told, bare = owing(action, locale, now), owing(action, locale, now, bare=True)
        rows.append(Row(say("card.signature", locale), told, warning=True, bare=bare))
    return rows


def owing(action: Action, locale: str, now: datetime, *, bare: bool = False) -> str:
    """What an action owes, and whether it is overdue; empty where it owes nothing. `bare`: without the command."""
    if action.glass is None or not action.owed:
        return ""
    key = f"card.{'overdue' if now > action.glass.due_at else 'owed'}_{'bare' if bare else 'text'}"
    due = action.glass.due_at.strftime("%Y-%m-%d %H:%M UTC")
    return say(key, locale, due=due, action=action.id)


def drifted(action: Action, locale: str) -> str:
    """What changed in the world since the approval, in words; the detail where nothing is known of it."""
    said = [
        say("card.drift_text", locale, what=one.what, before=one.before, after=one.after)
        for one in action.drifted
    ]
    return "; ".join(said) or action.detail


def _votes(action: Action, locale: str, name: Callable[[str], str]) -> list[Row]:
    rows = []
    for vote in action.decisions:
        word = "card.yes" if vote.verdict is Verdict.APPROVE else "card.no"
        reason = f": {vote.reason}" if vote.reason else ""
        rows.append(Row(say("card.vote", locale), f"{name(vote.person)} · {say(word, locale)}{reason}"))
    return rows


def shut_name(name: str, locale: str) -> str:
    """What shuts a rule as people read it: a freeze by its name, hours by what they are."""
    parts = [
        say("card.outside_hours", locale, hours=one.removeprefix(HOURS)) if one.startswith(HOURS) else one
        for one in name.split(", ")
    ]
    return ", ".join(parts)


def sentence(refusal: Refusal, locale: str) -> str:
    """A refusal as people read it."""
    fields = dict(refusal.fields)
    if "freeze" in fields:
        fields["freeze"] = shut_name(fields["freeze"], locale)
    if "plan" in fields:
        fields["plan"] = in_language(fields["plan"], locale)
    if "state" in fields:
        fields["state"] = say(f"state.{fields['state']}", locale)
    said = say(f"refusal.{refusal.reason.value}", locale, **fields)
    return said if refusal.because is None else f"{said} {sentence(refusal.because, locale)}"
