"""One sentence, scanned: what is mentioned in it, and the abstract sentence that remains."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from agent.models.embedded.folding import fold, tokens
from agent.models.embedded.lexicon import Spelling, choice_phrases, lexicon, pattern
from agent.models.embedded.numerals import NUMERAL, whole
from agent.models.embedded.times import When, times
from tools.slots import Kind, Slot

_FIRST = 0xE000  # mentions stand in the sentence as single characters of the private use area
_ABSTRACT = ("service", "environment")  # roles whose words are replaced in the abstract sentence
_QUOTES = re.compile(
    r"```(.+?)```|`([^`]+)`|\"([^\"]+)\"|(?<![\w'])'([^'\n]{2,}?(?:'[a-z][^'\n]*?)*)'(?![\w'])", re.DOTALL
)
_QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
_ADDRESS = re.compile(r"<@\w+>|@sayso\b|^\s*sayso\s*[,:]")
_SIZE = r"(?! ?(?:s|ms|sec|secs|seconds?|secondes?|m|min|mins|minutes?|h|hours?|heures?|days?|jours?|%|percent|pour ?cent|gb|mb|go|mo|k|times)\b| ?%)"
_VERSIONS = (
    re.compile(
        r"(?:(?<![\w.,:])|(?<=[a-z][-_:/@])|(?<=@))v?(?P<v>\d+\.\d+(?:\.\d+){0,2}(?:[-+][a-z0-9][\w.]*[a-z0-9]|[-+][a-z0-9]|rc\d+)?)"
        rf"(?!\w|\.\d){_SIZE}"
    ),
    re.compile(r"\bv(?P<v>\d+)\b(?![.\d])"),
    re.compile(
        rf"\b(?:version|release|build|tag|revision) (?:number |numero )?#?(?P<v>\d+)\b(?!\.\d){_SIZE}"
    ),
    re.compile(
        r"\b(?:commit|build|sha|tag|revision|version) (?P<v>(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40})\b"
    ),
)
_REPLICAS = (
    r"replicas?|repliques?|instances?|pods?|copies|copy|copie|containers?|conteneurs?|nodes?|noeuds?|machines?"
    r"|box|boxes|exemplaires?|processes|processus|tasks?|units?|servers?|serveurs?"
)
_AFTER_COUNT = re.compile(
    rf" (?:{_REPLICAS}|in|on|for|of|please|pls|plz|now|at|more|extra|additional|instead|then|and|to|from|until|x|en|sur|dans"
    r"|pour|stp|svp|de|d'|s'|maintenant|max|min|total|each|per|again|asap|thanks|merci|right|across|as|because|cause|since|it|plus"
    r"|supplementaires|fewer|less|moins|running|up|so|while|car|parce|le|ce|cette|today|tonight|before|avant|total|au|a|but|mais|"
    r"<service>|[,.;!?)\ue000-\uf8ff])"
)  # fmt: skip
_RELATIVE = re.compile(
    r"(?:\bby|\badd|\bajoute\w*|\bremove|\bretire\w*|\benleve\w*|\banother|\bextra|\bdrop|\bkill|\bsupprime\w*)(?: (?:another|just|only))? $"
)
_RELATIVE_AFTER = re.compile(
    rf" (?:more|extra|additional|fewer|less|another|de plus|de moins|supplementaires?|plus|moins)\b|(?: (?:{_REPLICAS}))? (?:more|extra|fewer|less|de plus|de moins|supplementaires?)\b"
)
_SINCE = re.compile(r"\b(?:since|from|starting|depuis|a partir d(?:e|'))(?: the| la| le)? $")
_ARTICLES = {"one", "un", "une"}
_EXCLUDED = re.compile(
    r"(?:\bnot(?: (?:on|in|to|the|for))*|\bn't touch|\bpas(?: (?:en|sur|la|le|du|de|dans))*|\binstead of(?: the)?|\brather than(?: the)?|\bau lieu d(?:e|')"
    r"|\bplutot que|\bexcept(?: for)?(?: in| on)?|\bsauf(?: en| sur)?|\bother than|\bwithout|\bsans|\bet non(?: pas)?(?: en)?) $"
)
_COMPARED = re.compile(
    r"\b(?:as|like|comme|unlike|than|que) (?:(?:in|on|we have in|en|sur|the one in) )?(?:the )?$"
)
_FROM = re.compile(
    r"\b(?:from|de|depuis|d'|out of|was|were|currently|etait|actuellement)(?: (?:the|version|la|le))? $"
)
_TO = re.compile(
    r"\b(?:to|into|onto|a|en|vers|on|sur|at|with|back)(?: (?:the|version|release|la|le|[\ue000-\uf8ff](?: @)?)){0,2} $"
)
_CORRECTED = re.compile(
    r"\b(?:i mean|no wait|wait no|sorry|rather|pardon|plutot|enfin|non|scratch that|correction|no|actually|je veux dire|oops|oups)[ ,:]*(?:(?:in|on|to|en|sur|the|a) )*$"
)
_WEAK_PLACES = {
    "live",
    "stage",
    "test",
    "testing",
    "tests",
    "demo",
    "local",
    "int",
    "canary",
    "sandbox",
    "recette",
    "develop",
    "prods",
    "productions",
    "release",
    "main",
}
_BEFORE_PLACE = re.compile(
    r"\b(?:in|on|to|onto|into|at|for|en|sur|dans|vers|env|environment|environnement|de|from|the|a|[,:(])(?: the| l'| la| le)? $"
)
_VERB_LIKE = {
    "search": r"(?:^|[.,;!?] |please |you |to |and |can |then |let 's )$",
    "recherche": r"(?:^|[.,;!?] |peux tu |tu peux |et |puis )$",
    "order": r"\bin $",
    "commande": r"\b(?:la|une|cette) (?=$)$",
}
_VERB_AFTER = re.compile(
    r" (?:for|the|in|through|our|my|slack|docs?|logs?|everything|all|history|chat|past|old|knowledge|runbooks?|dans|les|la|le|des|du|un|une|to) "
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that was named: what it is, its value, the words it was named with, and how sure that is."""

    role: str
    value: str
    words: str
    start: int
    sure: float = 1.0
    when: When | None = None
    excluded: bool = False  # "not payments", "instead of 2.4.0", "from staging to ..."
    relative: bool = False  # "two more" says no total
    exact: bool = False  # stated as the place to go to: "to 2.3.9"


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
        sentence = _Sentence(_QUOTED_LINE.sub(" ", text)[:2_000])
        sentence.take_quotes(self._names)
        sentence.take_versions()
        sentence.correct(self._spelling)
        plain = sentence.readable()
        sentence.take_times(now, self._zone)
        sentence.take_choices({role: self._patterns[role] for role in _ABSTRACT if role in self._patterns})
        sentence.take_counts()
        loose = [
            mention
            for role, patterns in self._patterns.items()
            if role not in _ABSTRACT
            for mention in _loose(role, patterns, plain + " ")
        ]
        mentions = tuple(sorted([*sentence.placed(), *loose], key=lambda mention: mention.start))
        return Scan(text, plain, sentence.abstract(), mentions)

    def _names(self, quoted: str) -> bool:
        """Whether quoted words are just a name or a version in quotes."""
        words = " ".join(tokens(fold(quoted)))
        return any(words in self._tables.get(role, {}) for role in _ABSTRACT) or bool(
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


_Patterns = Sequence[tuple[re.Pattern[str], str, float]]


def _loose(role: str, patterns: _Patterns, text: str) -> Iterator[Mention]:
    """Mentions of a role whose words stay in the sentence (metrics, levels, periods)."""
    taken: list[tuple[int, int]] = []
    for compiled, value, sure in patterns:
        for match in compiled.finditer(text):
            if all(match.end() <= start or end <= match.start() for start, end in taken):
                taken.append(match.span())
                yield Mention(role, value, match[0].strip(), match.start(), sure)


class _Sentence:
    """The sentence while it is scanned: mentions are cut out one kind after the other."""

    def __init__(self, text: str) -> None:
        self._original = text
        self._text = _ADDRESS.sub(lambda match: " " * len(match[0]), fold(text))
        self._text = re.sub(r"[\ue000-\uf8ff]", " ", self._text)
        self._mentions: list[Mention] = []

    def take_quotes(self, is_name: Callable[[str], bool]) -> None:
        def cut(match: re.Match[str]) -> str:
            group = next(number for number in (1, 2, 3, 4) if match[number] is not None)
            words = self._original[match.start(group) : match.end(group)].strip()
            if not words:
                return " "
            return f" {match[group]} " if is_name(words) else self._placeholder("quoted", words, words)

        self._text = _QUOTES.sub(cut, self._text)

    def take_versions(self) -> None:
        for compiled in _VERSIONS:
            self._text = compiled.sub(self._version, self._text)

    def _version(self, match: re.Match[str]) -> str:
        value = match["v"]
        parts = value.split(".")
        if len(parts) == 4 and all(part.isdigit() for part in parts):  # an address of a machine
            return match[0]
        if len(parts) == 3 and re.fullmatch(r"20\d\d", parts[2]):  # a date
            return match[0]
        return self._placeholder("version", value, value)

    def correct(self, spelling: Spelling) -> None:
        self._text = " ".join(spelling.correct(word) for word in tokens(self._text))

    def readable(self) -> str:
        return re.sub(r"[\ue000-\uf8ff]", lambda match: self._at(match[0]).words.lower(), self._text)

    def take_times(self, now: datetime, zone: tzinfo) -> None:
        found = times(self._text, now, zone)
        for when in reversed(found):
            start, end = when.span
            if _SINCE.search(self._text[:start]):
                when = replace(when, end=None)
            words = self._text[start:end]
            role = "later" if when.future else "time"
            self._text = (
                self._text[:start] + self._placeholder(role, words, words, when=when) + self._text[end:]
            )
        self._tidy()

    def take_choices(self, patterns: Mapping[str, _Patterns]) -> None:
        for role, entries in patterns.items():
            for compiled, value, sure in entries:
                self._take(role, compiled, value, sure)

    def _take(self, role: str, compiled: re.Pattern[str], value: str, sure: float) -> None:
        text, offset = self._text + " ", 0
        for match in list(compiled.finditer(text)):
            words, start = match[0].strip(), match.start() + offset
            before, after = self._text[:start], self._text[start + len(words) :] + " "
            if _is_other_sense(role, words, before, after):
                continue
            mark = self._placeholder(role, value, words, sure=sure).strip()
            self._text = before + mark + self._text[start + len(words) :]
            offset += len(mark) - len(words)

    def take_counts(self) -> None:
        def cut(match: re.Match[str]) -> str:
            words = match[0].strip()
            value, before, after = whole(words), match.string[: match.start()], match.string[match.end() :]
            if value is None or not _counts_something(words, before, after):
                return match[0]
            relative = bool(_RELATIVE.search(before) or _RELATIVE_AFTER.match(after)) and not re.match(
                r" (?:more )?(?:in total|au total)", after
            )
            space = " " if match[0].endswith(" ") else ""
            return self._placeholder("count", str(value), words, relative=relative).strip() + space

        self._text = re.sub(rf"(?<!\S){NUMERAL}(?![\w%:.]| %)", cut, self._text)

    def _placeholder(self, role: str, value: str, words: str, *, sure: float = 1.0, when: When | None = None,
                     relative: bool = False) -> str:  # fmt: skip
        if len(self._mentions) >= 500:
            return " "
        self._mentions.append(Mention(role, value, words, 0, sure, when, relative=relative))
        return f" {chr(_FIRST + len(self._mentions) - 1)} "

    def _at(self, mark: str) -> Mention:
        return self._mentions[ord(mark) - _FIRST]

    def _tidy(self) -> None:
        self._text = " ".join(self._text.split())

    def placed(self) -> Iterator[Mention]:
        """The mentions that still stand in the sentence, with what the words around them say."""
        self._tidy()
        for match in re.finditer(r"[\ue000-\uf8ff]", self._text):
            found = self._at(match[0])
            before, after = self._text[: match.start()], self._text[match.end() :]
            later_same = any(
                self._at(mark).role == found.role for mark in re.findall(r"[\ue000-\uf8ff]", after)
            )
            excluded = (
                bool(_EXCLUDED.search(before) or _COMPARED.search(before))
                or (bool(_FROM.search(before)) and later_same)
                or self._is_corrected(found.role, after)
            )
            yield Mention(found.role, found.value, found.words, match.start(), found.sure, found.when, excluded,
                          found.relative, bool(_TO.search(before)))  # fmt: skip

    def _is_corrected(self, role: str, after: str) -> bool:
        """Whether another value follows that takes this one back: "2.4.0, no wait, 2.3.9"."""
        for match in re.finditer(r"[\ue000-\uf8ff]", after):
            if self._at(match[0]).role == role:
                return bool(_CORRECTED.search(after[: match.start()]))
        return False

    def abstract(self) -> str:
        self._tidy()
        return re.sub(r"[\ue000-\uf8ff]", lambda match: f"<{self._at(match[0]).role}>", self._text) + " "


def _is_other_sense(role: str, words: str, before: str, after: str) -> bool:
    """Whether a word that could name a place or a service is used as a verb or an adjective here."""
    if role == "environment":
        if re.match(r" (?:team|teams|guys|people|folks)\b", after):
            return True
        named = bool(_BEFORE_PLACE.search(before)) or bool(
            re.match(r" (?:env|environment|environnement)\b", after)
        )
        return words in _WEAK_PLACES and not named and bool(before)
    if words in _VERB_LIKE and re.search(_VERB_LIKE[words], before):
        return words not in {"search", "recherche"} or bool(_VERB_AFTER.match(after))
    return False


def _counts_something(words: str, before: str, after: str) -> bool:
    """Whether a number can be a count of replicas: not "5 errors", not the article "one"."""
    if words in _ARTICLES:
        if not (re.match(rf" (?:single |seule? )?(?:{_REPLICAS})\b", after)
                or re.search(r"\b(?:to|a|at|only|just|exactly|x|sur|qu')(?: just| only)? $", before)):  # fmt: skip
            return False
        return not re.match(r" (?:of|de|d') ", after)
    if re.fullmatch(r"[45]\d\d", words) and re.match(r" (?:errors?|s\b|erreurs?|responses?|codes?)", after):
        return False
    return after.strip() == "" or bool(_AFTER_COUNT.match(after))


def symptoms(plain: str) -> list[str]:
    """The symptoms (timeouts, refused connections, codes) that a plain sentence speaks of."""
    return [match[0] for match in lexicon().symptoms.finditer(plain)]
