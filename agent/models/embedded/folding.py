"""Text made plain for matching: lower case, no accents, straight quotes, and the same length as it came."""

import re
import unicodedata

_PLAIN = str.maketrans(
    {
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‑": "-", "‐": "-", "−": "-", "×": "x", "œ": "o", "Œ": "o", "æ": "a", "ß": "s",
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ", "\r": " ", "…": ".",
    }
)  # fmt: skip

_WORD = re.compile(
    r"aujourd'hui|(?:jusqu|lorsqu|puisqu|quelqu|qu|[cdjlmnst])'(?=\w)|[a-z]+n't|'(?:s|re|ll|d|ve|m)\b"
    r"|x(?=\d)|\d+(?=x\b)|\d+(?:[.,:]\d+)*[a-z]*\d*|[a-z][a-z0-9]*|[\ue000-\uf8ff]|[^\sa-z0-9]"
)
_JOINER = re.compile(r"(?<=[a-z0-9])[-_](?=[a-z])|(?<=[a-z])[-_](?=[a-z0-9])")


def fold(text: str) -> str:
    """The text in lower case without accents. Every character keeps its place, so spans stay true."""
    return "".join(_bare(char) for char in text.translate(_PLAIN))


def _bare(char: str) -> str:
    if char.isascii():
        return char.lower()
    lowered = unicodedata.normalize("NFKD", char)[:1].lower()
    return lowered if len(lowered) == 1 else char


def tokens(folded: str) -> list[str]:
    """The words and signs of a folded text; hyphens inside words part them."""
    return _WORD.findall(_JOINER.sub(" ", folded))


def as_words(text: str) -> str:
    """The folded words of a text with single spaces: the form in which everything is looked up."""
    return " ".join(tokens(fold(text)))


def stem(word: str) -> str:
    """A folded word without its plural ending: `workers` and `worker`, `journaux` and `journau`, meet."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith(("s", "x")) and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
