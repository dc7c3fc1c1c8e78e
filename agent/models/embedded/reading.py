"""What a request was understood as: calls, a question back, or talk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tools.contract import Json


class Doubt(StrEnum):
    """Why the planner asks back instead of calling."""

    MISSING = "missing"  # an argument nobody named
    RIVALS = "rivals"  # an argument with several candidates
    RELATIVE = "relative"  # "two more": the total is not known
    CONFIRM = "confirm"  # a change was spoken of, and it is not clear that it is wanted now
    LATER = "later"  # a change for some other time: only changes for now can be proposed
    REFUSED = "refused"  # the values do not pass the tool's schema
    UNSURE = "unsure"  # nothing was understood well enough
    NOT_OFFERED = "not_offered"  # the tool exists, and this person may not use it


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that was understood; `said` has the asker's words for each argument."""

    tool: str
    arguments: Mapping[str, Json]
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskBack:
    """A question back: about which tool and argument, and between which values."""

    doubt: Doubt
    tool: str = ""
    argument: str = ""
    options: tuple[str, ...] = ()
    known: Mapping[str, Json] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """Something that needs no tool: a greeting, thanks, a request for help, or reasoning beyond templates."""

    label: str


Reading = tuple[Call, ...] | AskBack | Talk
