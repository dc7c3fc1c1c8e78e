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
        Kept(str(one["title"]), int(str(one["lines"])), str(one["handle"]), str(one.get("cut") or ""))
        for event in events
        if event.fact.kind in _ENDED
        for one in _rows(event.fact.data.get("output"))
        if one.get("handle")
    )


def _rows(value: Json) -> list[Mapping[str, Json]]:
    rows = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return [row for row in rows if isinstance(row, Mapping)]
