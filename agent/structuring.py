"""What a document tells of a past incident, with a language model's help where the rules leave something open.

The model only points: each of its fields counts where it stands in the document, character for character, and is
dropped where it does not. The rules are asked first and keep what they found; a model that fails leaves it at that.
"""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.conversation.errors import ConversationError
from agent.conversation.evidence import fenced_text
from agent.conversation.messages import Message, Request, Role
from agent.conversation.ports import ChatModel, Clock, Closing
from agent.conversation.redact import Redactor
from knowledge.port import Document, Extent, Incident, Kind, Structurer
from prompts.loader import Prompt

LONGEST = 12_000  # characters a model is shown of one document
_SHORTEST, _MOST = 12, 700  # characters of a quotation that is worth keeping, and that a card has room for
_SIGNS = re.compile(
    r"incident|outage|post-?mortem|root cause|cause racine|rolled back|rollback|retour arrière|mitigat|"
    r"sev(?:erity)?[ -]?\d|is down|en panne|panne de|alert(?:e)? (?:fired|levée)|page was sent",
    re.IGNORECASE,
)
_ENOUGH = 2  # different signs from which a conversation may be about an incident
_JSON = re.compile(r"\{.*\}", re.DOTALL)
_log = logging.getLogger(__name__)


class Told(BaseModel):
    """What a model answers: quotations, or null where the document does not say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    incident: bool
    symptom: str | None = None
    cause: str | None = None
    fix: str | None = None


class ModelStructurer:
    """Implements `knowledge.port.Structurer`: rules first, then a model, at most `calls` times."""

    def __init__(
        self,
        model: Callable[[], ChatModel],
        rules: Structurer,
        prompt: Prompt,
        redactor: Redactor,
        clock: Clock,
        *,
        calls: int,
    ) -> None:
        self._model, self._rules, self._prompt = model, rules, prompt
        self._redactor, self._clock, self._left = redactor, clock, calls

    async def structure(self, document: Document) -> Incident | None:
        """The incident a document tells of, or None when it tells of none."""
        found = await self._rules.structure(document)
        if self._left <= 0 or not worth_asking(document, found):
            return found
        self._left -= 1
        try:
            told = await self._told(document)
        except ConversationError as error:
            _log.warning("%s: incident left to the rules: %s", document.id, error)
            return found
        return filled(document, found, told) if told is not None and told.incident else found

    async def _told(self, document: Document) -> Told | None:
        text = self._redactor.text(f"{document.title}\n\n{document.text[:LONGEST]}")
        messages = (
            Message(Role.SYSTEM, self._prompt.text),
            Message(Role.PERSON, fenced_text("document", text)),
        )
        model = self._model()
        try:
            reply = await model.complete(Request(messages, (), "en", self._clock(), False), _unheard)
        finally:
            if isinstance(model, Closing):  # rarely asked: a connection is not kept for the next one
                await model.close()
        found = _JSON.search(reply.text)
        try:
            return Told.model_validate(json.loads(found[0])) if found else None
        except (ValueError, ValidationError) as error:
            _log.warning("%s: the model's incident is not what was asked for: %s", document.id, error)
            return None


def worth_asking(document: Document, found: Incident | None) -> bool:
    """Whether the rules left something open in a document that looks like an incident."""
    if found is not None:
        return None in (found.symptom, found.cause, found.fix)
    if document.kind is Kind.PAGE:
        return bool(_SIGNS.search(document.title))
    signs = {sign.lower() for sign in _SIGNS.findall(document.text[:LONGEST])}
    return len(signs) >= _ENOUGH and len(document.parts) > _ENOUGH


def filled(document: Document, found: Incident | None, told: Told) -> Incident | None:
    """What the rules found, with quotations of the model where they found none; None when nothing is quoted."""
    quotes = {name: quoted(document, getattr(told, name)) for name in ("symptom", "cause", "fix")}
    if found is None:
        if quotes["symptom"] is None or (quotes["cause"] is None and quotes["fix"] is None):
            return None  # less than that is a conversation like any other
        found = Incident(document.id, document.title, services=document.services, began=document.date)
    return replace(
        found,
        symptom=found.symptom or quotes["symptom"],
        cause=found.cause or quotes["cause"],
        fix=found.fix or quotes["fix"],
    )


def quoted(document: Document, said: str | None) -> Extent | None:
    """Where a quotation stands in a document; None for one that does not."""
    words = (said or "").strip()
    at = document.text.find(words) if _SHORTEST <= len(words) <= _MOST else -1
    return (at, at + len(words)) if at >= 0 else None


async def _unheard(_piece: str) -> None:
    """Nobody watches this model write."""
