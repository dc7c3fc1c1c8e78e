"""The half that finds by words: tantivy over stems (English, French), names kept whole, and four letters at a time.

Names are what an operator pastes: error codes, metrics, paths, versions. Each is indexed whole in a field of its
own, and its pieces among the words, so that `PaymentsPoolExhausted` is found by "pool exhausted". Runs of four letters
forgive a slip of the finger and count for a quarter.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.port import Entry, Hit, IndexDamaged, Scope

if TYPE_CHECKING:
    import tantivy

_K1 = 1.2  # tantivy's BM25 constants are fixed: the best a term can do is (K1 + 1) * idf
_GRAM = 4
_GRAMS_WEIGHT = 0.25
_HEAP_BYTES = 50_000_000
_RUN = re.compile(r"\w[\w\-./:@#=]*\w|\w")
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-./:@#=]+")
_NAME = re.compile(r"\d|_|/.*/")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    _LETTERS.findall(
        "the of to and is it you that for are with was be at this have from by not but what we can when your "
        "how why did do does which who if there their has were will i my our any"
    )
)
_FRENCH = frozenset(
    _LETTERS.findall(
        "le la les des du un une et que qui dans pour sur pas avec au aux ce cette ces il elle nous vous je "
        "se sont plus par ou mais comment pourquoi quand quel quelle quels quelles été être ont depuis où qu "
        "est de en"
    )
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text says, as the index sees it: stems of its words, and names kept whole."""

    words: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question made ready: what to look up in which field, and the weight (rarity) of each word and name."""

    asked: tuple[tuple[str, str, float], ...]  # field, term, boost; a chunk with all of it scores about 1
    weights: Mapping[str, float]

    def coverage(self, said: Terms) -> float:
        """How much of the question a passage speaks of, 0 to 1; terms that no document has count too."""
        whole = sum(self.weights.values())
        return self.overlap(said) / whole if whole else 0.0

    def overlap(self, said: Terms) -> float:
        """The weight of what question and passage share."""
        return sum(self.weights[term] for term in self.weights.keys() & {*said.words, *said.names})


class Analyzer:
    """Makes terms of texts, in English or French by the small words of each."""

    def __init__(self) -> None:
        self._english = _stemmer("english")
        self._french = _stemmer("french")

    def passage(self, text: str) -> Terms:
        """Terms of a text to index; in doubt, it is English."""
        english, french = _languages(text)
        stem = self._french if french > english else self._english
        return Terms(tuple(stem.analyze(spread(text))), tuple(names_in(text)))

    def question(self, text: str) -> tuple[Counter[str], Counter[str]]:
        """Words and names of a question, counted; in doubt its words are stemmed in both languages."""
        english, french = _languages(text)
        words: Counter[str] = Counter()
        if english >= french:
            words |= Counter(self._english.analyze(spread(text)))
        if french >= english:
            words |= Counter(self._french.analyze(spread(text)))
        return words, Counter(names_in(text))


def names_in(text: str) -> Iterable[str]:
    """Codes, versions, metrics and paths, in lower case: what has a digit, an underscore or two slashes."""
    return (run.lower() for run in _RUN.findall(text) if len(run) > 1 and _NAME.search(run))


def spread(text: str) -> str:
    """The text with the pieces of its identifiers beside them: `etcdMembersDown` is also `etcd Members Down`."""
    return " ".join(piece for run in _RUN.findall(text) for piece in _pieces(run))


def _pieces(run: str) -> list[str]:
    pieces = [piece for piece in _JOINT.split(run) if piece]
    if len(pieces) < 2:
        return pieces
    # Lone numbers of a version or a date would match everything; the whole is among the names.
    spoken = [piece for piece in pieces if not piece.isdigit()]
    return [*spoken, "".join(pieces)] if spoken else []


def language_of(text: str) -> str:
    """`en`, `fr`, or nothing when the small words do not tell."""
    english, french = _languages(text)
    return "" if english == french else "en" if english > french else "fr"


def grams_of(words: Iterable[str]) -> list[str]:
    """Each four letters in a row, ends marked; a word of two letters is one."""
    marked = (f"^{word}$" for word in words)
    return [word[i : i + _GRAM] for word in marked for i in range(max(1, len(word) - _GRAM + 1))]


def _shared(
    counts: Mapping[tuple[str, str], int], rarity: Mapping[tuple[str, str], tuple[float, bool]], share: float
) -> list[tuple[str, str, float]]:
    """Terms boosted so that all of them together, as often and as briefly as can be, come to `share`."""
    held = {key: count for key, count in counts.items() if rarity[key][1]}
    ceiling = (_K1 + 1) * sum(rarity[key][0] * count for key, count in held.items())
    return [(field, term, share * count / ceiling) for (field, term), count in held.items()]


def _languages(text: str) -> tuple[int, int]:
    words = [word.lower() for word in _LETTERS.findall(text[:4000])]
    return sum(w in _ENGLISH for w in words), sum(w in _FRENCH for w in words)


def _stemmer(language: str) -> "tantivy.TextAnalyzer":
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase())
    return (
        builder.filter(Filter.stopword(language))
        .filter(Filter.stemmer(language))
        .filter(Filter.ascii_fold())
        .build()
    )


class LexicalIndex:
    """A tantivy index in a folder. Reading needs no right; writing is done by whoever holds the library's lock."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._analyzer = Analyzer()
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
        writer = self._index.writer(_HEAP_BYTES, 1)
        for chunk in (*removed, *(entry.chunk for entry in entries)):
            writer.delete_documents_by_term("chunk", chunk)
        for entry in entries:
            writer.add_document(self._document(entry))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def ask(self, text: str) -> Question:
        """A question made ready, weighed by the index as it is now.

        Boosts turn BM25 into a share of what this question could score at most, so that scores of different
        questions mean the same.
        """
        words, names = self._analyzer.question(text)
        grams = Counter(grams_of(words.elements()))
        by_term = {("words", t): n for t, n in words.items()} | {("names", t): n for t, n in names.items()}
        by_gram = {("grams", t): n for t, n in grams.items()}
        rarity = {key: self._rarity(*key) for key in (*by_term, *by_gram)}
        asked = [*_shared(by_term, rarity, 1 - _GRAMS_WEIGHT), *_shared(by_gram, rarity, _GRAMS_WEIGHT)]
        return Question(tuple(asked), {term: rarity[field, term][0] for field, term in by_term})

    def _rarity(self, field: str, term: str) -> tuple[float, bool]:
        """The inverse document frequency of a term as BM25 has it, and whether any chunk has the term."""
        searcher = self._index.searcher()
        held = searcher.doc_freq(field, term)
        others = max(0, searcher.num_docs - held)  # the frequency still counts what was deleted a moment ago
        return math.log(1 + (others + 0.5) / (held + 0.5)), held > 0

    def terms(self, text: str) -> Terms:
        """What a passage says, to be compared with a question."""
        return self._analyzer.passage(text)

    def search(self, question: Question, scope: Scope, limit: int) -> list[Hit]:
        """The best chunks for a question within a scope, best first."""
        return self._run(question, scope, None, limit)

    def scores(self, question: Question, scope: Scope, chunks: Sequence[str]) -> dict[str, float]:
        """The scores of given chunks; those that share no term with the question have none."""
        return (
            {hit.chunk: hit.score for hit in self._run(question, scope, chunks, len(chunks))}
            if chunks
            else {}
        )

    def reload(self) -> None:
        """Takes up what another process has written."""
        self._index.reload()

    def _document(self, entry: Entry) -> "tantivy.Document":
        import tantivy

        terms = self._analyzer.passage(f"{entry.context}\n{entry.text}")
        made = tantivy.Document()
        made.add_text("words", " ".join(terms.words))
        made.add_text("names", " ".join(terms.names))
        made.add_text("grams", " ".join(grams_of(terms.words)))
        made.add_text("chunk", entry.chunk)
        made.add_text("place", entry.place)
        made.add_text("source", entry.source)
        for service in entry.services:
            made.add_text("service", service.lower())
        for person in entry.people:
            made.add_text("person", person.lower())
        if entry.date is not None:
            made.add_integer("date", entry.date)
        return made

    def _run(self, question: Question, scope: Scope, chunks: Sequence[str] | None, limit: int) -> list[Hit]:
        from tantivy import Occur, Query

        if not question.asked:
            return []
        terms = [
            Query.boost_query(Query.term_query(self._schema, f, t, "freq"), b) for f, t, b in question.asked
        ]
        must = [Query.boolean_query([(Occur.Should, term) for term in terms])]
        must += [Query.const_score_query(narrowed, 0.0) for narrowed in self._filters(scope)]
        if chunks is not None:
            must.append(
                Query.const_score_query(Query.term_set_query(self._schema, "chunk", list(chunks)), 0.0)
            )
        searcher = self._index.searcher()
        found = searcher.search(
            Query.boolean_query([(Occur.Must, query) for query in must]), limit, count=False
        )
        return [Hit(str(searcher.doc(at).get_first("chunk")), float(score)) for score, at in found.hits]

    def _filters(self, scope: Scope) -> list["tantivy.Query"]:
        from tantivy import FieldType, Query

        filters = [Query.term_set_query(self._schema, "place", sorted(scope.places))]
        for field, value in (("source", scope.source), ("service", scope.service), ("person", scope.person)):
            if value is not None:
                given = value if field == "source" else value.lower()
                filters.append(Query.term_query(self._schema, field, given))
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


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    for field in ("words", "names", "grams"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("chunk", stored=True, tokenizer_name="raw", index_option="basic")
    for field in ("place", "source", "service", "person"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("date", indexed=True, fast=True)
    return builder.build()
