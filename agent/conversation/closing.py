"""Turns that end without an answer: somebody stopped them, or they cannot be answered. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.approvals.action import Action, State
from agent.conversation.inbox import Batch
from agent.conversation.messages import Reply
from agent.words.catalogue import say
from agent.words.plans import in_language
from tools.contract import Json

STOP = frozenset(
    {"stop", "stop!", "cancel", "halt", "arrête", "arrete", "annule", "stoppe"}
)  # alone in a message


def is_stop(text: str) -> bool:
    """Whether somebody wants what is going on to end, and says nothing else."""
    return text.strip().rstrip("!. ").lower() in STOP


def stopped(by: str, replies: Sequence[Reply], actions: Sequence[Action], locale: str) -> str:
    """What a stopped turn says: who stopped it, what was looked at until then, and what was proposed and stays so."""
    lines = [say("turn.stopped", locale, name=by)]
    tools = dict.fromkeys(call.name for reply in replies for call in reply.calls)
    if tools:
        lines.append(say("turn.stopped_after", locale, tools=", ".join(tools)))
    return "\n".join([*lines, *(standing(action, locale) for action in actions)])


def standing(action: Action, locale: str) -> str:
    """How an action stands that a stop did not end."""
    key = {State.RUNNING: "runs", State.AWAITING_APPROVAL: "waits", State.APPROVED: "waits"}.get(
        action.state, "stands"
    )
    state = say(f"state.{action.state.value}", locale)
    return say(
        f"turn.stop_{key}",
        locale,
        action=action.id,
        title=in_language(action.plan.title, locale),
        state=state,
    )


def story(batch: Batch, text: str, question: str, locale: str, at: datetime, why: str) -> Mapping[str, Json]:
    """What is kept of such a turn; `question` is redacted."""
    return {
        "question": question,
        "thread": batch.said.thread,
        "speaker": batch.said.speaker,
        "asked_at": batch.said.at.isoformat(),
        "finished_at": at.isoformat(),
        "locale": locale,
        "answer_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "calls": [],
        "evidence": [],
        "actions": [],
        "files": [],
        "ended": why,
    }
