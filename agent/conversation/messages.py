"""What a model is shown and what it replies: plain values, the same for every provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.conversation.evidence import Evidence
from tools.contract import Effect, Json


class Role(StrEnum):
    SYSTEM = "system"
    PERSON = "user"
    AGENT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it. `arguments` is its JSON text, which may be malformed: nobody parses it here."""

    id: str
    name: str
    arguments: str


class ResultKind(StrEnum):
    """What became of a tool call."""

    FOUND = "found"  # a read that worked; `evidence` holds what it found
    PROPOSED = "proposed"  # a write that became an action; `action` names it
    ALLOWED = "allowed"  # the same, and a rule lets it run without approval: it runs after the turn
    REFUSED = "refused"  # not offered, not allowed, repeated, or the arguments were wrong
    FAILED = "failed"  # the tool could not answer: *not checked*, never "healthy"


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the context. A tool's result carries its evidence, so that a planner needs no prose parsing.

    `text` is the plain text; `shown`, where there is one, is what a language model reads in its place: fenced, numbered
    and shortened to what fits.
    """

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    result: ResultKind | None = None
    evidence: tuple[Evidence, ...] = ()
    action: str | None = None
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What a turn is doing: a call that begins (`result` is None), or one that is done, with what became of it."""

    call: ToolCall
    result: ResultKind | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as a model sees it: `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Json]
    effect: Effect


@dataclass(frozen=True, slots=True)
class Request:
    """Everything one model call gets."""

    messages: tuple[Message, ...]
    offers: tuple[Offer, ...]
    locale: str
    now: datetime
    may_call: bool = True  # False on the last step: answer with what is there
    reserve: tuple[
        Offer, ...
    ] = ()  # may be called too and is not shown: only what reads no schemas looks here


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or several model calls; `cost` in US dollars where prices are set."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None

    def __add__(self, other: "Usage") -> "Usage":
        known = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            sum(known) if known else None,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered: text, calls, or both. `model` is the one that really answered."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    model: str = ""
    by_code: bool = False  # composed from the evidence by code: its figures need no second look
    note: str = ""  # what a reader of the receipt should know: "the planner stood in"
