"""What a document tells of a past incident, with a language model's help where the rules leave something open.

The model only points: each of its fields counts where it stands in the document, character for character, and is
dropped where it does not. The rules are asked first and keep what they found; a model that fails leaves it at that.
"""

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
from knowledge.incidents import Rules
from knowledge.port import Document, Extent, Incident, Kind
from prompts.loader import Prompt

LONGEST = 12_000  # characters a model is shown of one document
_HEAD = 2 / 3  # of these from its beginning; the rest from its end, where a thread says what helped
_CUT = "\n[...]\n"
_FAILURES = (
    2  # in a row: a model that is down takes its time to say so, while the library waits to be written
)
_SHORTEST, _MOST = 12, 700  # characters of a quotation that is worth keeping, and that a card has room for
_SIGNS = re.compile(
    r"incident|outage|post-?mortem|root cause|cause racine|rolled back|rollback|retour arrière|mitigat|"
    r"sev(?:erity)?[ -]?\d|is down|\bpanne\b|coupure|indisponible|\brétabli|alert(?:e)? (?:fired|levée)|page was sent",
    re.IGNORECASE,
)
_ENOUGH = 2  # different signs from which a conversation may be about an incident
_JSON = re.compile(r"\{.*\}", re.DOTALL)
_log = logging.getLogger("sayso.knowledge")


class Told(BaseModel):
    """What a model answers: quotations, or null where the document does not say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    incident: bool
    symptom: str | None = None
    cause: str | None = None
    fix: str | None = None


class ModelStructurer:
    """Implements `knowledge.port.Structurer`: rules first, then a model, at most `calls` times in one ingestion.

    `model` makes one each time it is needed; `longest` is how many characters of a document it is shown.
    """

    def __init__(
        self,
        model: Callable[[], ChatModel],
        rules: Rules,
        prompt: Prompt,
        redactor: Redactor,
        clock: Clock,
        *,
        calls: int,
        longest: int = LONGEST,
    ) -> None:
        self._model, self._rules, self._prompt = model, rules, prompt
        self._redactor, self._clock = redactor, clock
        self._calls, self._longest = calls, longest
        self.begins()

    def begins(self) -> None:
        """Implements `knowledge.port.Rationed`: another ingestion may ask as often again."""
        self._left, self._failures = self._calls, 0

    async def structure(self, document: Document) -> Incident | None:
        """The incident a document tells of, or None when it tells of none."""
        found = await self._rules.structure(document)
        if self._failures >= _FAILURES or not worth_asking(document, found):
            return found
        if self._left <= 0:
            self._note_end()
            return found
        self._left -= 1
        try:
            told = await self._told(document)
        except ConversationError as error:
            self._failures += 1
            rest = "; it is not asked again in this ingestion" if self._failures >= _FAILURES else ""
            _log.warning("%s: left to the rules: %s%s", document.id, self._redactor.text(str(error)), rest)
            return found
        self._failures = 0
        if told is None or not told.incident:
            return found
        complete = filled(document, found, told)
        return complete and self._rules.with_services(document, complete)

    def _note_end(self) -> None:
        """Says once that from here on the rules are alone."""
        if self._left == 0:
            _log.warning(
                "the language model was asked as often as it may be (%d); the rest is left to the rules",
                self._calls,
            )
        self._left = -1

    async def _told(self, document: Document) -> Told | None:
        messages = (
            Message(Role.SYSTEM, self._prompt.text),
            Message(Role.PERSON, fenced_text("document", self._shown(document))),
        )
        model = self._model()
        try:
            reply = await model.complete(Request(messages, (), "en", self._clock(), False), _unheard)
        finally:
            if isinstance(model, Closing):  # rarely asked: a connection is not kept for the next one
                await model.close()
        found = _JSON.search(reply.text)
        try:
            return Told.model_validate_json(found[0] if found else reply.text)
        except ValidationError as error:
            # What is wrong with it, and not what it said: that may be anybody's words.
            wrong = ", ".join(dict.fromkeys(fault["type"] for fault in error.errors()))
            _log.warning(
                "%s: left to the rules: the model's answer is no such object (%s)", document.id, wrong
            )
            return None

    def _shown(self, document: Document) -> str:
        """The document as the model reads it. Cut only after redaction: half a secret looks like none."""
        text = self._redactor.text(f"{document.title}\n\n{document.text}")
        if len(text) <= self._longest:
            return text
        head = int(self._longest * _HEAD)
        return f"{text[:head]}{_CUT}{text[len(text) - (self._longest - head) :]}"


def worth_asking(document: Document, found: Incident | None) -> bool:
    """Whether the rules left something open in a document that looks like an incident."""
    if found is not None:
        return None in (found.symptom, found.cause, found.fix)
    if document.kind is Kind.PAGE:
        return bool(_SIGNS.search(document.title))
    signs = {sign.lower() for sign in _SIGNS.findall(f"{document.title}\n{document.text}")}
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
