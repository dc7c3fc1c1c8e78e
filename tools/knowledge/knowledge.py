"""The tool `knowledge`: passages of documents, conversations and incidents that answer a question."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import Arguments, Asker, BadArguments, Clock, Effect, Finding, Outcome, Spec
from tools.knowledge.phrases import KNOWLEDGE
from tools.knowledge.port import Filters, Library, Passage, PassageKind, Searched
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
    since: Since | None = Field(
        default=None, description="Only what was written since: 30d, or an ISO 8601 instant"
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
        filters = Filters(PassageKind(asked.kind) if asked.kind else None, self._since(asked), asked.limit)
        async with patience(self.spec.timeout - 2, "the search"):
            searched = await self._library.search(asked.query, asker, filters)
        if not searched.passages:
            return _nothing(asked.query, searched)
        return Outcome(
            ok=True,
            summary=f"{len(searched.passages)} passages, best: {_place(searched.passages[0])}",
            findings=tuple(_finding(asked.query, passage, searched) for passage in searched.passages),
        )

    def _since(self, asked: KnowledgeArguments) -> datetime | None:
        return window(asked.since, None, self._clock(), self._zone).start if asked.since else None


def _nothing(query: str, searched: Searched) -> Outcome:
    """An answer, too: it was looked for, and it is not there."""
    where = ", ".join(searched.sources) or "no source"
    parts = [f"nothing relevant found for {query!r}; searched {searched.documents:,} documents in {where}"]
    if searched.nearest:
        parts.append(f"nearest was {searched.nearest}")
    if searched.note:
        parts.append(searched.note)
    summary = "; ".join(parts)
    finding = Finding(
        kind="nothing_found",
        title="Nothing relevant found",
        source=where,
        query=query,
        text=summary,
        facts={
            "query": query,
            "documents": searched.documents,
            "sources": list(searched.sources),
            "nearest": searched.nearest,
            "note": searched.note,
        },
    )
    return Outcome(ok=True, summary=summary, findings=(finding,))


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
            "confidence": round(passage.confidence, 3),
            "status": passage.status,
            "pinned": passage.pinned,
            "kind": passage.kind.value,
        },
        link=passage.link,
        cut=searched.note,
    )


def _place(passage: Passage) -> str:
    parts = (passage.document, passage.heading if passage.heading != passage.document else "")
    when = f" ({passage.date:%Y-%m-%d})" if passage.date else ""
    return " > ".join(part for part in parts if part) + when
