"""What the planner knows of English and French: classes of verbs and things, words of one meaning, spelling."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from agent.models.embedded.folding import as_words, stem
from agent.models.embedded.numerals import number

_GAP = r"(?:\S+ ){0,7}?"


@dataclass(frozen=True, slots=True)
class Verb:
    """A class of verbs, as patterns over an abstract sentence: asked for, done already, and as a noun."""

    name: str
    orders: tuple[re.Pattern[str], ...]
    done: tuple[re.Pattern[str], ...]
    things: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Names and phrases of one meaning: a choice that has one of the names is also called by all the phrases."""

    names: tuple[str, ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    verbs: tuple[Verb, ...]
    things: Mapping[str, tuple[re.Pattern[str], ...]]
    groups: Mapping[str, tuple[Group, ...]]
    symptoms: re.Pattern[str]
    short: Mapping[str, str]
    words: frozenset[str]


def pattern(phrase: str) -> re.Pattern[str]:
    """Compiles a phrase of `lexicon.toml` (see its head) to match in a sentence that ends with a space."""
    return re.compile(r"(?<!\S)" + "".join(_part(word) for word in phrase.split()))


def _part(word: str) -> str:
    if word == "...":
        return _GAP
    optional = word.endswith("?") and len(word) > 1
    choices = "|".join(
        re.escape(choice[:-1]) + "[a-z]*" if choice.endswith("*") and len(choice) > 1 else re.escape(choice)
        for choice in word.removesuffix("?").split("|")
    )
    return f"(?:(?:{choices}) )?" if optional else f"(?:{choices}) "


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The one lexicon, read from `lexicon.toml` beside this module."""
    data, moods = (_read(name) for name in ("lexicon.toml", "moods.toml"))
    verbs = tuple(
        Verb(
            name, *(tuple(pattern(phrase) for phrase in entry[form]) for form in ("orders", "done", "things"))
        )
        for name, entry in data["verbs"].items()
    )
    return Lexicon(
        verbs=verbs,
        things={
            name: tuple(pattern(phrase) for phrase in phrases) for name, phrases in data["things"].items()
        },
        groups={role: tuple(_group(line) for line in lines) for role, lines in data["groups"].items()},
        symptoms=re.compile(rf"(?<!\S)(?:{'|'.join(data['words']['symptoms'])})(?!\w)"),
        short=data["short"],
        words=frozenset(_words([data, moods])),
    )


def _read(name: str) -> dict[str, Any]:
    """A file beside this module. Its shape is this room's own, and a broken one breaks every test."""
    return tomllib.loads(resources.files("agent.models.embedded").joinpath(name).read_text(encoding="utf-8"))


def _group(line: str) -> Group:
    names, equals, phrases = line.partition("=")
    if not equals:
        return Group(tuple(line.split()), tuple(line.split()))
    return Group(_listed(names), _listed(phrases))


def _listed(line: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in line.split("|"))


def _words(data: object) -> Iterator[str]:
    """Every plain word of the lexicon: what a slip of the pen may have meant, and what is no slip."""
    if isinstance(data, str):
        yield from re.findall(r"[a-z]{2,}(?![a-z*])", data)
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _words(value)
    elif isinstance(data, list):
        for value in data:
            yield from _words(value)


class Spelling:
    """Corrects slips of the pen towards the words that matter here, and leaves every known word alone."""

    def __init__(self, words: Iterable[str]) -> None:
        self._names = frozenset(words)
        self._known = self._names | lexicon().words
        self._stems = frozenset(stem(word) for word in self._known)
        self._candidates = sorted(word for word in self._known if len(word) >= 4)
        self._levels = _level_words()

    def correct(self, word: str) -> str:
        """The word or words that were meant; the word itself when it is known, or near to several."""
        if word in lexicon().short and word not in self._names:
            return lexicon().short[word]
        if (
            len(word) < 4
            or not word.isalpha()
            or word in self._known
            or stem(word) in self._stems
            or number(word) is not None
        ):
            return word
        if (level := self._level(word)) is not None:
            return level
        if len(word) < 5:
            return word
        allowed = 1 if len(word) < 6 else 2
        near = process.extract(word, self._candidates, scorer=OSA.distance, score_cutoff=allowed, limit=8)
        slips = [
            (found, int(distance)) for found, distance, _ in near if self._is_slip(word, found, int(distance))
        ]
        if not slips:
            return word
        best = min(distance for _, distance in slips)
        closest = {stem(found): found for found, distance in slips if distance == best}
        # "deploi" is near to both "deploy" and "deploie": either will do
        return min(closest.values()) if len({found[:4] for found in closest.values()}) == 1 else word

    def _level(self, word: str) -> str | None:
        """The level that a slip is nearest to: left alone, it would be taken for text to look for in the logs."""
        allowed = 1 if len(word) < 7 else 2
        near = process.extract(word, self._levels, scorer=OSA.distance, score_cutoff=allowed, limit=4)
        slips = [(distance, found) for found, distance, _ in near if found[0] == word[0]]
        return min(slips)[1] if slips else None

    @staticmethod
    def _is_slip(word: str, meant: str, distance: int) -> bool:
        swapped = sorted(word[:2]) == sorted(meant[:2])
        if word[0] != meant[0] and not swapped:
            return False
        if distance == 2 and (len(meant) < 7 or word[0] != meant[0]):
            return False
        return not _inflects(word, meant)


def _level_words() -> tuple[str, ...]:
    """The words for levels of log lines that are long enough to be misspelled."""
    named = (word for group in lexicon().groups.get("level", ()) for word in group.phrases)
    return tuple(sorted(word for word in named if len(word) > 4))


_ENDINGS = (
    "ed",
    "ing",
    "er",
    "ers",
    "est",
    "ly",
    "able",
    "ment",
    "ion",
    "e",
    "es",
    "ee",
    "ees",
    "ez",
    "ons",
    "ent",
    "ait",
    "d",
    "r",
    "al",
)


def _inflects(word: str, meant: str) -> bool:
    """Whether the word is another form of the one it is near to, and so no slip: `searched`, `ordering`."""
    root = stem(meant)
    return any(word == root + ending or word == root.removesuffix("e") + ending for ending in _ENDINGS)


def choice_phrases(
    role: str, choices: tuple[str, ...], aliases: Mapping[str, str]
) -> dict[str, tuple[str, float]]:
    """What each choice may be called: phrase -> (choice, how sure); own names win over aliases, those over groups."""
    table: dict[str, tuple[str, float]] = {}

    def add(phrase: str, choice: str, sure: float) -> None:
        if phrase and (phrase not in table or table[phrase][1] < sure):
            table[phrase] = (choice, sure)

    named = [(choice, choice, 1.0) for choice in choices]
    named += [(alias, choice, 0.95) for alias, choice in aliases.items() if not choices or choice in choices]
    named += [(short, choice, 0.9) for choice in choices if (short := _SUFFIX.sub("", choice)) not in choices]
    for phrase, choice, sure in named:
        plain = as_words(phrase)
        add(plain, choice, sure)
        if " " not in plain and len(plain) > 3:
            add(stem(plain), choice, sure - 0.01)
            if stem(plain) == plain:  # "errors" has no plural of its own
                add(plain + "s", choice, sure - 0.01)
    for group in lexicon().groups.get(role, ()):
        owners = [choice for name in group.names for choice in choices if as_words(choice) == as_words(name)]
        for called in group.phrases if owners else ():
            add(called, owners[0], 0.75 if "..." in called else 0.8)
    return table


_SUFFIX = re.compile(r"[-_ ](?:service|svc|api|app|server|srv)$")
