"""Numbers as people write them: digits, and words in English and French."""

import re

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40,
    "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9,
    "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16,
    "vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
}  # fmt: skip
_SETS = {
    "dozen": 12, "dozens": 12, "douzaine": 12, "dizaine": 10, "quinzaine": 15, "vingtaine": 20,
    "trentaine": 30, "single": 1, "couple": 2, "pair": 2, "paire": 2, "hundred": 100, "cent": 100, "cents": 100,
}  # fmt: skip
_HALF = {"half", "demi"}
_JOIN = {"and", "et", "a", "an", "of", "de", "d'"}

_WORDS = "|".join(sorted({*_UNITS, *_SETS}, key=len, reverse=True))
# `a couple of`, `half a dozen`, `twenty-five`, `vingt et un`; a bare article is no number.
SPELLED = (
    rf"(?:half an? |(?:une )?demi[ -]|an? (?=(?:{'|'.join(_SETS)})\b))?(?:{_WORDS})"
    rf"(?:(?:[ -](?:and |et )?)(?:{_WORDS})\b)*(?: of\b| de\b| d' ?)?"
)
NUMERAL = rf"(?:\d+(?:[.,]\d+)?|\b{SPELLED}(?!\w))"
_ARTICLE = {"a", "an"}
_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+'?")


def number(text: str) -> float | None:
    """The number that a folded text such as `12`, `1,5`, `a dozen` or `quatre-vingt-dix` stands for."""
    words = _TOKEN.findall(text)
    if len(words) == 1 and words[0][0].isdigit():
        return float(words[0].replace(",", "."))
    if len(words) == 1 and words[0] in _ARTICLE:
        return 1
    half = (bool(words) and words[0] in _HALF) or words[:2] == ["une", "demi"]
    known = [word for word in words if word in _UNITS or word in _SETS]
    if not known or any(word not in _UNITS and word not in _SETS | _as_zero() for word in words):
        return None
    total = _sum(known[1:] if half and known[0] == "une" else known)
    return total / 2 if half else total


def _as_zero() -> dict[str, int]:
    return dict.fromkeys(_JOIN | _HALF, 0)


def _sum(words: list[str]) -> float:
    """`quatre vingt dix` is 4 x 20 + 10, `two dozen` is 2 x 12, `one hundred twenty` is 1 x 100 + 20."""
    total, last = 0, 0
    for word in words:
        if word in _SETS or (word in {"vingt", "vingts"} and last == 4):  # quatre-vingt
            factor = _SETS.get(word, 20)
            total, last = total - last + max(last, 1) * factor, 0
        else:
            last = _UNITS[word]
            total += last
    return float(total)


def whole(text: str) -> int | None:
    """The whole number a text stands for, or `None`: half a server does not exist."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None
