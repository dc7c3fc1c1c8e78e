"""A conversation of the history before it has ids: what ordinary talk, bots and the rota produce."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `speaker` is the handle of a member or of a bot; `joins` marks a person entering the channel."""

    speaker: str
    at: datetime
    text: str
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in one channel; when `threaded`, all but the first are answers under the first."""

    channel: str
    lines: tuple[Line, ...]
    threaded: bool = False
