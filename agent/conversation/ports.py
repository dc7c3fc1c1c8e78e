"""What a conversation needs from the outside: a model, a memory of threads, a shelf for raw results, approvals."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from agent.approvals.action import Action, Origin
from agent.conversation.messages import Reply, Request, Step
from agent.conversation.thread import Line, Said, ThreadId, TurnId
from tools.contract import Asker, Json

Clock = Callable[[], datetime]
OnText = Callable[[str], Awaitable[None]]


class ChatModel(Protocol):
    """Something that answers a request with text or tool calls."""

    @property
    def name(self) -> str: ...

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """Answers; text is passed to `on_text` as it arrives. Raises `ModelUnavailable` or `MalformedReply`."""


@runtime_checkable
class Closing(Protocol):
    """A model that holds connections, which somebody has to close in the end."""

    async def close(self) -> None: ...


@runtime_checkable
class Preparing(Protocol):
    """A model that learns or loads something before its first reply, which may as well be done before anybody asks."""

    async def prepare(self) -> None: ...


class Audience(Protocol):
    """Who watches a turn while it runs: the surface the person sits at."""

    async def text(self, piece: str) -> None:
        """A piece of the answer as it is written, redacted; the checked whole follows at the end and counts."""
        ...

    async def progress(self, step: Step) -> None:
        """A tool call begins or is done."""
        ...

    async def card(self, action: Action) -> None:
        """An action was proposed."""
        ...


class Threads(Protocol):
    """The durable memory of threads and turns."""

    async def hear(self, said: Said) -> TurnId | None:
        """Accepts what was said, durably, and opens its turn; `None` when this event was heard before."""

    async def history(self, thread: ThreadId, before: TurnId, limit: int) -> Sequence[Line]:
        """The thread's last `limit` lines before this turn, oldest first."""

    async def keep_reply(self, turn: TurnId, position: int, reply: Reply) -> None:
        """Stores a model reply before it is acted on."""

    async def replies(self, turn: TurnId) -> Sequence[Reply]:
        """The replies stored for this turn, by position: a turn that starts over uses them again."""

    async def tools_used(self, thread: ThreadId, before: TurnId, turns: int) -> Sequence[str]:
        """The tools that the last `turns` answered turns before this one called, the latest first, each once."""

    async def finish(self, turn: TurnId, answer: str, record: Mapping[str, Json]) -> None:
        """Closes the turn with its answer and its receipt, and writes the audit event in the same transaction."""


class Shelf(Protocol):
    """Where whole raw results are kept."""

    async def keep(self, raw: str) -> str:
        """Stores the text (already redacted) and returns its handle."""

    async def read(self, handle: str) -> str: ...


class Proposals(Protocol):
    """Turns a model's wish to write into an action that waits."""

    async def propose(
        self,
        tool: str,
        arguments: Mapping[str, Json],
        asker: Asker,
        *,
        thread: ThreadId,
        key: str,
        why: str,
        provenance: Mapping[str, str],
        origin: Origin = Origin(),
    ) -> Action:
        """Judges the policy, plans, stores, and returns the action. `key` (turn and position) makes it idempotent.

        `provenance` says for each argument where it came from: "asker", "settings" or "evidence 3".
        Raises `ActionRefused` (policy, unknown tool) or a `ToolError` (arguments, planning).
        """


class Wishes(Protocol):
    """Knows what people say when they want something changed."""

    def asked_for(self, tool: str, said: Sequence[str]) -> bool:
        """Whether one of these messages of the asker asks for what this tool does."""
        ...


class Router(Protocol):
    """Knows which tools serve a request."""

    async def rank(self, request: str, earlier: str = "") -> Sequence[str]:
        """The names of all tools, best first; `earlier` is what was asked before, if anything."""
        ...


class TokenCounter(Protocol):
    """Counts the tokens of a text; `exact` is False where a stated estimate stands in."""

    @property
    def exact(self) -> bool: ...

    def count(self, text: str) -> int: ...
