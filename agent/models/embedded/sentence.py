"""A sentence while it is scanned: what it mentions is cut out of it, one kind after the other."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from agent.models.embedded import context
from agent.models.embedded.folding import fold, tokens
from agent.models.embedded.lexicon import Spelling
from agent.models.embedded.numerals import NUMERAL, whole
from agent.models.embedded.times import times
from agent.models.embedded.when import When

_FIRST = 0xE000  # mentions stand in the sentence as single characters of the private use area
_MARK = re.compile(r"[\ue000-\uf8ff]")
_MOST = 500  # mentions; a text that holds more is no request
_QUOTES = re.compile(
    r"```(.+?)```|`([^`]+)`|\"([^\"]+)\"|(?<![\w'])'([^'\n]{2,}?(?:'[a-z][^'\n]*?)*)'(?![\w'])", re.DOTALL
)
_ADDRESS = re.compile(r"<@\w+>|@sayso\b|^\s*sayso\s*[,:]")
_UNITS = (
    "s|ms|sec|secs|seconds?|secondes?|m|min|mins|minutes?|h|hours?|heures?|days?|jours?|%|percent|pour ?cent|gb"
    "|mb|go|mo"
    "|k|times"
)
_NO_SIZE = rf"(?! ?(?:{_UNITS})\b| ?%)"
_VERSIONS = (
    re.compile(  # 2.4.0, v2.4, api@3.1.7, payments:2.4.0-rc1
        r"(?:(?<![\w.,:])|(?<=[a-z][-_:/@])"
        r"|(?<=@))v?(?P<v>\d+\.\d+(?:\.\d+){0,2}(?:[-+][a-z0-9](?:[\w.]*[a-z0-9])?|rc\d+)?)"
        rf"(?!\w|\.\d){_NO_SIZE}"
    ),
    re.compile(r"\bv(?P<v>\d+)\b(?![.\d])"),
    re.compile(
        rf"\b(?:version|release|build|tag|revision) (?:number |numero )?#?(?P<v>\d+)\b(?!\.\d){_NO_SIZE}"
    ),
    re.compile(
        r"\b(?:commit|build|sha|tag|revision|version) (?P<v>(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40})\b"
    ),
)
_NUMBER = re.compile(rf"(?<!\S){NUMERAL}(?![\w%:.]| %)")
_SINCE = re.compile(r"\b(?:since|from|starting|depuis|a partir d(?:e|'))(?: the| la| le)? $")

Names = Sequence[
    tuple[re.Pattern[str], str, float]
]  # what is looked for, the value it means, how sure that is


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that was named: what it is, its value, the words it was named with, and how sure that is."""

    role: str
    value: str
    words: str
    start: int = 0
    sure: float = 1.0
    when: When | None = None
    excluded: bool = False  # "not payments", "instead of 2.4.0", "from staging to ..."
    relative: bool = False  # "two more" says no total
    exact: bool = False  # stated as the place to go to: "to 2.3.9"


class Sentence:
    """The folded text of a request; `take_...` replaces what is found by marks."""

    def __init__(self, text: str) -> None:
        self._original = text
        self._text = _MARK.sub(" ", _ADDRESS.sub(lambda match: " " * len(match[0]), fold(text)))
        self._mentions: list[Mention] = []

    def take_quotes(self, is_name: Callable[[str], bool]) -> None:
        """Cuts quoted texts out, as they were written; a mere name in quotes stays."""

        def cut(match: re.Match[str]) -> str:
            group = next(number for number in (1, 2, 3, 4) if match[number] is not None)
            words = self._original[match.start(group) : match.end(group)].strip()
            if not words or is_name(words):
                return f" {match[group]} "
            return self._mark(Mention("quoted", words, words))

        self._text = _QUOTES.sub(cut, self._text)

    def take_versions(self) -> None:
        for compiled in _VERSIONS:
            self._text = compiled.sub(self._version, self._text)

    def _version(self, match: re.Match[str]) -> str:
        parts = match["v"].split(".")
        is_address = len(parts) == 4 and all(part.isdigit() for part in parts)
        is_date = len(parts) == 3 and re.fullmatch(r"20\d\d", parts[2])
        return match[0] if is_address or is_date else self._mark(Mention("version", match["v"], match["v"]))

    def correct(self, spelling: Spelling) -> None:
        """Parts the text into words with single spaces, and corrects slips of the pen."""
        self._text = " ".join(spelling.correct(word) for word in tokens(self._text))

    def take_times(self, now: datetime, zone: tzinfo) -> None:
        for when in reversed(times(self._text, now, zone)):
            start, end = when.span
            open_ended = replace(when, end=None) if _SINCE.search(self._text[:start]) else when
            words = self._text[start:end]
            mark = self._mark(Mention("later" if when.future else "time", words, words, when=open_ended))
            self._text = self._text[:start] + mark + self._text[end:]
        self._tidy()

    def take_choices(self, patterns: Mapping[str, Names]) -> None:
        for role, names in patterns.items():
            for compiled, value, sure in names:
                self._take_name(role, compiled, value, sure)
        self._tidy()

    def _take_name(self, role: str, compiled: re.Pattern[str], value: str, sure: float) -> None:
        for match in reversed(list(compiled.finditer(self._text + " "))):
            words = match[0].strip()
            before, after = self._text[: match.start()], self._text[match.start() + len(words) :]
            if not context.is_other_sense(role, words, before, after + " "):
                self._text = before + self._mark(Mention(role, value, words, sure=sure)).strip() + after

    def take_counts(self) -> None:
        def cut(match: re.Match[str]) -> str:
            words, before, after = (
                match[0].strip(),
                match.string[: match.start()],
                match.string[match.end() :],
            )
            value = whole(words)
            if value is None or not context.counts(words, before, after):
                return match[0]
            space = " " if match[0].endswith(" ") else ""
            relative = context.is_amount(before, after)
            return self._mark(Mention("count", str(value), words, relative=relative)).strip() + space

        self._text = _NUMBER.sub(cut, self._text)

    def plain(self) -> str:
        """The corrected words of the text."""
        return _MARK.sub(lambda match: self._at(match[0]).words.lower(), self._text)

    def abstract(self) -> str:
        """The text with `<role>` for each mention; it ends with a space."""
        self._tidy()
        return _MARK.sub(lambda match: f"<{self._at(match[0]).role}>", self._text) + " "

    def mentions(self) -> Iterator[Mention]:
        """The mentions that still stand in the text, with what the words around them say."""
        self._tidy()
        for match in _MARK.finditer(self._text):
            found = self._at(match[0])
            before, after = self._text[: match.start()], self._text[match.end() :]
            alike = [
                self._at(other) for other in _MARK.findall(self._text) if self._at(other).role == found.role
            ]
            rivals = len({other.value for other in alike}) > 1
            following = [other for other in _MARK.finditer(after) if self._at(other[0]).role == found.role]
            taken_back = bool(following) and context.takes_back(after[: following[0].start()])
            left = bool(following) and context.left_behind(before)
            yield replace(
                found,
                start=match.start(),
                excluded=taken_back
                or left
                or context.excluded(before)
                or (rivals and context.forbidden(before)),
                exact=context.is_target(before) or context.is_restored(found.role, after),
            )

    def _mark(self, mention: Mention) -> str:
        if len(self._mentions) >= _MOST:
            return " "
        self._mentions.append(mention)
        return f" {chr(_FIRST + len(self._mentions) - 1)} "

    def _at(self, mark: str) -> Mention:
        return self._mentions[ord(mark) - _FIRST]

    def _tidy(self) -> None:
        self._text = " ".join(self._text.split())
