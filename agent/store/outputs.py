"""What an action wrote while it ran: kept whole on the shelf, named in its row of the trail."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.audit.event import Event, FactKind
from agent.conversation.ports import Shelf
from agent.conversation.redact import Redactor
from agent.store.port import StoreError
from tools.contract import Json

LOG = logging.getLogger("sayso.store")
_ENDED = frozenset({FactKind.SUCCEEDED, FactKind.FAILED, FactKind.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Kept:
    """One output: what it is, how long, what is missing of it, and the handle of the whole."""

    title: str
    lines: int
    handle: str
    cut: str = ""


class ShelvedOutputs:
    """Implements `agent.approvals.ports.Outputs`: redacted, then kept on this shelf."""

    def __init__(self, shelf: Shelf, redactor: Redactor) -> None:
        self._shelf, self._redactor = shelf, redactor

    async def keep(self, text: str) -> str | None:
        clean = await asyncio.to_thread(self._redactor.text, text)
        try:
            return await self._shelf.keep(clean)
        except StoreError as error:  # what was done is done, and its row must be written
            LOG.warning("an output of %s characters could not be kept: %s", len(text), error)
            return None


def outputs(events: Sequence[Event]) -> tuple[Kept, ...]:
    """The outputs that these rows of one action name."""
    return tuple(
        one for event in events if event.fact.kind in _ENDED for one in named(event.fact.data.get("output"))
    )


def named(output: Json) -> tuple[Kept, ...]:
    """The outputs that one row of the trail names under `output`; what could not be kept is not among them."""
    rows = output if isinstance(output, Sequence) and not isinstance(output, str) else ()
    return tuple(
        Kept(str(one["title"]), int(str(one["lines"])), str(one["handle"]), str(one.get("cut") or ""))
        for one in rows
        if isinstance(one, Mapping) and one.get("handle")
    )
