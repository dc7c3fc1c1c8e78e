"""The half that finds by words: tantivy over stems (English, French), names kept whole, and four letters at a time.

Names are what an operator pastes: error codes, metrics, paths, versions. Each is indexed whole in a field of its
own, and its pieces among the words, so that `PaymentsPoolExhausted` is found by "pool exhausted". Runs of four letters
forgive a slip of the finger and count for a quarter.

How rare a word is weighs it, and is itself something to know. So it is counted by groups - what all may read, and each
private place - and a question is weighed by the groups its asker may read: what others keep private moves no score.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from knowledge.glossary.glossary import glossary
from knowledge.port import Entry, IndexDamaged, Scope

if TYPE_CHECKING:
    import tantivy

_K1 = 1.2  # tantivy's BM25 constants are fixed: the best a term can do is (K1 + 1) * idf
_GRAM = 4
_GRAMS_WEIGHT = 0.25
_HEAP_BYTES = 50_000_000
_COUNTS_KEPT = 50_000
PUBLIC_GROUP = "*"
_RUN = re.compile(r"\w[\w\-./:@#=]*\w|\w")
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-./:@#=]+")
_NAME = re.compile(r"\d|_|/.*/")
_PROPER = re.compile(r"(?<=[^.?!:\s] )[A-ZÀ-Þ][\w\-./]*\w|\b(?=[\w\-./]*\d)\w[\w\-./]*\w")
_CLITIC = re.compile(r"-(?:t-)?(?:je|tu|il|elle|on|nous|vous|ils|elles|ce|ci|là)\b", re.IGNORECASE)
_CLOSE = 28  # stems; about forty words with the small ones
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


# What a question is put in, and not what it is about.
_ASKING = (
    _ENGLISH
    | _FRENCH
    | frozenset(
        _LETTERS.findall(
            "where whom whose should could would may might must shall am been being had having were they them he she "
            "his her him its me us yours these those there here then than so some such just also please tell know ever "
            "anyone anybody anything someone somebody something on as into onto an a "
            "j m t l d c qu y je tu me te ça ca cela on sa son ses leur leurs notre nos votre vos mon ma mes si ne n "
            "suis es sommes êtes était fait faut peut peux doit dois donc car combien lequel laquelle déjà "
            "quoi dont chez vers lui elles eux ai as a avons avez avait eu sera serait étaient sait sais savez dire "
            "dis dites peuvent pouvez peut-on devons devez quelqu aussi encore"
        )
    )
)
# Words that help to find - people write alike - and whose absence says nothing against a passage.
_SMALL = _ASKING | frozenset(
    _LETTERS.findall(
        "va vont quoi quelqu quand dont lors tout tous toute toutes très aussi alors chez vers entre sans "
        "avons avez ai avait avoir serait sera desquels auquel "
        "a an am us me he she him her his its they them these those whose whom where been being could should would "
        "may might must shall than then so such as or also just about into much many some someone anyone anybody "
        "let got get ever please"
    )
)
# What makes one word of two where English writes it so: fail over, log in, set up.
_PARTICLES = frozenset({"in", "on", "off", "up", "out", "over", "down", "back"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text says, as the index sees it: stems of its words, and names kept whole."""

    words: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One word or name of a question: as it was typed, how rare it is, and the terms that answer to it.

    Terms are its own stem, and what stands for it in the other language.
    """

    typed: str
    weight: float
    terms: frozenset[str]
    held: bool  # whether anything the asker may read has one of them
    name: bool = False  # has a digit, or a capital where a sentence does not begin

    def in_(self, said: AbstractSet[str]) -> bool:
        """Whether a passage speaks of it."""
        return not self.terms.isdisjoint(said)

    def or_as(self, written: Iterable[str]) -> "Wanted":
        """The same, also found where it and its neighbour are written as one word: "fail over" in "failover"."""
        return replace(self, terms=self.terms.union(written), held=True)


@dataclass(frozen=True, slots=True)
class Question:
    """A question made ready: what to look up in which field, and what is wanted of a passage.

    A chunk with all that is `asked` scores about 1. `leads` are enough to find chunks worth scoring: words and names,
    and the grams of words that no chunk has.
    """

    asked: tuple[tuple[str, str, float], ...]  # field, term, boost
    leads: tuple[tuple[str, str, float], ...]
    wanted: tuple[Wanted, ...]

    def coverage(self, said: Terms) -> float:
        """How much of the question a passage speaks of, 0 to 1; words that no document has count too."""
        whole = sum(one.weight for one in self.wanted)
        return self.overlap(said) / whole if whole else 0.0

    def overlap(self, said: Terms) -> float:
        """The weight of what question and passage share."""
        has = {*said.words, *said.names}
        return sum(one.weight for one in self.wanted if one.in_(has))

    def together(self, said: Terms) -> float:
        """The most of the question that stands close together in a passage, 0 to 1: within some forty words of it."""
        whole = sum(one.weight for one in self.wanted)
        starts = range(0, max(1, len(said.words) - _CLOSE // 2), _CLOSE // 2)
        near = (Terms(said.words[at : at + _CLOSE], said.names) for at in starts)
        return max(self.overlap(some) for some in near) / whole if whole else 0.0

    def misses_name(self, said: Terms) -> bool:
        """Whether a name of the question (`INC-120`, `Redis`, `2.4.1`) is not in a passage."""
        has = {*said.words, *said.names}
        return any(one.name and not one.in_(has) for one in self.wanted)

    def first_in(self, part: str) -> Wanted | None:
        """The word that stands first in a part of the question; None if it has none of them."""
        text = part.lower()
        standing = [(text.find(one.typed.lower()), one) for one in self.wanted]
        return min((pair for pair in standing if pair[0] >= 0), key=lambda pair: pair[0], default=(0, None))[
            1
        ]

    def shared(self, said: Terms) -> tuple[str, ...]:
        """The words of the question, as typed, that a passage has, the rarest first."""
        has = {*said.words, *said.names}
        both = [one for one in self.wanted if one.in_(has)]
        return tuple(dict.fromkeys(one.typed for one in sorted(both, key=lambda one: -one.weight)))


class Asked(NamedTuple):
    """One word or name of a question before it is weighed: its field, as typed, and the terms that answer to it."""

    field: str
    typed: str
    terms: tuple[str, ...]
    times: int = 1
    perhaps: bool = False  # two words that may be written as one: "fail over"; they count if anything has it


class Analyzer:
    """Makes terms of texts, in English or French by the small words of each."""

    def __init__(self) -> None:
        self._english = _stemmer("english")
        self._french = _stemmer("french")
        self._glossary = glossary(self._french.analyze, self._english.analyze)

    def passage(self, text: str) -> Terms:
        """Terms of a text to index; in doubt, it is English."""
        english, french = _languages(text)
        stem = self._french if french > english else self._english
        return Terms(tuple(stem.analyze(spread(text))), tuple(names_in(text)))

    def question(self, text: str) -> "list[Asked]":
        """Words and names of a question, each once; in doubt its words are stemmed in both languages."""
        english, french = _languages(text)
        asked: dict[str, Asked] = {}
        runs = _RUN.findall(_CLITIC.sub(" ", text))
        # A question of small words only is about those.
        about = [run for run in runs if run.lower() not in _ASKING] or runs
        for run in about:
            for one in (
                *self._words(run, english, french),
                *(Asked("names", run, (n,)) for n in names_in(run)),
            ):
                before = asked.get(f"{one.field}:{one.terms[0]}", one._replace(times=0))
                asked[f"{one.field}:{one.terms[0]}"] = before._replace(times=before.times + 1)
        return [*asked.values(), *self._compounds(runs)]

    def _compounds(self, runs: Sequence[str]) -> Iterator[Asked]:
        """Each two words in a row as one, in case it is written so."""
        for one, other in pairwise(runs):
            if one.isalpha() and other.isalpha():
                stems = self._english.analyze(one + other)
                yield from (Asked("words", f"{one} {other}", (stem,), perhaps=True) for stem in stems)

    def in_english(self, text: str) -> str | None:
        """A French question word by word in English, small words left out; None for any other."""
        if language_of(text) != "fr":
            return None
        runs = (run for run in _RUN.findall(_CLITIC.sub(" ", text)) if run.lower() not in _ASKING)
        stems = ((run, self._french.analyze(run)) for run in runs)
        return (
            " ".join(self._glossary.spoken.get(stem[0], run) if stem else run for run, stem in stems) or None
        )

    def gist(self, text: str, asking: Mapping[str, str]) -> str:
        """What a text asks (by the last word that `asking` has) and about what: English stems and names, sorted."""
        runs: list[str] = _RUN.findall(_CLITIC.sub(" ", text.lower()))
        asked = [asking[word] for run in runs for word in _LETTERS.findall(run) if word in asking]
        spoken = self.in_english(text.lower()) or text.lower()
        about = [run for run in _RUN.findall(spoken) if run not in _ASKING and run not in asking]
        stems = {stem for run in about for stem in self._english.analyze(spread(run))}
        about_it = sorted({*stems, *(name for run in about for name in names_in(run))})
        return ": ".join((asked[-1] if asked else "what", " ".join(about_it or runs)))

    def _words(self, run: str, english: int, french: int) -> Iterator[Asked]:
        """The words of a run of letters, each with the stems that answer to it."""
        for piece in spread(run).split():
            stems: dict[str, None] = {}
            if english >= french:
                for stem in self._english.analyze(piece):
                    stems |= dict.fromkeys((stem, *self._glossary.from_english.get(stem, ())))
            if french >= english:
                for stem in self._french.analyze(piece):
                    stems |= dict.fromkeys((stem, *self._glossary.from_french.get(stem, ())))
            if stems:
                yield Asked("words", run, tuple(stems))


def _joins(run: str) -> bool:
    return len(run) > 1 and run.isalpha() and run.lower() not in _SMALL


def names_in(text: str) -> Iterable[str]:
    """Codes, versions, metrics and paths, in lower case: what has a digit, an underscore or two slashes."""
    runs = (run for run in _RUN.findall(text) if len(run) > 1 and not run.isalpha())
    return (run.lower() for run in runs if _NAME.search(run))


def spread(text: str) -> str:
    """The text with the pieces of its identifiers beside them: `etcdMembersDown` is also `etcd Members Down`."""
    runs: list[str] = _RUN.findall(text)
    # Most are plain words: nothing to take apart.
    return " ".join([run if run.isalpha() and run[1:].islower() else " ".join(_pieces(run)) for run in runs])


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


def _languages(text: str) -> tuple[int, int]:
    words = _LETTERS.findall(text[:4000].lower())
    return sum(map(_ENGLISH.__contains__, words)), sum(map(_FRENCH.__contains__, words))


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
                if _joins(both[0]) and (_joins(both[1]) or both[1].lower() in _PARTICLES):
                    wanted = [word.or_as(known) if word.typed in both else word for word in wanted]
            elif one.typed.lower() not in _SMALL:
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
