"""Cards and lists of actions on a screen; the same as JSON."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.approvals.action import Action
from agent.approvals.card import Card, owing
from agent.approvals.card import title as titled
from agent.audit.event import Event
from agent.store.outputs import Kept
from agent.surfaces.terminal.screen import paper, plain
from agent.surfaces.terminal.trail import show as show_trail
from agent.words.catalogue import say
from tools.contract import Json


def show(card: Card) -> None:
    """Prints one card."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", justify="right")
    rows.add_column(overflow="fold")
    for row in card.rows:
        rows.add_row(row.label, Text(plain(row.text), style="yellow" if row.warning else ""))
    title = Text.assemble((card.action, "bold magenta"), "  ", (plain(card.title), "bold"))
    style = "magenta" if card.open else "dim"
    paper().print(Panel(rows, title=title, title_align="left", subtitle=card.state, border_style=style))


def show_list(actions: Sequence[Action], now: datetime, locale: str) -> None:
    """Prints actions a line each, the latest first."""
    if not actions:
        paper().print(say("terminal.no_actions", locale))
    for action in actions:
        minutes = round((now - action.created_at).total_seconds() / 60)
        state = say(f"state.{action.state.value}", locale)
        paper().print(
            f"{action.id:6} {state:22} {plain(titled(action, locale))}  ({action.requester}, {minutes} min)"
        )
        if due := owing(action, locale, now):
            paper().print(f"       {say('card.signature', locale)}: {due}", style="yellow")


def show_story(events: Sequence[Event], name: Callable[[str], str]) -> None:
    paper().print()
    show_trail(events, name)


def show_outputs(action: Action, kept: Sequence[Kept], locale: str) -> None:
    """Says where the whole of what it wrote is read."""
    for place, one in enumerate(kept, 1):
        words = say("card.output", locale, action=action.id, number=place, lines=f"{one.lines:,}")
        paper().print(f"  {words}{f' ({plain(one.cut)})' if one.cut else ''}", style="dim")


def as_json(action: Action) -> dict[str, Json]:
    """Everything about an action as plain values."""
    plan, need = action.plan, action.requirement
    return {
        "id": action.id,
        "state": action.state.value,
        "title": plan.title,
        "tool": action.tool,
        "arguments": dict(action.arguments),
        "provenance": dict(action.provenance),
        "requester": action.requester,
        "why": action.why,
        "thread": action.thread,
        "changes": [{"what": c.what, "before": c.before, "after": c.after} for c in plan.changes],
        "touches": list(plan.touches),
        "observed": dict(plan.observed),
        "health": plan.health,
        "undo": {"tool": plan.undo.tool, "arguments": dict(plan.undo.arguments)} if plan.undo else None,
        "undo_text": plan.undo_text,
        "needs": {
            "rule": need.rule,
            "roles": sorted(need.approver_roles),
            "quorum": need.quorum,
            "self_approval": need.self_approval,
            "groups": [sorted(group) for group in need.groups],
            "distinct_teams": need.distinct_teams,
            "auto": need.auto,
            "override": need.override or None,
            "break_glass": [sorted(group) for group in need.break_glass],
            "policy_version": need.policy_version,
        },
        "votes_missing": action.votes_missing,
        "decisions": [
            {
                "person": vote.person,
                "verdict": vote.verdict.value,
                "reason": vote.reason,
                "at": vote.at.isoformat(),
            }
            for vote in action.decisions
        ],
        "digest": action.digest,
        "created_at": action.created_at.isoformat(),
        "expires_at": action.expires_at.isoformat(),
        "ended_at": action.ended_at.isoformat() if action.ended_at else None,
        "supersedes": action.supersedes,
        "detail": action.detail,
        "drifted": [{"what": c.what, "was": c.before, "is": c.after} for c in action.drifted],
        "glass": _glass(action),
    }


def _glass(action: Action) -> dict[str, Json] | None:
    """Who ran it without approval, and the second signature."""
    glass = action.glass
    if glass is None:
        return None
    return {
        "person": glass.person,
        "reason": glass.reason,
        "at": glass.at.isoformat(),
        "due_at": glass.due_at.isoformat(),
        "signed_by": glass.signed.person if glass.signed else None,
        "signed_at": glass.signed.at.isoformat() if glass.signed else None,
    }
