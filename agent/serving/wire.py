"""What the process that hears tells the one that works: a line of JSON each, over a pipe between parent and child."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from agent.audit.event import Fact, FactKind
from agent.conversation.thread import ThreadId
from agent.jobs.engine import Job
from tools.contract import Json

MOST = (
    4 * 2**20
)  # bytes that wait to be read; beyond that a job or a stop is left to the rounds, which find it in the store


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JobLine(_Line):
    """Something is to be done."""

    says: Literal["job"] = "job"
    job: Job
    key: str
    lane: str
    attempt: str = ""


class StopLine(_Line):
    """The turns of a thread are to end: the store has it already."""

    says: Literal["stop"] = "stop"
    thread: str


class FactLine(_Line):
    """A fact on its way into the trail, for the metrics."""

    says: Literal["fact"] = "fact"
    kind: FactKind
    actor: str
    subject: str
    at: datetime
    data: Mapping[str, Json]

    def fact(self) -> Fact:
        return Fact(self.kind, self.actor, self.subject, self.at, self.data)


class HearsLine(_Line):
    """It hears people; each surface by its name, with what is wrong with it at the moment.

    `late` is how many seconds it took at most to keep what somebody said, since the last such line.
    """

    says: Literal["hears"] = "hears"
    troubles: Mapping[str, str | None]
    late: float = 0.0


class RefusedLine(_Line):
    """It cannot begin to hear; says what to do about it."""

    says: Literal["refused"] = "refused"
    why: str


Line = JobLine | StopLine | FactLine | HearsLine | RefusedLine
_LINES: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="says")])


def read(line: bytes) -> Line:
    """A line that was read. Raises `ValueError` for anything else."""
    return _LINES.validate_json(line)


class Wire:
    """The writing end. Nothing waits: whoever hears people must not be held up by who works."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport, self._loop = transport, asyncio.get_running_loop()

    def job(self, job: Job, key: str, lane: str, attempt: str) -> None:
        """Hands a job on."""
        self._write(JobLine(job=job, key=key, lane=lane, attempt=attempt))

    def stop(self, thread: ThreadId) -> None:
        """Says that what is being worked on there is to end."""
        self._write(StopLine(thread=thread))

    def fact(self, fact: Fact) -> None:
        """Passes a fact on; from whatever thread."""
        line = FactLine(kind=fact.kind, actor=fact.actor, subject=fact.subject, at=fact.at, data=fact.data)
        self._loop.call_soon_threadsafe(self._write, line)

    def hears(self, troubles: Mapping[str, str | None], late: float = 0.0) -> None:
        """Says how it is."""
        self._write(HearsLine(troubles=troubles, late=late))

    def refused(self, why: str) -> None:
        """Says why it hears nobody."""
        self._write(RefusedLine(why=why))

    def _write(self, line: Line) -> None:
        if not self._transport.is_closing() and self._transport.get_write_buffer_size() < MOST:
            self._transport.write(line.model_dump_json().encode() + b"\n")
