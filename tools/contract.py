"""The contract every tool keeps: what it declares, what it returns, how it fails.

A tool is data (`Spec`) and one or two functions. A `ReadTool` looks and returns an `Outcome`. A `WriteTool`
computes a `Plan` before anybody is asked, runs once with a `Grant`, and can `verify` the world afterwards.

Errors a tool may raise, by who should act::

    ToolError
    ├── BadArguments      the caller corrects the arguments (names the field, the value and what would be right)
    ├── ToolUnavailable   nobody: try again later (the backend does not answer, or took too long)
    └── ToolFailed        the person: the backend answered, and what it said is in the message
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeAliasType

Clock = Callable[[], datetime]  # aware, in UTC
Json = TypeAliasType(
    "Json", "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
)  # a value that JSON can say; an alias with a name, so that pydantic can follow its recursion
Progress = Callable[[str], Awaitable[None]]


class Effect(StrEnum):
    """What a call may do to the world. Whatever is not known to be a read is a write."""

    READ = "read"
    WRITE = "write"


class Reach(Enum):
    """How far a person's rights go in a read, where others read what comes of it."""

    OWN = "own"  # nobody else does
    SHARED_FIRST = (
        "shared first"  # what all may read goes first; what else the person may read, if that is not enough
    )
    SHARED_ONLY = "shared only"  # nothing but what all may read


@dataclass(frozen=True, slots=True)
class Asker:
    """The person whose rights a read runs with."""

    person: str
    roles: frozenset[str] = frozenset()
    locale: str = "en"
    reach: Reach = Reach.OWN
    sources: frozenset[str] | None = None  # of knowledge, those that are searched here; all of them if None


@dataclass(frozen=True, slots=True)
class Window:
    """A range of time, both ends aware and in UTC; the end is not included."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def before(self) -> "Window":
        """The window of the same length that ends where this one starts."""
        return Window(self.start - self.length, self.start)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a read found, before it has a number: what evidence is made of.

    `text` is the digest a model or a person reads; `raw` is the whole of it, kept on disk; `facts` are the values
    that templates, checks and charts use (keys are fixed for each `kind`, see the tool's README).
    """

    kind: str
    title: str
    source: str
    query: str
    text: str
    facts: Mapping[str, Json] = field(default_factory=dict)
    window: Window | None = None
    link: str | None = None
    raw: str | None = None
    cut: str | None = None  # what the digest leaves out: "12,400 of 2,100,000 lines, newest first"
    private: str | None = (
        None  # the place whose members alone may read it: "chat:C012"; None: whoever may use the tool
    )


@dataclass(frozen=True, slots=True)
class File:
    """Something to hand to a person: a table, a chart."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to. `ok=False` is an answer too: the tool worked, and the world said no."""

    ok: bool
    summary: str
    findings: tuple[Finding, ...] = ()
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a write would change."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Undo:
    """The call that takes a write back."""

    tool: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a write would do, computed from the world as it is now.

    `observed` is the part of the world the plan rests on: the digest covers it, and when it differs at the time of
    running, the action is stale. Keep in it what an approver decided on (versions, replicas), nothing that
    changes by itself (clocks, latencies).

    `matters` names the fields of `observed` whose change makes it stale; without it every one does.
    """

    title: str
    changes: tuple[Change, ...]
    touches: tuple[str, ...]
    observed: Mapping[str, Json]
    undo: Undo | None = None
    undo_text: str = ""
    health: str = ""
    notes: tuple[str, ...] = ()
    matters: tuple[str, ...] | None = None

    def drifted(self, now: "Plan") -> tuple[Change, ...]:
        """What matters to either plan and is not as it was when this one was made."""
        seen = {*self.observed, *now.observed}
        if self.matters is not None and now.matters is not None:
            seen &= {*self.matters, *now.matters}
        pairs = [(key, self.observed.get(key), now.observed.get(key)) for key in sorted(seen)]
        return tuple(Change(key, _shown(was), _shown(is_)) for key, was, is_ in pairs if not _same(was, is_))

    @property
    def changes_nothing(self) -> bool:
        return all(change.before == change.after for change in self.changes)


def _same(was: Json, now: Json) -> bool:
    """Compared as the digest does: `1` is not `true`, and a missing field is `null`."""
    return digest({"value": was}) == digest({"value": now})


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


class Verdict(StrEnum):
    """What `verify` sees when it looks at the world after a run."""

    DONE = "done"  # the world is as the action wanted it
    NOT_DONE = "not_done"  # it is not
    UNCLEAR = "unclear"  # this cannot be told; a person has to look


@dataclass(frozen=True, slots=True)
class Verification:
    verdict: Verdict
    detail: str


@runtime_checkable
class Grant(Protocol):
    """The right to run one action once. Only `agent.approvals.execute` makes one, from a claimed action."""

    @property
    def action(self) -> str:
        """The action's name, such as `A-17`: the idempotency key towards the world."""

    @property
    def approved_by(self) -> tuple[str, ...]: ...

    def spend(self, tool: str, arguments: Mapping[str, Json]) -> None:
        """Uses the grant up. Raises `GrantRefused` when it was spent or stands for something else."""


