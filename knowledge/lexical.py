"""The half that finds by words: tantivy over stems (English, French), names kept whole, and four letters at a time.

Words, names and runs of four letters are each a field of their own; the runs forgive a slip of the finger and count
for a quarter.

How rare a word is weighs it, and is itself something to know. So it is counted by groups - what all may read, and each
private place - and a question is weighed by the groups its asker may read: what others keep private moves no score.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.analyzer import Analyzer, Terms, grams_of
from knowledge.port import Entry, IndexDamaged, Scope
from knowledge.question import Question, Wanted
from knowledge.smallwords import PARTICLES, SMALL

if TYPE_CHECKING:
    import tantivy

_K1 = 1.2  # tantivy's BM25 constants are fixed: the best a term can do is (K1 + 1) * idf
_GRAMS_WEIGHT = 0.25
_HEAP_BYTES = 50_000_000
_COUNTS_KEPT = 50_000
PUBLIC_GROUP = "*"
_PROPER = re.compile(r"(?<=[^.?!:\s] )[A-ZÀ-Þ][\w\-./]*\w|\b(?=[\w\-./]*\d)\w[\w\-./]*\w")


def _joins(run: str) -> bool:
    return len(run) > 1 and run.isalpha() and run.lower() not in SMALL


@dataclass(frozen=True, slots=True)
class _Term:
    """One thing to look up: how much it should weigh, how much tantivy weighs it, and which word it answers to."""

    field: str
    term: str
    weight: float
    native: float
    word: int


def _shared(terms: Sequence[_Term], share: float) -> list[tuple[str, str, float]]:
    """Terms boosted so that one for each word, as often and as briefly as can be, together come to `share`."""
    most: dict[int, float] = {}
    for one in terms:
        most[one.word] = max(most.get(one.word, 0.0), one.weight)
    ceiling = (_K1 + 1) * sum(most.values())
    return [(one.field, one.term, share * one.weight / (one.native * ceiling)) for one in terms]


@lru_cache(maxsize=4096)
def _marked(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()[:12]


def _counted_as(group: str, field: str, term: str = "") -> str:
    """The token that stands for a term in a group, in the field that only counts."""
    return f"{_marked(group)}{field[0]}{term}"


class LexicalIndex:
    """A tantivy index in a folder. Reading needs no right; writing is done by whoever holds the library's lock."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._analyzer = Analyzer()
        self._counts: dict[tuple[frozenset[str], str, str], int] = {}  # as the index is now
        self._schema = _schema()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._index = tantivy.Index(self._schema, path=str(folder))
        except ValueError as error:
            raise IndexDamaged(
                f"the word index in {str(folder)!r} cannot be read ({error}); delete the folder and ingest again",
                folder=str(folder),
            ) from error

    def write(self, entries: Sequence[Entry], removed: Sequence[str]) -> None:
        """Adds entries (replacing chunks of the same id) and removes chunks, in one commit."""
        if not entries and not removed:
            return
        writer = self._index.writer(_HEAP_BYTES, 1)
        for chunk in (*removed, *(entry.chunk for entry in entries)):
            writer.delete_documents_by_term("chunk", chunk)
        for entry in entries:
            writer.add_document(self._document(entry))
        writer.commit()
        writer.wait_merging_threads()
        self.reload()

    def tidy(self) -> None:
        """Removes the files that a killed writer left: the next one would stumble over their names."""
        writer = self._index.writer(_HEAP_BYTES, 1)
        writer.garbage_collect_files()
        writer.rollback()
        writer.wait_merging_threads()

    def ask(self, text: str, groups: AbstractSet[str]) -> Question:
        """A question made ready, weighed by what these groups of the index hold now.

        Boosts turn BM25 into a share of what this question could score at most, so that scores of different
        questions mean the same.
        """
        readable = frozenset(groups)
        size = sum(self._held(_counted_as(group, "all")) for group in readable)
        wanted: list[Wanted] = []
        by_term: list[_Term] = []
        grams: Counter[str] = Counter()
        misspelt: set[str] = set()
        proper = set(_PROPER.findall(text))
        for number, one in enumerate(self._analyzer.question(text)):
            held = {term: self._held_in(readable, one.field, term) for term in one.terms}
            known = tuple(term for term, count in held.items() if count)
            if one.perhaps and not known:
                continue
            # A word and what stands for it in the other language are as rare as they are together.
            weight = _rarity(sum(held.values()), size)
            if one.perhaps:
                both = one.typed.split()
                if _joins(both[0]) and (_joins(both[1]) or both[1].lower() in PARTICLES):
                    wanted = [word.or_as(known) if word.typed in both else word for word in wanted]
            elif one.typed.lower() not in SMALL:
                terms_ = frozenset(known or one.terms[:1])
                wanted.append(Wanted(one.typed, weight, terms_, bool(known), one.typed in proper))
            by_term += [
                _Term(one.field, term, one.times * weight, self._native(one.field, term), number)
                for term in known
            ]
            if one.field == "words" and not one.perhaps:
                grams.update(grams_of(one.terms[:1] * one.times))
                misspelt.update(grams_of(one.terms[:1]) if not known else ())
        public = self._held(_counted_as(PUBLIC_GROUP, "all"))
        by_gram: list[_Term] = []
        for number, (gram, count) in enumerate(grams.items()):
            among = self._held(_counted_as(PUBLIC_GROUP, "grams", gram))
            if among or not public:
                weight = count * _rarity(among, public)
                by_gram.append(_Term("grams", gram, weight, self._native("grams", gram), number))
        asked_words, asked_grams = _shared(by_term, 1 - _GRAMS_WEIGHT), _shared(by_gram, _GRAMS_WEIGHT)
        leads = [*asked_words, *(one for one in asked_grams if one[1] in misspelt)]
        return Question((*asked_words, *asked_grams), tuple(leads), tuple(wanted))

    def _held_in(self, groups: frozenset[str], field: str, term: str) -> int:
        """How many chunks of these groups have a term; most of what a glossary offers is in none at all."""
        known = self._counts.get((groups, field, term))
        if known is not None:
            return known
        searcher = self._index.searcher()
        count = 0
        if searcher.doc_freq(field, term):
            # An asker may read fifty private places, and a question has thirty terms: no detours here.
            counted, ending = searcher.doc_freq, f"{field[0]}{term}"
            count = sum([counted("counts", _marked(group) + ending) for group in groups])
        if len(self._counts) >= _COUNTS_KEPT:
            self._counts.clear()
        self._counts[groups, field, term] = count
        return count

    def _held(self, token: str) -> int:
        return self._index.searcher().doc_freq("counts", token)

    def _native(self, field: str, term: str) -> float:
        """How much tantivy weighs a term by itself: over all groups, and with what was deleted a moment ago."""
        searcher = self._index.searcher()
        return _rarity(searcher.doc_freq(field, term), searcher.num_docs)

    def every_chunk(self) -> Counter[str]:
        """How often each chunk is in the index: once, if all is well."""
        from tantivy import Query

        searcher = self._index.searcher()
        found = searcher.search(Query.all_query(), max(1, searcher.num_docs), count=False)
        return Counter(str(searcher.doc(at).get_first("chunk")) for _, at in found.hits)

    def in_english(self, text: str) -> str | None:
        """A French question word by word in English; None for any other."""
        return self._analyzer.in_english(text)

    def terms(self, text: str) -> Terms:
        """What a passage says, to be compared with a question."""
        return self._analyzer.passage(text)

    def search(self, question: Question, scope: Scope, limit: int) -> list[str]:
        """The chunks most worth scoring for a question within a scope, best first."""
        return [chunk for chunk, _ in self._run(question.leads, self._filters(scope), limit)]

    def scores(self, question: Question, chunks: Sequence[str]) -> dict[str, float]:
        """The scores of given chunks, at most 1; those that share nothing with the question have none."""
        from tantivy import Occur, Query

        if not chunks:
            return {}
        among = [(Occur.Should, Query.term_query(self._schema, "chunk", chunk, "basic")) for chunk in chunks]
        return dict(self._run(question.asked, [Query.boolean_query(among)], len(chunks)))

    def reload(self) -> None:
        """Takes up what another process has written."""
        self._index.reload()
        self._counts.clear()

    def _document(self, entry: Entry) -> "tantivy.Document":
        import tantivy

        terms = self._analyzer.passage(f"{entry.context}\n{entry.text}")
        made = tantivy.Document()
        made.add_text("words", " ".join(terms.words))
        made.add_text("names", " ".join(terms.names))
        made.add_text("grams", " ".join(grams_of(terms.words)))
        made.add_text("counts", " ".join(_counted(entry.group, terms)))
        made.add_text("chunk", entry.chunk)
        made.add_text("place", entry.place)
        for service in entry.services:
            made.add_text("service", service.lower())
        for person in entry.people:
            made.add_text("person", person.lower())
        if entry.date is not None:
            made.add_integer("date", entry.date)
        return made

    def _run(
        self, asked: Sequence[tuple[str, str, float]], filters: Sequence["tantivy.Query"], limit: int
    ) -> list[tuple[str, float]]:
        from tantivy import Occur, Query

        if not asked:
            return []
        terms = [Query.boost_query(Query.term_query(self._schema, f, t, "freq"), b) for f, t, b in asked]
        must = [Query.boolean_query([(Occur.Should, term) for term in terms])]
        must += [Query.const_score_query(narrowed, 0.0) for narrowed in filters]
        searcher = self._index.searcher()
        query = Query.boolean_query([(Occur.Must, one) for one in must])
        found = searcher.search(query, limit, count=False)
        return [(str(searcher.doc(at).get_first("chunk")), min(1.0, score)) for score, at in found.hits]

    def _filters(self, scope: Scope) -> list["tantivy.Query"]:
        from tantivy import FieldType, Query

        filters = [Query.term_set_query(self._schema, "place", sorted(scope.places))]
        for field, value in (("service", scope.service), ("person", scope.person)):
            if value is not None:
                filters.append(Query.term_query(self._schema, field, value.lower()))
        if scope.since is not None or scope.until is not None:
            filters.append(
                Query.range_query(
                    self._schema,
                    "date",
                    FieldType.Integer,
                    scope.since,
                    scope.until,
                    include_lower=True,
                    include_upper=scope.until is None,  # without an end, the end is included
                )
            )
        return filters


def _rarity(held: int, size: int) -> float:
    """The inverse document frequency of a term as BM25 has it."""
    return math.log(1 + (max(0, size - held) + 0.5) / (held + 0.5))


def _counted(group: str, terms: Terms) -> Iterator[str]:
    """What is counted of a chunk: that it is there, its words and names, and its grams where all may read them."""
    yield _counted_as(group, "all")
    for field, held in (("words", terms.words), ("names", terms.names)):
        yield from (_counted_as(group, field, term) for term in set(held))
    if group == PUBLIC_GROUP:
        yield from (_counted_as(group, "grams", gram) for gram in set(grams_of(terms.words)))


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    for field in ("words", "names", "grams"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("counts", tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field("chunk", stored=True, tokenizer_name="raw", index_option="basic")
    for field in ("place", "service", "person"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("date", indexed=True, fast=True)
    return builder.build()
