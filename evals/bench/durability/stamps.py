"""A world small enough to be watched: one tool that writes a line to a file, a model that calls it, and a voice.

The line in the file is the effect, and the file the witness: nobody of sayso's own store is asked what happened.
"""

import asyncio
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent.app import App
from agent.approvals.action import Action
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.policy import Policy, Rule
from agent.approvals.propose import Proposer
from agent.audit.notary import Notary, Rhythm
from agent.bootstrap import utc_now
from agent.conversation.messages import Reply, Request, Role, Step, ToolCall
from agent.conversation.ports import ChatModel, OnText
from agent.conversation.redact import Redactor
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import Said, ThreadId
from agent.conversation.toolbox import Toolbox
from agent.conversation.turn import Answer, Turns
from agent.home import Home
from agent.models.tokens import EstimatingCounter
from agent.people.person import Directory, Person
from agent.settings import Settings
from agent.store.fleet import PATIENCE, Fleet
from agent.store.keys import Seal
from agent.store.port import TurnRecord
from agent.store.scribe import Scribe
from agent.store.shelf import FolderShelf
from agent.store.sql.store import SqlStore
from knowledge.port import Library
from prompts.loader import load
from tools.contract import (
    Arguments,
    Change,
    Effect,
    Grant,
    Outcome,
    Plan,
    Progress,
    ReadTool,
    Spec,
    Verdict,
    Verification,
)
from tools.registry import Registry

if TYPE_CHECKING:
    from agent.telemetry.traces import Traces

SURFACE = "bench"
PEOPLE = Directory(
    [Person("maya", "Maya", frozenset({"op"})), Person("tom", "Tom", frozenset({"op", "keeper"}))]
)
EXPIRY = timedelta(hours=2)
POLICY = Policy(
    [Rule("all", frozenset({"stamp"}), frozenset({"keeper"}), expires_after=EXPIRY)],
    {"stamp": frozenset({"op"})},
)


class StampArguments(Arguments):
    text: Annotated[str, Field(max_length=40)]


def append(file: Path, line: str) -> None:
    """One line, whole or not at all, and there for good once this returns, whatever happens to the process."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


@dataclass
class Stamp:
    """Writes one line to the witness; looks for it to verify. A run takes a while, so that it can be interrupted."""

    witness: Path
    longest: float = 0.02  # seconds before and after the effect
    spec: Spec = field(
        default_factory=lambda: Spec(
            "stamp", "Stamps a text", StampArguments, Effect.WRITE, target=("text",), settles_within=0.0
        )
    )

    async def plan(self, arguments: Arguments) -> Plan:
        text = StampArguments.of(arguments).text
        return Plan(f"Stamp {text}", (Change(text, "absent", "stamped"),), ("witness",), {})

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend("stamp", arguments.canonical())
        await asyncio.sleep(random.uniform(0, self.longest))
        append(self.witness, f"{grant.action} {StampArguments.of(arguments).text}")
        await progress("stamped")
        await asyncio.sleep(random.uniform(0, self.longest))
        return Outcome(ok=True, summary="stamped")

    async def verify(self, arguments: Arguments) -> Verification:
        text = StampArguments.of(arguments).text
        found = self.witness.exists() and f" {text}\n" in self.witness.read_text()
        return Verification(
            Verdict.DONE if found else Verdict.NOT_DONE, "stamped" if found else "not stamped"
        )


@dataclass
class StampModel:
    """Proposes a stamp for every line `stamp TEXT`, and says so; takes as long about it as it is told."""

    pause: float = 0.0
    name: str = "stamper"

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        await asyncio.sleep(self.pause)
        last = request.messages[-1]
        if last.role is not Role.PERSON:
            return Reply("It is proposed.")
        texts = [line.split()[1] for line in last.text.splitlines() if line.startswith("stamp ")]
        calls = tuple(
            ToolCall(str(place), "stamp", json.dumps({"text": text})) for place, text in enumerate(texts)
        )
        return Reply("" if calls else "Well.", calls)


@dataclass
class WitnessVoice:
    """Implements `agent.jobs.voice.Voice` and its audiences: everything told is a line in a file."""

    told_file: Path
    surface: str = SURFACE

    def audience(self, said: Said) -> "WitnessVoice":
        append(self.told_file, f"begins {said.thread}")
        return self

    def room(self, said: Said) -> Room:
        return ALONE

    async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
        append(self.told_file, f"answer {record.turn}")

    async def told(self, thread: ThreadId, subject: str, text: str) -> None:
        append(
            self.told_file, f"notice {text.split(':', maxsplit=1)[0].split(maxsplit=1)[0]} {subject} {text}"
        )

    async def shown(self, action: Action) -> None:
        append(self.told_file, f"card {action.id} {action.state.value}")

    async def progress(self, action_or_step: Action | Step, line: str = "") -> None:
        """Nobody watches."""

    async def text(self, piece: str) -> None:
        """Nobody watches."""

    async def card(self, action: Action) -> None:
        """It is told by the outbox."""


async def opened(
    folder: Path,
    place: Path | str,
    *,
    machine: str | None = None,
    patience: float = PATIENCE,
    model: ChatModel | None = None,
    stamp: Stamp | None = None,
    traces: "Traces | None" = None,
    people: Directory = PEOPLE,
    settings: Settings | None = None,
    policy: Policy = POLICY,
    teller: ChatModel | None = None,
    more: Sequence[ReadTool] = (),
) -> App:
    """Sayso on this store, with the stamp as its only tool, and `more` that look.

    `machine` makes it a worker of another machine; `teller` is asked what came of each action.
    """
    settings = settings or Settings()
    home = Home(folder, folder / "sayso.yaml", "the bench")
    scribe = Scribe(Redactor())
    store = await SqlStore.open(place, scribe)
    fleet = Fleet(store, place=machine, patience=patience)
    registry = Registry([stamp or Stamp(folder / "witness"), *more])
    registry = registry if traces is None else traces.registry(registry)
    chosen: ChatModel = model or StampModel()
    seal = Seal(folder / "audit.pem", folder / "checkpoints.jsonl")
    notary = Notary(store, seal.signer, seal.book, utc_now, Rhythm(100, timedelta(minutes=1), None))
    scribe.on_fact = notary.noted
    shelf = FolderShelf(folder / "evidence")
    proposer = Proposer(store, registry, policy, utc_now)

    async def turns() -> Turns:
        return Turns(
            model=chosen if traces is None else traces.model(chosen),
            threads=store,
            toolbox=Toolbox(registry, proposer, shelf, Redactor()),
            prompt=load("system"),
            counter=EstimatingCounter(),
            redactor=Redactor(),
            clock=utc_now,
        )

    async def no_library(_rebuild: bool) -> Library:
        raise RuntimeError("nothing is known here")

    return App(
        settings=settings,
        home=home,
        clock=utc_now,
        directory=people,
        policy=policy,
        registry=registry,
        store=store,
        notary=notary,
        seal=seal,
        shelf=shelf,
        proposer=proposer,
        decisions=Decisions(store, people, utc_now),
        executor=Executor(store, registry, policy, people, fleet, utc_now, pauses=(0.0,)),
        turns=turns,
        open_library=no_library,
        sources=(),
        redactor=Redactor(),
        fleet=fleet,
        spans=traces,
        teller=None if teller is None else lambda: teller,
    )
