"""What waits to be answered: messages of one thread, in order, those that came during a turn together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.conversation.thread import Said, ThreadId, TurnId

MOST = 10  # messages that are answered together
LONGEST = 8000  # characters of them together
BY_ITSELF = ("runbook:", "share:", "outcome:")


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one person in one thread that get one answer, which is that of the last one: `turn`."""

    turn: TurnId
    said: Said
    parts: tuple[TurnId, ...]  # all of them, the last included
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message that has no answer yet, as far as `together` looks at it."""

    turn: TurnId
    speaker: str
    text: str
    begun_as: TurnId | None  # the last of those it is answered with, once that has begun
    alone: bool = False  # it means something by its event id, and is answered by itself


def is_alone(event_id: str) -> bool:
    """Whether this was not said by a person but for one: a step of a runbook, a question to be shared, an outcome."""
    return event_id.startswith(BY_ITSELF)


def together(waiting: Sequence[Waiting]) -> tuple[TurnId, ...]:
    """Which of a thread's waiting messages are answered next, in the order they came.

    What was begun goes on as it was, so that a turn that starts over is the same turn. One person's rights count in
    an answer, so only messages of the same person are taken together.
    """
    if not waiting:
        return ()
    first = waiting[0]
    if first.begun_as is not None:
        return tuple(one.turn for one in waiting if one.begun_as == first.begun_as)
    taken: list[TurnId] = []
    length = 0
    for one in waiting[:MOST]:
        length += len(one.text)
        joins = one.speaker == first.speaker and one.begun_as is None and not (one.alone or first.alone)
        if taken and (not joins or length > LONGEST):
            break
        taken.append(one.turn)
    return tuple(taken)


class Inbox(Protocol):
    """Accepted messages that no turn has answered yet."""

    async def begin(self, thread: ThreadId, worker: str) -> Batch | None:
        """What this worker is to answer next in a thread; None when all is answered or another one is at it.

        What belongs together is noted, and stays so. Whoever is at it goes on with what came in the meantime.
        """
        ...

    async def stop(self, thread: ThreadId, by: str) -> tuple[TurnId, ...]:
        """Notes that somebody does not want the thread's open turns answered; says which ones are new to it."""
        ...

    async def stopped(self, turns: Collection[TurnId]) -> Mapping[TurnId, str]:
        """Which of these somebody stopped, and who."""
        ...
