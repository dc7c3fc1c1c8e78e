"""What follows an action that has ended: a turn of its own, which has the outcome as its first evidence.

A line of fixed words tells the outcome at once, whatever the model does. Then, where a language model is set, it is
asked what came of the change. Such a turn looks and proposes nothing: the way back from a failure is proposed by code,
and words that a tool found never pass for the wish of the person who asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from agent.approvals.action import Action, ActionId, State
from agent.conversation.errors import ConversationError
from agent.conversation.messages import Reply, Request
from agent.conversation.ports import ChatModel, OnText
from agent.conversation.thread import Said, ThreadId
from agent.words.catalogue import say
from tools.contract import Effect, Finding, Json, Outcome, Spec

PREFIX = "outcome:"  # of the event ids of these turns
TOOL = "outcome"  # what the evidence is said to come from
YOUNG = timedelta(hours=1)  # what ended longer ago is news to nobody
When: TypeAlias = Literal["always", "problems", "never"]
PROBLEMS = frozenset({State.FAILED, State.UNKNOWN, State.STALE})
TOLD: Mapping[When, frozenset[State]] = {
    "always": PROBLEMS | {State.SUCCEEDED},
    "problems": PROBLEMS,
    "never": frozenset(),
}


def following(action: Action, when: When, at: datetime, locale: str) -> Said | None:
    """The question that follows an action, heard once for each end; None where none does.

    It holds no words of anybody but ours: what is said in a thread counts as the asker's wish in its later turns.
    """
    ended = action.ended_at or action.started_at
    if action.state not in TOLD[when] or ended is None or at - ended >= YOUNG:
        return None
    text = say("turn.outcome", locale, action=action.id, state=say(f"state.{action.state.value}", locale))
    event = f"{PREFIX}{action.id}:{action.state.value}"
    return Said(event, ThreadId(action.thread), action.requester, text, at)


def action_of(event: str) -> ActionId | None:
    """Which action a turn heard under this event id is about; None where it is another kind of turn."""
    return ActionId(event.split(":")[1]) if event.startswith(PREFIX) else None


def reads(specs: Sequence[Spec], besides: str) -> frozenset[str]:
    """The tools that only look; those whose names begin with `besides` start something."""
    return frozenset(
        one.name for one in specs if one.effect is Effect.READ and not one.name.startswith(besides)
    )


def outcome(action: Action, later: Sequence[Action], name: Callable[[str], str]) -> Outcome:
    """What is known of an action, as what a tool found. `later` are proposals that take it back."""
    ran = action.started_at
    seconds = (action.ended_at - ran).total_seconds() if ran and action.ended_at else None
    lines = [
        f"{action.id}: {action.plan.title}",
        f"state: {action.state.value}",
        f"asked by: {name(action.requester)}: {action.why}",
        f"call: {' '.join([action.tool, *(f'{key}={value}' for key, value in action.arguments.items())])}",
        *(f"planned: {one.what}: {one.before} -> {one.after}" for one in action.plan.changes),
        *(f"approved by: {name(vote.person)}" for vote in action.approvals),
        *([f"run without approval by: {name(action.glass.person)}"] if action.glass else []),
        *(f"changed meanwhile: {one.what} was {one.before} and is {one.after}" for one in action.drifted),
        *([f"ran for: {seconds:.1f} s"] if seconds is not None else []),
        f"outcome: {action.detail or '-'}",
        *(f"way back: {one.id}: {one.plan.title} ({one.state.value})" for one in later),
    ]
    facts: dict[str, Json] = {"action": action.id, "state": action.state.value, "tool": action.tool}
    found = Finding(
        "action",
        f"{action.id} {action.state.value}: {action.plan.title}",
        "actions",
        action.id,
        "\n".join(lines),
        facts,
    )
    return Outcome(ok=True, summary=f"{action.id} has ended: {action.state.value}", findings=(found,))


@dataclass(frozen=True, slots=True)
class OutcomeModel:
    """Implements `ChatModel`: a language model, and where there is none that answers, a line that names the evidence.

    The planner does not stand in: it answers requests of people, and this is none.
    """

    model: ChatModel | None

    @property
    def name(self) -> str:
        return "-" if self.model is None else self.model.name

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        note = ""
        if self.model is not None:
            try:
                return await self.model.complete(request, on_text)
            except ConversationError as error:
                note = say("turn.model_failed", request.locale, why=error)
        text = say("turn.outcome_untold", request.locale)
        return Reply(text, model=self.name, by_code=True, note=note)
