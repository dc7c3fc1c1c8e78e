"""Where a turn stands: what was asked, what was called, and what came back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from agent.conversation.evidence import Evidence
from agent.conversation.messages import Message, ResultKind, Role, ToolCall


@dataclass(frozen=True, slots=True)
class Result:
    """One tool call of this turn, and the message that answered it."""

    call: ToolCall
    message: Message


@dataclass(frozen=True, slots=True)
class Moment:
    """A turn as a planner sees it between two model calls."""

    asked: str
    earlier: tuple[str, ...]  # the persons' messages before, oldest first
    results: tuple[Result, ...]
    rounds: int  # how often tools were called already

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(piece for result in self.results for piece in result.message.evidence)

    def of(self, *kinds: ResultKind) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.message.result in kinds)


def moment(messages: Sequence[Message]) -> Moment:
    """Reads the context: the last message of a person is what was asked, everything after it belongs to this turn."""
    last = max((at for at, message in enumerate(messages) if message.role is Role.PERSON), default=-1)
    persons = [message.text for message in messages[: last + 1] if message.role is Role.PERSON]
    turn = messages[last + 1 :]
    answers = {message.call_id: message for message in turn if message.role is Role.TOOL}
    calls = [call for message in turn for call in message.calls]
    return Moment(
        asked=persons[-1] if persons else "",
        earlier=tuple(persons[:-1]),
        results=tuple(Result(call, answers[call.id]) for call in calls if call.id in answers),
        rounds=sum(bool(message.calls) for message in turn),
    )


def arguments(call: ToolCall) -> dict[str, object]:
    """The arguments of a call; none when its text is not a JSON object."""
    try:
        values = json.loads(call.arguments)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
