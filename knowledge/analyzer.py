"""Terms of texts: stems in English or French, names kept whole, and the runs of four letters that forgive a slip.

Names are what an operator pastes: error codes, metrics, paths, versions. Each is a term whole, and its pieces are
among the words, so that `PaymentsPoolExhausted` is found by "pool exhausted".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from knowledge.glossary.glossary import glossary
from knowledge.smallwords import ASKING, ENGLISH, FRENCH, LETTERS

if TYPE_CHECKING:
    import tantivy

_GRAM = 4
_RUN = re.compile(r"\w[\w\-./:@#=]*\w|\w")
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-./:@#=]+")
_NAME = re.compile(r"\d|_|/.*/")
_CLITIC = re.compile(r"-(?:t-)?(?:je|tu|il|elle|on|nous|vous|ils|elles|ce|ci|là)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text says, as the index sees it: stems of its words, and names kept whole."""

    words: tuple[str, ...]
    names: tuple[str, ...]


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
        about = [run for run in runs if run.lower() not in ASKING] or runs
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
        runs = (run for run in _RUN.findall(_CLITIC.sub(" ", text)) if run.lower() not in ASKING)
        stems = ((run, self._french.analyze(run)) for run in runs)
        return (
            " ".join(self._glossary.spoken.get(stem[0], run) if stem else run for run, stem in stems) or None
        )

    def gist(self, text: str, asking: Mapping[str, str]) -> str:
        """What a text asks (by the last word that `asking` has) and about what: English stems and names, sorted."""
        runs: list[str] = _RUN.findall(_CLITIC.sub(" ", text.lower()))
        asked = [asking[word] for run in runs for word in LETTERS.findall(run) if word in asking]
        spoken = self.in_english(text.lower()) or text.lower()
        about = [run for run in _RUN.findall(spoken) if run not in ASKING and run not in asking]
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


def _languages(text: str) -> tuple[int, int]:
    words = LETTERS.findall(text[:4000].lower())
    return sum(map(ENGLISH.__contains__, words)), sum(map(FRENCH.__contains__, words))


def _stemmer(language: str) -> "tantivy.TextAnalyzer":
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase())
    return (
        builder.filter(Filter.stopword(language))
        .filter(Filter.stemmer(language))
        .filter(Filter.ascii_fold())
        .build()
    )
