"""Runbooks for alerts that name none, looked for in what is known."""

import re

from tools.alerts.port import Alert, Runbook
from tools.contract import Asker
from tools.knowledge.port import Filters, Library, PassageKind

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")  # PaymentsPoolExhausted -> Payments Pool Exhausted


class KnownRunbooks:
    """Asks the library for a document about the alert, of those the asker may read."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def runbook(self, alert: Alert, asker: Asker) -> Runbook | None:
        """The document that answers surely; `None` where none does. Raises `ToolUnavailable`, `ToolFailed`."""
        words = " ".join(_WORD.findall(alert.name))
        query = f"runbook {words} {alert.service or ''} {alert.summary[:200]}".strip()
        found = await self._library.search(query, asker, Filters(kind=PassageKind.DOCUMENT, limit=1))
        best = next((each for each in found.passages if each.sure), None)
        return Runbook(best.heading or best.document, best.link, best.document) if best else None
