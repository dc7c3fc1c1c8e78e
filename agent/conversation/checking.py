"""The answer, checked: citations that do not exist are removed, figures that no evidence has are marked.

The rule for figures. A figure is borne out when a number in the evidence or in the question

- equals it, however it is written: 12,400 and 12 400 and 12400, 0.5 and 0,5;
- rounds to it at the precision it is written with, and behind "about", "nearly", "environ" also at its last zeros;
- is it in another unit: a share as per cent, thousands as k, ms as s, seconds as minutes, bytes as MB.

Whole numbers up to ten, versions, identifiers, dates, times, links and `code` are no figures in this sense. A number
that the model worked out itself is therefore marked: nothing but the evidence can vouch for it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.conversation.evidence import Evidence
from tools.contract import Json

SMALL = 10
LARGEST = 1e300
MOST_ZEROS = 12  # a figure is not rounded further than to a trillion
_CITATION = re.compile(r" ?\[(\d+(?:\s*,\s*\d+)*)\]")
_MONTHS = (
    "jan(?:uary|vier)?|feb(?:ruary)?|févr?(?:ier)?|mar(?:ch|s)?|apr(?:il)?|avr(?:il)?|may|mai|june?|juin|jul(?:y|let)?|"
    "juil(?:let)?|aug(?:ust)?|août|sept?(?:ember|embre)?|oct(?:ober|obre)?|nov(?:ember|embre)?|dec(?:ember)?|déc(?:embre)?"
)
# What holds digits and is no figure. A version has two dots or stands behind a v; an identifier begins with a letter.
_NO_FIGURE = re.compile(
    "|".join(
        (
            r"`[^`]*`|https?://\S+|\[\d+(?:\s*,\s*\d+)*\]",  # code, links, citations
            r"^\s*\d+[.)]\s",  # the number of a point in a list
            r"\bv?\d+(?:\.\d+){2,}[\w.-]*",  # 2.4.0
            r"(?<![A-Za-zÀ-ÿ_])[A-Za-zÀ-ÿ_]+[-_#]?\d[\w.-]*|#\d+",  # v2.4, INC-112, p95, #7
            r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}\S*)?",
            r"\b\d{1,2}\s?[:h]\s?\d{2}(?::\d{2})?\b|\b\d{1,2}\s?[ap]m\b",  # 14:05, 14 h 05, 2 pm
            rf"(?:\b\d{{1,2}}(?:st|nd|rd|th|er)?\s+)?\b(?:{_MONTHS})\b\.?(?:\s+\d{{1,2}}\b)?(?:,?\s+\d{{4}}\b)?",
        )
    ),
    re.IGNORECASE | re.MULTILINE,
)
# How a number in the evidence may have to be multiplied to be the figure, by the unit behind the figure.
_UNITS: dict[str, tuple[float, ...]] = {
    "%": (1, 100),
    "k": (1e-3,),
    "m": (1e-6,),
    "ms": (1, 1e3),
    "s": (1, 1e-3, 60),
    "min": (1, 1 / 60, 60),
    "h": (1, 1 / 3600, 1 / 60),
    "kb": (1, 1e-3, 2**-10),
    "mb": (1, 1e-6, 2**-20, 1e-3, 2**-10),
    "gb": (1, 1e-9, 2**-30, 1e-3, 2**-10),
}
_SPELT = {
    name: unit
    for unit, names in {
        "%": ("percent", "per cent", "pour cent"),
        "s": ("second", "seconds", "seconde", "secondes"),
        "min": ("minute", "minutes", "mins"),
        "h": ("hour", "hours", "heure", "heures"),
        "kb": ("ko", "kib"),
        "mb": ("mo", "mib"),
        "gb": ("go", "gib"),
    }.items()
    for name in names
}
_FIGURE = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[, \u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)(?!\d)"
    rf"(?:[ \u00a0\u202f]?({'|'.join(sorted((*map(re.escape, _UNITS), *_SPELT), key=len, reverse=True))})(?!\w))?",
    re.IGNORECASE,
)
LONGEST_ABOUT = 16  # characters of the words below with the space behind them, rounded up
_ABOUT = re.compile(
    r"(?:~|≈|\b(?:about|around|roughly|nearly|almost|over|more than|some|environ|près de|presque|plus de|quelque))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as an answer writes it. `step` is what its last digit counts: 0.1 in 23.4."""

    value: float
    step: float
    scales: tuple[float, ...]
    end: int

    @property
    def counts(self) -> bool:
        """Whether it claims enough to be checked."""
        return self.value > SMALL or self.step < 1 or self.scales != (1,)

    def borne_out(self, known: Sequence[float]) -> bool:
        """Whether one of the known numbers, in ascending order, is this figure."""
        allowed = self.step / 2 * (1 + 1e-9)
        for scale in self.scales:
            place = bisect_left(known, (self.value - allowed) / scale)
            if place < len(known) and known[place] * scale <= self.value + allowed:
                return True
        return False


