"""The tool `knowledge`: passages of documents, conversations and incidents that answer a question."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import Arguments, Asker, BadArguments, Clock, Effect, Finding, Json, Outcome, Reach, Spec
from tools.knowledge.phrases import KNOWLEDGE
from tools.knowledge.port import Filters, Library, Passage, PassageKind, PastIncident, Searched
from tools.patience import patience
from tools.slots import Kind, Slot
from tools.times import Since, iso, window
from tools.vocabulary import Vocabulary


class KnowledgeArguments(Arguments):
    """What is asked, and where to look."""

    query: Annotated[str, Slot(Kind.QUESTION, role="query")] = Field(
        min_length=2, max_length=500, description="The question, or a few words of what is looked for"
    )
    kind: Literal["doc", "thread", "incident"] | None = Field(
        default=None, description="Only documents, only chat threads, or only incidents"
    )
    place: str | None = Field(
        default=None, max_length=100, description="Only this channel or folder: #payments"
    )
    person: str | None = Field(
        default=None, max_length=100, description="Only what this person wrote or owns"
    )
    since: Since | None = Field(
        default=None, description="Only what was written since: 30d, or an ISO 8601 instant"
    )
    until: Since | None = Field(
        default=None, description="Only what was written before: 7d, or an ISO instant"
    )
    limit: int = Field(default=5, ge=1, le=20, description="How many passages at most")


class Knowledge:
    """Asks the library with the asker's rights, and says so when it holds nothing relevant."""

    def __init__(self, library: Library, vocabulary: Vocabulary, clock: Clock) -> None:
        self._library, self._clock, self._zone = library, clock, vocabulary.zone
        self.spec = Spec(
            name="knowledge",
            description=(
                "Searches what is known: runbooks, service documents, decisions, chat history and past incidents. "
                "Finds owners, procedures, causes and whether something happened before."
            ),
            arguments=vocabulary.narrow(KnowledgeArguments),
            effect=Effect.READ,
            examples=KNOWLEDGE,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        asked = KnowledgeArguments.of(arguments)
        if not asked.query.strip():
            raise BadArguments("query is empty; say what to look for", field="query", value=asked.query)
        filters = Filters(
            PassageKind(asked.kind) if asked.kind else None,
            asked.place,
            asked.person,
            self._moment(asked.since),
            self._moment(asked.until),
            asked.limit,
        )
        async with patience(self.spec.timeout - 2, "the search"):
            searched = await self._searched(asked.query, asker, filters)
        findings = [_finding(asked.query, passage, searched) for passage in searched.passages]
        if searched.sure:
            found = sum(passage.sure for passage in searched.passages)
            return Outcome(True, f"{found} passages, best: {_place(searched.passages[0])}", tuple(findings))
        nothing = _nothing(asked.query, searched)
        return Outcome(ok=True, summary=nothing.text, findings=(nothing, *findings))

    async def _searched(self, query: str, asker: Asker, filters: Filters) -> Searched:
        """What is known; where others read along, what they may read is enough if it clearly answers."""
        if asker.reach is Reach.SHARED_FIRST:
            shared = await self._library.search(query, replace(asker, reach=Reach.SHARED_ONLY), filters)
            if shared.sure:
                return shared
        return await self._library.search(query, asker, filters)

    def _moment(self, since: str | None) -> datetime | None:
        return window(since, None, self._clock(), self._zone).start if since else None


def _nothing(query: str, searched: Searched) -> Finding:
    """An answer, too: it was looked for, and it is not clearly there."""
    where = ", ".join(searched.documents) or "no source"
    documents = sum(searched.documents.values())
    nearest = searched.passages[0].document if searched.passages else None
    parts = [f"nothing that clearly answers {query!r} in {documents:,} documents of {where}"]
    if nearest:
        parts.append(f"nearest is {nearest}")
    if searched.knows:
        parts.append(f"may know: {', '.join(searched.knows)}")
    if searched.note:
        parts.append(searched.note)
    return Finding(
        kind="nothing_found",
        title="Searched without a clear answer",
        source=where,
        query=query,
        text="; ".join(parts),
        facts={
            "query": query,
            "documents": documents,
            "sources": list(searched.documents),
            "places": searched.places,
            "nearest": nearest,
            "knows": list(searched.knows),
            "note": searched.note,
        },
    )


def _finding(query: str, passage: Passage, searched: Searched) -> Finding:
    return Finding(
        kind="passage",
        title=_place(passage),
        source=passage.place,
        query=query,
        text=passage.text,
        facts={
            "document": passage.document,
            "heading": passage.heading,
            "place": passage.place,
            "author": passage.author,
            "date": iso(passage.date) if passage.date else None,
            "text": passage.text,
            "answer": passage.answer,
            "confidence": round(passage.confidence, 3),
            "sure": passage.sure,
            "id": passage.id,
            "shared": list(passage.shared),
            "copies": list(passage.copies),
            "marked": passage.marked,
            "past": _past(passage.past) if passage.past else None,
            "status": passage.status,
            "superseded_by": passage.superseded_by,
            "pinned": passage.pinned,
            "kind": passage.kind.value,
        },
        link=passage.link,
        cut=searched.note,
        private=passage.private,
    )


def _past(past: PastIncident) -> dict[str, Json]:
    return {
        "key": past.key,
        "title": past.title,
        "symptom": past.symptom,
        "cause": past.cause,
        "fix": past.fix,
        "services": list(past.services),
        "began": iso(past.began) if past.began else None,
        "severity": past.severity,
    }


def _place(passage: Passage) -> str:
    parts = (passage.document, passage.heading if passage.heading != passage.document else "")
    when = f" ({passage.date:%Y-%m-%d})" if passage.date else ""
    return " > ".join(part for part in parts if part) + when
