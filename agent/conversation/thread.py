"""A thread and what is said in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

ThreadId = NewType("ThreadId", str)  # "terminal:maya", "slack:C012:1700000000.1"
TurnId = NewType("TurnId", str)  # "T-12": what `sayso show` takes


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a person said, as a surface heard it. `event_id` is the platform's own id: a seen one is dropped."""

    event_id: str
    thread: ThreadId
    speaker: str  # the person's id
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a thread's past, for the context of the next turn."""

    speaker: str  # a person's id, or "sayso"
    text: str
    at: datetime
