"""One request, scanned: what is mentioned in it, and the abstract sentence that remains."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from agent.models.embedded.folding import fold, tokens
from agent.models.embedded.lexicon import Spelling, choice_phrases, pattern
from agent.models.embedded.sentence import Mention, Names, Sentence
from tools.slots import Kind, Slot

_PLACED = ("service", "environment")  # roles whose words are replaced in the abstract sentence
_QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
_LONGEST = 2_000  # characters of a request that are read


@dataclass(frozen=True, slots=True)
class Scan:
    """A sentence after scanning.

    `plain` is the folded sentence with its slips corrected; `abstract` has `<service>`, `<count>` and so on in place of
    what is mentioned, and ends with a space.
    """

    text: str
    plain: str
    abstract: str
    mentions: tuple[Mention, ...]

    def of(self, role: str) -> tuple[Mention, ...]:
        return tuple(mention for mention in self.mentions if mention.role == role and not mention.excluded)


class Scanner:
    """Scans sentences for the slots of one set of tools."""

    def __init__(self, slots: Iterable[tuple[str, Slot]], known: Iterable[str], zone: tzinfo) -> None:
        self._zone = zone
        self._tables = {role: choice_phrases(role, *rest) for role, rest in _by_role(slots).items()}
        self._patterns = {
            role: [(pattern(phrase), *found) for phrase, found in sorted(table.items(), key=_longest_first)]
            for role, table in self._tables.items()
        }
        self.signature = repr(sorted((role, sorted(table.items())) for role, table in self._tables.items()))
        phrases = {word for table in self._tables.values() for phrase in table for word in phrase.split()}
        self._spelling = Spelling({word for word in phrases if word.isalpha()} | set(known))

    def scan(self, text: str, now: datetime) -> Scan:
        """Finds what the text mentions. Any text will do: nothing found is a scan too."""
        sentence = Sentence(_QUOTED_LINE.sub(" ", text)[:_LONGEST])
        sentence.take_quotes(self._names)
        sentence.take_versions()
        sentence.correct(self._spelling)
        plain = sentence.plain()
        sentence.take_times(now, self._zone)
        sentence.take_choices({role: self._patterns[role] for role in _PLACED if role in self._patterns})
        sentence.take_counts()
        loose = [
            mention
            for role, patterns in self._patterns.items()
            if role not in _PLACED
            for mention in _loose(role, patterns, plain + " ")
        ]
        mentions = tuple(sorted([*sentence.mentions(), *loose], key=lambda mention: mention.start))
        return Scan(text, plain, sentence.abstract(), mentions)

    def _names(self, quoted: str) -> bool:
        """Whether quoted words are just a name or a version in quotes."""
        words = " ".join(tokens(fold(quoted)))
        return any(words in self._tables.get(role, {}) for role in _PLACED) or bool(
            re.fullmatch(r"v?\d+(?:\.\d+)+(?:-\w+)?", words)
        )


def _by_role(slots: Iterable[tuple[str, Slot]]) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    roles: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {}
    for role, slot in slots:
        if slot.kind is Kind.CHOICE:
            choices, aliases = roles.get(role, ((), {}))
            choices += tuple(choice for choice in slot.choices if choice not in choices)
            roles[role] = (choices, {**aliases, **slot.aliases})
    return roles


def _longest_first(entry: tuple[str, tuple[str, float]]) -> tuple[int, float]:
    return -len(entry[0]), -entry[1][1]


def _loose(role: str, patterns: Names, text: str) -> Iterator[Mention]:
    """Mentions of a role whose words stay in the sentence (metrics, levels, periods)."""
    taken: list[tuple[int, int]] = []
    for compiled, value, sure in patterns:
        for match in compiled.finditer(text):
            if all(match.end() <= start or end <= match.start() for start, end in taken):
                taken.append(match.span())
                yield Mention(role, value, match[0].strip(), match.start(), sure)
