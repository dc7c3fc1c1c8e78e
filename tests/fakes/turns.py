"""A small world to hold a turn in: tools and an audience that remember, everything else the real thing."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from agent.approvals.action import Action
from agent.approvals.policy import Policy, Rule
from agent.approvals.propose import Proposer
from agent.conversation.choosing import Choosing
from agent.conversation.messages import Message, Reply, Step, ToolCall
from agent.conversation.ports import ChatModel, TokenCounter, Wishes
from agent.conversation.redact import Redactor
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.toolbox import Toolbox
from agent.conversation.turn import Answer, Limits, Turns
from agent.models.tokens import EstimatingCounter
from agent.store.memory import MemoryStore
from prompts.loader import load
from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Finding,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    ToolError,
    Verdict,
    Verification,
    WriteTool,
)
from tools.registry import Registry
from tools.slots import Kind, Slot

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
THREAD = ThreadId("terminal:maya")
MAYA = Asker("maya", frozenset({"engineer"}), "en")
_Service = Annotated[
    str,
    Slot(
        Kind.CHOICE, "service", ("checkout", "payments", "catalog"), {"till": "checkout", "shelf": "catalog"}
    ),
]


class SteppingClock:
    """A clock that moves on by a tenth of a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self._now = NOW

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=100)
        return self._now


class LogsArguments(Arguments):
    service: _Service
    contains: str | None = None


class FakeLogs:
    """A read that finds what it was given; `error` makes it fail, `gate` makes it wait until the gate opens."""

    def __init__(self, *findings: Finding, name: str = "logs", summary: str = "") -> None:
        self.spec = Spec(name, f"Searches {name}", LogsArguments, Effect.READ, timeout=0.2)
        self.findings, self.summary = findings, summary or f"{len(findings)} findings"
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.askers: list[Asker] = []
        self.running = 0
        self.most_at_once = 0

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        self.askers.append(asker)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            if self.gate is not None:
                await self.gate.wait()
            else:
                await asyncio.sleep(0)
        finally:
            self.running -= 1
        if self.error is not None:
            raise self.error
        return Outcome(ok=True, summary=self.summary, findings=self.findings)


class RollbackArguments(Arguments):
    service: _Service
    version: str = Field(description="The version to go back to")
    environment: str = "production"
    replicas: int = 2


class FakeRollback:
    """A write that plans, and fails the test if anybody runs it."""

    def __init__(self, name: str = "rollback") -> None:
        self.spec = Spec(name, "Rolls back", RollbackArguments, Effect.WRITE)
        self.error: ToolError | None = None

    async def plan(self, arguments: Arguments) -> Plan:
        if self.error is not None:
            raise self.error
        asked = RollbackArguments.of(arguments)
        return Plan(
            title=f"Roll {asked.service} back to {asked.version}",
            changes=(Change("version", "2.4.0", asked.version),),
            touches=("payments",),
            observed={"version": "2.4.0"},
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        raise AssertionError("a turn never runs a write")

    async def verify(self, arguments: Arguments) -> Verification:
        return Verification(Verdict.UNCLEAR, "")


class MemoryShelf:
    """Implements `Shelf` in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def keep(self, raw: str) -> str:
        handle = f"raw-{len(self.kept) + 1}"
        self.kept[handle] = raw
        return handle

    async def read(self, handle: str) -> str:
        return self.kept[handle]


@dataclass
class RememberingAudience:
    """Implements `Audience`; keeps what it was shown."""

    pieces: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    cards: list[Action] = field(default_factory=list)

    async def text(self, piece: str) -> None:
        self.pieces.append(piece)

    async def progress(self, step: Step) -> None:
        self.steps.append(step)

    async def card(self, action: Action) -> None:
        self.cards.append(action)


@dataclass
class World:
    """Everything one turn touches, with a model of the test's choice."""

    model: ChatModel
    tools: Sequence[FakeLogs | FakeRollback] = field(default_factory=lambda: (FakeLogs(), FakeRollback()))
    limits: Limits = field(default_factory=Limits)
    counter: TokenCounter = field(default_factory=EstimatingCounter)
    store: MemoryStore = field(default_factory=MemoryStore)
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    audience: RememberingAudience = field(default_factory=RememberingAudience)
    choosing: Choosing | None = None
    wishes: Wishes | None = None
    heard: int = 0

    def turns(self) -> Turns:
        clock = SteppingClock()
        registry = Registry(self.tools)
        writes = frozenset(tool.spec.name for tool in registry if isinstance(tool, WriteTool))
        policy = Policy(
            [Rule("two pairs of eyes", writes, frozenset({"sre"}))],
            {tool.spec.name: frozenset({"engineer"}) for tool in registry},
        )
        redactor = Redactor()
        return Turns(
            model=self.model,
            threads=self.store,
            toolbox=Toolbox(
                registry,
                Proposer(self.store, registry, policy, clock),
                self.shelf,
                redactor,
                self.choosing,
                self.wishes,
            ),
            prompt=load("system", 1),
            counter=self.counter,
            redactor=redactor,
            clock=clock,
            limits=self.limits,
        )

    async def record(self, turn: TurnId) -> dict[str, Any]:
        """What was kept of a finished turn, as JSON brings it back."""
        kept = await self.store.turn(turn)
        assert kept is not None
        assert kept.record is not None
        record: dict[str, Any] = json.loads(json.dumps(kept.record))
        return record

    async def hear(self, text: str, speaker: str = "maya") -> tuple[TurnId, Said]:
        self.heard += 1
        said = Said(f"event-{self.heard}", THREAD, speaker, text, NOW)
        turn = await self.store.hear(said)
        assert turn is not None
        return turn, said

    async def ask(
        self,
        text: str,
        *,
        asker: Asker = MAYA,
        offered: frozenset[str] | None = None,
        room: Room = ALONE,
    ) -> Answer:
        turn, said = await self.hear(text)
        return await self.answer(turn, said, asker=asker, offered=offered, room=room)

    async def answer(
        self,
        turn: TurnId,
        said: Said,
        *,
        asker: Asker = MAYA,
        offered: frozenset[str] | None = None,
        room: Room = ALONE,
    ) -> Answer:
        names = frozenset(tool.spec.name for tool in self.tools) if offered is None else offered
        return await self.turns().answer(turn, said, asker, names, self.audience, room)


def finding(text: str = "12 errors", *, title: str = "Errors of payments", raw: str | None = None) -> Finding:
    return Finding("log_patterns", title, "logs/payments.log", "payments error", text, raw=raw)


def call(name: str, arguments: str, id_: str = "c1") -> ToolCall:
    return ToolCall(id_, name, arguments)


def calling(*calls: ToolCall, text: str = "") -> Reply:
    return Reply(text, calls)


def results(messages: Sequence[Message]) -> list[Message]:
    """The tool results in a context."""
    return [message for message in messages if message.result is not None]
