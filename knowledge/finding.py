"""One search: both halves asked, their chunks joined to documents, the best passage of each quoted."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from knowledge.analyzer import Terms, language_of
from knowledge.catalogue import Catalogue, Shelved
from knowledge.chunking import said
from knowledge.confidence import Signs, confidence, heeding
from knowledge.copies import collapsed
from knowledge.dense import DenseIndex
from knowledge.expected import Expected, asked_after, expected
from knowledge.hybrid import LEXICAL_WEIGHT, Found, fuse
from knowledge.lexical import LexicalIndex
from knowledge.pointed import pointed
from knowledge.port import (
    By,
    Document,
    Embedder,
    Extent,
    Genre,
    Incident,
    Part,
    Passage,
    PastIncident,
    Place,
    Query,
    Scope,
    Searched,
)
from knowledge.question import Question, Wanted
from knowledge.sentences import best
from knowledge.services import is_elsewhere, services_in
from knowledge.worth import worth

if TYPE_CHECKING:
    from knowledge.port import Vectors

_DEPTH = 100  # chunks each half hands to the fusion
# Of two that are equally near, the one that has the question's words in one place: BM25 does not see how far apart.
_TOGETHER = 0.03
_NEARLY = 3  # places below the last shown, from where a document may still come up by that
_SOLVES = 0.15  # for thanks under a message, twice that for a tick
# What people called the answer to this very question goes ahead of what only looks like it, and the other way. Over
# 70 questions to a company's documents the best passage scored 1.2 times the fifth in half of them, 1.9 times in one
# of twenty.
_HELPFUL, _WRONG = 2.0, 0.5


@dataclass(frozen=True, slots=True)
class Finder:
    """All that one search looks into, as it is at this moment."""

    catalogue: Catalogue
    lexical: LexicalIndex
    dense: DenseIndex | None
    embedder: Embedder | None
    places: Sequence[Place]
    now: datetime
    beside: Executor  # the half by meaning is asked there, while the half by words is asked here

    def find(self, query: Query, scope: Scope, vector: "Vectors | None") -> tuple[Passage, ...]:
        """The best passages within a scope, one for each document, copies collapsed into one."""
        question = self.lexical.ask(query.text, scope.groups)
        found, spans = self._fused(query, question, scope, vector)
        # What no longer holds may fall behind what stands below it, and copies make room.
        reach = (3 if query.kind is None else 12) * query.limit
        considered = found[:reach] + [one for one in found[reach:] if query.marks.get(one.document, 0) > 0]
        documents = self.catalogue.documents([one.document for one in considered])
        incidents = self.catalogue.incidents(documents)
        held = [one for one in considered if one.document in documents]
        held = [
            replace(one, score=one.score * self._worth(query, documents[one.document]))
            for one in held
            if _fits(query.kind, documents[one.document], one.document in incidents)
        ]
        held.sort(key=lambda one: -one.score)
        terms = cache(self.lexical.terms)
        # What could come to be shown is looked at closely.
        near = held[: query.limit + _NEARLY]
        near = [self._close(question, one, documents[one.document], spans[one.chunk], terms) for one in near]
        held = sorted([*near, *held[len(near) :]], key=lambda one: -one.score)
        kept = collapsed([(one, documents[one.document]) for one in held], query.limit)
        named = {place.id: place for place in self.places}
        about = _About(
            question,
            expected(query.text),
            question.first_in(asked_after(query.text)),
            services_in(query.text, documents.values()),
        )
        return tuple(
            replace(
                self._passage(query, about, one, document, spans[one.chunk], named, terms),
                copies=copies,
                past=_past(document, incidents.get(document.id)),
            )
            for one, document, copies in kept
        )

    def _fused(
        self, query: Query, question: Question, scope: Scope, vector: "Vectors | None"
    ) -> tuple[list[Found], Mapping[str, Shelved]]:
        depth = max(_DEPTH, 10 * query.limit)
        dense = self.dense if vector is not None else None
        with_words = dense is None or query.by is By.BOTH
        nearest = None
        if dense is not None and vector is not None:
            nearest = self.beside.submit(dense.search, vector, scope, depth)
        leads = self.lexical.search(question, scope, depth) if with_words else []
        # What an index finds and the catalogue does not know is half-written or swept: it does not exist.
        known = {c: s for c, s in self.catalogue.shelved(leads).items() if s.place in scope.places}
        cosines: dict[str, float] | None = None
        if dense is not None and vector is not None and nearest is not None:
            near = [(at, cosine) for at, cosine in nearest.result() if at.place in scope.places]
            cosines = {at.chunk: cosine for at, cosine in near}
            cosines |= dense.scores(vector, [s for c, s in known.items() if c not in cosines])
            known |= {at.chunk: at for at, _ in near}
        by_words = self.lexical.scores(question, list(known)) if with_words else {}
        spoken = language_of(query.text)
        found = fuse(
            {chunk: shelved.document for chunk, shelved in known.items()},
            by_words,
            cosines,
            floor=0.0 if self.embedder is None else self.embedder.floor,
            foreign={c for c, s in known.items() if spoken and s.language and s.language != spoken},
            weight=LEXICAL_WEIGHT if query.by is By.BOTH else 0.0,
        )
        return found, known

    def _worth(self, query: Query, document: Document) -> float:
        """What a document is worth beside its nearness, and what people said of it as the answer to this question."""
        marked = query.marks.get(document.id, 0)
        return worth(document, self.now) * (_HELPFUL if marked > 0 else _WRONG if marked < 0 else 1.0)

    def _close(
        self,
        question: Question,
        found: Found,
        document: Document,
        span: Shelved,
        terms: Callable[[str], Terms],
    ) -> Found:
        """The same with a score that knows how close together the words of the question stand."""
        together = question.together(terms(_says(document, span)))
        return replace(found, score=found.score + _TOGETHER * together)

    def _passage(
        self,
        query: Query,
        about: "_About",
        found: Found,
        document: Document,
        span: Shelved,
        places: Mapping[str, Place],
        terms: Callable[[str], Terms],
    ) -> Passage:
        question = about.question
        text = document.text[span.start : span.end]
        part = _cited(question, document, span, terms)
        says = terms(_says(document, span))
        coverage = question.coverage(says)
        quote = said(document.text[part.start : part.end], part)
        heading = part.headings[-1] if part.headings else ""
        marked = query.marks.get(document.id, 0)
        answer = best(quote, lambda sentence: question.overlap(terms(sentence)), heading)
        spot = pointed(question, about.kind, text, terms)
        signs = Signs(
            rise=found.dense if self.embedder is not None else None,
            foreign=found.foreign,
            coverage=coverage,
            pointed=spot.share,
            misses_name=question.misses_name(says),
            lacks=spot.lacks,
            unheard=about.subject is not None and not about.subject.held,
            elsewhere=is_elsewhere(about.services, document, text),
        )
        return Passage(
            document=document.id,
            title=document.title,
            text=text,
            start=span.start,
            end=span.end,
            quote=quote,
            headings=part.headings,
            kind=document.kind,
            source=document.source,
            place=places[document.place].name,
            private=None if places[document.place].public else document.place,
            author=part.author or document.author,
            date=part.date or document.date,
            link=part.link or document.link,
            score=found.score,
            lexical=found.lexical,
            dense=found.dense,
            cosine=found.cosine,
            coverage=coverage,
            confidence=heeding(confidence(signs), marked),
            services=document.services,
            pinned=document.pinned,
            standing=document.standing,
            superseded_by=document.superseded_by,
            answer=answer,
            shared=question.shared(says),
            marked=marked,
        )


@dataclass(frozen=True, slots=True)
class _About:
    """A question, and what can be told of its answer before looking: its kind, its subject, the services it names."""

    question: Question
    kind: Expected | None
    subject: Wanted | None
    services: frozenset[str]


def _says(document: Document, span: Shelved) -> str:
    return f"{span.context}\n{document.text[span.start : span.end]}"


def _cited(question: Question, document: Document, span: Shelved, terms: Callable[[str], Terms]) -> Part:
    """The section or message of a chunk that has most of the question, cut to the chunk.

    Among messages, what others marked as the one that helped needs to have a little less of it.
    """
    inside = [
        replace(part, start=max(part.start, span.start), end=min(part.end, span.end))
        for part in document.parts
        if part.start < span.end and part.end > span.start
    ]
    if len(inside) == 1:
        return inside[0]
    return max(
        inside,
        key=lambda part: (
            (1 + _SOLVES * part.solves) * question.overlap(terms(document.text[part.start : part.end]))
        ),
    )


def _fits(kind: Genre | None, document: Document, is_incident: bool) -> bool:
    match kind:
        case None:
            return True
        case Genre.INCIDENT:
            return is_incident
        case _:
            return document.kind.value == kind.value


def _past(document: Document, incident: Incident | None) -> PastIncident | None:
    if incident is None:
        return None

    def quoted(at: Extent | None) -> str | None:
        return None if at is None else document.text[at[0] : at[1]]

    return PastIncident(
        incident.key,
        incident.title,
        quoted(incident.symptom),
        quoted(incident.cause),
        quoted(incident.fix),
        incident.services,
        incident.began or document.date,
        incident.ended,
        incident.severity,
    )


def searched(catalogue: Catalogue, places: Sequence[Place], scope: Scope, notes: tuple[str, ...]) -> Searched:
    """What a search within a scope looks through."""
    names = tuple(sorted(place.name for place in places if place.id in scope.places))
    return Searched(catalogue.counts(scope.places), names, notes)
