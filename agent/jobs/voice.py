"""What a surface provides so that sayso can speak on it by itself: port of the workers."""

from typing import Protocol

from agent.approvals.action import Action
from agent.conversation.ports import Audience
from agent.conversation.room import Room
from agent.conversation.thread import Said, ThreadId
from agent.conversation.turn import Answer
from agent.store.port import TurnRecord


class VoiceUnavailable(Exception):
    """The platform does not answer at the moment; what was to be told is kept and told later."""


class Voice(Protocol):
    """Speaks in the threads of one surface. Everything may be told twice where a worker died right after telling it."""

    @property
    def surface(self) -> str:
        """What its thread ids begin with: `slack`."""
        ...

    def audience(self, said: Said) -> Audience:
        """Who watches the turn that answers this."""
        ...

    def room(self, said: Said) -> Room:
        """Who reads the answer to this beside the person who said it."""
        ...

    async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
        """Tells an answer; whole where this process made it, as it was kept where another one did.

        Raises `VoiceUnavailable`.
        """
        ...

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        """Says a line in a thread. Raises `VoiceUnavailable`."""
        ...

    async def shown(self, action: Action) -> None:
        """Shows an action's card as it is now. Raises `VoiceUnavailable`."""
        ...

    async def progress(self, action: Action, line: str) -> None:
        """A line of progress of an action that runs; one that cannot be told is left out."""
        ...