def checked(answer: str, evidence: Sequence[Evidence], question: str, mark: str) -> str:
    """The answer with nonexistent citations removed, and `mark` behind every figure that nothing bears out."""
    answer = with_real_citations(answer, {item.number for item in evidence})
    suspects = [figure for figure in figures(answer) if figure.counts]
    if not suspects:
        return answer
    known = sorted(known_numbers(evidence, question))
    for figure in reversed(suspects):
        if not figure.borne_out(known):
            answer = f"{answer[: figure.end]} {mark}{answer[figure.end :]}"
    return answer


def with_real_citations(answer: str, numbers: set[int]) -> str:
    """`[3]` stays where evidence 3 exists; of `[2, 9]` stays what exists."""

    def keep(found: re.Match[str]) -> str:
        real = [number for number in re.findall(r"\d+", found[1]) if int(number) in numbers]
        lead = " " if found[0].startswith(" ") else ""
        return f"{lead}[{', '.join(real)}]" if real else ""

    return _CITATION.sub(keep, answer)


def without_citations(text: str) -> str:
    """An earlier answer without its citations: their numbers mean something else in another turn."""
    return _CITATION.sub("", text)


def figures(answer: str) -> list[Figure]:
    """The figures of an answer, in order."""
    hidden = _NO_FIGURE.sub(lambda found: "\0" * len(found[0]), answer)
    return [
        _figure(
            found, about=bool(_ABOUT.search(answer[max(0, found.start() - LONGEST_ABOUT) : found.start()]))
        )
        for found in _FIGURE.finditer(hidden)
    ]


def _figure(found: re.Match[str], *, about: bool) -> Figure:
    unit = (found[2] or "").lower()
    plain = _plain(found[1])
    decimals = len(plain.partition(".")[2])
    zeros = min(len(plain) - len(plain.rstrip("0")), MOST_ZEROS) if about and not decimals else 0
    scales = _UNITS.get(_SPELT.get(unit, unit), (1,))
    return Figure(float(plain), 10.0 ** (zeros - decimals), scales, found.end())


def known_numbers(evidence: Sequence[Evidence], question: str) -> set[float]:
    """Every number that may be said: those of the evidence's texts and facts, and those of the question."""
    known = set(_numbers_in(question))
    for item in evidence:
        finding = item.finding
        for text in (finding.title, finding.text, finding.query, finding.cut or ""):
            known.update(_numbers_in(text))
        known.update(_numbers(finding.facts))
    return known


def _numbers_in(text: str) -> list[float]:
    return [float(_plain(found[1])) for found in _FIGURE.finditer(text)]


def _plain(figure: str) -> str:
    """Without the marks of thousands, and with a point before decimals."""
    plain = re.sub(r"[ \u00a0\u202f]", "", figure)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        return plain.replace(",", "")
    return plain.replace(",", ".")


def _numbers(facts: Json) -> Iterable[float]:
    """Every number inside a JSON value, those inside its texts too."""
    stack: list[Json] = [facts]
    while stack:
        item = stack.pop()
        if isinstance(item, bool) or item is None:
            continue
        if isinstance(item, int | float):
            if -LARGEST < item < LARGEST:  # neither infinite, nor no number at all
                yield float(item)
        elif isinstance(item, str):
            yield from _numbers_in(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