class GrantRefused(Exception):
    """A write was attempted without the right to it. Nothing was executed."""


class ToolError(Exception):
    """Something a tool could not do; `field`, `value` and `nearest` are set where they are known."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: str | None = None,
        nearest: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.field, self.value, self.nearest = field, value, nearest


class BadArguments(ToolError):
    """The arguments are wrong; the caller may correct them."""


class ToolUnavailable(ToolError):
    """The backend does not answer; nothing was done, later may work."""


class ToolFailed(ToolError):
    """The backend answered, and the answer is a failure that a person should know."""


class Arguments(BaseModel):
    """Base of every tool's arguments: nothing unknown passes, nothing is coerced silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, arguments: "Arguments") -> Self:
        """The same arguments, known to be of this model. Raises `TypeError` for those of another tool."""
        if not isinstance(arguments, cls):
            raise TypeError(f"{type(arguments).__name__} are not {cls.__name__}")
        return arguments

    def canonical(self) -> dict[str, Json]:
        """As plain JSON values without the fields that were left at `None`."""
        values: dict[str, Json] = self.model_dump(mode="json", exclude_none=True)
        return values


@dataclass(frozen=True, slots=True)
class Example:
    """Something a person might say to get this tool.

    `{name}` stands for any value of the argument of that name. The embedded planner learns its intents from
    these, so give eight or more for each language, worded as differently as people do.
    """

    text: str
    language: str = "en"


def examples(*, en: str, fr: str) -> tuple[Example, ...]:
    """Examples written one a line, in both languages."""
    texts = {"en": en, "fr": fr}
    return tuple(
        Example(line.strip(), language)
        for language, text in texts.items()
        for line in text.splitlines()
        if line.strip()
    )


@dataclass(frozen=True, slots=True)
class Spec:
    """What a tool declares about itself."""

    name: str
    description: str
    arguments: type[Arguments]
    effect: Effect
    version: str = "1"
    timeout: float = 20.0  # seconds
    examples: tuple[Example, ...] = ()
    settles_within: float = 4.0  # seconds after a run within which the world is as wanted, or it failed
    target: tuple[str, ...] = (
        "environment",
        "service",
    )  # arguments that say what is changed: one run at a time

    def validate(self, arguments: Mapping[str, object]) -> Arguments:
        """The typed arguments. Raises `BadArguments` naming the first field that is wrong."""
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "arguments"
            value = "" if first["type"] == "missing" else repr(first["input"])
            raise BadArguments(
                f"{self.name}: {name}{f' = {value}' if value else ''}: {first['msg']}",
                field=name,
                value=value or None,
                nearest=tuple(first.get("ctx", {}).get("nearest", ())),
            ) from error


@runtime_checkable
class ReadTool(Protocol):
    """A tool that only looks. It sees what the asker may see, and nothing else."""

    @property
    def spec(self) -> Spec: ...

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome: ...


@runtime_checkable
class WriteTool(Protocol):
    """A tool that changes the world; `run` is reached through an approved action only."""

    @property
    def spec(self) -> Spec: ...

    async def plan(self, arguments: Arguments) -> Plan: ...

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        """Spends the grant first, then makes the change. Never retried."""

    async def verify(self, arguments: Arguments) -> Verification: ...


@runtime_checkable
class Connected(Protocol):
    """What a tool is as well where it keeps a connection to a server that describes the tool itself."""

    async def standing(self) -> str | None:
        """How the tool differs from what was approved; None where it does not. Raises `ToolUnavailable`."""
        ...

    async def close(self) -> None: ...


Tool = ReadTool | WriteTool


def digest(value: Mapping[str, Json]) -> str:
    """SHA-256 (hex) of the canonical JSON of `value`: sorted keys, no spaces, UTF-8."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Mapping[str, Json]) -> str:
    """The one JSON text of `value`: sorted keys, no spaces."""
    return _CANONICAL.encode(value)
