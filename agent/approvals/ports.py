"""What approvals need from the outside: a ledger of actions, the tools, and who has which role now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.approvals.action import Action, ActionId, Draft, State
from agent.approvals.refusal import Refusal
from agent.audit.event import Fact
from tools.contract import ReadTool, WriteTool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was found about an action: how it goes on (as it was, where nothing changes), and what is put on record."""

    action: Action
    facts: tuple[Fact, ...]
    refusal: Refusal | None = None


Judge = Callable[[Action], Ruling]  # pure: the ledger may ask it twice, and from another thread


Room = Callable[
    [Sequence[Action]], Refusal | None
]  # pure: whether one more may run beside these, and why not


class Ledger(Protocol):
    """The durable record of actions. A state and the audit row of its change are one transaction."""

    async def propose(self, draft: Draft) -> Action:
        """Gives the draft an id and keeps it; the action that is there already when its `key` was seen before.

        A draft that supersedes an action ends that one in the same transaction, if it still waits.
        """
        ...

    async def action(self, id_: ActionId) -> Action | None: ...

    async def actions(
        self, *, state: State | None = None, thread: str | None = None, limit: int = 50
    ) -> Sequence[Action]:
        """The latest actions first."""
        ...

    async def apply(self, before: Action, after: Action, fact: Fact) -> bool:
        """Puts `after` in the place of `before`, if nobody else changed it; False when somebody did.

        Into APPROVED and RUNNING it goes only while `expires_at` lies after `fact.at`, checked inside the update.
        """
        ...

    async def claim(self, before: Action, after: Action, fact: Fact, room: Room) -> bool | Refusal:
        """As `apply`, into RUNNING, if there is room beside all that runs at this moment; why not where there is none.

        Nobody else can begin to run while the room is looked at.
        """
        ...

    async def judge(self, id_: ActionId, judge: Judge) -> Ruling | None:
        """Has the action judged as it stands while nobody else can change it, and keeps what comes of it.

        None when there is no such action. Many that wait are judged one after the other in one transaction.
        """
        ...

    async def record(self, fact: Fact) -> None:
        """An audit row without a change: an attempt that was refused."""
        ...


class Tools(Protocol):
    """The whitelist as approvals see it."""

    def get(self, name: str) -> ReadTool | WriteTool:
        """The tool of this name. Raises `tools.contract.BadArguments` naming the nearest."""
        ...


class Outputs(Protocol):
    """Where what an action wrote is kept."""

    async def keep(self, text: str) -> str | None:
        """Keeps the text without its secrets and returns its handle; None where it cannot be kept."""
        ...


class Roles(Protocol):
    """Who has which role, and which team, at this moment."""

    def roles(self, id_: str) -> frozenset[str]: ...

    def team(self, id_: str) -> str:
        """The team of this person now; empty where none is known."""
        ...


class Clock(Protocol):
    def __call__(self) -> datetime: ...


class Workers(Protocol):
    """Who is at work: a claimed action names its worker, so that only a dead one's actions are recovered."""

    @property
    def me(self) -> str: ...

    def alive(self, worker: str) -> bool: ...

    def trusted(self) -> bool:
        """Whether the others can still count on this worker being alive; one that slept for too long may not run."""
        ...


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of a worker: its count goes up while it lives. No clock of one machine is read on another."""

    role: str
    count: int


class Beats(Protocol):
    """The signs of life of all workers."""

    async def beat(self, worker: str, role: str) -> None:
        """One more."""
        ...

    async def beats(self) -> Mapping[str, Beat]:
        """All of them."""
        ...

    async def leave(self, worker: str) -> None:
        """It is no worker any more; what it had in its hands and did not end is free for others."""
        ...


Provenance = Mapping[str, str]
